package detect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// among are votes for one entry of a quiet contest, one after another by these gaps and
// reading times, in seconds, from one address.
func among(w *farmlab.Workload, votes int, name string, kind antifraud.NetKind, device func(n int) string, gap, dwell func() float64) []detect.Ballot {
	ballots := append([]detect.Ballot(nil), w.Ballots...)
	like := w.Ballots[len(w.Ballots)/3]
	at := like.At
	for n := range votes {
		b := like
		b.ID, b.Voter, b.At = fmt.Sprint(name, "-", n), fmt.Sprint(name, n), at
		read := int64(dwell() * 1000)
		b.Evidence = antifraud.Evidence{Net: name, Block: name, NetKind: kind, Device: device(n), Agent: like.Evidence.Agent, Referrer: antifraud.ReferrerDirect, DwellMS: &read}
		ballots = append(ballots, b)
		at = at.Add(time.Duration(gap() * float64(time.Second)))
	}
	return ballots
}

// One person who clears the storage of a phone at home is held or void from five votes on. A few
// who share a room of machines at their school, or a home, are not.
func TestWhole_AFewVotesOfOneMachine(t *testing.T) {
	found := map[string]int{}
	const seeds = 12
	for seed := uint64(1); seed <= seeds; seed++ {
		w := farmlab.Make(farmlab.Mix{Entries: 8, Schools: 6, Days: 8, Ballots: 1, Voters: 1300}, seed)
		r := rand.New(rand.NewPCG(seed, 12))
		people := func() float64 { return 25 * math.Exp(0.7*r.NormFloat64()) } // they take their time
		program := func() float64 { return 3 * math.Exp(0.35*r.NormFloat64()) }
		steps, chance := func() float64 { return 30 + 20*r.Float64() }, func() float64 { return 300 * r.ExpFloat64() }
		one, own := func(int) string { return "machine" }, func(n int) string { return fmt.Sprint("own", n) }
		for name, ballots := range map[string][]detect.Ballot{
			"alone":     among(w, 5, "alone", antifraud.NetResidential, one, steps, program),
			"at school": among(w, 6, "at school", antifraud.NetCampus, one, steps, program),
			"room":      among(w, 8, "room", antifraud.NetCampus, one, chance, people),
			"family":    among(w, 6, "family", antifraud.NetResidential, own, chance, program),
		} {
			for _, f := range whole(ballots).Findings {
				if f.Standing != detect.Counted && f.Voter == name+"1" {
					found[name]++
				}
			}
		}
	}
	t.Logf("held or void, of %d: %v", seeds, found)
	if found["alone"] < seeds*9/10 || found["at school"] < seeds*9/10 || found["room"] > 0 || found["family"] > 0 {
		t.Errorf("held or void, of %d: %v", seeds, found)
	}
}

// A few who share a machine come when people do, through a day or some, and take their time: one
// person votes through the night, too, and in a hurry or not so much. A spike of one evening makes no
// hour of others a night.
func TestWhole_AFewVotesThroughADay(t *testing.T) {
	found, all := map[string]int{}, map[string]int{}
	const seeds = 12
	for seed := uint64(1); seed <= seeds; seed++ {
		for n := range 4 {
			kind := [...]antifraud.NetKind{antifraud.NetResidential, antifraud.NetCampus}[n%2]
			w := joined(farmlab.Mix{Entries: 8, Schools: 6, Days: 8, Ballots: 1, Voters: 1300}, seed)
			r, hours := rand.New(rand.NewPCG(seed, 13)), len(w.Ballots)
			first := w.Ballots[hours/3]
			if n >= 2 {
				w.add("spike", false, 2000, 3, 120, func(*antifraud.Evidence) {})
			}
			byDay := func() time.Duration { // at the hour of somebody's vote
				at := w.Ballots[r.IntN(hours)].At
				return at.Sub(at.Truncate(24*time.Hour)) + first.At.Truncate(24*time.Hour).Sub(first.At)
			}
			byNight := func() time.Duration { return time.Duration(24 * r.Float64() * float64(time.Hour)) }
			pace := w.pace() / 1000
			people := func() float64 { return pace * math.Exp(0.6*r.NormFloat64()) }
			ballots := append([]detect.Ballot(nil), w.Ballots...)
			for _, group := range []struct {
				name  string
				votes int
				at    func() time.Duration
				dwell func() float64
			}{
				{"a shared machine", 8, byDay, people},
				{"another, later", 8, func() time.Duration { return byDay() + 6*time.Hour }, people},
				{"one person", 8, byNight, func() float64 { return 0.45 * people() }},
			} {
				name := fmt.Sprint(group.name, " ", kind)
				for n := range group.votes {
					b := first
					read := int64(group.dwell() * 1000)
					b.ID, b.Voter, b.At = fmt.Sprint(name, "-", n), fmt.Sprint(name, n), first.At.Add(group.at())
					b.Evidence = antifraud.Evidence{Net: name, Block: name, NetKind: kind, Device: name, Agent: first.Evidence.Agent, Referrer: antifraud.ReferrerDirect, DwellMS: &read}
					ballots = append(ballots, b)
				}
				all[name] += group.votes
			}
			for _, f := range whole(ballots).Findings {
				for name := range all {
					if f.Standing != detect.Counted && len(f.Voter) == len(name)+1 && f.Voter[:len(name)] == name {
						found[name]++
					}
				}
			}
		}
	}
	for name := range all {
		share := float64(found[name]) / float64(all[name])
		if one := strings.HasPrefix(name, "one"); one && share < 0.8 || !one && share > 0.06 {
			t.Errorf("%s: %d of %d held", name, found[name], all[name])
		}
	}
}
