package watchtest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// ended is a test that Until may end.
type ended struct {
	testing.TB
	why string
}

func (e *ended) Helper() {}

func (e *ended) Fatalf(format string, args ...any) {
	e.why = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// until runs Until for a test of its own, and says why it was ended.
func until(within time.Duration, is func() bool) string {
	e := &ended{}
	var test sync.WaitGroup
	test.Go(func() { Until(e, within, "the third look", is) })
	test.Wait()
	return e.why
}

func TestUntil_EndsATestThatWaitsInVainAndNoOther(t *testing.T) {
	looks := 0
	if why := until(time.Minute, func() bool { looks++; return looks == 3 }); why != "" || looks != 3 {
		t.Errorf("after %d looks: %s", looks, why)
	}
	if why := until(time.Millisecond, func() bool { return false }); !strings.Contains(why, "the third look") {
		t.Errorf("in vain, and the test goes on: %q", why)
	}
}

func TestLog_HasWhatManyHaveWritten(t *testing.T) {
	var log Log
	var writing sync.WaitGroup
	for range 8 {
		writing.Go(func() { fmt.Fprintln(&log, "a line"); _ = log.String() })
	}
	writing.Wait()
	if n := strings.Count(log.String(), "a line\n"); n != 8 {
		t.Errorf("%d lines of 8: %s", n, &log)
	}
}
