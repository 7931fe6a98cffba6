package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// Count is a contest's tally as the boxes say it.
type Count struct {
	Live *voting.Tally
	// Frozen is the tally of the freezing instant; nil before that instant and
	// when the contest does not freeze.
	Frozen *voting.Tally
	// Now is the store's clock; Closes when voting ends or ended by the boxes.
	Now, Closes time.Time
}

// Tally sums the boxes. Each box is read in one step; Live.Boxes says at which
// offset of each.
func (b *Boxes) Tally(ctx context.Context, s *registry.Stored) (Count, error) {
	read := make([]Count, s.Contest.Boxes)
	err := b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) (err error) {
		read[box], err = b.count(ctx, s, box, keys)
		return err
	})
	if err != nil {
		return Count{}, fmt.Errorf("tally: %w", err)
	}
	sum := Count{Live: voting.NewTally()}
	frozen, all := voting.NewTally(), true
	for _, c := range read {
		sum.Live.Add(c.Live)
		if c.Frozen == nil {
			all = false
		} else {
			frozen.Add(c.Frozen)
		}
		if c.Now.After(sum.Now) {
			sum.Now = c.Now
		}
		if c.Closes.After(sum.Closes) {
			sum.Closes = c.Closes
		}
	}
	if all {
		sum.Frozen = frozen
	}
	return sum, nil
}

// count reads one box.
func (b *Boxes) count(ctx context.Context, s *registry.Stored, box int, keys boxKeys) (Count, error) {
	for {
		r, err := b.reply(ctx, s, box, b.tally, keys.common())
		if err != nil {
			return Count{}, err
		}
		var n [7]int64
		for i := 1; i < len(n); i++ {
			if n[i], err = r.integer(i); err != nil {
				return Count{}, err
			}
		}
		now, closes, offset, at, freeze, kept := n[1], n[2], n[3], n[4], n[5], n[6] == 1
		live, unsettled, err1 := parseTally(r, 7)
		frozen, unsettledThen, err2 := parseTally(r, 8)
		if err := errors.Join(err1, err2); err != nil {
			return Count{}, err
		}
		if s.Contest.Scoring.Ties == contest.TiesEarliest && len(unsettled)+len(unsettledThen) > 0 {
			if err := errors.Join(
				b.settleAll(ctx, s, box, keys.tally, 0, unsettled),
				b.settleAll(ctx, s, box, keys.frozen, frozen.Offset, unsettledThen),
			); err != nil {
				return Count{}, err
			}
			continue // read again: the marks are settled, or newer ones took their place
		}
		live.Offset, live.At = offset, instant(at)
		c := Count{Live: live, Now: instant(now), Closes: instant(closes)}
		if freeze > 0 && now >= freeze {
			if !kept {
				// Nothing has been recorded since the freezing instant.
				still := *live
				frozen = &still
			}
			frozen.At = instant(freeze)
			c.Frozen = frozen
		}
		return c, nil
	}
}

// instant is the store's clock as Go has it; 0 stays the zero time.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// parseTally reads the fields of a tally hash. unsettled are the entries whose
// newest counted ballot only the ledger knows, with their marks.
func parseTally(r reply, place int) (t *voting.Tally, unsettled map[string]string, err error) {
	var fields []any
	if place < len(r) {
		fields, _ = r[place].([]any)
	}
	t, unsettled = voting.NewTally(), map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		field, _ := fields[i].(string)
		value, _ := fields[i+1].(string)
		entry, what, _ := strings.Cut(field, "/")
		if strings.HasPrefix(value, "?") {
			unsettled[entry] = value
			continue
		}
		n, err := parseCount(value)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case what == "last":
			t.Last[entry] = n
		case what == "home":
			t.Home[entry] = n
		case entry != "":
			t.Votes[entry] = n
			t.Counted += n
		case what == "held":
			t.Held = n
		case what == "void":
			t.Void = n
		case what == "withdrawn":
			t.Withdrawn = n
		case what == "offset":
			t.Offset = n
		}
	}
	return t, unsettled, nil
}

func parseCount(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("corrupt ballot box: %q is no count", text)
	}
	return n, nil
}
