package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
)

const (
	// benchEntries fill a frame: it has no more.
	benchEntries = 50

	// benchRate is ballots a second: the evening of a real poll had less.
	benchRate = 75

	// spareFiles are those of a process that are no reader's connection.
	spareFiles = 500
)

// TestBenchLive prints what feeds cost and how quick they are: a real server on
// a real Redis and all readers on this machine. See docs/MEASUREMENTS.md.
func TestBenchLive(t *testing.T) {
	what := strings.Fields(os.Getenv("JOUTE_BENCH"))
	if len(what) == 0 || what[0] != "live" {
		t.Skip("takes minutes and the whole machine: make bench-live")
	}
	b := newBench(t)
	defer b.print(os.Stdout)
	for _, part := range []struct {
		name    string
		readers int
		measure func()
	}{
		{"memory", 10_000, b.memory},
		{"latency", 5_000, b.latency},
		{"leaving", 5_000, b.leaving},
		{"reconnecting", 5_000, b.reconnecting},
		{"restarting", 5_000, b.restarting},
		{"deafness", 20, b.deafness},
		{"silence", 0, b.silence},
	} {
		if len(what) == 1 || slices.Contains(what[1:], part.name) {
			b.gather(b.fitting(part.readers))
			part.measure()
		}
	}
}

// bench is a server, those who follow it, and what was found.
type bench struct {
	*running
	process *process
	args    []string // of the server, but where it listens
	readers *audience
	ballots *casting
	rows    [][4]string
	idle    float64 // bytes of the server before anybody came
}

func newBench(t *testing.T) *bench {
	args := []string{"--redis", redistest.Start(t).URL(), "--data", t.TempDir()}
	p := launch(t, args...)
	b := &bench{running: &running{t: t, url: p.url}, process: p, args: args}
	b.joute("apply", write(t, "c.yaml", hall("hall", 8, benchEntries)))
	b.readers, b.ballots = b.audience("hall"), b.casting("hall", benchEntries)
	b.ballots.during(benchRate, func() { time.Sleep(2 * time.Second) }) // what a server has that is in use
	time.Sleep(3 * time.Second)
	b.idle = b.metric("process_resident_memory_bytes")
	board, err := json.Marshal(b.board("hall"))
	if err != nil {
		t.Fatal(err)
	}
	b.note("a frame", fmt.Sprintf("%.1f KB: 8 schools, %d entries", float64(len(board))/1024, benchEntries))
	return b
}

// row notes one figure. What is not ok fails the test, and the rest still runs.
func (b *bench) row(measure, figure, goal string, ok bool) {
	b.t.Helper()
	verdict := "ok"
	if !ok {
		verdict = "NOT"
		b.t.Errorf("%s: %s, not %s", measure, figure, goal)
	}
	b.rows = append(b.rows, [4]string{measure, figure, goal, verdict})
	b.t.Logf("%s | %s | %s | %s", measure, figure, goal, verdict)
}

// note is a figure without a goal, or why there is none.
func (b *bench) note(measure, figure string) {
	b.rows = append(b.rows, [4]string{measure, figure, "-", "-"})
	b.t.Logf("%s | %s", measure, figure)
}

func (b *bench) print(w io.Writer) {
	fmt.Fprintln(w, "\n| measure | figure | goal | |\n|---|---|---|---|")
	for _, row := range b.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row[:], " | "))
	}
	fmt.Fprintln(w)
}

// fitting is n, or as many as this process may have connections.
func (b *bench) fitting(n int) int {
	var files syscall.Rlimit // Go has raised it to the hard limit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		b.t.Fatal(err)
	}
	if fits := int(files.Cur) - spareFiles; fits < n {
		b.note(fmt.Sprintf("of %d readers fit", n), fmt.Sprintf("%d (ulimit -n %d)", fits, files.Cur))
		return fits
	}
	return n
}

// gather makes the audience n.
func (b *bench) gather(n int) {
	if have := len(b.readers.readers); have > n {
		b.readers.leave(have - n)
	} else {
		b.readers.join(n - have)
	}
	b.counted(n)
}

// memory of the readers, once frames were sent.
func (b *bench) memory() {
	n := len(b.readers.readers)
	b.ballots.during(benchRate, func() { time.Sleep(10 * time.Second) })
	each := func(name string) float64 { return b.metric(name) / float64(n) / 1024 }
	resident := (b.metric("process_resident_memory_bytes") - b.idle) / float64(n) / 1024
	b.row(fmt.Sprintf("memory a reader, %d readers, after 10 s of frames", n),
		fmt.Sprintf("%.1f KB (idle server %.0f MB; heap in use %.1f, stacks %.1f KB a reader, the server's own included)",
			resident, b.idle/(1<<20), each("go_memstats_heap_inuse_bytes"), each("go_memstats_stack_inuse_bytes")),
		"<= 12 KB", resident <= 12)
}

// latency from a ballot's answer to every reader's frame with it.
func (b *bench) latency() {
	const length = 30 * time.Second
	n := len(b.readers.readers)
	busy := b.metric("process_cpu_seconds_total")
	b.readers.recording.Store(true)
	ballots := b.ballots.during(benchRate, func() { time.Sleep(length) })
	busy = b.metric("process_cpu_seconds_total") - busy
	time.Sleep(2 * time.Second) // for the last frame; who has none by then lacks it
	b.readers.recording.Store(false)
	lags, missing := b.readers.lags(ballots)
	all, spread, took := newQuantiles(lags), newQuantiles(b.readers.spread()), newQuantiles(times(ballots))
	b.row(fmt.Sprintf("ballot answered to frame there, p99 of %d readers x %d ballots, %d a second", n, len(ballots), benchRate),
		fmt.Sprintf("%.0f ms (p50 %.0f, p99.9 %.0f, max %.0f; %d lacking)", all.P99, all.P50, all.P999, all.Max, missing),
		"<= 400 ms", all.P99 <= 400 && missing == 0)
	b.note("of that, from the first reader who has a frame to the last", fmt.Sprintf("p50 %.0f, p99 %.0f ms", spread.P50, spread.P99))
	b.note("meanwhile", fmt.Sprintf("ballots p50 %.1f, p99 %.1f ms; the server used %.0f %% of a core", took.P50, took.P99, 100*busy/length.Seconds()))
}

// times are how long ballots took.
func times(ballots []accepted) []time.Duration {
	took := make([]time.Duration, len(ballots))
	for i, b := range ballots {
		took[i] = b.took
	}
	return took
}
