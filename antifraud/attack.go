package antifraud

import "github.com/joute/joute/contest"

// Attempts are how many attempts at casting there were in a while, and how many of
// them screening would not simply accept.
type Attempts struct {
	Seen, Suspect int64
}

const (
	// CostLeast is the most hashes that a challenge takes while nothing is wrong.
	CostLeast = 100_000

	// CostMost is the same at the height of an attack: what static/challenge.js does
	// in 1.5 s on a cheap phone, however unlucky (docs/MEASUREMENTS.md).
	CostMost = 200_000

	// An attack is at least so many suspect attempts, and from attackFrom to
	// attackFull of all. A contest of a few dozen votes has shares of any size by
	// chance; a crowd with a fifth of it suspect is not what the policies expect.
	attackLeast = 30
	attackFrom  = 0.2
	attackFull  = 0.7
)

// Cost is what a challenge takes after such attempts: from CostLeast to CostMost,
// in proportion to the share of those suspect.
func (a Attempts) Cost() int {
	if a.Suspect < attackLeast || a.Seen <= 0 {
		return CostLeast
	}
	level := (float64(a.Suspect)/float64(a.Seen) - attackFrom) / (attackFull - attackFrom)
	return CostLeast + int(min(max(level, 0), 1)*(CostMost-CostLeast))
}

// AsksEverybody says that the policy challenges or holds who shows nothing at all:
// then its challenges say nothing of an attack.
func (p *Policy) AsksEverybody() bool {
	return p.Version != "" && p.Weights[contest.SignalBase]+p.Weights[contest.SignalUnproven] >= min(p.Thresholds.Challenge, p.Thresholds.Hold)
}
