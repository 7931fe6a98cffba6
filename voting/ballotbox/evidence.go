package ballotbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// LogLine is one line of the ballot log: an accepted ballot with what was seen
// of it. After the evidence has expired the lines are there without it.
type LogLine struct {
	Ballot   uuid.UUID           `json:"ballot"`
	At       string              `json:"at"`
	Voter    voting.Voter        `json:"voter"`
	Entry    string              `json:"entry"`
	School   string              `json:"school"`
	Level    string              `json:"level,omitempty"`
	Evidence *antifraud.Evidence `json:"evidence,omitempty"`
}

// Evidence gives the ballot log in time order, one line a cast, until yield
// returns an error.
func (b *Boxes) Evidence(ctx context.Context, s *registry.Stored, yield func(LogLine) error) error {
	var batch []voting.Record
	flush := func() error {
		lines, err := b.lines(ctx, s, batch)
		if err != nil {
			return fmt.Errorf("evidence: %w", err)
		}
		for _, line := range lines {
			if err := yield(line); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	err := b.Ledger(ctx, s, voting.Position{}, func(r voting.Record) error {
		if r.Kind != voting.KindCast {
			return nil
		}
		if batch = append(batch, r); len(batch) < ledgerPage {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

// lines joins casts with their evidence, which has the same stream ids.
func (b *Boxes) lines(ctx context.Context, s *registry.Stored, casts []voting.Record) ([]LogLine, error) {
	if len(casts) == 0 {
		return nil, nil
	}
	pipe := b.store.Client().Pipeline()
	reads := make([]*redis.XMessageSliceCmd, len(casts))
	for i, r := range casts {
		id := fmt.Sprintf("%d-%d", r.Position.Millis, r.Position.Offset)
		reads[i] = pipe.XRange(ctx, keysOf(s.Contest.ID, r.Position.Box).evidence, id, id)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, store.Classify(err)
	}
	lines := make([]LogLine, len(casts))
	for i, r := range casts {
		lines[i] = LogLine{
			Ballot: r.Ballot, At: voting.FormatTime(r.Position.At()), Voter: r.Voter, Entry: r.Entry, School: r.School,
		}
		found := reads[i].Val()
		if len(found) == 0 {
			continue
		}
		var what Seen
		text, _ := found[0].Values["seen"].(string)
		if err := json.Unmarshal([]byte(text), &what); err != nil {
			return nil, fmt.Errorf("of %s: %w", r.Position, err)
		}
		lines[i].Level, lines[i].Evidence = what.Level, &what.Evidence
	}
	return lines, nil
}
