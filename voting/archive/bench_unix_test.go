//go:build unix

package archive

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

// BenchmarkMove has 100,000 voters vote once and moves what they left: what moving
// costs of processor time, a record with its evidence, and what a voter takes of the
// store before and after; then what reading them from disk costs.
func BenchmarkMove(b *testing.B) {
	const casts = 100_000
	for b.Loop() {
		redis := redistest.Start(b, "appendfsync everysec") // the casts are not what is measured
		h := newHall(b, openStore(b, redis.URL()))
		empty := infoOf(b, redis, "Memory", "used_memory_dataset")
		h.vote(casts)
		b.ReportMetric((infoOf(b, redis, "Memory", "used_memory_dataset")-empty)/casts, "B/voter-before")
		w := h.worker(h.archive(Options{}))
		ours, theirs := cpuTime(b), redisTime(b, redis)
		h.visit(w)
		b.ReportMetric((cpuTime(b)-ours)*1e6/casts, "us/record")
		b.ReportMetric((redisTime(b, redis)-theirs)*1e6/casts, "redis-us/record")
		b.ReportMetric((infoOf(b, redis, "Memory", "used_memory_dataset")-empty)/casts, "B/voter-after")

		ours = cpuTime(b)
		f := newFold()
		must(b, ledger.Records(b.Context(), w.a.ledgers, w.id, 0, voting.Position{}, func(_ []byte, r voting.Record) error { f.add(r); return nil }))
		b.ReportMetric((cpuTime(b)-ours)*1e6/casts, "fold-us/record")
		ours = cpuTime(b)
		must(b, h.boxes.Ledger(b.Context(), h.s, voting.Position{}, func(r voting.Record) error { _, err := r.MarshalJSON(); return err }))
		b.ReportMetric((cpuTime(b)-ours)*1e6/casts, "export-us/record")
		ours = cpuTime(b)
		_, err := h.boxes.Follow(b.Context(), h.s, nil, func(ballotbox.Followed) error { return nil })
		must(b, err)
		b.ReportMetric((cpuTime(b)-ours)*1e6/casts, "follow-us/record")
	}
}

// cpuTime is what this process has used, in seconds.
func cpuTime(b *testing.B) float64 {
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

func redisTime(b *testing.B, redis *redistest.Server) float64 {
	return infoOf(b, redis, "CPU", "used_cpu_user") + infoOf(b, redis, "CPU", "used_cpu_sys")
}

func infoOf(b *testing.B, redis *redistest.Server, section, name string) float64 {
	info, err := redis.Client().InfoMap(b.Context(), section).Result()
	must(b, err)
	value, err := strconv.ParseFloat(info[section][name], 64)
	must(b, err)
	return value
}
