package web

import (
	"slices"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// doorAnswer is what becomes of an attempt that bears the signature of a known farm.
type doorAnswer string

const (
	doorRejected doorAnswer = "rejected"
	doorHeld     doorAnswer = "held"     // by a proven address: a person looks at it
	doorAccepted doorAnswer = "accepted" // seen in the hall, or of the school: no farm's, whatever it looks like
	doorObserved doorAnswer = "observed" // the policy only observes
)

// door is what an attempt met at it. The zero value met nobody.
type door struct {
	farm   string // whose signature it bears; empty: none
	answer doorAnswer
}

// atTheDoor holds an attempt against the contest's known farms. It asks no store.
func (s *Server) atTheDoor(stored *registry.Stored, entry string, attempt antifraud.Attempt, evidence *antifraud.Evidence) door {
	farm, known := s.cfg.Farms.Match(stored.Contest.ID, entry, evidence, time.Now())
	if !known {
		return door{}
	}
	d := door{farm, doorRejected}
	switch {
	case stored.Contest.Antifraud.Policy.Base == contest.PolicyObserve:
		d.answer = doorObserved
	case attempt.Present, attempt.School:
		d.answer = doorAccepted
	case attempt.Level == string(contest.LevelEmail):
		d.answer = doorHeld
	}
	return d
}

// decide makes of a ballot what the door says.
func (d door) decide(b *voting.Ballot) {
	switch d.answer {
	case doorRejected:
		b.Refuse, b.Reasons = voting.Rejected, []string{antifraud.ReasonKnownFarm}
	case doorHeld:
		b.Standing, b.Reasons = voting.Held, append(slices.Clone(b.Reasons), antifraud.ReasonKnownFarm)
	}
}

// countAttempt remembers an attempt at a ballot that was not accepted before: which
// farm it met, and whether it was suspect. Who comes back with a solved challenge
// was counted when asked for it.
func (s *Server) countAttempt(stored *registry.Stored, b voting.Ballot, as screened, met door) {
	id := stored.Contest.ID
	if met.farm != "" {
		s.cfg.Farms.Met(id, met.farm, met.answer == doorRejected)
		s.metrics.farms.WithLabelValues(string(met.answer)).Inc()
	}
	if b.Solved != nil || b.Refuse == voting.NoSuchEntry || b.Refuse == voting.IdentityLevel {
		return
	}
	suspect := met.farm != "" && met.answer != doorAccepted
	if !suspect && (as.priced || as.standing == voting.Held) {
		suspect = !s.policies.of(stored).policy.AsksEverybody()
	}
	s.cfg.Pressure.Count(id, suspect, time.Now())
}
