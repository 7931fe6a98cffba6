package archive

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/joute/joute/internal/store"
)

// redAfter is how long moving may fail before /readyz is red. Nothing is lost
// meanwhile, as the store keeps the records: it takes longer than it takes to make
// room on a disk. But a store that fills up, and that nobody can prove, is no state
// to vote in for long.
const redAfter = 5 * time.Minute

// faultKind is what a fault is of.
type faultKind string

const (
	faultMismatch faultKind = "mismatch" // store and folder do not belong together: no ballot may be taken
	faultDamaged  faultKind = "damaged"  // what is on disk is not what was signed
	faultDisk     faultKind = "disk"     // the folder takes nothing
	faultStore    faultKind = "store"    // told elsewhere
)

// fault is what keeps a contest from being moved; zero: nothing.
type fault struct {
	kind faultKind
	text string
}

// state is what is known of a contest.
type state struct {
	fault     fault
	since     time.Time // of the fault
	drift     []int     // boxes that are not as their records say
	off       []string  // and what of them
	waiting   int64     // records that are in the store alone
	committed int64     // records on disk
	moved     time.Time // when that last grew, or nothing waited
}

// late is how long records have waited without any being moved.
func (s state) late(now time.Time) time.Duration {
	late := time.Duration(0)
	if s.waiting > 0 {
		late = now.Sub(s.moved)
	}
	if s.fault.kind == faultDisk || s.fault.kind == faultDamaged {
		late = max(late, now.Sub(s.since))
	}
	return late
}

// states are of all contests.
type states struct {
	wrong atomic.Pointer[error] // why no ballot may be taken; nil: some may

	mu sync.Mutex
	of map[string]state // by contest id; guarded by mu
}

func (s *states) err() error {
	if wrong := s.wrong.Load(); wrong != nil {
		return *wrong
	}
	return nil
}

func (s *states) change(id string, f func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.of[id]
	f(&one)
	s.of[id] = one
}

func (s *states) wait(id string, waiting, committed int64, now time.Time) {
	s.change(id, func(one *state) {
		if waiting == 0 || committed != one.committed || one.moved.IsZero() {
			one.moved = now
		}
		one.waiting, one.committed = waiting, committed
	})
}

// drop forgets a contest.
func (s *states) drop(id string) {
	s.mu.Lock()
	delete(s.of, id)
	s.mu.Unlock()
	s.raise()
}

// report says what a visit has found, and tells whether the fault is news.
func (s *states) report(id string, f fault, drift off, now time.Time) (news bool) {
	s.change(id, func(one *state) {
		if news = one.fault != f; news && one.fault.kind != f.kind {
			one.since = now
		}
		one.fault, one.drift, one.off = f, drift.boxes(), drift.says(id)
	})
	if news {
		s.raise()
	}
	return news
}

// raise looks for a fault with which no ballot may be taken.
func (s *states) raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var wrong *error
	for _, id := range slices.Sorted(maps.Keys(s.of)) {
		if fault := s.of[id].fault; fault.kind == faultMismatch {
			err := fmt.Errorf("%w: %s", store.ErrUnsafe, fault.text)
			wrong = &err
			break
		}
	}
	s.wrong.Store(wrong)
}

// each gives every contest's, by id.
func (s *states) each(f func(id string, one state)) {
	s.mu.Lock()
	all := maps.Clone(s.of)
	s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		f(id, all[id])
	}
}

func (s *states) status(now time.Time) (ok bool, faults, notes []string) {
	s.each(func(id string, one state) {
		late := one.late(now)
		switch {
		case one.fault.kind == faultMismatch, one.fault.kind == faultDamaged, one.fault.kind == faultDisk && late > redAfter:
			faults = append(faults, one.fault.text)
		case one.fault.kind == faultDisk:
			notes = append(notes, one.fault.text)
		case late > redAfter:
			faults = append(faults, fmt.Sprintf("%s: %d records wait in the store, and none has been moved to the data folder for %v: the server that does it is stuck; end that one", id, one.waiting, late.Round(time.Minute)))
		}
		faults = append(faults, one.off...)
	})
	return len(faults) == 0, faults, notes
}
