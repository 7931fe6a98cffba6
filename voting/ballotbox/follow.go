package ballotbox

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
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
		for more := true; more; {
			records, last, err := b.followPage(ctx, s, box, at[box])
			if err != nil {
				return at, fmt.Errorf("follow: %w", err)
			}
			for _, r := range records {
				if err := yield(r); err != nil {
					return at, err
				}
			}
			more = last != ""
			if more {
				at[box] = last
			}
		}
	}
	return at, nil
}

// followPage reads a page of one box, and the id of its last record; empty at the
// end. Evidence has the ids of its casts, so one range has all of a page's.
func (b *Boxes) followPage(ctx context.Context, s *registry.Stored, box int, after string) ([]Followed, string, error) {
	from, keys, client := "-", keysOf(s.Contest.ID, box), b.store.Client()
	if after != "" {
		from = "(" + after
	}
	messages, err := client.XRangeN(ctx, keys.ledger, from, "+", ledgerPage).Result()
	if err != nil || len(messages) == 0 {
		return nil, "", store.Classify(err)
	}
	last := messages[len(messages)-1].ID
	evidence, err := client.XRange(ctx, keys.evidence, messages[0].ID, last).Result()
	if err != nil {
		return nil, "", store.Classify(err)
	}
	var records []Followed
	for _, m := range messages {
		r, err := parseRecord(m, s.Epoch, box)
		if err != nil {
			return nil, "", err
		}
		var of redis.XMessage
		if len(evidence) > 0 && evidence[0].ID == m.ID {
			of, evidence = evidence[0], evidence[1:]
		}
		if !r.NamesBallot() && r.Kind != voting.KindJoin {
			continue
		}
		f := Followed{Record: r}
		if text, _ := of.Values["seen"].(string); text != "" {
			if err := json.Unmarshal([]byte(text), &f.Seen); err != nil {
				return nil, "", fmt.Errorf("evidence of %s: %w", r.Position, err)
			}
		}
		records = append(records, f)
	}
	return records, last, nil
}
