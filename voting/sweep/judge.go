package sweep

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/voting"
)

// Finder tells farms from crowds: [detect.Detector]. Equal calls find alike.
type Finder interface {
	Add(ballots ...detect.Ballot) // keeps none of the slice
	Run() detect.Report
	Whole() detect.Report
}

// Judge turns a contest's record into decisions. It is pure: what it decides follows
// from its settings, the records it has read, the cuts at which it decided before and
// the instant it is given. It is not safe for concurrent use.
type Judge struct {
	settings Settings
	canaries map[string]bool
	find     Finder

	read    []int64   // offset of the last record of each box
	latest  []int64   // and when it was written, in ms
	boxes   int       // how many there are; 0: it is not known
	pending []*placed // read and not given to the finder
	full    int       // pending ballots from which on those that can be are given
	given   int       // ballots that the finder has and has not looked at
	oldest  time.Time // instant of the oldest of both
	guard   detect.Guard
	cases   map[Ballot]stand
	holds   holds
	against map[Ballot]detect.Finding // that would not have the ballot counted
	stopped map[Ballot]detect.Scope   // that only the guard keeps from being held
	alarms  map[Ballot]bool           // canaries that would be touched, told already
}

// Ballot names one: ids are made by callers, and two voters may make the same.
type Ballot struct {
	Voter voting.Voter
	ID    uuid.UUID
}

func (b Ballot) compare(c Ballot) int {
	return cmp.Or(bytes.Compare(b.Voter[:], c.Voter[:]), bytes.Compare(b.ID[:], c.ID[:]))
}

// stand is how a ballot stands. One that was cast, counted, and left alone has none.
type stand struct {
	standing voting.Standing
	reasons  []string
	by       voting.Actor
	cast     bool  // nothing has happened since the cast
	since    int64 // ms
	released bool  // by the detector: only two families touch it again
}

// NewJudge has read nothing.
func NewJudge(settings Settings, find Finder) *Judge {
	j := &Judge{
		settings: settings, find: find, canaries: map[string]bool{}, cases: map[Ballot]stand{},
		full: leastGiven, against: map[Ballot]detect.Finding{}, stopped: map[Ballot]detect.Scope{}, alarms: map[Ballot]bool{},
	}
	for _, voter := range settings.Canaries {
		j.canaries[voter] = true
	}
	return j
}

// Read takes the next record of its box, a cast with what was seen of it. A record
// that was read before changes nothing.
func (j *Judge) Read(r voting.Record, level string, evidence antifraud.Evidence) {
	box := r.Position.Box
	for len(j.read) <= box {
		j.read, j.latest = append(j.read, 0), append(j.latest, 0)
	}
	if r.Position.Offset <= j.read[box] {
		return
	}
	j.read[box], j.latest[box] = r.Position.Offset, r.Position.Millis
	if !r.NamesBallot() {
		return
	}
	ballot := Ballot{r.Voter, r.Ballot}
	if r.Kind == voting.KindCast {
		j.pending = append(j.pending, &placed{r.Position, detect.Ballot{
			ID: r.Ballot.String(), At: r.Position.At(), Voter: r.Voter.String(), Entry: r.Entry, School: r.School, Level: level, Evidence: evidence,
		}})
		if at := r.Position.At(); j.given+len(j.pending) == 1 || at.Before(j.oldest) {
			j.oldest = at
		}
		if len(j.pending) >= j.full {
			j.give()
		}
		if r.Standing == voting.Counted {
			return
		}
	}
	j.stands(ballot, stand{standing: r.Standing, reasons: r.Reasons, by: r.Actor, cast: r.Kind == voting.KindCast, since: r.Position.Millis})
}

// Other tells whether a record stands in the place of another that was read: the time of a box
// never goes back, so one that comes twice is no later than the last.
func (j *Judge) Other(r voting.Record) bool {
	box := r.Position.Box
	return box < len(j.read) && r.Position.Offset <= j.read[box] && r.Position.Millis > j.latest[box]
}

// stands says how a ballot stands from now on.
func (j *Judge) stands(ballot Ballot, now stand) {
	now.released = j.cases[ballot].released || now.by == voting.ActorDetector && now.standing == voting.Counted
	j.cases[ballot] = now
	if now.ends() {
		heap.Push(&j.holds, hold{now.since, ballot})
	}
}

// ends tells whether time alone releases the ballot: a detector's hold, or one of
// screening for reasons that its voter could have answered.
func (s stand) ends() bool {
	if s.standing != voting.Held {
		return false
	}
	return s.by == voting.ActorDetector || s.by == voting.ActorScreen && len(antifraud.Steps(s.reasons)) > 1
}

// cut is how many records of each box were read.
func (j *Judge) cut() []int64 { return slices.Clone(j.read) }
