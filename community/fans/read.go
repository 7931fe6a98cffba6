package fans

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/community"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/internal/store"
)

const (
	// pageSize is how many records one read brings.
	pageSize = 1000

	// countedFor is how long a count answers for the store, however many look.
	countedFor = time.Second
)

// Ledger gives every record, oldest first, until yield returns an error, which
// it then returns.
func (f *Fans) Ledger(ctx context.Context, s *registry.Stored, yield func(community.Record) error) error {
	return f.pages(ctx, s, func(page []community.Record) error {
		for _, r := range page {
			if err := yield(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *Fans) pages(ctx context.Context, s *registry.Stored, yield func([]community.Record) error) error {
	key, from := keysOf(s.Contest.ID).ledger, "-"
	for {
		messages, err := f.store.Client().XRangeN(ctx, key, from, "+", pageSize).Result()
		if err != nil {
			return fmt.Errorf("fan ledger: %w", store.Classify(err))
		}
		page := make([]community.Record, 0, len(messages))
		for _, m := range messages {
			r, err := parseRecord(m)
			if err != nil {
				return err
			}
			page, from = append(page, r), "("+m.ID
		}
		if err := yield(page); err != nil {
			return err
		}
		if len(messages) < pageSize {
			return nil
		}
	}
}

// parseRecord reads a stream entry as the scripts write it.
func parseRecord(m redis.XMessage) (community.Record, error) {
	field := func(name string) string { s, _ := m.Values[name].(string); return s }
	at, err := positionTime(m.ID)
	if err != nil {
		return community.Record{}, fmt.Errorf("corrupt fan ledger: %w", err)
	}
	r := community.Record{
		Position: m.ID, At: at, Kind: community.Kind(field("kind")), School: field("school"), Wording: field("wording"),
		Page: field("page"), Channel: community.Channel(field("channel")),
	}
	if err := r.Fan.UnmarshalText([]byte(field("fan"))); err != nil {
		return community.Record{}, fmt.Errorf("corrupt fan ledger: record %s: %w", m.ID, err)
	}
	return r, nil
}

// Export gives every confirmed member in the order they joined, until yield
// returns an error, which it then returns. Who joins or leaves meanwhile may be
// given or not.
func (f *Fans) Export(ctx context.Context, s *registry.Stored, yield func(Confirmed) error) error {
	key := keysOf(s.Contest.ID).members
	return f.pages(ctx, s, func(page []community.Record) error {
		var joins []community.Record
		var fans []string
		for _, r := range page {
			if r.Kind == community.Join {
				joins, fans = append(joins, r), append(fans, r.Fan.String())
			}
		}
		if len(fans) == 0 {
			return nil
		}
		values, err := f.store.Client().HMGet(ctx, key, fans...).Result()
		if err != nil {
			return fmt.Errorf("export fans: %w", store.Classify(err))
		}
		for i, join := range joins {
			value, _ := values[i].(string)
			if value == "" {
				continue // left
			}
			m, err := f.open(s, join.Fan, value)
			if err != nil {
				return fmt.Errorf("export fans: %w", err)
			}
			if m.Position != join.Position {
				continue // left and came back: the later join's turn
			}
			if err := yield(m); err != nil {
				return err
			}
		}
		return nil
	})
}

// Wordings are the texts agreed to, by version.
func (f *Fans) Wordings(ctx context.Context, s *registry.Stored) (map[string]string, error) {
	texts, err := f.store.Client().HGetAll(ctx, keysOf(s.Contest.ID).wordings).Result()
	if err != nil {
		return nil, fmt.Errorf("wordings: %w", store.Classify(err))
	}
	return texts, nil
}

// counted is one reading of how many fans each school has.
type counted struct {
	at time.Time // before the store was asked
	by map[string]int64
}

// Counts is how many fans each school has, at most a second behind: the store
// is asked once a second for a contest, however many look. Schools without any
// are left out. The map is the caller's.
func (f *Fans) Counts(ctx context.Context, s *registry.Stored) (map[string]int64, error) {
	id := s.Contest.ID
	f.mu.Lock()
	kept, ok := f.counts[id]
	f.mu.Unlock()
	if ok && time.Since(kept.at) < countedFor {
		return maps.Clone(kept.by), nil
	}
	// Whoever asks meanwhile shares the answer; nobody's hanging up ends it.
	answer := f.readings.DoChan(id, func() (_ any, err error) {
		defer panics.Catch(&err)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countedFor)
		defer cancel()
		fresh := counted{at: time.Now()}
		if fresh.by, err = f.count(ctx, s); err != nil {
			return nil, err
		}
		f.mu.Lock()
		f.counts[id] = fresh
		f.mu.Unlock()
		return fresh.by, nil
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("fans: %w", ctx.Err())
	case result := <-answer:
		if result.Err != nil {
			return nil, fmt.Errorf("fans: %w", result.Err)
		}
		return maps.Clone(result.Val.(map[string]int64)), nil
	}
}

func (f *Fans) count(ctx context.Context, s *registry.Stored) (map[string]int64, error) {
	fields := make([]string, 0, len(s.Contest.Schools))
	for _, school := range s.Contest.Schools {
		fields = append(fields, schoolField(school.ID))
	}
	values, err := f.store.Client().HMGet(ctx, keysOf(s.Contest.ID).members, fields...).Result()
	if err != nil {
		return nil, store.Classify(err)
	}
	by := map[string]int64{}
	for i, school := range s.Contest.Schools {
		text, ok := values[i].(string)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("corrupt fans: %q is no count", text)
		}
		if n > 0 {
			by[school.ID] = n
		}
	}
	return by, nil
}
