package web

import (
	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/voting"
)

// farmMatch is what became of an attempt that bears the signature of a known farm.
type farmMatch string

const (
	farmRejected farmMatch = "rejected"
	farmHeld     farmMatch = "held"     // by a proven address: a person looks at it
	farmAccepted farmMatch = "accepted" // seen in the hall, or of the school: no farm's, whatever it looks like
	farmObserved farmMatch = "observed" // the policy only observes
	farmSpared   farmMatch = "spared"   // a canary
)

// matched says it, by the verdict.
func matched(v *antifraud.Verdict) farmMatch {
	switch {
	case v.Action != v.Would:
		return farmObserved
	case v.Action == antifraud.Reject:
		return farmRejected
	case v.Action == antifraud.Hold:
		return farmHeld
	}
	return farmAccepted
}

// countAttempt remembers an attempt at a ballot that was not accepted before: which
// farm it met, and whether it was suspect. Who comes back with a solved challenge
// was counted when asked for it.
func (s *Server) countAttempt(k *casting) {
	id, as := k.stored.Contest.ID, &k.screened
	if k.ballot.Refuse == voting.NoSuchEntry || k.ballot.Refuse == voting.IdentityLevel {
		return
	}
	if as.farm != "" {
		s.cfg.Farms.Met(id, as.farm, as.became == farmRejected)
		s.metrics.farms.WithLabelValues(string(as.became)).Inc()
	}
	if k.ballot.Solved != nil {
		return
	}
	suspect := as.action == antifraud.Reject
	if !suspect && as.action != antifraud.Accept {
		suspect = !s.policies.of(k.stored).policy.AsksEverybody()
	}
	s.cfg.Pressure.Count(id, suspect, k.attempt.At)
}
