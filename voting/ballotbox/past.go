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

const (
	// pastKept is how long minutes are kept beyond the hour a trend looks back.
	pastKept = 2 * time.Hour

	// hoursKept is how long the first minute of an hour is.
	hoursKept = 26 * time.Hour

	// punctual is how late after the hour a minute may be and still stand for its
	// beginning: a server that was away has none, rather than a wrong one.
	punctual = 5 * time.Minute
)

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
	var old []string
	first := firstOfHours(minutes)
	for _, m := range minutes {
		kept := pastKept
		if first[hourOf(m)] == m {
			kept = hoursKept
		}
		if m < minute-int64((kept+s.Contest.Results.Freeze).Seconds()) {
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
	return parsePast(text)
}

// Hours are the tallies at the beginning of hours, from one instant to another,
// of those hours of which one was kept and that are not known yet.
func (b *Boxes) Hours(ctx context.Context, s *registry.Stored, from, to time.Time, known func(hour time.Time) bool) (map[time.Time]*voting.Tally, error) {
	key := keysOf(s.Contest.ID, 0).past
	minutes, err := b.minutes(ctx, key)
	if err != nil {
		return nil, err
	}
	var hours []time.Time
	var fields []string
	for hour, first := range firstOfHours(minutes) {
		at := time.Unix(hour, 0).UTC()
		if first-hour <= int64(punctual.Seconds()) && !at.Before(from) && first <= to.Unix() && !known(at) {
			hours, fields = append(hours, at), append(fields, strconv.FormatInt(first, 10))
		}
	}
	if len(fields) == 0 {
		return nil, nil
	}
	texts, err := b.store.Client().HMGet(ctx, key, fields...).Result()
	if err != nil {
		return nil, fmt.Errorf("past: %w", store.Classify(err))
	}
	tallies := map[time.Time]*voting.Tally{}
	for i, text := range texts {
		if text, kept := text.(string); kept { // else dropped meanwhile
			if tallies[hours[i]], err = parsePast(text); err != nil {
				return nil, err
			}
		}
	}
	return tallies, nil
}

func hourOf(minute int64) int64 { return minute - minute%3600 }

// firstOfHours is the first minute of each hour; minutes are ascending.
func firstOfHours(minutes []int64) map[int64]int64 {
	first := map[int64]int64{}
	for _, m := range minutes {
		if _, known := first[hourOf(m)]; !known {
			first[hourOf(m)] = m
		}
	}
	return first
}

// parsePast reads what Remember wrote.
func parsePast(text string) (*voting.Tally, error) {
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
