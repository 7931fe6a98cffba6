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

// Mode is how much an Interlock lets pass.
type Mode int

const (
	Strict           Mode = iota // every demand is verified and met
	AcceptUnverified             // --accept-unverified-store: met where the store shows it
	Unsafe                       // --unsafe-store: faults are told, never enforced, and never green
)

// InterlockOptions has a working zero value.
type InterlockOptions struct {
	Mode  Mode
	Kept  bool          // what an embedded store holds is kept in a folder
	Every time.Duration // between checks; 0 is 30 s
	Log   *slog.Logger  // told of every change; nil is silent
}

// Interlock watches that the store stays fit to count in: an operator may change a
// setting, a disk may fill up, at any time.
type Interlock struct {
	store *Store
	opts  InterlockOptions

	watched []func() error // see Watch

	mu   sync.RWMutex
	last verdict // of the last check
}

type verdict struct {
	faults, notes []string
	err           error // what Interlock.Err answers
}

// OpenInterlock checks the store once. It fails with ErrUnsafe or ErrUnavailable when
// no ballot may be taken now, in a mode that minds. Then Run keeps checking.
func OpenInterlock(ctx context.Context, s *Store, opts InterlockOptions) (*Interlock, error) {
	if opts.Every <= 0 {
		opts.Every = 30 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	l := &Interlock{store: s, opts: opts}
	l.last = l.judge(s.Check(ctx))
	if err := l.last.err; err != nil {
		return nil, err // says every fault: the caller tells them, once
	}
	l.tell(l.last)
	return l, nil
}

// Watch adds something that must be nil for ballots to be taken, whatever the
// mode: what it says is asked at every Status and Err, so it must cost nothing. It
// is called before the first of these.
func (l *Interlock) Watch(fault func() error) { l.watched = append(l.watched, fault) }

// Run checks again and again until ctx ends. While no ballot may be taken it looks
// every second: a Redis that comes back may have come back another, and a replica
// that was missed may be there again.
func (l *Interlock) Run(ctx context.Context) {
	timer := time.NewTimer(l.opts.Every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		next := l.opts.Every
		if l.recheck(ctx); l.Err() != nil {
			next = min(next, time.Second)
		}
		timer.Reset(next)
	}
}

// Status is for /readyz: ok says that the store is safe as far as the mode asks,
// faults say why not, notes are what an operator should see all the same.
func (l *Interlock) Status() (ok bool, faults, notes []string) {
	v := l.verdict()
	faults = slices.Clone(v.faults)
	for _, fault := range l.watched {
		if err := fault(); err != nil {
			faults = append(faults, err.Error())
		}
	}
	return v.err == nil && len(faults) == 0, faults, v.notes
}

// Err is nil when ballots may be taken, else ErrUnsafe or ErrUnavailable. It
// tells what the last check saw, and costs nothing: ask before every cast.
func (l *Interlock) Err() error {
	for _, fault := range l.watched {
		if err := fault(); err != nil {
			return err
		}
	}
	return l.verdict().err
}

func (l *Interlock) verdict() verdict {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.last
}

func (l *Interlock) recheck(ctx context.Context) {
	v := l.judge(l.store.Check(ctx))
	if ctx.Err() != nil {
		return // stopping: nothing was learnt
	}
	l.mu.Lock()
	changed := !slices.Equal(v.faults, l.last.faults) || !slices.Equal(v.notes, l.last.notes)
	l.last = v
	l.mu.Unlock()
	if changed {
		l.tell(v)
	}
}

// judge turns what a check found into what the mode makes of it.
func (l *Interlock) judge(faults, notes []string, err error) verdict {
	v := verdict{faults: slices.Clone(faults), notes: slices.Clone(notes)}
	switch {
	case l.store.Embedded() && l.opts.Kept:
		v.notes = []string{"store in memory, kept in --data: a stop loses nothing; a kill or a power cut the last second of ballots, and the last ten of fans, shares and appeals: give --redis for a vote that counts"}
	case l.store.Embedded():
		v.notes = []string{"trial store in memory: a restart loses everything, give --data, or --redis for a real vote"}
	case errors.Is(err, ErrSettingsHidden) && l.opts.Mode == AcceptUnverified:
		v.notes = append(v.notes, err.Error()+"; accepted by --accept-unverified-store")
	case errors.Is(err, ErrSettingsHidden):
		v.faults = append(v.faults, err.Error()+": show them to this user (INFO, CONFIG GET), or vouch for them with --accept-unverified-store")
	case err != nil:
		v.faults = append(v.faults, err.Error())
	}
	switch {
	case l.opts.Mode == Unsafe && !l.store.Embedded():
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

func (l *Interlock) tell(v verdict) {
	for _, fault := range v.faults {
		l.opts.Log.Error("store interlock", "fault", fault)
	}
	for _, note := range v.notes {
		l.opts.Log.Warn("store interlock", "note", note)
	}
	if len(v.faults) == 0 {
		l.opts.Log.Info("store interlock: ballots may be taken", "store", l.store.Name())
	}
}
