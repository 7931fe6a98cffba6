package ballotbox

import (
	"context"

	"github.com/joute/joute/contest/registry"
)

// Guard knows which ballot boxes there have been, and so tells one that is new from
// one that was lost: both are not there. [registry.Registry] is one.
type Guard interface {
	// Create calls create when boxes of the contest may be set up that the store does
	// not have; an error says that they were lost, or cannot be known to be new.
	// Without an error all are there, and known to be.
	Create(ctx context.Context, s *registry.Stored, missing func(context.Context) (bool, error), create func(context.Context) error) error
	// Lacks tells whether boxes of a contest were found to be lost, and not yet found again.
	Lacks(contestID string) bool
}

// GuardedBy sets who is asked before a box is set up, and returns b. It is called
// before anything else; without a guard every box that is missing is new.
func (b *Boxes) GuardedBy(g Guard) *Boxes {
	b.guard = g
	return b
}
