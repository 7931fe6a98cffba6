package ballotbox

import (
	"context"
	"fmt"
	"math"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// ledgerPage is how many records one read of the archive brings.
const ledgerPage = 1000

// Ledger gives every record after a position, in the order (millisecond, box,
// offset), until yield returns an error, which it then returns. It ends where
// the ledger ended when the call began, or later. The position of the last
// record given resumes it: nothing is left out, nothing comes twice.
//
// That one position is enough for many boxes needs a promise from each: before
// reading, all boxes agree on an instant before which no further record will be
// stamped, and only records before it are given.
func (b *Boxes) Ledger(ctx context.Context, s *registry.Stored, after voting.Position, yield func(voting.Record) error) error {
	if after != (voting.Position{}) && after.Epoch != s.EpochAt(after.Box, after.Offset) {
		return ErrEpoch
	}
	end, err := b.horizon(ctx, s)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	tracks := make([]*track, s.Contest.Boxes)
	for box := range tracks {
		tracks[box] = &track{boxes: b, stored: s, box: box, end: end, start: after}
		tracks[box].at, tracks[box].exact = firstAfter(after, box)
	}
	for {
		var first *track
		for _, t := range tracks {
			if err := t.fill(ctx); err != nil {
				return fmt.Errorf("ledger: %w", err)
			}
			// Boxes are in order: on equal instants the first one stays first.
			if len(t.page) > 0 && (first == nil || t.page[0].Position.Millis < first.page[0].Position.Millis) {
				first = t
			}
		}
		if first == nil {
			return nil
		}
		if err := yield(first.page[0].Record); err != nil {
			return err
		}
		first.page = first.page[1:]
	}
}

// firstAfter is where a box goes on after a position of the contest, and whether
// that is a record of the box, or its beginning.
func firstAfter(after voting.Position, box int) (at place, exact bool) {
	switch {
	case after == voting.Position{}:
		return place{}, true
	case box < after.Box: // its records of that millisecond were given
		return place{after.Millis, math.MaxInt64}, false
	case box > after.Box: // none of them was
		return place{after.Millis, 0}, false
	default:
		return place{after.Millis, after.Offset}, true
	}
}

// horizon is the end of what can be read in one order: an instant in ms, exclusive.
// One box has an order of its own and needs none: 0.
func (b *Boxes) horizon(ctx context.Context, s *registry.Stored) (int64, error) {
	if s.Contest.Boxes == 1 {
		_, err := b.turnAll(ctx, s) // finds a torn box
		return 0, err
	}
	var instant int64
	// The second round brings boxes whose clock is behind up to the others, on
	// a cluster or where a record of this very millisecond was there.
	for range 2 {
		marks := make([]int64, s.Contest.Boxes)
		at := instant
		err := b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) error {
			r, err := b.reply(ctx, s, box, b.mark, keys.common(), at)
			if err != nil {
				return err
			}
			marks[box], err = r.integer(1)
			return err
		})
		if err != nil {
			return 0, err
		}
		if instant == 0 {
			for _, mark := range marks {
				instant = max(instant, mark)
			}
		}
	}
	return instant, nil
}
