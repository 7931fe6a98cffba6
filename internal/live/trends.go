package live

import (
	"context"
	"sync"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// trends are the past tallies of one contest. They are best effort: without
// them a board has all its numbers and its trends are 0.
type trends struct {
	mu         sync.Mutex
	remembered time.Time                   // the minute last kept; guarded by mu
	past       map[time.Time]*voting.Tally // an hour before each instant; guarded by mu
	began      struct {                    // see hours; guarded by mu
		of began
		at map[time.Time]map[string]int64
	}
}

// pastKept is how many looks back are kept: now, the freezing instant and the
// minute before, for readings that overlap.
const pastKept = 3

// remember keeps the tally of the minute while people vote, once.
func (t *trends) remember(ctx context.Context, b *Boards, s *registry.Stored, count ballotbox.Count) {
	minute := count.Now.Truncate(time.Minute)
	if see(s, count, Organizer).phase != contest.PhaseVoting {
		return
	}
	// The minute of the freezing instant is kept from before it or not at all: a
	// frozen board may look back to it.
	if count.Frozen != nil && !minute.After(count.Frozen.At) {
		return
	}
	t.mu.Lock()
	done := t.remembered.Equal(minute)
	t.mu.Unlock()
	if done {
		return
	}
	if err := b.boxes.Remember(ctx, s, count); err != nil {
		b.log.Warn("the minute's tally was not kept: trends may be off", "contest", s.Contest.ID, "error", err)
		return
	}
	t.mu.Lock()
	t.remembered = minute
	t.mu.Unlock()
}

// before is the tally an hour before at, nil when there is none. It is asked
// for after remember, so every server finds the same.
func (t *trends) before(ctx context.Context, b *Boards, s *registry.Stored, at time.Time) *voting.Tally {
	t.mu.Lock()
	kept, ok := t.past[at]
	t.mu.Unlock()
	if ok {
		return kept
	}
	past, err := b.boxes.Past(ctx, s, at)
	if err != nil {
		b.log.Warn("no past tally: trends are 0", "contest", s.Contest.ID, "error", err)
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.past) >= pastKept || t.past == nil {
		t.past = map[time.Time]*voting.Tally{}
	}
	t.past[at] = past
	return past
}
