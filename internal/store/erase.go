package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// scanned is how many keys one step of a scan looks at: a millisecond of Redis.
const scanned = 1000

// DeleteAll deletes every key that begins so. It looks at all keys of the store,
// so it is for what is done once and has no list of its own. What is written
// meanwhile may stay; after an error some may be left.
func (s *Store) DeleteAll(ctx context.Context, prefix string) error {
	if prefix == "" || strings.ContainsAny(prefix, `*?[]^\`) {
		return fmt.Errorf("store: delete all: %q is no prefix of keys", prefix)
	}
	return s.deleteKeys(ctx, prefix, func(string) bool { return true })
}

// deleteKeys deletes those of the keys that begin so which go.
func (s *Store) deleteKeys(ctx context.Context, prefix string, goes func(key string) bool) error {
	return s.scan(ctx, prefix, func(ctx context.Context, node redis.Cmdable, keys []string) error {
		pipe := node.Pipeline() // one by one: they are in different slots
		for _, key := range keys {
			if goes(key) {
				pipe.Unlink(ctx, key)
			}
		}
		if pipe.Len() == 0 {
			return nil
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("store: delete: %w", Classify(err))
		}
		return nil
	})
}

// scan gives every key that begins so to f, some at a time, perhaps more than once.
func (s *Store) scan(ctx context.Context, prefix string, f func(ctx context.Context, node redis.Cmdable, keys []string) error) error {
	return s.onEachNode(ctx, func(ctx context.Context, node redis.Cmdable) error {
		var cursor uint64
		for {
			keys, next, err := node.Scan(ctx, cursor, prefix+"*", scanned).Result()
			if err != nil {
				return fmt.Errorf("store: scan: %w", Classify(err))
			}
			if len(keys) > 0 {
				if err := f(ctx, node, keys); err != nil {
					return err
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	})
}

// Rewrite asks the store to write its append-only file anew, without what was
// deleted. It does that in the background, if it may: some managed stores refuse,
// and the embedded one has no file.
func (s *Store) Rewrite(ctx context.Context) error {
	if s.Embedded() {
		return nil
	}
	return s.onEachNode(ctx, func(ctx context.Context, node redis.Cmdable) error {
		if err := node.BgRewriteAOF(ctx).Err(); err != nil {
			return fmt.Errorf("store: rewrite: %w", Classify(err))
		}
		return nil
	})
}

// onEachNode runs f on every node that holds keys.
func (s *Store) onEachNode(ctx context.Context, f func(context.Context, redis.Cmdable) error) error {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return f(ctx, node) })
	}
	return f(ctx, s.client)
}
