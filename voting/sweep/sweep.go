// Package sweep looks back while voting goes on: it follows a contest's record, asks
// the detectors every minute, and once over all of it at the close, and writes what
// they find into the ledger.
//
// [Judge] is the whole of the rule and pure, so that a sweep can be replayed; [Sweeper]
// reads, asks and writes. Nothing of it is on the way of a cast. A sweep costs what
// the ballots since the last one cost.
//
// One server at a time sweeps a contest, under a lease. What it knows is in its memory
// alone: the next one begins from the record, and says so, since detectors that saw
// all ballots at once may find otherwise than those that saw them minute by minute.
// Every sweep is kept with the cut of the record it had read. A decision is written
// only where the ballot still stands as it was judged, so that two servers that both
// believe to hold the lease do no harm.
package sweep

import (
	"slices"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest"
)

// Settings are what decides beside the record and the formulas.
type Settings struct {
	Policy   string   `json:"policy"` // version
	Model    string   `json:"model"`
	Observe  bool     `json:"observe,omitempty"` // decide, and write nothing
	HoldMS   int64    `json:"hold_ms"`
	Canaries []string `json:"canaries,omitempty"`
}

// SettingsOf are a contest's.
func SettingsOf(c *contest.Contest) Settings {
	return Settings{
		Policy: antifraud.PolicyOf(c.Antifraud.Policy).Version, Model: detect.Model,
		Observe: c.Antifraud.Policy.Base == contest.PolicyObserve,
		HoldMS:  c.Antifraud.Hold.Milliseconds(), Canaries: c.Antifraud.Canaries,
	}
}

// hold is how long a ballot is held at most.
func (s Settings) hold() time.Duration { return time.Duration(s.HoldMS) * time.Millisecond }

func (s Settings) equal(o Settings) bool {
	return s.Policy == o.Policy && s.Model == o.Model && s.Observe == o.Observe && s.HoldMS == o.HoldMS && slices.Equal(s.Canaries, o.Canaries)
}

// Sweep is one look of the detectors, as it is kept: with the record it is all that
// is needed to do it again.
type Sweep struct {
	Number int     `json:"sweep"`
	AtMS   int64   `json:"at_ms"` // by the store's clock
	Cut    []int64 `json:"cut"`   // how many records of each box had been read
	// Fresh is set where the judge began anew, from the beginning of the record.
	Fresh   *Settings `json:"fresh,omitempty"`
	Whole   bool      `json:"whole,omitempty"` // over all ballots, and not only those that came
	Decided int       `json:"decided"`         // ballots, under observe those that would be
}

// At is when it was.
func (s Sweep) At() time.Time { return time.UnixMilli(s.AtMS).UTC() }

// Written tells whether what the sweep decided is in a ledger, by the times of the
// detectors' decisions in it: a sweep is kept before its decisions are written.
func (s Sweep) Written(decisions []time.Time) bool {
	n := 0
	for _, at := range decisions {
		if at.UnixMilli() >= s.AtMS {
			n++
		}
	}
	return n >= s.Decided
}

// Status is where the detectors are with a contest.
type Status struct {
	Sweep   int    `json:"sweep"` // number of the last one
	At      string `json:"at"`
	Policy  string `json:"policy"`
	Model   string `json:"model"`
	Observe bool   `json:"observe"` // nothing is written: Would says what would have been
	Final   bool   `json:"final"`   // voting is over, and all of it was looked at
	Settled bool   `json:"settled"` // and no ballot is held for a time any more: the detectors are done

	Would    Would  `json:"would"`
	Stopped  []Stop `json:"stopped"`  // where a person is asked
	Canaries int    `json:"canaries"` // ballots of canaries that would not be counted: an alarm
}

// Would is how many ballots the detectors, left alone, would not have counted.
type Would struct {
	Held int `json:"held"`
	Void int `json:"void"`
}

// Stop is an hour in which so many ballots would be held on little evidence that none
// is: they count, and a person is asked to look at them.
type Stop struct {
	Entry   string       `json:"entry"`
	Hour    string       `json:"hour"`
	Scope   detect.Scope `json:"scope"` // whose ballots are too many: the entry's, or the contest's
	Ballots int          `json:"ballots"`
	Some    []string     `json:"some"` // up to 100 of them, named as `standings` takes them
}
