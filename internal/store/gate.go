package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrUnsafe is a store whose settings or state would lose ballots or count them
// twice. Its text has one line for each fault.
var ErrUnsafe = errors.New("the store is not safe for ballots")

// Mode is how much a Gate lets pass.
type Mode int

const (
	Strict           Mode = iota // every demand is verified and met
	AcceptUnverified             // --accept-unverified-store: met where the store shows it
	Unsafe                       // --unsafe-store: faults are told, never enforced, and never green
)

// GateOptions has a working zero value.
type GateOptions struct {
	Mode  Mode
	Kept  bool          // what an embedded store holds is kept in a folder
	Every time.Duration // between checks; 0 is 30 s
	Log   *slog.Logger  // told of every change; nil is silent
}

// Gate watches that the store stays fit to count in: an operator may change a
// setting, a disk may fill up, at any time.
type Gate struct {
	store *Store
	opts  GateOptions

	watched []func() error // see Watch

	mu   sync.RWMutex
	last verdict // of the last check
}

type verdict struct {
	faults, notes []string
	err           error // what Gate.Err answers
}

// OpenGate checks the store once. It fails with ErrUnsafe or ErrUnavailable when
// no ballot may be taken now, in a mode that minds. Then Run keeps checking.
func OpenGate(ctx context.Context, s *Store, opts GateOptions) (*Gate, error) {
	if opts.Every <= 0 {
		opts.Every = 30 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gate{store: s, opts: opts}
	g.last = g.judge(s.Check(ctx))
	if err := g.last.err; err != nil {
		return nil, err // says every fault: the caller tells them, once
	}
	g.tell(g.last)
	return g, nil
}

// Watch adds something that must be nil for ballots to be taken, whatever the
// mode: what it says is asked at every Status and Err, so it must cost nothing. It
// is called before the first of these.
func (g *Gate) Watch(fault func() error) { g.watched = append(g.watched, fault) }

// Run checks again and again until ctx ends. While no ballot may be taken it looks
// every second: a Redis that comes back may have come back another, and a replica
// that was missed may be there again.
func (g *Gate) Run(ctx context.Context) {
	timer := time.NewTimer(g.opts.Every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		next := g.opts.Every
		if g.recheck(ctx); g.Err() != nil {
			next = min(next, time.Second)
		}
		timer.Reset(next)
	}
}

// Status is for /readyz: ok says that the store is safe as far as the mode asks,
// faults say why not, notes are what an operator should see all the same.
func (g *Gate) Status() (ok bool, faults, notes []string) {
	v := g.verdict()
	faults = slices.Clone(v.faults)
	for _, fault := range g.watched {
		if err := fault(); err != nil {
			faults = append(faults, err.Error())
		}
	}
	return v.err == nil && len(faults) == 0, faults, v.notes
}

// Err is nil when ballots may be taken, else ErrUnsafe or ErrUnavailable. It
// tells what the last check saw, and costs nothing: ask before every cast.
func (g *Gate) Err() error {
	for _, fault := range g.watched {
		if err := fault(); err != nil {
			return err
		}
	}
	return g.verdict().err
}

func (g *Gate) verdict() verdict {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.last
}

func (g *Gate) recheck(ctx context.Context) {
	v := g.judge(g.store.Check(ctx))
	if ctx.Err() != nil {
		return // stopping: nothing was learnt
	}
	g.mu.Lock()
	changed := !slices.Equal(v.faults, g.last.faults) || !slices.Equal(v.notes, g.last.notes)
	g.last = v
	g.mu.Unlock()
	if changed {
		g.tell(v)
	}
}

// judge turns what a check found into what the mode makes of it.
func (g *Gate) judge(faults, notes []string, err error) verdict {
	v := verdict{faults: slices.Clone(faults), notes: slices.Clone(notes)}
	switch {
	case g.store.Embedded() && g.opts.Kept:
		v.notes = []string{"store in memory, kept in --data: a stop loses nothing; a kill or a power cut the last second of ballots, and the last ten of fans, shares and appeals: give --redis for a vote that counts"}
	case g.store.Embedded():
		v.notes = []string{"trial store in memory: a restart loses everything, give --data, or --redis for a real vote"}
	case errors.Is(err, ErrSettingsHidden) && g.opts.Mode == AcceptUnverified:
		v.notes = append(v.notes, err.Error()+"; accepted by --accept-unverified-store")
	case errors.Is(err, ErrSettingsHidden):
		v.faults = append(v.faults, err.Error()+": show them to this user (INFO, CONFIG GET), or vouch for them with --accept-unverified-store")
	case err != nil:
		v.faults = append(v.faults, err.Error())
	}
	switch {
	case g.opts.Mode == Unsafe && !g.store.Embedded():
		// Red even where nothing is wrong now: a flag for tests must show.
		v.notes = append(v.notes, "--unsafe-store: ballots are taken whatever the faults")
		v.faults = append(v.faults, "started with --unsafe-store, not for a real vote: start without it")
	case err != nil && !errors.Is(err, ErrSettingsHidden):
		v.err = err
	case len(v.faults) > 0:
		v.err = fmt.Errorf("%w:\n%s", ErrUnsafe, strings.Join(v.faults, "\n"))
	}
	return v
}

func (g *Gate) tell(v verdict) {
	for _, fault := range v.faults {
		g.opts.Log.Error("store gate", "fault", fault)
	}
	for _, note := range v.notes {
		g.opts.Log.Warn("store gate", "note", note)
	}
	if len(v.faults) == 0 {
		g.opts.Log.Info("store gate: ballots may be taken", "store", g.store.Name())
	}
}
