package window_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/window"
)

// filled are windows in which so many voters voted within the last hour, each on a
// device of their own but for what is popular.
func filled(voters int) (*window.Contests, []vote) {
	tn := newTown(1)
	for i := range voters {
		a := tn.person(tn.start.Add(time.Duration(i) * time.Hour / time.Duration(voters)))
		if i%3 > 0 {
			a.Client.Device = fmt.Sprintf("device-%d", i)
		}
		a.Client.Via = fmt.Sprintf("code-%d", i/7)
		tn.add("voter", fmt.Sprintf("e-%d", tn.r.IntN(40)), a)
	}
	windows, policy, key := window.New(), standard(), antifraud.NewEvidenceKey([]byte{1})
	for i := range tn.votes {
		screen(windows, policy, key, &tn.votes[i])
	}
	return windows, tn.votes
}

// screen is all that screening costs a cast: evidence and its hashes, which are
// kept, counts, the sum, and counting.
func screen(windows *window.Contests, policy *antifraud.Policy, key antifraud.EvidenceKey, v *vote) antifraud.Verdict {
	e := key.Evidence(v.attempt)
	s := window.Of(window.Cast{Voter: v.voter, Entry: v.entry, Via: v.attempt.Client.Via, Own: v.voter}, &v.attempt, &e)
	counts := windows.Contest("c", v.attempt.At).Counts(s)
	verdict := policy.Screen(v.attempt, counts[:]...)
	windows.Saw("c", s)
	return verdict
}

// cpu is the time that this process computed, its collector included: on a machine
// that others use too it says more than a clock.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkScreen is on counters of 100,000 devices. The goal is 20 µs.
func BenchmarkScreen(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	windows, votes := filled(150_000)
	policy, key := standard(), antifraud.NewEvidenceKey([]byte{1})
	for i := range votes {
		votes[i].voter += " again" // new voters, of what is known
		votes[i].attempt.At = votes[len(votes)-1].attempt.At
	}
	n, began := 0, cpu(b)
	for b.Loop() {
		screen(windows, policy, key, &votes[n%len(votes)])
		n++
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-began).Nanoseconds())/float64(n), "cpu-ns/op")
	votes = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	runtime.KeepAlive(windows)
}

// BenchmarkFull says what the windows of a contest take when all generations of all
// spans are full.
func BenchmarkFull(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		windows := window.New()
		at := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
		w := windows.Contest("c", at)
		for i := range 1_000_000 {
			w.Add(window.Sighting{At: at.UnixMilli(), Pair: uint64(i + 1), Entry: 1, Device: uint64(i + 1), Block: uint64(i + 1), Via: uint64(i + 1), Own: uint64(i + 2), Dwell: int32(i % 80_000_000), Confirm: -1})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		runtime.KeepAlive(windows)
	}
}
