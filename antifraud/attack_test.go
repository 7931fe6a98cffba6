package antifraud

import (
	"testing"

	"github.com/joute/joute/contest"
)

func TestCost_RisesWithTheShareOfSuspectAttempts(t *testing.T) {
	for _, c := range []struct {
		attempts Attempts
		want     int
	}{
		{Attempts{}, CostLeast},
		{Attempts{Seen: 29, Suspect: 29}, CostLeast}, // too few to say
		{Attempts{Seen: 1000, Suspect: 150}, CostLeast},
		{Attempts{Seen: 1000, Suspect: 200}, CostLeast},
		{Attempts{Seen: 1000, Suspect: 450}, (CostLeast + CostMost) / 2},
		{Attempts{Seen: 1000, Suspect: 700}, CostMost},
		{Attempts{Seen: 1000, Suspect: 1000}, CostMost},
		{Attempts{Seen: 10, Suspect: 1000}, CostMost}, // counts of two servers that disagree for a moment
	} {
		if got := c.attempts.Cost(); got < c.want-1 || got > c.want+1 {
			t.Errorf("%+v: %d, want %d", c.attempts, got, c.want)
		}
	}
}

func TestPolicy_AsksEverybody(t *testing.T) {
	weight := func(unproven float64) contest.Policy {
		return contest.Policy{Base: contest.PolicyStandard, Weights: map[contest.Signal]float64{contest.SignalUnproven: unproven}}
	}
	for name, c := range map[string]struct {
		policy contest.Policy
		want   bool
	}{"standard": {contest.Policy{Base: contest.PolicyStandard}, false}, "below": {weight(2.4), false}, "challenges": {weight(2.5), true}, "holds": {weight(9), true}} {
		if p := PolicyOf(c.policy); p.AsksEverybody() != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
	if (&Policy{}).AsksEverybody() {
		t.Error("a policy that accepts everything asks everybody")
	}
}
