package registry

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/joute/joute/contest"
)

// Put stores c as a new contest or as the next version of one. The contest it
// returns is what is stored, in this server's memory too.
//
// An identical contest keeps its version: changed is false. Without a
// partner.secret the contest keeps the one it has. What may not change any more,
// by the store's clock, is a contest.ErrFixedWhileOpen; a secret that is missing
// is a contest.Faults. Without an error it is in the data folder too. On a store
// error the version may have been stored: put the same again to know, it will be
// found identical. A contest that the folder has and the store has lost is an [ErrLost].
func (r *Registry) Put(ctx context.Context, c *contest.Contest) (stored Stored, created, changed bool, err error) {
	name := rand.Text() // a call that the store runs twice is known by it
	for ctx.Err() == nil {
		had := slices.Contains(r.had(), c.ID) // before the store is asked: see Refresh
		old, now, err := r.look(ctx, c.ID)
		if err != nil {
			return Stored{}, false, false, err
		}
		next, before, err := judge(old.stored, c, now)
		if err != nil {
			return Stored{}, false, false, err
		}
		if next == nil {
			r.remember(old)
			return *old.stored, false, false, r.keep(c.ID)
		}
		if err := r.checkDataset(ctx); err != nil { // a store that was emptied takes every contest for new
			return Stored{}, false, false, fmt.Errorf("put contest %s: %w", c.ID, err)
		}
		if had && old.stored == nil {
			return Stored{}, false, false, fmt.Errorf("put contest: %w of %s, and the contest", ErrLost, c.ID)
		}
		reply, err := r.write(ctx, name, old, next, before)
		if err != nil {
			return Stored{}, false, false, err
		}
		// Otherwise another put came first, or an instant passed: judge again.
		if reply == "stored" {
			s, err := r.load(ctx, c.ID)
			if err != nil {
				return Stored{}, false, false, err
			}
			if err := r.keep(c.ID); err != nil {
				return Stored{}, false, false, err
			}
			return *s, old.stored == nil, true, nil
		}
	}
	return Stored{}, false, false, fmt.Errorf("put contest %s: %w", c.ID, ctx.Err())
}

// judge tells what a put of c would store now, and until when that judgement
// holds (zero = for good). Without a next there is nothing to store.
func judge(old *Stored, c *contest.Contest, now time.Time) (next *contest.Contest, before time.Time, err error) {
	if old == nil {
		return c, time.Time{}, c.CheckSecret()
	}
	if c.Partner.Secret == "" {
		c = c.WithSecret(old.Contest.Partner.Secret)
	}
	if err := c.CheckSecret(); err != nil {
		return nil, time.Time{}, err
	}
	if string(c.DocumentWithSecret()) == string(old.Contest.DocumentWithSecret()) {
		return nil, time.Time{}, nil
	}
	voting := old.Contest.Phases.Voting
	if !old.ClosedAt.IsZero() && now.Before(voting.Closes) {
		now = voting.Closes // closed by hand is closed: the document's own instant still lies ahead
	}
	if err := contest.CheckChange(old.Contest, c, now); err != nil {
		return nil, time.Time{}, err
	}
	switch {
	case now.Before(voting.Opens):
		before = voting.Opens
	case now.Before(voting.Closes):
		before = voting.Closes
	}
	return c, before, nil
}

func (r *Registry) write(ctx context.Context, name string, old held, c *contest.Contest, before time.Time) (string, error) {
	var judged string
	if old.stored != nil {
		judged = old.stamp()
	}
	var until int64
	if !before.IsZero() {
		until = before.UnixMilli()
	}
	var sealed []byte
	if c.Partner.Secret != "" {
		var err error
		if sealed, err = r.secrets.Seal([]byte(c.Partner.Secret), secretPurpose(c.ID)); err != nil {
			return "", fmt.Errorf("seal partner.secret: %w", err)
		}
	}
	reply, err := r.put.Run(ctx, []string{indexKey, contestKey(c.ID)}, c.ID, judged, until, name, c.Document(), sealed).StringSlice()
	return one(reply, err, "put contest "+c.ID)
}

// MarkClosed notes that voting was ended by hand at an instant. The first such
// instant stays; the ballot boxes must have closed before.
func (r *Registry) MarkClosed(ctx context.Context, id string, at time.Time) error {
	return r.note(ctx, id, "closed_at", at)
}

// MarkPublished notes that the contest's ledger is public since an instant. The first stays.
func (r *Registry) MarkPublished(ctx context.Context, id string, at time.Time) error {
	return r.note(ctx, id, "published_at", at)
}

// MarkForgotten notes that the contest's personal data is to be deleted, since an
// instant. The first stays. Once it returns, every server that asks the store
// knows, within a second.
func (r *Registry) MarkForgotten(ctx context.Context, id string, at time.Time) error {
	return r.note(ctx, id, "forgotten_at", at)
}

func (r *Registry) note(ctx context.Context, id, field string, at time.Time) error {
	reply, err := r.mark.Run(ctx, []string{indexKey, contestKey(id)}, id, field, at.UnixMilli()).StringSlice()
	code, err := one(reply, err, "mark contest "+id)
	if err != nil {
		return err
	}
	if code == "absent" {
		return fmt.Errorf("%w: %s", ErrNoContest, id)
	}
	if _, err = r.load(ctx, id); err != nil {
		return err
	}
	return r.keep(id)
}

func one(reply []string, err error, what string) (string, error) {
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if len(reply) != 1 {
		return "", fmt.Errorf("%s: unexpected reply of %d values", what, len(reply))
	}
	return reply[0], nil
}
