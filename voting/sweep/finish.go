package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting/ballotbox"
)

// ErrUnfinished is returned while the last sweep of a closed contest is not over.
var ErrUnfinished = errors.New("the detectors have not looked at all of the contest yet")

// askEvery is how often the end of the last sweep is asked for by who waits.
const askEvery = 100 * time.Millisecond

// Status is where the detectors are with a contest; nil when they have not begun, and
// once it has expired.
func (s *Sweeper) Status(ctx context.Context, stored *registry.Stored) (*Status, error) {
	text, err := s.boxes.SweepNow(ctx, stored)
	if err != nil || text == nil {
		return nil, err
	}
	var status Status
	if err := json.Unmarshal(text, &status); err != nil {
		return nil, fmt.Errorf("sweep status: %w", err)
	}
	return &status, nil
}

// Sweeps are those of a contest so far, in their order.
func (s *Sweeper) Sweeps(ctx context.Context, stored *registry.Stored) ([]Sweep, error) {
	texts, _, err := s.boxes.Sweeps(ctx, stored)
	if err != nil {
		return nil, err
	}
	sweeps := make([]Sweep, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal(text, &sweeps[i]); err != nil {
			return nil, fmt.Errorf("sweep %d: %w", i+1, err)
		}
	}
	return sweeps, nil
}

// Finish waits until the last sweep of a contest by its policy is over, by whichever server, and
// returns at once where there will be none: before the close, and of a contest that
// was published or forgotten or whose evidence expires. When ctx ends first the error
// is [ErrUnfinished].
func (s *Sweeper) Finish(ctx context.Context, stored *registry.Stored) error {
	clock, err := s.boxes.Clock(ctx, stored)
	if err != nil {
		return err
	}
	if !clock.Closed || s.over(stored, time.Now()) {
		return nil
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
	policy := SettingsOf(stored.Contest).Policy
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		// The end of ctx in the middle of a read would look like a store that is gone:
		// the store's own timeout bounds it.
		status, err := s.Status(context.WithoutCancel(ctx), stored)
		switch {
		case err == nil && status != nil && status.Final && status.Policy == policy:
			return nil
		case ctx.Err() != nil:
			return ErrUnfinished
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return ErrUnfinished
		case <-ticker.C:
		}
	}
}

// over tells whether there is nothing to sweep any more.
func (s *Sweeper) over(stored *registry.Stored, now time.Time) bool {
	return stored.Forgotten() || !stored.PublishedAt.IsZero() || now.After(stored.Closes().Add(ballotbox.EvidenceLifetime-endsBefore))
}
