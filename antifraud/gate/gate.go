// Package gate keeps the counters that bound what may be done how often. They
// are in Redis, so that all servers of a store count as one, and they expire by
// themselves: a counter is never the only memory of anything.
package gate

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/joute/joute/internal/store"
)

//go:embed lua/use.lua
var useSource string

//go:embed lua/recent.lua
var recentSource string

//go:embed lua/full.lua
var fullSource string

// ErrSpent is returned for a thing that has been used as often as it may.
var ErrSpent = errors.New("used as often as it may be")

// Counters are the counters of a store. They hold no state of their own and are
// safe for concurrent use.
type Counters struct {
	store             *store.Store
	use, recent, full *store.Script
}

// New loads the scripts. Nothing is sent to the store yet.
func New(st *store.Store) *Counters {
	return &Counters{store: st, use: st.Script("use", useSource, false), recent: st.Script("recent", recentSource, false).Forgettable(), full: st.Script("full", fullSource, true)}
}

// Uses names a thing that may be used by so many, such as a code on a wall.
type Uses struct {
	Contest string        // its id
	Kind    string        // of the thing: a word of our own
	Name    string        // which one of its kind; of our own making, never a stranger's text
	Limit   int           // how many may use it
	Life    time.Duration // from the first use on; no use may be possible after it
}

// Use counts who among the users of a thing. Nil means counted, now or before:
// who uses a thing twice is one user. [ErrSpent] changes nothing. After another
// error it may have been counted: the same call again settles it.
func (c *Counters) Use(ctx context.Context, u Uses, who [16]byte) error {
	reply, err := c.use.Run(ctx, []string{usesKey(u)}, who[:], u.Limit, u.Life.Milliseconds()).StringSlice()
	if err != nil {
		return fmt.Errorf("use: %w", err)
	}
	switch {
	case len(reply) == 1 && reply[0] == "used":
		return nil
	case len(reply) == 1 && reply[0] == "spent":
		return ErrSpent
	}
	return fmt.Errorf("use: unknown reply %q", reply)
}

// Forget deletes who used what in a contest, and how often what was done there,
// before it is gone by itself.
func (c *Counters) Forget(ctx context.Context, contestID string) error {
	for _, prefix := range []string{usesPrefix(contestID), ratePrefix(contestID)} {
		if err := c.store.DeleteAll(ctx, prefix); err != nil {
			return fmt.Errorf("forget counters: %w", err)
		}
	}
	return nil
}

// Rate names something that may be done so often in any span of time, such as a
// mail to one address.
type Rate struct {
	Contest string        // its id; empty: over all contests
	Kind    string        // of the act: a word of our own
	Name    string        // to whom or what; a keyed hash where that is somebody
	Limit   int           // in one span
	Span    time.Duration // any such span, not the hours of a clock
}

// Allow tells whether an act, named by act, may be done once more, and counts it
// when it may. The same act again is the same answer, so that a call whose answer
// was lost can be repeated.
func (c *Counters) Allow(ctx context.Context, r Rate, act string) (bool, error) {
	reply, err := c.recent.Run(ctx, []string{rateKey(r)}, act, r.Limit, r.Span.Milliseconds()).StringSlice()
	if err != nil {
		return false, fmt.Errorf("allow: %w", err)
	}
	if len(reply) == 1 && (reply[0] == "allowed" || reply[0] == "refused") {
		return reply[0] == "allowed", nil
	}
	return false, fmt.Errorf("allow: unknown reply %q", reply)
}

// Full tells whether an act of a new name would be refused now. It counts nothing,
// and promises nothing: others may be quicker.
func (c *Counters) Full(ctx context.Context, r Rate) (bool, error) {
	reply, err := c.full.Run(ctx, []string{rateKey(r)}, r.Limit, r.Span.Milliseconds()).StringSlice()
	if err != nil {
		return false, fmt.Errorf("full: %w", err)
	}
	if len(reply) == 1 && (reply[0] == "full" || reply[0] == "free") {
		return reply[0] == "full", nil
	}
	return false, fmt.Errorf("full: unknown reply %q", reply)
}
