package ballotbox

import (
	"context"
	"fmt"

	"github.com/joute/joute/contest/registry"
)

// Closed tells whether voting is over in every box, by the store's clock. It stays
// over.
func (b *Boxes) Closed(ctx context.Context, s *registry.Stored) (bool, error) {
	state, err := b.turnAll(ctx, s)
	if err != nil {
		return false, fmt.Errorf("closed: %w", err)
	}
	return state == "closed" || state == "published", nil
}

// Forget deletes the evidence and the appeals of every box, and records that. When
// it returns without an error, no appeal is kept any more either. Voters stay as
// pseudonyms, ballots stay where they stand: the ledger counts as before. It
// returns [ErrNotClosed] while voting is not over; after any error some boxes may
// be done, and the next call does the rest.
func (b *Boxes) Forget(ctx context.Context, s *registry.Stored) error {
	err := b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) error {
		reply, err := b.reply(ctx, s, box, b.forget, keys.common(keys.evidence, keys.appeals))
		if err != nil {
			return err
		}
		if reply.code() != "forgotten" {
			return ErrNotClosed
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	return nil
}
