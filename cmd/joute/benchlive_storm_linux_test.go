package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// backWithin is how long all readers may take to come back.
const backWithin = 30 * time.Second

// leaving: 1,000 of those who are there close their connections.
func (b *bench) leaving() {
	const n = 1_000
	stay := len(b.readers.readers) - n
	began := time.Now()
	b.readers.leave(n)
	b.counted(stay)
	took := time.Since(began)
	b.row(fmt.Sprintf("%d of %d readers close: the last one gone", n, stay+n), fmt.Sprintf("%.2f s after the first closed", took.Seconds()),
		"<= 1 s", took <= time.Second)
}

// reconnecting: all connections are cut by the readers at the same moment.
func (b *bench) reconnecting() {
	life := b.readers.lives()
	b.storm("reconnect at once", func() { b.readers.cut() }, life+1)
}

// restarting: the server ends as a deployment ends it, and another one begins on
// the same port.
func (b *bench) restarting() {
	life := b.readers.lives()
	b.storm("find the server restarted", func() {
		began := time.Now()
		b.process.stop()
		b.note("SIGTERM to the server's end", fmt.Sprintf("%.2f s", time.Since(began).Seconds()))
		b.process = launch(b.t, append([]string{"--listen", strings.TrimPrefix(b.url, "http://")}, b.args...)...)
	}, life+1)
}

// storm casts through what makes every reader lose its connection.
func (b *bench) storm(what string, strike func(), life int) {
	n := len(b.readers.readers)
	refused, unheard := b.readers.refused.Load(), b.readers.unheard.Load()
	before, lost := b.ballots.failures()
	var took time.Duration
	var back bool
	ballots := b.ballots.during(benchRate, func() {
		began := time.Now()
		strike()
		_, back = b.readers.within(backWithin-time.Since(began), life)
		took = time.Since(began)
		time.Sleep(time.Second) // ballots go on
	})
	failed, unanswered := b.ballots.failures()
	b.row(fmt.Sprintf("%d readers %s: all have a frame", n, what),
		fmt.Sprintf("%.1f s (of their attempts %d were refused, %d not answered)", took.Seconds(), b.readers.refused.Load()-refused, b.readers.unheard.Load()-unheard),
		"<= 30 s", back)
	b.row("ballots meanwhile answered 500 and above", fmt.Sprintf("%d (%d taken, p99 %.0f ms; %d times nobody answered, and the ballot was sent again)",
		failed-before, len(ballots), newQuantiles(times(ballots)).P99, unanswered-lost), "0", failed == before)
	b.counted(n)
}

// deafness compares ballots with and without readers that never read, in turns.
// A turn is long enough for their buffers to fill, and for the server to give
// them up 5 s later. The machine is shared, and one stall is the p99 of its turn:
// the median turn is compared.
func (b *bench) deafness() {
	const n, rounds, length = 1_000, 6, 15 * time.Second
	hearing := len(b.readers.readers)
	var without, with []float64
	var lags []time.Duration
	missing, kept := 0, 0
	for range rounds {
		without = append(without, newQuantiles(times(b.ballots.during(benchRate, func() { time.Sleep(length) }))).P99)
		hangUp := b.deaf("hall", n)
		b.counted(hearing + n)
		b.readers.recording.Store(true)
		ballots := b.ballots.during(benchRate, func() { time.Sleep(length) })
		kept = max(kept, int(b.metric("joute_feed_readers"))-hearing)
		time.Sleep(time.Second)
		b.readers.recording.Store(false)
		hangUp()
		b.counted(hearing)
		with = append(with, newQuantiles(times(ballots)).P99)
		late, lacking := b.readers.lags(ballots)
		lags, missing = append(lags, late...), missing+lacking
	}
	slices.Sort(without)
	slices.Sort(with)
	alone, beside, control := without[rounds/2], with[rounds/2], newQuantiles(lags)
	b.row(fmt.Sprintf("p99 of ballots beside %d readers that never read, median of %d turns of %v", n, rounds, length),
		fmt.Sprintf("%.1f ms (%.1f to %.1f); in turns without them %.1f (%.1f to %.1f); at most %d still connected after one",
			beside, with[0], with[rounds-1], alone, without[0], without[rounds-1], kept),
		"<= twice", beside <= 2*alone)
	b.row(fmt.Sprintf("%d readers beside them that do read: ballot answered to frame there, p99", hearing),
		fmt.Sprintf("%.0f ms (%d lacking)", control.P99, missing), "<= 400 ms", control.P99 <= 400 && missing == 0)
}
