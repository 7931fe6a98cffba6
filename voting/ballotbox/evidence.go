package ballotbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/jsonread"
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

// Levels are those of the passes that casts were made with, by place. They are empty where
// the evidence has expired.
func (b *Boxes) Levels(ctx context.Context, s *registry.Stored, casts []voting.Cast) ([]string, error) {
	at, levels := make([]voting.Position, len(casts)), make([]string, len(casts))
	for i, c := range casts {
		at[i] = c.Position
	}
	seen, err := b.seenAt(ctx, s, at)
	if err != nil {
		return nil, fmt.Errorf("levels: %w", err)
	}
	for i := range seen {
		if seen[i] != nil {
			levels[i] = seen[i].Level
		}
	}
	return levels, nil
}

// lines joins casts with their evidence, which has the same positions.
func (b *Boxes) lines(ctx context.Context, s *registry.Stored, casts []voting.Record) ([]LogLine, error) {
	if len(casts) == 0 {
		return nil, nil
	}
	at := make([]voting.Position, len(casts))
	for i, r := range casts {
		at[i] = r.Position
	}
	seen, err := b.seenAt(ctx, s, at)
	if err != nil {
		return nil, err
	}
	lines := make([]LogLine, len(casts))
	for i, r := range casts {
		lines[i] = LogLine{
			Ballot: r.Ballot, At: voting.FormatTime(r.Position.At()), Voter: r.Voter, Entry: r.Entry, School: r.School,
		}
		if seen[i] != nil {
			lines[i].Level, lines[i].Evidence = seen[i].Level, &seen[i].Evidence
		}
	}
	return lines, nil
}

// seenAt is what was seen of the casts at positions; nil where it has expired. It
// looks into the stream first: what is not there by then is in the archive, or gone.
func (b *Boxes) seenAt(ctx context.Context, s *registry.Stored, at []voting.Position) ([]*Seen, error) {
	found := make([]*Seen, len(at))
	missing, err := b.seenInStream(ctx, s, at, found)
	if err != nil || len(missing) == 0 || b.archive == nil {
		return found, err
	}
	slices.SortFunc(missing, func(i, j int) int {
		return cmp.Or(cmp.Compare(at[i].Box, at[j].Box), cmp.Compare(at[i].Offset, at[j].Offset))
	})
	for len(missing) > 0 {
		if missing, err = b.seenInArchive(ctx, s, at, missing, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// seenInStream fills in what the stream has, and returns the places of the rest.
func (b *Boxes) seenInStream(ctx context.Context, s *registry.Stored, at []voting.Position, found []*Seen) (missing []int, err error) {
	gone := map[int]trimmed{}
	pipe, metas := b.store.Client().Pipeline(), map[int]*redis.SliceCmd{}
	for _, one := range at {
		if metas[one.Box] == nil {
			metas[one.Box] = pipe.HMGet(ctx, keysOf(s.Contest.ID, one.Box).meta, "trimmed")
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, store.Classify(err)
	}
	for box, meta := range metas {
		if gone[box], err = parseTrimmed(meta.Val()[0]); err != nil {
			return nil, err
		}
	}
	pipe = b.store.Client().Pipeline()
	reads := make([]*redis.XMessageSliceCmd, len(at))
	for i, one := range at {
		if one.Offset > gone[one.Box].records {
			id := (place{one.Millis, one.Offset}).String()
			reads[i] = pipe.XRangeN(ctx, keysOf(s.Contest.ID, one.Box).evidence, id, "+", 1)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, store.Classify(err)
	}
	for i, read := range reads {
		var text []byte
		if read != nil {
			entry := seenEntries{entries: read.Val()}
			if text, err = entry.of(place{at[i].Millis, at[i].Offset}); err != nil {
				return nil, err
			}
		}
		if len(text) == 0 {
			missing = append(missing, i)
			continue
		}
		if found[i], err = parseSeen(at[i], text); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// seenLeap is over how many records the archive is read on to the next one that is
// wanted, rather than asked anew: about what finding a place costs.
const seenLeap = 500

// seenInArchive fills in what one reading of the archive has of the first missing
// ones, which are in order, and returns those it did not come to.
func (b *Boxes) seenInArchive(ctx context.Context, s *registry.Stored, at []voting.Position, missing []int, found []*Seen) ([]int, error) {
	first := at[missing[0]]
	end := 1
	for end < len(missing) && at[missing[end]].Box == first.Box && at[missing[end]].Offset-at[missing[end-1]].Offset <= seenLeap {
		end++
	}
	now, rest := missing[:end], missing[end:]
	err := b.archive.Evidence(ctx, s.Contest.ID, first.Box, voting.Position{Box: first.Box, Offset: first.Offset - 1}, func(of voting.Position, text []byte) (err error) {
		for len(now) > 0 && at[now[0]].Offset < of.Offset {
			now = now[1:]
		}
		if len(now) == 0 {
			return errNoMore
		}
		if one := at[now[0]]; one.Offset == of.Offset && one.Millis == of.Millis {
			found[now[0]], err = parseSeen(one, text)
		}
		return err
	})
	if err != nil && !errors.Is(err, errNoMore) {
		return nil, err
	}
	return rest, nil
}

// UsualSeen tells whether text is what was seen of a cast in the form that nearly all
// have: then it is JSON. What is not may be so all the same.
func UsualSeen(text []byte) bool {
	r := jsonread.Skim(text)
	(&Seen{}).readJSON(r)
	return r.End()
}

// parseSeen reads what was seen of the cast at a position.
func parseSeen(at voting.Position, text []byte) (*Seen, error) {
	what := &Seen{}
	r := jsonread.New(text)
	if what.readJSON(r); r.End() {
		return what, nil
	}
	*what = Seen{}
	if err := json.Unmarshal(text, what); err != nil {
		return nil, fmt.Errorf("evidence of %s: %w", at, err)
	}
	return what, nil
}
