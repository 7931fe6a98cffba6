package sweep

import (
	"bytes"
	"cmp"
	"container/heap"
	"fmt"
	"math"
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

// leastGiven is how many ballots wait for the finder before it is asked whether it can have them.
const leastGiven = 4096

// placed is a cast that the finder does not have yet.
type placed struct {
	at     voting.Position
	ballot detect.Ballot
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

// clearBelow is half of what holds a ballot: where the two were one, a ballot at the
// border would be held and released in turns.
const clearBelow = 0.25

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

// Cut is how many records of each box were read.
func (j *Judge) Cut() []int64 { return slices.Clone(j.read) }

// Expect says how many boxes the contest has. A judge that knows gives ballots to the
// finder as they come, which keeps them in a fraction of the memory: in a rush more wait
// for a sweep than all else that a server remembers. It decides as one that does not know.
func (j *Judge) Expect(boxes int) { j.boxes = boxes }

// give gives the finder what nothing can come before any more: the time of a box never
// goes back, so that is what is older than the last record of each.
func (j *Judge) give() {
	if len(j.latest) < j.boxes || j.boxes == 0 {
		j.full = 2 * len(j.pending)
		return
	}
	j.giveUntil(slices.Min(j.latest))
	j.full = max(leastGiven, 2*len(j.pending)) // a box in which nothing happens keeps the others' waiting
}

// giveUntil gives the finder what is older than an instant. Boxes are read one after another: in
// the order of time it does not matter how.
func (j *Judge) giveUntil(ms int64) {
	slices.SortFunc(j.pending, func(x, y *placed) int {
		return cmp.Or(cmp.Compare(x.at.Millis, y.at.Millis), cmp.Compare(x.at.Box, y.at.Box), cmp.Compare(x.at.Offset, y.at.Offset))
	})
	n, _ := slices.BinarySearchFunc(j.pending, ms, func(p *placed, ms int64) int { return cmp.Compare(p.at.Millis, ms) })
	one := make([]detect.Ballot, 1) // of all: who is called copies
	for _, p := range j.pending[:n] {
		one[0] = p.ballot
		j.find.Add(one...)
		j.guard.Cast(p.ballot.Entry, p.ballot.At)
		j.given++
	}
	j.pending = slices.Delete(j.pending, 0, n)
}

// Waiting is when the oldest cast came that no detector has looked at, and how many there are.
func (j *Judge) Waiting() (since time.Time, ballots int) {
	if j.given+len(j.pending) == 0 {
		return time.Time{}, 0
	}
	return j.oldest, j.given + len(j.pending)
}

// Due tells whether a hold has ended by now.
func (j *Judge) Due(now time.Time) bool {
	return len(j.holds) > 0 && j.holds[0].ended(now, j.settings.Hold())
}

// Holding tells whether a hold goes on that time alone may end.
func (j *Judge) Holding() bool {
	return slices.ContainsFunc(j.holds, func(h hold) bool {
		s := j.cases[h.ballot]
		return s.ends() && s.since == h.since
	})
}

// Decision is what should become of one ballot, and why.
type Decision struct {
	Ballot
	Entry    string
	From     voting.Standing // how it stood, and for which reasons, when this was decided
	Because  []string
	Standing voting.Standing
	Reasons  []string
	Finding  detect.Finding
}

// Ruling is what one sweep comes to. Decisions are in an order of their own that does
// not depend on how the record was read.
type Ruling struct {
	Decisions []Decision
	Clusters  []detect.Cluster
	Stopped   int // ballots that the guard newly keeps from being held
	Canaries  int // ballots of canaries that would newly be held or void
}

// Stopped tells whether only the guard keeps a ballot from being held: it counts, and a
// person is asked.
func (j *Judge) Stopped(ballot Ballot) bool { return j.stopped[ballot] != "" }

// Sweep judges what was read since the last one, or all of it, and ends the holds
// that are over at now, an instant of the store's clock.
func (j *Judge) Sweep(now time.Time, whole bool) (Ruling, error) {
	found, clusters, err := j.ask(whole)
	if err != nil {
		return Ruling{}, err
	}
	due := map[Ballot]bool{}
	for j.Due(now) {
		ended := heap.Pop(&j.holds).(hold)
		if s := j.cases[ended.ballot]; s.ends() && s.since == ended.since {
			due[ended.ballot] = true
		}
	}
	candidates := make([]Ballot, 0, len(found)+len(due)+len(j.stopped))
	for ballot := range found {
		candidates = append(candidates, ballot)
	}
	for ballot := range due {
		candidates = append(candidates, ballot)
	}
	for ballot := range j.stopped {
		candidates = append(candidates, ballot)
	}
	slices.SortFunc(candidates, Ballot.compare)
	r := Ruling{Clusters: clusters}
	for _, ballot := range slices.Compact(candidates) {
		f, judged := found[ballot]
		if !judged {
			f = j.against[ballot] // zero: nothing speaks against it
		}
		d, decided := j.decide(ballot, f, due[ballot], &r)
		if decided {
			r.Decisions = append(r.Decisions, d)
		}
	}
	return r, nil
}

// ask gives the finder what came and returns what it says of ballots that do not
// simply count, or stand otherwise.
func (j *Judge) ask(whole bool) (map[Ballot]detect.Finding, []detect.Cluster, error) {
	j.giveUntil(math.MaxInt64)
	if j.given == 0 && !whole {
		return nil, nil, nil
	}
	j.given = 0
	report := j.find.Run
	if whole {
		report = j.find.Whole
	}
	answer := report()
	found := map[Ballot]detect.Finding{}
	for _, f := range answer.Findings {
		var ballot Ballot
		var err error
		if ballot.ID, err = uuid.Parse(f.Ballot); err == nil {
			err = ballot.Voter.UnmarshalText([]byte(f.Voter))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("a finding about no ballot of the record: %w", err)
		}
		before, known := j.against[ballot]
		if before.Lacks() {
			j.guard.Lack(before.Entry, before.At, -1)
		}
		if f.Lacks() {
			j.guard.Lack(f.Entry, f.At, 1)
		}
		if f.Standing == detect.Counted {
			delete(j.against, ballot)
		} else {
			j.against[ballot] = f
		}
		if _, stands := j.cases[ballot]; stands || known || f.Standing != detect.Counted {
			found[ballot] = f
		}
	}
	return found, answer.Clusters, nil
}

// decide is the rule. What an organizer decided, or a voter's proof, is never
// touched; what is void only a person counts again; what was taken back stays so.
func (j *Judge) decide(ballot Ballot, f detect.Finding, due bool, r *Ruling) (Decision, bool) {
	wasStopped := j.stopped[ballot] != ""
	delete(j.stopped, ballot)
	s, stands := j.cases[ballot]
	if !stands {
		s = stand{standing: voting.Counted, by: voting.ActorVoter, cast: true}
	}
	if s.by == voting.ActorOrganizer || s.by == voting.ActorVoter && !s.cast || s.standing == voting.Void || s.standing == voting.Withdrawn {
		return Decision{}, false
	}
	if f.Standing != "" && f.Standing != detect.Counted && j.canaries[ballot.Voter.String()] {
		if !j.alarms[ballot] {
			j.alarms[ballot] = true
			r.Canaries++
		}
		f.Standing, f.Score = detect.Counted, 0
	}
	d := Decision{Ballot: ballot, Entry: f.Entry, From: s.standing, Because: s.reasons, Finding: f}
	to := func(standing voting.Standing, reasons ...string) (Decision, bool) {
		d.Standing, d.Reasons = standing, reasons
		return d, true
	}
	switch {
	case f.Standing == detect.Void:
		return to(voting.Void, because(f)...)
	case s.standing == voting.Counted && f.Standing == detect.Held && !s.released:
		if scope, stop := j.guard.Stops(f.Entry, f.At); stop && f.Lacks() {
			j.stopped[ballot] = scope
			if !wasStopped {
				r.Stopped++
			}
			return Decision{}, false
		}
		return to(voting.Held, because(f)...)
	case s.standing == voting.Held && s.by == voting.ActorDetector && f.Standing == detect.Counted && f.Score < clearBelow:
		return to(voting.Counted, antifraud.ReasonCleared)
	case due && f.Standing == detect.Held && !f.Lacks():
		return Decision{}, false // two families, and not sure enough to void it: a person decides
	case due:
		return to(voting.Counted, antifraud.ReasonUnconfirmed)
	}
	return Decision{}, false
}

// because are the reasons of a finding; there is no record without one.
func because(f detect.Finding) []string {
	if len(f.Reasons) == 0 {
		return []string{antifraud.ReasonLockstep}
	}
	return f.Reasons
}

// hold is a ballot that is released when its time is over.
type hold struct {
	since  int64 // ms
	ballot Ballot
}

func (h hold) ended(now time.Time, after time.Duration) bool {
	return now.UnixMilli() >= h.since+after.Milliseconds()
}

// holds is a heap, the oldest first.
type holds []hold

func (h holds) Len() int           { return len(h) }
func (h holds) Less(x, y int) bool { return h[x].since < h[y].since }
func (h holds) Swap(x, y int)      { h[x], h[y] = h[y], h[x] }
func (h *holds) Push(x any)        { *h = append(*h, x.(hold)) }
func (h *holds) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
