package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/folder"
)

// saved is a key, or a part of a large one, as a line of a file.
type saved struct {
	Key     string   `json:"key"`
	Type    string   `json:"type"`
	Expires int64    `json:"expires,omitempty"` // ms; 0: never
	Values  [][]byte `json:"values"`            // hash: field, value, …; zset: member, score, …; stream: id, count of values, field, value, …

	cuts []int // of Values, where a line may end
}

// savedBytes is where a line ends. One with a single value may be longer: an organizer's act has
// all its ballots, and a minute's tally all entries.
const savedBytes = 64 << 10

// lines gives the key in parts, each of which adds to what is there.
func (one saved) lines(yield func(saved) error) error {
	from, size, at := 0, 0, 0
	for _, cut := range one.cuts {
		for ; at < cut; at++ {
			size += len(one.Values[at])
		}
		if size < savedBytes && cut < len(one.Values) {
			continue
		}
		part := one
		part.Values = one.Values[from:cut]
		if err := yield(part); err != nil {
			return err
		}
		from, size = cut, 0
	}
	return nil
}

// Save writes the keys that keep names to the file at path, whole or not at all. It
// is for the embedded store: it asks for all keys at once.
func (s *Store) Save(ctx context.Context, path string, keep func(key string) bool) error {
	keys, err := s.client.Keys(ctx, prefix+"*").Result()
	if err != nil {
		return fmt.Errorf("store: save: %w", Classify(err))
	}
	return folder.Fill(path, func(w *bufio.Writer) error {
		lines := json.NewEncoder(w)
		for _, key := range keys {
			if !keep(key) {
				continue
			}
			one, err := s.read(ctx, key)
			if err != nil {
				return fmt.Errorf("store: save %q: %w", key, Classify(err))
			}
			if err := one.lines(func(part saved) error { return lines.Encode(part) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) read(ctx context.Context, key string) (saved, error) {
	kind, err := s.client.Type(ctx, key).Result()
	if err != nil {
		return saved{}, err
	}
	one := saved{Key: key, Type: kind}
	add := func(values ...string) {
		for _, v := range values {
			one.Values = append(one.Values, []byte(v))
		}
	}
	cut := func() { one.cuts = append(one.cuts, len(one.Values)) }
	life, err := s.client.PTTL(ctx, key).Result()
	if err != nil {
		return saved{}, err
	}
	if life > 0 {
		one.Expires = time.Now().Add(life).UnixMilli()
	}
	switch kind {
	case "string":
		var value string
		if value, err = s.client.Get(ctx, key).Result(); err == nil {
			add(value)
			cut()
		}
	case "hash":
		var fields map[string]string
		fields, err = s.client.HGetAll(ctx, key).Result()
		for field, value := range fields {
			add(field, value)
			cut()
		}
	case "set":
		var members []string
		members, err = s.client.SMembers(ctx, key).Result()
		for _, member := range members {
			add(member)
			cut()
		}
	case "zset":
		var members []redis.Z
		members, err = s.client.ZRangeWithScores(ctx, key, 0, -1).Result()
		for _, z := range members {
			add(fmt.Sprint(z.Member), strconv.FormatFloat(z.Score, 'g', -1, 64))
			cut()
		}
	case "stream":
		var entries []redis.XMessage
		entries, err = s.client.XRange(ctx, key, "-", "+").Result()
		for _, e := range entries {
			add(e.ID, strconv.Itoa(2*len(e.Values)))
			for field, value := range e.Values {
				add(field, fmt.Sprint(value))
			}
			cut()
		}
	case "none":
	default:
		err = fmt.Errorf("a %s is nothing that Joute keeps", kind)
	}
	if errors.Is(err, redis.Nil) { // expired meanwhile
		return saved{}, nil
	}
	return one, err
}

// Load puts back what Save wrote, but for what has expired since. Without a file
// there is nothing to put back.
func (s *Store) Load(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: load: %w", err)
	}
	defer f.Close()
	lines := json.NewDecoder(f)
	for n := 1; ; n++ {
		var one saved
		err := lines.Decode(&one)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = s.write(ctx, one)
		}
		if err != nil {
			return fmt.Errorf("store: load: %s:%d: %w", path, n, Classify(err))
		}
	}
}

var errSaved = errors.New("no line that was saved")

func (s *Store) write(ctx context.Context, one saved) error {
	if one.Expires != 0 && one.Expires <= time.Now().UnixMilli() {
		return nil
	}
	values := make([]any, len(one.Values))
	for i, v := range one.Values {
		values[i] = v
	}
	even := len(values)%2 == 0 && len(values) > 0
	_, err := s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		switch {
		case one.Type == "string" && len(values) == 1:
			pipe.Set(ctx, one.Key, values[0], 0)
		case one.Type == "hash" && even:
			pipe.HSet(ctx, one.Key, values...)
		case one.Type == "set" && len(values) > 0:
			pipe.SAdd(ctx, one.Key, values...)
		case one.Type == "zset" && even:
			for i := 0; i < len(values); i += 2 {
				score, err := strconv.ParseFloat(string(one.Values[i+1]), 64)
				if err != nil {
					return errSaved
				}
				pipe.ZAdd(ctx, one.Key, redis.Z{Score: score, Member: values[i]})
			}
		case one.Type == "stream" && even:
			for at := 0; at < len(values); {
				n, err := strconv.Atoi(string(one.Values[at+1]))
				if err != nil || n < 2 || n%2 == 1 || at+2+n > len(values) {
					return errSaved
				}
				pipe.XAdd(ctx, &redis.XAddArgs{Stream: one.Key, ID: string(one.Values[at]), Values: values[at+2 : at+2+n]})
				at += 2 + n
			}
		default:
			return errSaved
		}
		if one.Expires != 0 {
			pipe.PExpireAt(ctx, one.Key, time.UnixMilli(one.Expires))
		}
		return nil
	})
	return err
}
