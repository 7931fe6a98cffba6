// Package forget ends a contest's personal data for good. What counts stays: the
// document, the ledger, the tally. What could lead from there to a person goes:
// the contest's own key, without which its pseudonyms are nobody's, and whatever
// was kept beside them.
//
// The order makes it safe against crashes and other servers. First the registry
// has the mark, which never goes again: from then on no server writes personal
// data of the contest. Every server that sees the mark drops the key and deletes
// what is there, and once more when the requests that it was answering are over.
// A call, or a server, that dies half-way is so finished by any other one.
package forget

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting/ballotbox"
)

// Store is a place with personal data of contests. Forget deletes what it has of
// one. After an error some may be left, and the same call deletes the rest.
type Store interface {
	Forget(ctx context.Context, contestID string) error
}

// Keys are where contests' own keys are: [keyring.Ring].
type Keys interface {
	Forget(contestID string) error
}

const (
	// lookEvery is half of the second within which the other servers drop the key;
	// the registry takes the other half.
	lookEvery = 250 * time.Millisecond

	// lateAfter is when no request is under way any more that had not seen the
	// mark: half a second until it is seen, two of a person's request, and time to
	// spare.
	lateAfter = 10 * time.Second

	// shortLived is when what expires by itself within the hour has, and needs not
	// be looked for among all keys of the store any more.
	shortLived = 2 * time.Hour

	// sweepTime bounds one deletion: a scan of millions of keys takes seconds.
	sweepTime = time.Minute
)

// Parts are where personal data is.
type Parts struct {
	Store    *store.Store
	Registry *registry.Registry
	Keys     Keys
	Boxes    *ballotbox.Boxes
	Stores   []Store
	Brief    []Store // have only what expires within the hour, and no list of it
}

// Contests forgets contests. It is safe for concurrent use.
type Contests struct {
	parts Parts
	log   *slog.Logger
	late  time.Duration
}

// New does nothing yet.
func New(parts Parts, log *slog.Logger) *Contests { return &Contests{parts, log, lateAfter} }

// Forget ends the personal data of a contest whose voting is over; of another one
// it returns [ballotbox.ErrNotClosed] and changes nothing. When it returns without
// an error nothing is left in the store or in this server's keys, and the other
// servers follow within a second. After any other error, or a crash, the servers
// go on by themselves; the same call tells when it is done.
func (f *Contests) Forget(ctx context.Context, s *registry.Stored) error {
	closed, err := f.parts.Boxes.Closed(ctx, s)
	if err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	if !closed {
		return ballotbox.ErrNotClosed
	}
	at, err := f.parts.Store.Client().Time(ctx).Result()
	if err != nil {
		return fmt.Errorf("forget: %w", store.Classify(err))
	}
	if err := f.parts.Registry.MarkForgotten(ctx, s.Contest.ID, at); err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	marked, ok := f.parts.Registry.Get(s.Contest.ID)
	if !ok {
		return registry.ErrNoContest
	}
	if err := f.sweep(ctx, marked); err != nil {
		return err
	}
	f.log.Info("contest forgotten", slog.String("contest", s.Contest.ID))
	// The deletions are in the file behind what they deleted: only a new file has
	// neither. A store that refuses to is rewritten in its own time.
	if err := f.parts.Store.Rewrite(ctx); err != nil {
		f.log.Warn("the store was asked to rewrite its file and has not: until it does, deleted values are in it", "error", err)
	}
	return nil
}

// sweep deletes what there is. The key goes first: without it the rest is
// pseudonyms of nobody.
func (f *Contests) sweep(ctx context.Context, s *registry.Stored) error {
	id := s.Contest.ID
	if err := f.parts.Keys.Forget(id); err != nil {
		return fmt.Errorf("forget %s: %w", id, err)
	}
	faults := []error{f.parts.Boxes.Forget(ctx, s)}
	stores := f.parts.Stores
	if time.Since(s.ForgottenAt) < shortLived {
		stores = slices.Concat(stores, f.parts.Brief)
	}
	for _, one := range stores {
		faults = append(faults, one.Forget(ctx, id)) // each for itself: one that fails keeps no other
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("forget %s: %w", id, err)
	}
	return nil
}

// swept is what this server has done for a forgotten contest.
type swept struct {
	epoch int64
	first time.Time // when it was swept; zero: not yet
	again bool      // and once more, since
}

// Run follows the mark until ctx ends: what another server was told to forget this
// one forgets too, and finishes. What fails is tried again.
func (f *Contests) Run(ctx context.Context) {
	done := map[string]swept{}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	failing := false
	for {
		var err error
		for _, s := range f.parts.Registry.List() {
			if s.Forgotten() {
				err = errors.Join(err, f.follow(ctx, s, done))
			}
		}
		if err != nil && !failing && ctx.Err() == nil {
			f.log.Warn("a contest is not forgotten yet", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (f *Contests) follow(ctx context.Context, s *registry.Stored, done map[string]swept) error {
	d := done[s.Contest.ID]
	if d.epoch != s.Epoch {
		d = swept{epoch: s.Epoch}
	}
	if d.again || !d.first.IsZero() && time.Since(d.first) < f.late {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	if err := f.sweep(ctx, s); err != nil {
		return err
	}
	if d.first.IsZero() {
		d.first = time.Now()
	} else {
		d.again = true
	}
	done[s.Contest.ID] = d
	return nil
}
