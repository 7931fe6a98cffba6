// Package reach keeps share codes and links in Redis, and in the memory of a
// server that is asked the fold of who brought whom.
//
// What is in Redis is in keys.go; the scripts are in lua/, each with its
// contract in its header. The fold is no state: a server that is asked for a
// contest's reach reads its ballots and links from the beginning, goes on from
// where it was when it is asked again, and forgets it when nobody asks.
package reach

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

//go:embed lua/place.lua
var placeSource string

//go:embed lua/mint.lua
var mintSource string

//go:embed lua/visit.lua
var visitSource string

// Ballots is where ballots are read: [ballotbox.Boxes].
type Ballots interface {
	Follow(ctx context.Context, s *registry.Stored, from ballotbox.Cursor, yield func(ballotbox.Followed) error) (ballotbox.Cursor, error)
}

const (
	// freshFor is how long a report is shown before more is read.
	freshFor = time.Second

	// idleTime is how long a fold is kept that nobody asks for.
	idleTime = 10 * time.Minute
)

// Options has a zero value that works.
type Options struct {
	Now   func() time.Time // the clock; nil: time.Now
	Fresh time.Duration    // how old a report may be; 0: a second
	Idle  time.Duration    // how long a fold is kept that nobody asks for; 0: ten minutes

	// Fans tells how many fans each school of a contest has; nil: not told.
	Fans func(ctx context.Context, contestID string) (map[string]int64, error)
}

// Reach is safe for concurrent use.
type Reach struct {
	store       *store.Store
	ballots     Ballots
	now         func() time.Time
	fresh, idle time.Duration
	fans        func(ctx context.Context, contestID string) (map[string]int64, error)
	mint, visit *store.Script

	mu    sync.Mutex
	folds map[string]*fold // by contest id; guarded by mu
}

// fold is a contest's, as far as it was read.
type fold struct {
	turn  chan struct{} // held by who reads; the rest waits as long as its context
	epoch int64
	idle  *time.Timer

	// Guarded by turn.
	of     *sharing.Fold
	boxes  ballotbox.Cursor
	links  int64 // place up to which links were read: see place.lua
	at     time.Time
	report *sharing.Report
}

// New asks nothing of the store yet.
func New(st *store.Store, ballots Ballots, opts Options) *Reach {
	r := &Reach{
		store: st, ballots: ballots, now: opts.Now, fresh: opts.Fresh, idle: opts.Idle, fans: opts.Fans, folds: map[string]*fold{},
		mint: st.Script("mint", placeSource+mintSource, false), visit: st.Script("visit", placeSource+visitSource, false).Forgettable(),
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.fresh == 0 {
		r.fresh = freshFor
	}
	if r.idle == 0 {
		r.idle = idleTime
	}
	return r
}

// Report is who brought whom in a contest, at most Options.Fresh old. The first call
// reads every ballot; should ctx end before, the next one goes on from there.
//
// Of a contest that was forgotten nobody knows who brought whom.
func (r *Reach) Report(ctx context.Context, s *registry.Stored) (*sharing.Report, error) {
	if s.Forgotten() {
		return nil, registry.ErrForgotten
	}
	f := r.foldOf(s)
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("reach: %w", ctx.Err())
	}
	if f.report != nil && r.now().Sub(f.at) < r.fresh {
		return f.report, nil
	}
	at := r.now()
	var err error
	if f.boxes, err = r.ballots.Follow(ctx, s, f.boxes, f.add); err != nil {
		return nil, fmt.Errorf("reach: %w", err)
	}
	// After the ballots: a code that a ballot came by was made before.
	if f.links, err = r.followLinks(ctx, s.Contest.ID, f.links, f.of); err != nil {
		return nil, fmt.Errorf("reach: %w", err)
	}
	schools := make([]string, len(s.Contest.Schools))
	for i, school := range s.Contest.Schools {
		schools[i] = school.ID
	}
	report := f.of.Report(schools)
	if r.fans != nil {
		fans, err := r.fans(ctx, s.Contest.ID)
		if err != nil {
			return nil, fmt.Errorf("reach: %w", err)
		}
		addFans(report, fans)
	}
	f.report, f.at = report, at
	return report, nil
}

// addFans puts fans beside what schools brought.
func addFans(report *sharing.Report, fans map[string]int64) {
	var all int64
	for _, n := range fans {
		all += n
	}
	report.Totals.Fans = &all
	for i := range report.Schools {
		n := fans[report.Schools[i].ID]
		report.Schools[i].Fans = &n
	}
}

// add folds one record.
func (f *fold) add(r ballotbox.Followed) error {
	switch r.Kind {
	case voting.KindCast:
		f.of.Reviewed(r.Voter, r.Ballot, r.School, r.Standing)
	case voting.KindJoin:
		f.of.Join(r.Voter, r.Into)
		return nil
	default:
		f.of.Reviewed(r.Voter, r.Ballot, r.School, r.Standing)
		f.of.Stands(r.Voter, r.Ballot, r.Standing)
		return nil
	}
	f.of.Cast(sharing.Cast{
		Ballot: r.Ballot, Voter: r.Voter, School: r.School, At: r.Position.At(), Standing: r.Standing,
		Via: r.Evidence.Via, Page: r.Evidence.EmbedOrigin, Opened: r.Evidence.Opened, Proven: sharing.Proven(r.Level, r.Evidence),
		Net: r.Evidence.Net, Device: r.Evidence.Device, Agent: r.Evidence.Agent,
	})
	return nil
}

// foldOf is the contest's fold, and keeps it for a while. A contest that a
// restored store begins anew has a new one.
func (r *Reach) foldOf(s *registry.Stored) *fold {
	id := s.Contest.ID
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.folds[id]
	if f != nil && f.epoch == s.Epoch {
		f.idle.Reset(r.idle)
		return f
	}
	if f != nil {
		f.idle.Stop()
	}
	fresh := &fold{turn: make(chan struct{}, 1), epoch: s.Epoch, of: sharing.NewFold()}
	fresh.idle = time.AfterFunc(r.idle, func() { r.drop(id, fresh) })
	r.folds[id] = fresh
	return fresh
}

// drop forgets a contest's fold: that one, or whichever there is.
func (r *Reach) drop(contestID string, only *fold) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.folds[contestID]; f != nil && (only == nil || f == only) {
		f.idle.Stop()
		delete(r.folds, contestID)
	}
}
