package sweep

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// Farms keeps signatures of farms that are void: later attempts meet them at the gate.
// Put is idempotent; the latest of an id wins.
type Farms interface {
	Put(ctx context.Context, contestID string, signatures []antifraud.Signature) error
}

// Options has a zero value that works.
type Options struct {
	Finder     func() Finder          // the detectors; nil: detect.New
	Farms      Farms                  // nil: signatures are not kept
	Changed    func(contestID string) // told of contests whose ballots it changed; nil: nobody is
	Registerer prometheus.Registerer  // nil: nothing is measured
	Log        *slog.Logger           // nil: silent
	Every      time.Duration          // between sweeps of an open contest; 0: a minute
	Many       int                    // so many new ballots are swept sooner; 0: 200
	Tick       time.Duration          // how often the record is followed; 0: two seconds
	Lease      time.Duration          // how long a dead server keeps a contest; 0: 15 s
}

const (
	sweepEvery = time.Minute
	tickEvery  = 2 * time.Second
	leaseLife  = 15 * time.Second

	// manyBallots in one go are a burst or a crowd: both are worth a look at once.
	manyBallots = 200

	// pauseFactor bounds what sweeps take of the processors to a sixtieth, whatever
	// comes, but that there is one each Every: the first of a rush comes at once, later ones
	// rarer the longer they take.
	pauseFactor = 60

	// endsBefore is how long before evidence expires sweeps of a closed contest end:
	// without it nothing would speak against anybody.
	endsBefore = time.Hour

	// workTime bounds one look at a contest: reading a million ballots takes a minute.
	workTime = 10 * time.Minute

	// restTime is how long a contest is left alone whose detectors have panicked: they would again, and
	// each time the contest is read from its beginning.
	restTime = 10 * time.Minute
)

// Sweeper sweeps the contests of a store. Run it once.
type Sweeper struct {
	boxes   *ballotbox.Boxes
	leases  leases
	opts    Options
	log     *slog.Logger
	metrics *metrics

	mu   sync.Mutex
	held map[string]bool // leases of this server; guarded by mu
	wake chan struct{}   // somebody waits for the end of a contest

	// Of Run alone.
	watches map[string]*watch
	settled map[string]settled   // contests with which the detectors are done
	rests   map[string]time.Time // contests that are left alone until then
}

// settled is what a contest was when it was.
type settled struct {
	epoch    int64
	settings Settings
}

// watch is a contest that this server sweeps.
type watch struct {
	epoch    int64
	settings Settings
	judge    *Judge
	cursor   ballotbox.Cursor
	fresh    bool // nothing was swept yet
	final    bool
	settled  bool
	number   int       // of the last sweep
	at       time.Time // when it was, by this server's clock
	took     time.Duration
	known    map[string]string // signatures that were put, as JSON, by id
	offered  map[string]offer  // those that were not taken yet, by id
	tried    time.Time         // when they were offered last, by this server's clock

	unwritten *unwritten // a sweep that the store did not take yet; nil: none
}

// offer is a signature, and its JSON.
type offer struct {
	signature antifraud.Signature
	text      string
}

// New asks nothing of the store yet.
func New(st *store.Store, boxes *ballotbox.Boxes, opts Options) *Sweeper {
	s := &Sweeper{
		boxes: boxes, opts: opts, log: opts.Log, metrics: newMetrics(opts.Registerer), held: map[string]bool{}, wake: make(chan struct{}, 1), watches: map[string]*watch{}, settled: map[string]settled{}, rests: map[string]time.Time{},
	}
	defaulted := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	defaulted(&s.opts.Every, sweepEvery)
	defaulted(&s.opts.Tick, tickEvery)
	defaulted(&s.opts.Lease, leaseLife)
	if s.opts.Many == 0 {
		s.opts.Many = manyBallots
	}
	if s.opts.Finder == nil {
		s.opts.Finder = func() Finder { return detect.New(detect.Options{}) }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.leases = leases{st.Script("lease", leaseSource, false).Forgettable(), rand.Text(), s.opts.Lease}
	return s
}

// Run sweeps until ctx ends, and gives its contests back then. Any number of servers
// may run; each contest has one of them. What fails goes on at the next look from where it
// was, and is begun anew from the record only where that is another one.
func (s *Sweeper) Run(ctx context.Context, contests func() []*registry.Stored) {
	var keeping sync.WaitGroup
	defer keeping.Wait()
	keeping.Go(func() { s.keepLeases(ctx) })
	ticker := time.NewTicker(s.opts.Tick)
	defer ticker.Stop()
	failing := false
	for {
		var err error
		lag := time.Duration(0)
		for _, stored := range contests() {
			late, one := s.visit(ctx, stored)
			err, lag = errors.Join(err, one), max(lag, late)
		}
		s.metrics.lag.Set(lag.Seconds())
		if err != nil && !failing && ctx.Err() == nil {
			s.log.Warn("contests cannot be swept", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			s.giveBack(context.WithoutCancel(ctx))
			return
		case <-s.wake:
		case <-ticker.C:
		}
	}
}

// keepLeases renews what this server has, also while a sweep takes long.
func (s *Sweeper) keepLeases(ctx context.Context) {
	ticker := time.NewTicker(s.opts.Lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, id := range s.mine() {
			if mine, err := s.leases.take(ctx, id); err == nil && !mine {
				s.own(id, false)
			}
		}
	}
}

func (s *Sweeper) mine() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.held {
		ids = append(ids, id)
	}
	return ids
}

func (s *Sweeper) own(id string, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine {
		s.held[id] = true
	} else {
		delete(s.held, id)
	}
}

func (s *Sweeper) owns(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id]
}

func (s *Sweeper) giveBack(ctx context.Context) {
	for _, id := range s.mine() {
		s.own(id, false)
		_ = s.leases.give(ctx, id) // it expires by itself
	}
}

// leave forgets what is known of a contest: whoever has it next reads the record.
func (s *Sweeper) leave(ctx context.Context, id string) {
	delete(s.watches, id)
	if s.owns(id) {
		s.own(id, false)
		_ = s.leases.give(ctx, id) // it expires by itself
	}
}

// visit looks at one contest and tells how long its oldest ballot waits for a sweep.
// After an error, and where another server has the contest, it tells nothing.
func (s *Sweeper) visit(ctx context.Context, stored *registry.Stored) (time.Duration, error) {
	id, now := stored.Contest.ID, time.Now()
	if s.over(stored, now) || now.Before(stored.Contest.Phases.Voting.Opens) {
		s.leave(ctx, id)
		return 0, nil
	}
	if now.Before(s.rests[id]) {
		return 0, nil
	}
	w, err := s.watchOf(ctx, stored, now)
	if err != nil || w == nil {
		return 0, err
	}
	work, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	err = panics.Caught(func() error { return s.look(work, stored, w) })()
	switch {
	case errors.Is(err, panics.Err), errors.Is(err, errNoRuling): // it is about this contest, and would end the server and its votes
		s.rests[id] = now.Add(restTime)
		s.leave(ctx, id)
	case errors.Is(err, ballotbox.ErrSweepTaken), errors.Is(err, registry.ErrForgotten):
		err = nil // another server was faster, or there is nothing to sweep any more
		s.leave(ctx, id)
	case errors.Is(err, errOtherRecord), errors.Is(err, ballotbox.ErrNoSuchBallot): // begun anew, in a while
		s.rests[id] = now.Add(s.opts.Every)
		delete(s.watches, id)
	}
	if err != nil {
		return 0, fmt.Errorf("contest %s: %w", id, err)
	}
	if w.settled {
		s.settled[id] = settled{w.epoch, w.settings}
		s.leave(ctx, id)
		return 0, nil
	}
	since, waiting := w.judge.Waiting()
	if waiting == 0 {
		return 0, nil
	}
	return time.Since(since), nil
}

// watchOf is what is known of a contest, begun anew where its epoch or its settings
// are others. It is nil where the detectors are done, or another server has the lease.
func (s *Sweeper) watchOf(ctx context.Context, stored *registry.Stored, now time.Time) (*watch, error) {
	id, settings := stored.Contest.ID, SettingsOf(stored.Contest)
	w := s.watches[id]
	if w != nil && s.owns(id) && w.epoch == stored.Epoch && w.settings.equal(settings) {
		return w, nil
	}
	delete(s.watches, id)
	if done, err := s.done(ctx, stored, now); err != nil || done {
		return nil, err
	}
	mine, err := s.leases.take(ctx, id)
	s.own(id, err == nil && mine)
	if err != nil || !mine {
		return nil, err
	}
	number, err := s.boxes.LastSweep(ctx, stored)
	if err != nil {
		return nil, err
	}
	w = &watch{
		epoch: stored.Epoch, settings: settings, judge: NewJudge(settings, s.opts.Finder()), fresh: true, number: number,
		known: map[string]string{}, offered: map[string]offer{},
	}
	s.watches[id] = w
	return w, nil
}

// errOtherRecord is returned where the record is not the one that was read: a store that was
// killed or cut off may lose what it has not confirmed to anybody.
var errOtherRecord = errors.New("the record is another one than was read")

// look follows the record and sweeps when it is time. After an error the next look goes on:
// what was read is known, and what was decided waits to be written.
func (s *Sweeper) look(ctx context.Context, stored *registry.Stored, w *watch) (err error) {
	if w.unwritten != nil {
		if err := s.record(ctx, stored, w); err != nil {
			return err
		}
	}
	// Before the record: once the boxes are closed, it has every cast.
	clock, err := s.boxes.Clock(ctx, stored)
	if err != nil {
		return err
	}
	if clock.Closed && !w.final && !w.fresh {
		// The last word is of detectors that see all ballots at once: it does not
		// depend on which minutes they came in.
		*w = watch{epoch: w.epoch, settings: w.settings, judge: NewJudge(w.settings, s.opts.Finder()), fresh: true, number: w.number, known: w.known, offered: w.offered}
	}
	w.judge.expect(stored.Contest.Boxes)
	if w.cursor, err = s.boxes.Follow(ctx, stored, w.cursor, func(f ballotbox.Followed) error {
		if w.judge.Other(f.Record) {
			return errOtherRecord
		}
		w.judge.Read(f.Record, f.Level, f.Evidence)
		return nil
	}); err != nil {
		return err
	}
	_, waiting := w.judge.Waiting()
	last := time.Since(w.at)
	switch {
	case clock.Closed && !w.final:
	case w.judge.Due(clock.Now):
	case waiting > 0 && last >= s.opts.Every:
	case waiting >= s.opts.Many && last >= pauseFactor*w.took:
	case w.final && !w.judge.holding():
		status := w.judge.Status()
		status.Sweep, status.At, status.Final, status.Settled = w.number, voting.FormatTime(clock.Now), true, true
		err := s.keep(ctx, stored, nil, status)
		w.settled = err == nil
		return err
	default:
		if len(w.offered) > 0 && time.Since(w.tried) >= s.opts.Every {
			s.putFarms(ctx, stored.Contest.ID, w, nil)
		}
		return nil
	}
	return s.sweep(ctx, stored, w, clock)
}

// done tells whether the detectors are done with a contest that is over, by this
// server or another: it is not read for nothing, and not kept in memory.
func (s *Sweeper) done(ctx context.Context, stored *registry.Stored, now time.Time) (bool, error) {
	id, settings := stored.Contest.ID, SettingsOf(stored.Contest)
	if known, there := s.settled[id]; there && known.epoch == stored.Epoch && known.settings.equal(settings) {
		return true, nil
	}
	if now.Before(stored.Closes()) {
		return false, nil
	}
	status, err := s.Status(ctx, stored)
	if err != nil || status == nil || !status.Settled || status.Policy != settings.Policy || status.Model != settings.Model {
		return false, err
	}
	s.settled[id] = settled{stored.Epoch, settings}
	return true, nil
}
