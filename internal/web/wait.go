package web

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// paceWindow is how long there has to be something to do without a pause before
	// the pace is known, or twice what a request takes where that is more: answers
	// come by batches of the store, and a part of one tells nothing.
	paceWindow = 50 * time.Millisecond

	// timedEvery is how many requests go by for one that is timed.
	timedEvery = 8

	// storeful is how many may be under way before anybody asks how late this process is:
	// what fills the store's batches, and the next. With fewer nobody waits for them.
	storeful = 900
)

// wait tells how long whoever comes now will wait, from how many wait already (the
// queue) and from how fast they were answered lately (the pace): in the store, for
// a processor, wherever. The pace is known only where there is much to do: answers
// come one by one while it is quiet, and by hundreds when it is not. What ends in an
// error tells nothing: a store that is gone is for itself to say.
type wait struct {
	queue    atomic.Int64
	came     atomic.Int64 // so far
	answered atomic.Int64 // since the window began
	took     atomic.Int64 // how long the slowest of late took, in ns: the last, or an earlier one less an eighth for each since
	pace     atomic.Int64 // ns a request; 0: not known

	lag lag

	began   time.Time
	closing sync.Mutex   // whoever has it ends the window; nobody waits for it
	since   atomic.Int64 // when the window began; written under closing, or by whoever comes when it is quiet
}

func (w *wait) clock() int64 { return int64(time.Since(w.began)) }

// enter counts a request in, and gives what leave takes: an instant, or 0 for one
// that is not timed.
func (w *wait) enter() int64 {
	quiet, timed := w.queue.Add(1) == 1, w.came.Add(1)%timedEvery == 0
	if !quiet && !timed {
		return 0
	}
	now := w.clock()
	if quiet {
		w.pace.Store(0)
		w.since.Store(now)
		w.answered.Store(0)
	}
	return now
}

func (w *wait) leave(entered int64, answered bool) {
	w.queue.Add(-1)
	if !answered {
		return
	}
	w.answered.Add(1)
	if entered == 0 {
		return
	}
	now, took := w.clock(), w.took.Load()
	w.took.Store(max(now-entered, took-took/8))
	window := max(int64(paceWindow), 2*w.took.Load())
	if now-w.since.Load() < window || !w.closing.TryLock() {
		return
	}
	defer w.closing.Unlock()
	if since := w.since.Load(); now-since >= window {
		w.pace.Store((now - since) / max(1, w.answered.Swap(0)))
		w.since.Store(now)
	}
}

// now is what queue and pace say, but no more than twice what was really waited
// lately: many may have come where few were served. Where there are many, whoever comes
// has waited for a processor already, before enter, in a row that is no queue here: the
// lag comes on top.
func (w *wait) now() time.Duration {
	queue := w.queue.Load()
	if queue == 0 {
		return 0
	}
	here := time.Duration(min(queue*w.pace.Load(), 2*w.took.Load()))
	if queue <= storeful {
		return here
	}
	return w.lag.now(w.clock) + here
}
