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

// ErrSpent is returned for a thing that has been used as often as it may.
var ErrSpent = errors.New("used as often as it may be")

// Counters are the counters of a store. They hold no state of their own and are
// safe for concurrent use.
type Counters struct {
	use *store.Script
}

// New loads the scripts. Nothing is sent to the store yet.
func New(st *store.Store) *Counters {
	return &Counters{use: st.Script("use", useSource, false)}
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
