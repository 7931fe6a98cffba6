package live

import (
	"context"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
)

// Kept is the public leaderboard as it was read last, however busy the store is;
// nil when it is older than numbers may be while the store has other things to
// do, which is as old as feeds leave them. It asks nobody and waits for nobody;
// a board older than one is told to be has the store asked for the next caller.
//
// What was visible when it was read may be shown: a freeze that came since stands
// still at later numbers, and a document that hides more is another version, of
// which nothing is kept.
func (b *Boards) Kept(s *registry.Stored) *Board {
	d, now := b.desk(s.Contest.ID), time.Now()
	if d.since(s, now.Add(-behindAtMost)) == nil && d.refreshing.CompareAndSwap(false, true) {
		go func() {
			defer d.refreshing.Store(false)
			ctx, cancel := context.WithTimeout(context.Background(), staleAfter/2) // it waits behind ballots
			defer cancel()
			// Whoever asks next sees what came of it.
			_ = panics.Caught(func() error { _, err := b.look(ctx, d, s); return err })()
		}()
	}
	if r := d.since(s, now.Add(-staleAfter)); r != nil {
		return r.boards.of(Public)
	}
	return nil
}
