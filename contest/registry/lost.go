package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/joute/joute/internal/store"
)

// ErrLost means that the store lacks something of a contest that it had: it was
// emptied, in part at least. Nothing may be counted there.
var ErrLost = fmt.Errorf("%w: the store has lost ballot boxes", store.ErrUnsafe)

// Create lets ballot boxes of a contest be set up that the store does not have, by
// create, when there never were any: else it is [ErrLost], and nothing is set up.
// missing looks again whether some are. Once it returns without an error, all are
// there, in the very store that was opened, and a box that is missing later was lost.
//
// The store is asked before and after: one that is emptied in between has no box
// after all, and the next call finds that out.
func (r *Registry) Create(ctx context.Context, s *Stored, missing func(context.Context) (bool, error), create func(context.Context) error) error {
	id := s.Contest.ID
	if err := r.checkDataset(ctx); err != nil {
		return err
	}
	now, clock, err := r.look(ctx, id)
	if err != nil {
		return err
	}
	if now.stored == nil {
		return fmt.Errorf("%w of %s, and the contest", ErrLost, id)
	}
	some, err := missing(ctx) // another server may have set them up since
	if err != nil {
		return err
	}
	if some && !now.stored.ConfiguredAt.IsZero() {
		r.lose(id)
		return fmt.Errorf("%w of %s", ErrLost, id)
	}
	if some {
		if err := create(ctx); err != nil {
			return err
		}
	}
	if err := r.checkDataset(ctx); err != nil {
		return err
	}
	r.find(id)
	if !now.stored.ConfiguredAt.IsZero() {
		return nil
	}
	return r.note(ctx, id, "configured_at", clock)
}

// lose and find keep which contests lack boxes, as far as this server has met it.
func (r *Registry) lose(id string) {
	if _, known := r.lost.LoadOrStore(id, time.Now()); !known {
		r.log.Error("ballot boxes are gone from the store: nothing is counted", "contest", id)
	}
}

func (r *Registry) find(id string) { r.lost.Delete(id) }

// Lacks tells whether boxes of a contest were found to be lost, and not found again.
func (r *Registry) Lacks(id string) bool {
	_, lost := r.lost.Load(id)
	return lost
}

// miss notes whether the store lacks a contest that it had: contests are never
// deleted, so a part of it was emptied, as when a master of a cluster loses its data.
// Nothing may be counted then, and nothing put in its place.
func (r *Registry) miss(ctx context.Context, had []string, stamps map[string]string) error {
	at := slices.IndexFunc(had, func(id string) bool { return stamps[id] == "" })
	if at < 0 {
		r.absent.Store(nil)
		return nil
	}
	if err := r.checkDataset(ctx); err != nil {
		return err // the whole store is another, which is told elsewhere
	}
	if r.absent.Swap(&had[at]) == nil {
		r.log.Error("a contest is gone from the store: nothing is counted", "contest", had[at])
	}
	return nil
}

// Lost is nil, or names a contest that is gone from the store, or has its ballot boxes
// gone, as [ErrLost]. It costs nothing: ask before every cast.
func (r *Registry) Lost() (err error) {
	if id := r.absent.Load(); id != nil {
		return fmt.Errorf("%w of %s, and the contest: give the store back what it had, or empty it and run joute restore", ErrLost, *id)
	}
	r.lost.Range(func(id, _ any) bool {
		err = fmt.Errorf("%w of %s: give the store back what it had, or empty it and run joute restore", ErrLost, id)
		return false
	})
	return err
}
