package fans

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/store"
)

// Forget deletes everything of a contest's community: members, requests that
// wait, ledger and wordings. Links in mails lead nowhere after it. After an
// error some of it may be left: call it again. It is for contests whose offer
// is over; what is asked meanwhile may stay, and expires.
func (f *Fans) Forget(ctx context.Context, contestID string) error {
	keys, client := keysOf(contestID), f.store.Client()
	for {
		recent, err := client.ZRange(ctx, keys.recent, 0, pageSize-1).Result()
		if err != nil {
			return fmt.Errorf("forget fans: %w", store.Classify(err))
		}
		if len(recent) == 0 {
			break
		}
		names := make([]string, 0, 2*len(recent))
		for _, text := range recent {
			var fan community.Fan
			if err := fan.UnmarshalText([]byte(text)); err == nil { // what is no fan has no keys, and keeps nobody's
				names = append(names, keys.pending(fan), keys.asks(fan))
			}
		}
		// The index after what it names, which must not be left behind.
		_, err = client.TxPipelined(ctx, func(p redis.Pipeliner) error {
			if len(names) > 0 {
				p.Unlink(ctx, names...)
			}
			p.ZRem(ctx, keys.recent, toAny(recent)...)
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget fans: %w", store.Classify(err))
		}
	}
	if err := client.Unlink(ctx, keys.budget, keys.recent, keys.wordings, keys.members, keys.ledger).Err(); err != nil {
		return fmt.Errorf("forget fans: %w", store.Classify(err))
	}
	f.mu.Lock()
	delete(f.counts, contestID)
	f.mu.Unlock()
	return nil
}

func toAny(names []string) []any {
	all := make([]any, len(names))
	for i, name := range names {
		all[i] = name
	}
	return all
}
