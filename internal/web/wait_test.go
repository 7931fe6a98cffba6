package web

import (
	"testing"
	"time"
)

func TestWait_TellsOfAQueueAndNotOfAQuietServer(t *testing.T) {
	w := &wait{began: time.Now()}
	w.lag.looking.Store(true) // nobody does: it is not this machine that is asked about
	if got := w.now(); got != 0 {
		t.Errorf("with nothing to do: %v", got)
	}
	// One at a time, then many at once: how fast many go is not known yet.
	for range 2 * timedEvery {
		w.leave(w.enter(), true)
	}
	for range 5_000 {
		w.enter()
	}
	if got := w.now(); got > 100*time.Millisecond {
		t.Errorf("5,000 have just come: %v", got)
	}
	// 200 were answered in 200 ms while more came: of 4,800 the last waits 4.9 s,
	// but nobody has waited for more than 100 ms yet.
	const ms = int64(time.Millisecond)
	w.since.Add(-200 * ms)
	w.answered.Store(199)
	w.leave(w.clock()-100*ms, true)
	if got := w.now(); got < 200*time.Millisecond || got > 300*time.Millisecond {
		t.Errorf("at one a millisecond, after waits of 100 ms: %v, want twice that", got)
	}
	// The row before the door is waited in too, where there are many.
	alone := w.now()
	w.lag.found.Store(70 * ms)
	if got := w.now(); got != alone+70*time.Millisecond {
		t.Errorf("%v, and %v with a lag of 70 ms", alone, got)
	}
	// Most of what leaves now took no time at all, as passes do.
	w.lag.found.Store(0)
	for range 3 {
		w.leave(w.clock(), true)
	}
	if got := w.now(); got < 130*time.Millisecond {
		t.Errorf("after three that did not wait: %v", got)
	}
	w.queue.Add(-4_896) // 100 are left
	w.lag.found.Store(70 * ms)
	if got := w.now(); got < 99*time.Millisecond || got > 200*time.Millisecond {
		t.Errorf("with 100 before it at one a millisecond: %v", got)
	}
	w.lag.found.Store(0)
	for range 100 {
		w.leave(0, false)
	}
	if got := w.now(); got != 0 {
		t.Errorf("with nothing to do any more: %v", got)
	}
	// A store that is gone: all come, wait for long, and fail.
	for range 5_000 {
		w.enter()
	}
	for range 1_000 {
		w.leave(w.clock()-2000*ms, false)
	}
	if got := w.now(); got != 0 {
		t.Errorf("nobody was answered, and whoever comes is told to wait %v", got)
	}
}
