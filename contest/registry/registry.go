// Package registry keeps contests in the store and in memory. Every server polls
// the store and so sees what another one changed within a second.
package registry

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/joute/joute/internal/store"
)

var (
	// ErrNoContest means that the store has no contest of that id.
	ErrNoContest = errors.New("registry: no such contest")
	// ErrForgotten means that the contest's personal data was deleted: what would
	// need some, or make some, is over for good.
	ErrForgotten = errors.New("registry: the contest's personal data was deleted")
	// ErrCorrupt means that what the store has under a contest's id is not a contest
	// this server can read. Nothing was changed.
	ErrCorrupt = errors.New("registry: stored contest cannot be read")
)

// Sealer encrypts what must not lie in the store in clear. What was sealed for
// one purpose opens for that purpose only.
type Sealer interface {
	Seal(plain []byte, purpose string) ([]byte, error)
	Open(sealed []byte, purpose string) ([]byte, error)
}

// pollEvery is half of the second within which other servers see a change.
const pollEvery = 500 * time.Millisecond

//go:embed lua/put.lua
var putSource string

//go:embed lua/mark.lua
var markSource string

// Options has a zero value that works.
type Options struct {
	Log *slog.Logger // told of contests that cannot be read; nil: silent
	Dir string       // where contests are kept as files too; empty: nowhere

	// Dataset asks whether the store is still the one that was opened. nil: always.
	// It is asked where the store lacks what it had.
	Dataset func(ctx context.Context) error
}

// Registry is the contests of one store. It may be used by many goroutines.
type Registry struct {
	store     *store.Store
	secrets   Sealer
	opts      Options
	log       *slog.Logger
	put, mark *store.Script

	lost   sync.Map               // ids of contests that lack boxes; see Create
	absent atomic.Pointer[string] // a contest that the folder has and the store does not; nil: none

	refreshing sync.Mutex        // one refresh at a time
	unread     map[string]string // id -> stamp that could not be read; guarded by refreshing

	writing sync.Mutex // held while known is replaced
	known   atomic.Pointer[map[string]held]
}

// held is a contest in memory and how old it is.
type held struct {
	stored   *Stored
	revision int64
	sealed   string // partner.secret as the store has it
}

// New makes a registry that knows nothing yet: see Refresh and Run.
func New(st *store.Store, secrets Sealer, opts Options) *Registry {
	r := &Registry{
		store: st, secrets: secrets, opts: opts, log: opts.Log,
		put:    st.Script("contest put", putSource, false),
		mark:   st.Script("contest mark", markSource, false),
		unread: make(map[string]string),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.known.Store(&map[string]held{})
	return r
}

// Get is the contest as this server last saw it: at most half a second old while
// Run goes and the store answers, the last that was seen while it does not.
func (r *Registry) Get(id string) (*Stored, bool) {
	h, ok := (*r.known.Load())[id]
	return h.stored, ok
}

// List is all contests, by id.
func (r *Registry) List() []*Stored {
	known := *r.known.Load()
	list := make([]*Stored, 0, len(known))
	for _, id := range slices.Sorted(maps.Keys(known)) {
		list = append(list, known[id].stored)
	}
	return list
}

// Run refreshes until ctx ends, and returns then. A store that is gone is tried again.
func (r *Registry) Run(ctx context.Context) error {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	if r.opts.Dir != "" {
		keeping.Go(func() { r.runRepair(ctx) })
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		err := r.Refresh(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.log.Warn("contests cannot be read: the last ones seen stay", "error", err)
		}
		failing = err != nil
	}
}

// Refresh reads what changed since the last time. One contest that cannot be read
// is logged and skipped: the version in memory stays, the others go on.
func (r *Registry) Refresh(ctx context.Context) error {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	before := *r.known.Load()
	had := r.had() // before the store is asked, which has a contest before the folder does
	stamps, err := r.store.Client().HGetAll(ctx, indexKey).Result()
	if err != nil {
		return fmt.Errorf("list contests: %w", err)
	}
	for id, stamp := range stamps {
		if h, ok := (*r.known.Load())[id]; ok && h.stamp() == stamp || r.unread[id] == stamp {
			continue
		}
		if _, err = r.load(ctx, id); errors.Is(err, ErrCorrupt) {
			r.log.Error("contest left out", "contest", id, "error", err)
			r.unread[id] = stamp
		} else if err != nil {
			return err
		}
	}
	// Only what was known before the list was read can be missing from it; newer ones came by Put.
	for id, h := range before {
		if _, listed := stamps[id]; !listed {
			if err := r.checkDataset(ctx); err != nil {
				return err // the store was emptied or replaced: its word is nobody's
			}
			if r.opts.Dir != "" {
				had = append(had, id)
				continue
			}
			r.log.Warn("contest is gone from the store", "contest", id)
			r.forget(id, h)
		}
	}
	return r.miss(ctx, had, stamps)
}

// checkDataset asks whether the store is the one that was opened.
func (r *Registry) checkDataset(ctx context.Context) error {
	if r.opts.Dataset == nil {
		return nil
	}
	return r.opts.Dataset(ctx)
}

func (h held) stamp() string { return fmt.Sprintf("%d-%d", h.stored.Epoch, h.revision) }

// remember keeps what was read, unless something newer is known already.
func (r *Registry) remember(h held) {
	r.writing.Lock()
	defer r.writing.Unlock()
	id := h.stored.Contest.ID
	if old, ok := (*r.known.Load())[id]; ok &&
		(old.stored.Epoch > h.stored.Epoch || old.stored.Epoch == h.stored.Epoch && old.revision >= h.revision) {
		return
	}
	next := maps.Clone(*r.known.Load())
	next[id] = h
	r.known.Store(&next)
}

func (r *Registry) forget(id string, h held) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if (*r.known.Load())[id] != h {
		return
	}
	next := maps.Clone(*r.known.Load())
	delete(next, id)
	r.known.Store(&next)
}
