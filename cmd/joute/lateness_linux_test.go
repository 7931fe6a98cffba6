package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A server began again with all of its threads woken late, the runtime's own too.
func TestServeIsWokenLate(t *testing.T) {
	p := launch(t)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		t.Fatalf("threads %v, %v", threads, err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(filepath.Join("/proc", filepath.Base(thread), "timerslack_ns"))
		if os.IsPermission(err) {
			t.Skip("another process's threads are not shown here")
		}
		if os.IsNotExist(err) {
			continue // it has ended
		}
		if slack, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil || slack != lateness.Nanoseconds() {
			t.Errorf("a thread may be woken %d ns late, %v", slack, err)
		}
	}
}
