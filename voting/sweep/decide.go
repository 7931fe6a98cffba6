package sweep

import (
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

// clearBelow is half of what holds a ballot: where the two were one, a ballot at the
// border would be held and released in turns.
const clearBelow = 0.25

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
