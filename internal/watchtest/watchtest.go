// Package watchtest is for tests that watch what goes on beside them: until something
// has come true, and what was written to a log meanwhile.
package watchtest

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// lookEvery is the pause between two looks: short beside whatever is waited for, and
// long beside what a look costs.
const lookEvery = 2 * time.Millisecond

// Until returns once is says so, and ends the test where that takes longer than within;
// what is what was waited for. It asks at least once after all of that time.
func Until(t testing.TB, within time.Duration, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !is(); time.Sleep(lookEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// Log may be read while it is written.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
