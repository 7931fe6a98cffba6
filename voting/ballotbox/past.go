package ballotbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// pastKept is how long minutes are kept beyond the hour a trend looks back.
const pastKept = 2 * time.Hour

// Remember keeps the tally of a minute, for trends. The first server to do so
// wins and the others' are dropped, so every server shows the same trend.
func (b *Boxes) Remember(ctx context.Context, s *registry.Stored, count Count) error {
	minute := count.Now.Truncate(time.Minute).Unix()
	text, err := json.Marshal(map[string]map[string]int64{"votes": count.Live.Votes, "last": count.Live.Last})
	if err != nil {
		return fmt.Errorf("remember: %w", err)
	}
	key := keysOf(s.Contest.ID, 0).past
	news, err := b.store.Client().HSetNX(ctx, key, strconv.FormatInt(minute, 10), text).Result()
	if err != nil {
		return fmt.Errorf("remember: %w", store.Classify(err))
	}
	if !news {
		return nil
	}
	minutes, err := b.minutes(ctx, key)
	if err != nil {
		return err
	}
	oldest := minute - int64((pastKept + s.Contest.Results.Freeze).Seconds())
	var old []string
	for _, m := range minutes {
		if m < oldest {
			old = append(old, strconv.FormatInt(m, 10))
		}
	}
	if len(old) == 0 {
		return nil
	}
	if err := b.store.Client().HDel(ctx, key, old...).Err(); err != nil {
		return fmt.Errorf("remember: %w", store.Classify(err))
	}
	return nil
}

// Past is the tally an hour before at, to the minute: the first one kept from
// then on and before at. It is nil when there is none.
func (b *Boxes) Past(ctx context.Context, s *registry.Stored, at time.Time) (*voting.Tally, error) {
	key := keysOf(s.Contest.ID, 0).past
	minutes, err := b.minutes(ctx, key)
	if err != nil {
		return nil, err
	}
	from := at.Add(-time.Hour).Truncate(time.Minute).Unix()
	i := slices.IndexFunc(minutes, func(m int64) bool { return m >= from })
	if i < 0 || minutes[i] > at.Unix() {
		return nil, nil
	}
	text, err := b.store.Client().HGet(ctx, key, strconv.FormatInt(minutes[i], 10)).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil // dropped meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("past: %w", store.Classify(err))
	}
	var kept map[string]map[string]int64
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return nil, fmt.Errorf("past: %w", err)
	}
	t := voting.NewTally()
	t.Add(&voting.Tally{Votes: kept["votes"], Last: kept["last"]})
	for _, n := range t.Votes {
		t.Counted += n
	}
	return t, nil
}

// minutes are the minutes kept, ascending, in Unix seconds.
func (b *Boxes) minutes(ctx context.Context, key string) ([]int64, error) {
	fields, err := b.store.Client().HKeys(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("past: %w", store.Classify(err))
	}
	minutes := make([]int64, 0, len(fields))
	for _, field := range fields {
		m, err := parseCount(field)
		if err != nil {
			return nil, err
		}
		minutes = append(minutes, m)
	}
	slices.Sort(minutes)
	return minutes, nil
}
