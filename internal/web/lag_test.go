package web

import (
	"os"
	"testing"
	"time"
)

// crowded makes a row: many who each have something to read at one instant, and then work for a while.
func crowded(t *testing.T, many int, work time.Duration) {
	t.Helper()
	var begins []*os.File
	for range many {
		end, begin, err := os.Pipe()
		must(t, err)
		begins = append(begins, begin)
		go func() {
			defer end.Close()
			_, _ = end.Read(make([]byte, 1))
			for began := time.Now(); time.Since(began) < work; {
			}
		}()
	}
	for _, begin := range begins {
		_, err := begin.Write([]byte{0})
		must(t, err)
		begin.Close()
	}
}

func TestLag_IsTheRowOfThoseWhoHaveSomethingToRead(t *testing.T) {
	w := &wait{began: time.Now()}
	until := func(what string, ok func() bool) {
		t.Helper()
		for began := time.Now(); !ok(); time.Sleep(time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatal(what)
			}
		}
	}
	const much = 20 * time.Millisecond
	until("with nothing to do there is no short lag", func() bool {
		found := w.lag.now(w.clock)
		return w.lag.found.Load() > 0 && found < much
	})
	until("a row is not seen", func() bool {
		crowded(t, 200, time.Millisecond) // one may be over before this test has a processor again
		return w.lag.now(w.clock) > much
	})
	until("it goes on looking when nobody asks", func() bool { return !w.lag.looking.Load() })
	if found := w.lag.found.Load(); found != 0 {
		t.Errorf("nobody has looked, and %v was found", time.Duration(found))
	}
}
