package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/joute/joute/antifraud"
)

// Run keeps the copies of contests that have casts, and tells the store what was
// met, until ctx ends: one round trip a second for each of them, and one more after
// a change. Without an answer of the store the copies stay as they are.
func (f *Farms) Run(ctx context.Context) {
	everySecond(ctx, f.wake, func() error {
		var err error
		for _, contestID := range f.busy(time.Now()) {
			err = errors.Join(err, f.refresh(ctx, contestID))
		}
		return err
	}, func(err error) { f.log.Warn("known farms are not read anew", slog.Any("error", err)) })
}

// everySecond does what refreshes a server's copy until ctx ends, at once and sooner
// where it is woken. The first of failures in a row is told.
func everySecond(ctx context.Context, wake <-chan struct{}, refresh func() error, tell func(error)) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	failing := false
	for {
		err := refresh()
		if err != nil && !failing && ctx.Err() == nil {
			tell(err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-wake:
		}
	}
}

// busy are the contests with casts of late; the copies of others are let go.
func (f *Farms) busy(now time.Time) (contests []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for contestID, c := range f.copies {
		if now.Sub(c.asked) > quietAfter && len(c.counts) == 0 {
			delete(f.copies, contestID)
			continue
		}
		contests = append(contests, contestID)
	}
	return contests
}

// refresh tells the store what was met, and reads the signatures where they have
// changed.
func (f *Farms) refresh(ctx context.Context, contestID string) error {
	f.mu.Lock()
	c := f.copies[contestID]
	if c == nil {
		f.mu.Unlock()
		return nil
	}
	counts := c.counts
	c.counts = map[string]int64{}
	f.mu.Unlock()

	args := make([]any, 0, 2*len(counts))
	for field, n := range counts {
		args = append(args, field, n)
	}
	known, _, met, changeKey := farmKeys(contestID)
	reply, err := f.met.Run(ctx, []string{known, met, changeKey}, args...).StringSlice()
	if err == nil && len(reply) != 1 {
		err = fmt.Errorf("unknown reply %q", reply)
	}
	if err != nil {
		// They may have been counted: told again they could count twice, and are a
		// measure. They are left out.
		return fmt.Errorf("refresh farms: %w", err)
	}
	f.mu.Lock()
	current := c.loaded && c.change == reply[0]
	f.mu.Unlock()
	if current {
		return nil
	}
	signatures := []antifraud.Signature{}
	if reply[0] != "" {
		farms, err := f.List(ctx, contestID)
		if err != nil {
			return err
		}
		for _, farm := range farms {
			if farm.Lifted.IsZero() && len(signatures) < antifraud.MaxSignatures {
				signatures = append(signatures, farm.Signature)
			}
		}
	}
	ready := antifraud.NewSignatures(signatures)
	f.mu.Lock()
	defer f.mu.Unlock()
	c.signatures, c.change, c.loaded = ready, reply[0], true
	return nil
}
