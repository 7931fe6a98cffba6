package ballotbox

import (
	"context"
	"fmt"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// Cursor is how far each box was followed. Nil is the beginning.
type Cursor []string

// Followed is a record that names a ballot, or joins two voters. A cast has with it what was seen of
// the attempt, until that expires: then Level is empty.
type Followed struct {
	voting.Record
	Seen
}

// Follow gives the records after a cursor that name ballots or join voters, a cast
// with its evidence, and returns the cursor that goes on. Records of one box, and so
// of one voter, come in their order; boxes come one after another, which needs
// no promise of them as the one order of [Boxes.Ledger] does. With an error comes the cursor of what
// was given whole: from there some records may come twice.
func (b *Boxes) Follow(ctx context.Context, s *registry.Stored, from Cursor, yield func(Followed) error) (Cursor, error) {
	at := make(Cursor, s.Contest.Boxes)
	copy(at, from)
	if _, err := b.turnAll(ctx, s); err != nil { // finds torn boxes
		return at, fmt.Errorf("follow: %w", err)
	}
	for box := range at {
		t := &track{boxes: b, stored: s, box: box, evidence: true, exact: true}
		if at[box] != "" {
			var err error
			if t.at, err = parsePlace(at[box]); err != nil {
				return at, fmt.Errorf("follow: %w", err)
			}
		}
		for {
			if err := t.fill(ctx); err != nil {
				return at, fmt.Errorf("follow: %w", err)
			}
			if len(t.page) == 0 {
				break
			}
			for _, r := range t.page {
				if err := giveFollowed(r, yield); err != nil {
					return at, err
				}
			}
			t.page, at[box] = t.page[:0], t.at.String()
		}
	}
	return at, nil
}

// giveFollowed gives a record that names a ballot or joins voters.
func giveFollowed(r tracked, yield func(Followed) error) error {
	if !r.NamesBallot() && r.Kind != voting.KindJoin {
		return nil
	}
	f := Followed{Record: r.Record}
	if len(r.seen) > 0 {
		seen, err := parseSeen(r.Position, r.seen)
		if err != nil {
			return fmt.Errorf("follow: %w", err)
		}
		f.Seen = *seen
	}
	return yield(f)
}
