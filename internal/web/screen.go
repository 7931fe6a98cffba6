package web

import (
	"log/slog"
	"net/netip"
	"sync"

	"github.com/gaissmai/bart"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/account"
	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// policies keeps the policy of each contest as it was filled in last, the networks
// of its campuses and its canaries: every cast asks for them.
type policies struct {
	kept sync.Map // contest id -> *keptPolicy
}

type keptPolicy struct {
	version  int
	epoch    int64
	policy   antifraud.Policy
	campuses bart.Lite
	canaries map[string]bool
}

func (p *policies) of(s *registry.Stored) *keptPolicy {
	if kept, ok := p.kept.Load(s.Contest.ID); ok {
		if k := kept.(*keptPolicy); k.version == s.Version && k.epoch == s.Epoch {
			return k
		}
	}
	k := &keptPolicy{version: s.Version, epoch: s.Epoch, policy: antifraud.PolicyOf(s.Contest.Antifraud.Policy), canaries: map[string]bool{}}
	for _, voter := range s.Contest.Antifraud.Canaries {
		k.canaries[voter] = true
	}
	for _, campus := range s.Contest.Antifraud.Campuses {
		for _, prefix := range campus.CIDRs {
			k.campuses.Insert(prefix)
		}
	}
	p.kept.Store(s.Contest.ID, k)
	return k
}

// network is what is known of where an attempt comes from. What the contest says of
// its campuses holds before any list: a school behind a security service's data
// centre is a school.
func (s *Server) network(stored *registry.Stored, from netip.Addr) netkind.Network {
	network := netkind.Network{Kind: antifraud.NetUnknown}
	if s.cfg.Networks != nil {
		network = s.cfg.Networks.Lookup(from)
	}
	if from.IsValid() && s.policies.of(stored).campuses.Contains(from.Unmap()) {
		network.Kind = antifraud.NetCampus
	}
	return network
}

// screened is what an attempt's ballot becomes when the box accepts it.
type screened struct {
	standing voting.Standing
	reasons  []string    // why it is held, or refused
	policy   string      // version of the policy that holds it
	refused  voting.Code // or empty
	priced   bool        // it takes a solved challenge
	action   antifraud.Action
	spared   bool      // a canary that would be held or rejected
	farm     string    // whose signature the attempt bears; empty: none
	became   farmMatch // of an attempt with farm
	evidence antifraud.Evidence
	sighting window.Sighting
	profile  *window.Following // of a member whose pass tells
}

// screen decides on an attempt and tells how.
func (s *Server) screen(k *casting) error {
	verdict, err := s.judge(k)
	if err == nil {
		s.tellScreened(k.stored.Contest, &verdict, k.screened.spared)
	}
	return err
}

// judge decides on an attempt, by itself and by what this server and the others
// counted: contest, entry, pass and attempt of k say what it screened. It asks no store and
// counts nothing.
func (s *Server) judge(k *casting) (antifraud.Verdict, error) {
	voter, done := k.pass.Voter.String(), &k.screened
	done.standing = voting.Counted
	if err := s.recognize(k, voter); err != nil {
		return antifraud.Verdict{}, err
	}
	kept := s.policies.of(k.stored)
	verdict := s.weigh(kept, k)
	if kept.canaries[voter] && (verdict.Action == antifraud.Hold || verdict.Action == antifraud.Reject) {
		// The organizer vouches for them. A challenge is a price that anybody may be asked.
		verdict.Action, verdict.Reasons, done.spared = antifraud.Accept, nil, true
	}
	done.evidence.Signals, done.action, done.became = verdict.Signals, verdict.Action, matched(&verdict)
	if done.spared && done.farm != "" {
		done.became = farmSpared
	}
	switch verdict.Action {
	case antifraud.Reject:
		done.refused, done.reasons = voting.Rejected, verdict.Reasons
	case antifraud.Hold:
		done.standing, done.reasons, done.policy = voting.Held, verdict.Reasons, verdict.Policy
	case antifraud.AskChallenge:
		done.priced = true
	}
	return verdict, nil
}

// recognize finds evidence, farm and sighting of an attempt.
//
//go:noinline
func (s *Server) recognize(k *casting, voter string) error {
	id, attempt, done := k.stored.Contest.ID, &k.attempt, &k.screened
	key, err := s.cfg.Passes.EvidenceKey(id)
	if err != nil {
		return err
	}
	shares, err := s.cfg.Passes.ShareKey(id)
	if err != nil {
		return err
	}
	done.evidence = key.Evidence(*attempt)
	done.farm, attempt.KnownFarm = s.cfg.Farms.Match(id, k.entry, &done.evidence, attempt.At)
	if p := done.evidence.Profile; p != nil {
		attempt.Account = account.Score(p).LogOdds
		if p.Followers != nil && p.Following != nil {
			done.profile = &window.Following{Followers: *p.Followers, Following: *p.Following}
			attempt.Churned = s.cfg.Windows.Churned(id, voter, *done.profile, attempt.At)
		}
	}
	cast := window.Cast{Voter: voter, Entry: k.entry, Via: attempt.Client.Via, Own: sharing.CodeOf(shares, k.pass.Voter).String()}
	if via, err := sharing.ParseVia(cast.Via); err == nil {
		cast.Via = via.Code.String()
	}
	done.sighting = window.Of(cast, attempt, &done.evidence)
	return nil
}

//go:noinline
func (s *Server) weigh(kept *keptPolicy, k *casting) antifraud.Verdict {
	counts := s.cfg.Windows.Contest(k.stored.Contest.ID, k.attempt.At).Counts(k.screened.sighting)
	return kept.policy.Screen(k.attempt, counts[:]...)
}

// tellScreened measures a verdict, and logs one that is no plain acceptance: also
// of a policy that only observes. A canary that was spared is an alarm.
func (s *Server) tellScreened(c *contest.Contest, verdict *antifraud.Verdict, spared bool) {
	effect := effectApplied
	switch {
	case spared:
		effect = effectSpared
		s.log.Error("a canary would be held or rejected: screening is wrong about somebody known to be honest",
			slog.String("contest", c.ID), slog.String("would", string(verdict.Would)))
	case verdict.Action != verdict.Would:
		effect = effectObserved
	}
	s.metrics.tellScreened(verdict.Would, effect)
	if verdict.Would != antifraud.Accept {
		s.log.Debug("screened", slog.String("contest", c.ID), slog.Any("verdict", *verdict))
	}
}

// saw counts an accepted ballot, for the attempts that come after it.
func (s *Server) saw(k *casting) {
	id, done := k.stored.Contest.ID, &k.screened
	s.cfg.Windows.Saw(id, done.sighting)
	if done.profile != nil {
		s.cfg.Windows.Remember(id, k.pass.Voter.String(), *done.profile, done.sighting.Time())
	}
}
