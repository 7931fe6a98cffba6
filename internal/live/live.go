// Package live reads leaderboards: it asks the ballot boxes at most four times
// a second per contest, however many people look, and shows each viewer what
// the contest lets them see.
package live

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

const (
	// freshFor is how long a reading answers for the store: four readings a second.
	freshFor = 250 * time.Millisecond

	// behindAtMost is how old numbers may get while the store does not answer;
	// no reading may take longer either.
	behindAtMost = time.Second

	// rememberEvery is how often Run looks at contests nobody looks at, so that
	// each minute is kept: twice as often as there are minutes.
	rememberEvery = 30 * time.Second
)

// Boards are the leaderboards of all contests of a store. They are safe for
// concurrent use.
type Boards struct {
	boxes    *ballotbox.Boxes
	log      *slog.Logger
	readings singleflight.Group

	mu    sync.Mutex
	desks map[string]*desk // by contest id; as many as the store has contests
}

// New makes boards that are read when they are asked for. See also [Boards.Run].
func New(boxes *ballotbox.Boxes, log *slog.Logger) *Boards {
	return &Boards{boxes: boxes, log: log, desks: map[string]*desk{}}
}

// desk is what is known of one contest.
type desk struct {
	mu   sync.Mutex
	last *reading // guarded by mu

	trends     trends
	refreshing atomic.Bool // the store is asked for [Boards.Kept]
}

// reading is one look into all boxes of a contest.
type reading struct {
	stored  registry.Stored
	count   ballotbox.Count
	started time.Time // before the store was asked: the numbers are at most this old
	boards  *boards
}

// Board is the leaderboard as v may see it, at most a second behind the store.
// An error that is store.ErrUnavailable says that the store has not answered
// for that long.
func (b *Boards) Board(ctx context.Context, s *registry.Stored, v Viewer) (*Board, error) {
	r, err := b.read(ctx, s, time.Now().Add(-freshFor))
	if err != nil {
		return nil, err
	}
	return r.boards.of(v), nil
}

// read is a reading that began after an instant, or one that was under way.
func (b *Boards) read(ctx context.Context, s *registry.Stored, after time.Time) (*reading, error) {
	d := b.desk(s.Contest.ID)
	if r := d.since(s, after); r != nil {
		return r, nil
	}
	// Whoever asks meanwhile shares the answer; nobody's hanging up ends it.
	key := fmt.Sprintf("%s %d %d %d %d", s.Contest.ID, s.Epoch, s.Version, s.ClosedAt.UnixMilli(), s.PublishedAt.UnixMilli())
	answer := b.readings.DoChan(key, func() (_ any, err error) {
		defer panics.Catch(&err)
		if r := d.since(s, after); r != nil { // another call finished just now
			return r, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), behindAtMost)
		defer cancel()
		return b.look(ctx, d, s)
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("leaderboard: %w", ctx.Err())
	case result := <-answer:
		if result.Err == nil {
			return result.Val.(*reading), nil
		}
		if r := d.since(s, time.Now().Add(-behindAtMost)); r != nil {
			return r, nil
		}
		return nil, fmt.Errorf("leaderboard: %w", result.Err)
	}
}

// Run keeps the tallies of the minutes, from which trends come, also while
// nobody looks, until ctx ends. Any number of servers may run it for the same
// contests.
func (b *Boards) Run(ctx context.Context, contests func() []*registry.Stored) {
	ticker := time.NewTicker(rememberEvery)
	defer ticker.Stop()
	for {
		for _, s := range contests() {
			if s.Phase(time.Now()) != contest.PhaseVoting {
				continue
			}
			_, _ = b.Board(ctx, s, Organizer) // what is wrong with one is nobody else's, and whoever looks is told
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (b *Boards) desk(contestID string) *desk {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.desks[contestID]
	if d == nil {
		d = &desk{}
		b.desks[contestID] = d
	}
	return d
}

// since is the last reading, if it is of this version and began after an instant.
func (d *desk) since(s *registry.Stored, instant time.Time) *reading {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil || !d.last.stored.Same(s) || !d.last.started.After(instant) {
		return nil
	}
	return d.last
}

// readAt is when the last reading began, of any version.
func (d *desk) readAt() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil {
		return time.Time{}
	}
	return d.last.started
}

// look asks all boxes.
func (b *Boards) look(ctx context.Context, d *desk, s *registry.Stored) (*reading, error) {
	started := time.Now()
	count, err := b.boxes.Tally(ctx, s)
	if err != nil {
		return nil, err
	}
	r := &reading{stored: *s, count: count, started: started}
	d.trends.remember(ctx, b, s, count)
	before := map[time.Time]*voting.Tally{}
	for _, v := range viewers {
		if at := see(s, count, v).trendAt; !at.IsZero() {
			before[at] = d.trends.before(ctx, b, s, at)
		}
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	// Nothing has happened since: what was ranked and encoded still holds.
	if d.last != nil && d.last.boards.hold(s, count, before) {
		r.boards = d.last.boards
	} else {
		r.boards = &boards{stored: *s, count: count, before: before}
	}
	if d.last == nil || d.last.started.Before(started) {
		d.last = r
	}
	return r, nil
}
