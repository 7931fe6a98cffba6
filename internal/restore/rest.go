package restore

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting/ballotbox"
)

// restEvery is how often the rest is written: as much of it goes with a kill -9.
const restEvery = 10 * time.Second

// restFile is in the data folder.
const restFile = "rest.ndjson"

// Rest is what an embedded store has beside what is restored from contests and
// ledgers: fans, shares, appeals, findings, trends, counters, each until it expires.
// It is written to the folder as a whole, every now and then and at the end. A Redis
// has a file of its own, and needs none of this.
type Rest struct {
	store *store.Store
	path  string
	log   *slog.Logger

	writing sync.Mutex // one at a time
}

// NewRest does nothing yet. dir is the data folder.
func NewRest(st *store.Store, dir string, log *slog.Logger) *Rest {
	return &Rest{store: st, path: filepath.Join(dir, restFile), log: log}
}

// isRest tells the keys that nothing else brings back.
func isRest(key string) bool {
	return strings.HasPrefix(key, "joute:") && key != "joute:dataset" && !strings.HasPrefix(key, "joute:{contests}") && !ballotbox.Recorded(key)
}

// Load puts back what the newest Save has written.
func (r *Rest) Load(ctx context.Context) error {
	if err := r.store.Load(ctx, r.path); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// Save writes what there is. Each key is as it was at some instant of the call.
func (r *Rest) Save(ctx context.Context) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.store.Save(ctx, r.path, isRest); err != nil {
		return fmt.Errorf("keep what is not in the ledger: %w", err)
	}
	return nil
}

// Run saves until ctx ends; the last Save is the caller's, once nobody writes any more.
func (r *Rest) Run(ctx context.Context) {
	ticker := time.NewTicker(restEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := r.Save(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.log.Error("a stop would lose fans, shares and appeals", "error", err)
		}
		failing = err != nil
	}
}

// Forget writes the rest anew: what was deleted from the store goes from the file
// too. It is called after all others.
func (r *Rest) Forget(ctx context.Context, _ string) error { return r.Save(ctx) }
