package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// median of what each sample gives.
func median[T cmp.Ordered](samples []sample, of func(sample) T) T {
	values := make([]T, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return middle(values)
}

func middle[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

func rate(s sample) float64 { return float64(s.requests) / s.took.Seconds() }

// perMillion is processor seconds for a million requests.
func perMillion(used time.Duration, s sample) float64 {
	return used.Seconds() * 1e6 / float64(s.requests)
}

// ratio is the median over the rounds of one row's rate to another's in the same
// round: what else the machine does slows down both.
func ratio(a, b *row) float64 {
	pairs := make([]float64, len(a.samples))
	for i := range pairs {
		pairs[i] = rate(a.samples[i]) / rate(b.samples[i])
	}
	return middle(pairs)
}

// table writes what was measured.
func table(out io.Writer, rows []*row, rounds, requests int) error {
	fmt.Fprintf(out, "medians of %d rounds of %d requests, %d connections; load of the machine at the end %s\n\n", rounds, requests, connections, loadAverage())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trequests/s\tp50 ms\tp99 ms\tCPU s a million: server\tRedis\ttogether\t")
	for _, r := range rows {
		server := median(r.samples, func(s sample) float64 { return perMillion(s.server, s) })
		redis := median(r.samples, func(s sample) float64 { return perMillion(s.redis, s) })
		p50, p99 := "-", "-"
		if r.samples[0].p50 > 0 {
			p50, p99 = millis(r.p50()), millis(r.p99())
		}
		fmt.Fprintf(w, "%-44s\t%.0f\t%s\t%s\t%.1f\t%.1f\t%.1f\t\n", r.name, median(r.samples, rate), p50, p99, server, redis, r.processors())
	}
	return w.Flush()
}

// goals writes what the project has promised itself, and what came of it.
func goals(out io.Writer, rows []*row) error {
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, goal := range []goal{
		atLeast("(3) / (1)", 0.5, ratio(rows[rowEverysec], rows[rowEmpty])),
		atLeast("(3) / (2)", 1, ratio(rows[rowEverysec], rows[rowPlain])),
		atLeast("(4) / (3)", 0.6, ratio(rows[rowAlways], rows[rowEverysec])),
		atMost("p99 of (3), ms", 25, float64(rows[rowEverysec].p99().Microseconds())/1000),
		atMost("CPU s a million of (3)", 50, rows[rowEverysec].processors()),
	} {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", goal.what, goal.got, goal.wanted, goal.verdict())
	}
	return w.Flush()
}

func (r *row) p50() time.Duration {
	return median(r.samples, func(s sample) time.Duration { return s.p50 })
}
func (r *row) p99() time.Duration {
	return median(r.samples, func(s sample) time.Duration { return s.p99 })
}

// processors is processor seconds a million, of server and Redis together.
func (r *row) processors() float64 {
	return median(r.samples, func(s sample) float64 { return perMillion(s.server+s.redis, s) })
}

func atLeast(what string, wanted, got float64) goal {
	return goal{what, fmt.Sprintf("goal >= %.1f", wanted), fmt.Sprintf("%.2f", got), got >= wanted}
}

func atMost(what string, wanted, got float64) goal {
	return goal{what, fmt.Sprintf("goal <= %.0f", wanted), fmt.Sprintf("%.1f", got), got <= wanted}
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// goal is something the project has promised itself, and what came of it.
type goal struct {
	what, wanted, got string
	met               bool
}

func (g goal) verdict() string {
	if g.met {
		return "reached"
	}
	return "MISSED"
}
