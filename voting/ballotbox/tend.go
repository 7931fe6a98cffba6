package ballotbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
)

// tendEvery is how often due transitions are looked for: an opening is recorded
// well within a second of its instant. The looking is in memory.
const tendEvery = 250 * time.Millisecond

// joinsEvery is how often joins are looked for that a server left half done. Their
// voter may vote too often meanwhile, and has that taken back when it is found.
const joinsEvery = 10 * time.Second

// Tend keeps the boxes of all contests up to their documents until ctx ends: it
// configures boxes that lag behind a version, and opens and closes them in time.
// Any number of servers may tend the same boxes. What fails is tried again.
func (b *Boxes) Tend(ctx context.Context, log *slog.Logger, contests func() []*registry.Stored) {
	done := map[string]tended{}
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	failing := false
	for {
		var err error
		for _, s := range contests() {
			one := b.tend(ctx, s, done)
			err = errors.Join(err, one)
			if errors.Is(one, store.ErrUnavailable) && !b.store.Clustered() {
				break // the store is the same for all
			}
		}
		if err != nil && !failing && ctx.Err() == nil {
			log.Warn("ballot boxes cannot be tended", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tended is what this server has already done for a contest.
type tended struct {
	epoch          int64
	version        int
	opened, closed bool
	joins          time.Time // when they were looked for
}

func (b *Boxes) tend(ctx context.Context, s *registry.Stored, done map[string]tended) error {
	id := s.Contest.ID
	t := done[id]
	if t.epoch != s.Epoch {
		t = tended{epoch: s.Epoch}
	}
	if t.version < s.Version || b.guard != nil && b.guard.Lacks(id) {
		if err := b.Configure(ctx, s); err != nil {
			return err
		}
		t = tended{epoch: s.Epoch, version: s.Version, joins: t.joins}
	}
	if now := time.Now(); s.PublishedAt.IsZero() && now.Sub(t.joins) >= joinsEvery { // a result that is out stays as it is
		if err := b.finishAll(ctx, s); err != nil {
			return err
		}
		t.joins = now
		done[id] = t
	}
	// A clock behind the store's asks late, one ahead asks again until the
	// store agrees: its script decides.
	now := time.Now()
	opens, closes := !now.Before(s.Contest.Phases.Voting.Opens), !now.Before(s.Closes())
	if (opens && !t.opened) || (closes && !t.closed) {
		state, err := b.turnAll(ctx, s)
		if err != nil {
			return err
		}
		t.opened, t.closed = state != "waiting", state == "closed" || state == "published"
	}
	done[id] = t
	return nil
}
