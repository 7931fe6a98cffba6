package store

import (
	"sync"
	"sync/atomic"
	"time"
)

// window is how long the store has to be busy without a pause before its pace
// is known: some batches, and well below what anybody minds to wait.
const window = 50 * time.Millisecond

// waiting tells how long whoever asks the store now will wait, from what waits
// already (the queue) and from how fast it went lately (the pace). The pace is
// known only of a store that is busy: answers of a quiet one come one by one,
// and those of a busy one by hundreds. What a store that is gone does not answer
// tells nothing: that is for ErrUnavailable to say.
type waiting struct {
	pending  atomic.Int64 // calls under way
	answered atomic.Int64 // since the window began
	took     atomic.Int64 // how long the call waited that was answered last, in ns
	pace     atomic.Int64 // ns a call; 0: not known

	began   time.Time
	closing sync.Mutex   // whoever has it ends the window; nobody waits for it
	since   atomic.Int64 // when the window began; written under closing, or by the first call to a quiet store
}

func (w *waiting) clock() int64 { return int64(time.Since(w.began)) }

// enter counts a call in, and gives the instant for leave.
func (w *waiting) enter() int64 {
	now := w.clock()
	if w.pending.Add(1) == 1 {
		w.pace.Store(0)
		w.since.Store(now)
		w.answered.Store(0)
	}
	return now
}

func (w *waiting) leave(entered int64, answered bool) {
	w.pending.Add(-1)
	if !answered {
		return
	}
	now := w.clock()
	w.took.Store(now - entered)
	w.answered.Add(1)
	if now-w.since.Load() < int64(window) || !w.closing.TryLock() {
		return
	}
	defer w.closing.Unlock()
	if since := w.since.Load(); now-since >= int64(window) {
		w.pace.Store((now - since) / max(1, w.answered.Swap(0)))
		w.since.Store(now)
	}
}

// now is what the queue and the pace say, but no more than twice what a call
// has really waited: many calls may have come to a store that few kept busy.
func (w *waiting) now() time.Duration {
	pending := w.pending.Load()
	if pending == 0 {
		return 0
	}
	return time.Duration(min(pending*w.pace.Load(), 2*w.took.Load()))
}

// Waiting is how long a script sent now would wait for its answer, as far as
// that can be told: 0 for a store with nothing to do. It costs three atomic loads.
func (s *Store) Waiting() time.Duration { return s.waiting.now() }
