package ballotbox

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// ledgerPage is how many records one read of a box brings.
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

// parseRecord reads a stream entry as record in box.lua writes it.
func parseRecord(m redis.XMessage, epoch int64, box int) (voting.Record, error) {
	at, err := parsePlace(m.ID)
	if err != nil {
		return voting.Record{}, err
	}
	r := voting.Record{Position: voting.Position{Epoch: epoch, Box: box, Millis: at.millis, Offset: at.offset}}
	var text string
	for kind, value := range m.Values {
		r.Kind = voting.Kind(kind)
		text, _ = value.(string)
	}
	parts := strings.SplitN(text, "|", 10) // the last has bytes of any value
	if len(m.Values) != 1 || len(parts) != 10 {
		return voting.Record{}, fmt.Errorf("corrupt ballot box: record %s has no values", m.ID)
	}
	r.Actor, r.Reasons = voting.Actor(parts[0]), reasons(parts[1])
	version, standing, ids := parts[2], parts[3], parts[9]
	r.Entry, r.School, r.Present, r.Policy, r.Model = parts[4], parts[5], parts[6] == "1", parts[7], parts[8]
	if version != "" {
		if r.Version, err = strconv.Atoi(version); err != nil {
			return voting.Record{}, fmt.Errorf("corrupt ballot box: version %q", version)
		}
	}
	switch first, second := len(r.Ballot), len(r.Voter); {
	case standing != "":
		if r.Standing, err = voting.ParseStanding(standing); err != nil {
			return voting.Record{}, fmt.Errorf("corrupt ballot box: record %s: %w", m.ID, err)
		}
		if len(ids) != first+second {
			return voting.Record{}, fmt.Errorf("corrupt ballot box: record %s names no ballot", m.ID)
		}
		copy(r.Ballot[:], ids[:first])
		copy(r.Voter[:], ids[first:])
	case r.Kind == voting.KindJoin:
		if len(ids) != second+len(r.Into) {
			return voting.Record{}, fmt.Errorf("corrupt ballot box: record %s joins no voters", m.ID)
		}
		copy(r.Voter[:], ids[:second])
		copy(r.Into[:], ids[second:])
	case ids != "":
		return voting.Record{}, fmt.Errorf("corrupt ballot box: record %s has ids and no standing", m.ID)
	}
	return r, nil
}
