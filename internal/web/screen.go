package web

import (
	"sync"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// policies keeps the policy of each contest as it was filled in last: every cast
// asks for it.
type policies struct {
	kept sync.Map // contest id -> *keptPolicy
}

type keptPolicy struct {
	version int
	epoch   int64
	policy  antifraud.Policy
}

func (p *policies) of(s *registry.Stored) *antifraud.Policy {
	if kept, ok := p.kept.Load(s.Contest.ID); ok {
		if k := kept.(*keptPolicy); k.version == s.Version && k.epoch == s.Epoch {
			return &k.policy
		}
	}
	k := &keptPolicy{s.Version, s.Epoch, antifraud.PolicyOf(s.Contest.Antifraud.Policy)}
	p.kept.Store(s.Contest.ID, k)
	return &k.policy
}

// screened is what an attempt's ballot becomes when the box accepts it.
type screened struct {
	standing voting.Standing
	reasons  []string // why it is held
	policy   string   // version of the policy that holds it
	priced   bool     // it takes a solved challenge
}

func (s *Server) screen(stored *registry.Stored, attempt antifraud.Attempt) screened {
	switch verdict := s.policies.of(stored).Screen(attempt); verdict.Action {
	case antifraud.Hold:
		return screened{standing: voting.Held, reasons: verdict.Reasons, policy: verdict.Policy}
	case antifraud.AskChallenge:
		return screened{standing: voting.Counted, priced: true}
	default:
		return screened{standing: voting.Counted}
	}
}
