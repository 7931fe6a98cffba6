package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
)

func TestWaiting_TellsOfAQueueAndNotOfAQuietStore(t *testing.T) {
	w := &waiting{began: time.Now()}
	if got := w.now(); got != 0 {
		t.Errorf("with nothing to do: %v", got)
	}
	// One call at a time, then many at once: how fast many go is not known yet.
	for range 3 {
		w.leave(w.enter(), true)
	}
	var entered []int64
	for range 5_000 {
		entered = append(entered, w.enter())
	}
	if got := w.now(); got > 100*time.Millisecond {
		t.Errorf("5,000 calls have just come: %v", got)
	}
	// 100 were answered in 100 ms while more came: of 4,900 the last waits 4.9 s,
	// but nobody has waited for more than 100 ms yet.
	const ms = int64(time.Millisecond)
	w.since.Add(-100 * ms)
	w.answered.Store(99)
	w.leave(entered[0]-100*ms, true)
	if got := w.now(); got < 200*time.Millisecond || got > 300*time.Millisecond {
		t.Errorf("at a call a millisecond, after waits of 100 ms: %v, want twice that", got)
	}
	w.pending.Add(-4_900)
	if got := w.now(); got < 99*time.Millisecond || got > 200*time.Millisecond {
		t.Errorf("with 99 calls before it at a call a millisecond: %v", got)
	}
	for range 99 {
		w.leave(w.clock(), true)
	}
	if got := w.now(); got != 0 {
		t.Errorf("with nothing to do any more: %v", got)
	}
}

// A store that is gone is not a busy one: its callers are told so, and nobody
// else is kept from what needs no store.
func TestWaiting_DoesNotGrowWithAStoreThatDoesNotAnswer(t *testing.T) {
	redis := redistest.Start(t)
	s := open(t, Options{URL: redis.URL(), Timeout: 300 * time.Millisecond})
	script := s.Script("one", "return 1", true)
	if err := script.Run(t.Context(), nil).Err(); err != nil || s.Waiting() != 0 {
		t.Fatal(err, s.Waiting())
	}
	redis.Freeze()
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			for range 3 {
				if err := script.Run(t.Context(), nil).Err(); !errors.Is(err, ErrUnavailable) {
					t.Error(err)
				}
				if got := s.Waiting(); got > 100*time.Millisecond {
					t.Errorf("%v", got)
				}
			}
		})
	}
	asking.Wait()
	redis.Thaw()
}

func BenchmarkWaiting(b *testing.B) {
	w := &waiting{began: time.Now()}
	b.Run("call", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				w.leave(w.enter(), true)
			}
		})
	})
	b.Run("look", func(b *testing.B) {
		w.enter()
		for b.Loop() {
			w.now()
		}
	})
}
