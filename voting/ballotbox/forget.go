package ballotbox

import (
	"context"
	"fmt"
	"time"

	"github.com/joute/joute/contest/registry"
)

// Closed tells whether voting is over in every box, by the store's clock. It stays
// over.
func (b *Boxes) Closed(ctx context.Context, s *registry.Stored) (bool, error) {
	at, err := b.Clock(ctx, s)
	if err != nil {
		return false, fmt.Errorf("closed: %w", err)
	}
	return at.Closed, nil
}

// Clock is where the boxes of a contest are in time.
type Clock struct {
	Now    time.Time // by the store, to the millisecond
	Closed bool      // voting is over in every box, and stays over
}

// Clock asks the store. It opens and closes boxes whose time has come.
func (b *Boxes) Clock(ctx context.Context, s *registry.Stored) (Clock, error) {
	state, now, err := b.clock(ctx, s)
	if err != nil {
		return Clock{}, fmt.Errorf("clock: %w", err)
	}
	return Clock{Now: now, Closed: state == "closed" || state == "published"}, nil
}

// Forget deletes the evidence, the findings and the appeals of every box, and records that. When
// it returns without an error, no appeal or finding is kept any more either. Voters stay as
// pseudonyms, ballots stay where they stand: the ledger counts as before. It
// returns [ErrNotClosed] while voting is not over; after any error some boxes may
// be done, and the next call does the rest.
func (b *Boxes) Forget(ctx context.Context, s *registry.Stored) error {
	err := b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) error {
		reply, err := b.reply(ctx, s, box, b.forget, keys.common(keys.expiring()...))
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
