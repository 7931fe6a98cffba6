package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest"
)

// load reads one contest into memory.
func (r *Registry) load(ctx context.Context, id string) (*Stored, error) {
	fields, err := r.store.Client().HGetAll(ctx, contestKey(id)).Result()
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, id, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read contest %s: %w", id, err)
	}
	h, err := r.decode(id, fields)
	if err != nil {
		return nil, err
	}
	r.remember(h)
	return h.stored, nil
}

// look reads one contest and the store's clock in one round trip. held is zero
// when there is none.
func (r *Registry) look(ctx context.Context, id string) (held, time.Time, error) {
	var fields *redis.MapStringStringCmd
	var clock *redis.TimeCmd
	_, err := r.store.Client().Pipelined(ctx, func(p redis.Pipeliner) error {
		fields, clock = p.HGetAll(ctx, contestKey(id)), p.Time(ctx)
		return nil
	})
	if err != nil {
		return held{}, time.Time{}, fmt.Errorf("read contest %s: %w", id, err)
	}
	if len(fields.Val()) == 0 {
		return held{}, clock.Val(), nil
	}
	h, err := r.decode(id, fields.Val())
	return h, clock.Val(), err
}

func (r *Registry) decode(id string, fields map[string]string) (held, error) {
	c, err := contest.ParseStored([]byte(fields["document"]))
	if err != nil {
		return held{}, fmt.Errorf("%w: %s: %w", ErrCorrupt, id, err)
	}
	if c.ID != id {
		return held{}, fmt.Errorf("%w: %s holds the document of %s", ErrCorrupt, id, c.ID)
	}
	if sealed := fields["secret"]; sealed != "" {
		secret, err := r.secrets.Open([]byte(sealed), secretPurpose(id))
		if err != nil {
			return held{}, fmt.Errorf("%w: %s: partner.secret: %w", ErrCorrupt, id, err)
		}
		c = c.WithSecret(string(secret))
	}
	n := numbers{fields: fields}
	h := held{
		stored: &Stored{
			Contest: c, Version: int(n.get("version")), Epoch: n.get("epoch"),
			ClosedAt: n.instant("closed_at"), PublishedAt: n.instant("published_at"),
			ForgottenAt: n.instant("forgotten_at"), ConfiguredAt: n.instant("configured_at"),
		},
		revision: n.get("revision"), sealed: fields["secret"],
	}
	if epochs := fields["epochs"]; epochs != "" {
		if err := json.Unmarshal([]byte(epochs), &h.stored.Epochs); err != nil {
			return held{}, fmt.Errorf("%w: %s: epochs: %w", ErrCorrupt, id, err)
		}
	}
	if n.err != nil {
		return held{}, fmt.Errorf("%w: %s: %w", ErrCorrupt, id, n.err)
	}
	return h, nil
}

// numbers reads the integers of a hash and keeps the first error.
type numbers struct {
	fields map[string]string
	err    error
}

func (n *numbers) get(name string) int64 {
	v, err := strconv.ParseInt(n.fields[name], 10, 64)
	if err == nil && v < 1 {
		err = strconv.ErrRange
	}
	if err != nil && n.err == nil {
		n.err = fmt.Errorf("%s: %w", name, err)
	}
	return v
}

func (n *numbers) instant(name string) time.Time {
	if _, ok := n.fields[name]; !ok {
		return time.Time{}
	}
	return time.UnixMilli(n.get(name)).UTC()
}
