package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/internal/client"
)

// load is one run of casts against a server.
type load struct {
	contest  string
	voters   *client.Voters
	rate     float64 // ballots a second; 0 = as fast as answers come
	duration time.Duration
	progress io.Writer

	workers []*worker
	done    atomic.Int64
	started time.Time
}

// worker is one connection. Nothing of it is shared while it casts.
type worker struct {
	queue
	passes map[string]string

	ballots, counted, held, duplicates int
	refused, errors                    map[string]int
	latencies                          []time.Duration
}

// prepare gets a pass for every voter before anything is measured.
func (l *load) prepare(ctx context.Context, queues []queue, obtain func(ctx context.Context, voter string) (string, error)) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, q := range queues {
		w := &worker{queue: q, passes: make(map[string]string, len(q.voters)), refused: map[string]int{}, errors: map[string]int{}}
		l.workers = append(l.workers, w)
		group.Go(func() error {
			for _, voter := range w.voters {
				pass, err := obtain(ctx, voter)
				if err != nil {
					return err
				}
				w.passes[voter] = pass
			}
			return nil
		})
	}
	return group.Wait()
}

// cast runs all workers until their queues are empty, the duration is over or
// ctx ends, and sums up.
func (l *load) cast(ctx context.Context) summary {
	l.started = time.Now()
	sending := ctx
	if l.duration > 0 { // ends the sending; what is under way is still asked to its end
		var cancel context.CancelFunc
		sending, cancel = context.WithDeadline(ctx, l.started.Add(l.duration))
		defer cancel()
	}
	reporting, stop := context.WithCancel(ctx)
	var reporter, working sync.WaitGroup
	reporter.Go(func() { l.report(reporting) })
	for _, w := range l.workers {
		working.Go(func() { l.work(ctx, sending, w) })
	}
	working.Wait()
	took := time.Since(l.started)
	stop()
	reporter.Wait()
	return l.sum(took)
}

func (l *load) work(ctx, sending context.Context, w *worker) {
	for k := 0; sending.Err() == nil; k++ {
		v, ok := w.vote(k)
		if !ok {
			return
		}
		start := time.Now()
		if l.rate > 0 {
			// An open loop: people do not wait for each other. A ballot sent late
			// because the one before was slow has been slow from its own instant on.
			after := time.Duration(float64(v.place) / l.rate * float64(time.Second))
			start = l.started.Add(after)
			// Its instant decides whether it belongs to the run: a busy machine's
			// timer tells of the end later than that of a ballot after it.
			if l.duration > 0 && after >= l.duration || !until(sending, start) {
				return
			}
		}
		answer, err := l.voters.Cast(ctx, w.passes[v.voter], client.Ballot{Ballot: uuid.Must(uuid.NewV7()), Entry: v.entry}, client.Origin{})
		if err != nil && ctx.Err() != nil {
			w.ballots++
			w.errors["interrupted"]++
			return
		}
		w.count(answer, err, time.Since(start))
		l.done.Add(1)
	}
}

// until waits for an instant; false means that ctx ended first.
func until(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (w *worker) count(answer client.Answer, err error, took time.Duration) {
	w.ballots++
	var unknown *client.UnknownError
	switch {
	case errors.As(err, &unknown):
		w.errors[unknown.Why]++
		return
	case err != nil:
		w.errors["other"]++
		return
	}
	w.latencies = append(w.latencies, took)
	switch {
	case answer.Status >= 400:
		code := answer.Code
		if code == "" {
			code = fmt.Sprintf("http-%d", answer.Status)
		}
		w.refused[code]++
		return
	case answer.Standing == "counted":
		w.counted++
	case answer.Standing == "held":
		w.held++
	default: // taken back or void by now
		w.errors["standing-"+answer.Standing]++
	}
	if answer.Duplicate { // every id is fresh: the first answer to this one was lost
		w.duplicates++
	}
}

// report tells on standard error that something goes on.
func (l *load) report(ctx context.Context) {
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			n := l.done.Load()
			fmt.Fprintf(l.progress, "%d ballots, %.0f a second\n", n, float64(n)/time.Since(l.started).Seconds())
		}
	}
}

// summary is what bench prints.
type summary struct {
	Contest    string         `json:"contest"`
	Ballots    int            `json:"ballots"`
	Counted    int            `json:"counted"`
	Held       int            `json:"held"`
	Duplicates int            `json:"duplicates"`
	Refused    map[string]int `json:"refused"`
	Errors     map[string]int `json:"errors"`
	Seconds    float64        `json:"seconds"`
	Rate       float64        `json:"rate"` // final answers a second
	Latency    quantiles      `json:"latency_ms"`
}

func (l *load) sum(took time.Duration) summary {
	s := summary{Contest: l.contest, Refused: map[string]int{}, Errors: map[string]int{}}
	var latencies []time.Duration
	for _, w := range l.workers {
		s.Ballots += w.ballots
		s.Counted += w.counted
		s.Held += w.held
		s.Duplicates += w.duplicates
		for code, n := range w.refused {
			s.Refused[code] += n
		}
		for why, n := range w.errors {
			s.Errors[why] += n
		}
		latencies = append(latencies, w.latencies...)
	}
	s.Seconds = rounded(took.Seconds())
	s.Rate = rounded(float64(len(latencies)) / took.Seconds())
	s.Latency = newQuantiles(latencies)
	return s
}

// quantiles are exact: some millions of latencies sort in a second.
type quantiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// newQuantiles takes the nearest rank: the least latency that so many percent
// do not exceed. It sorts its argument; no latencies have all quantiles 0.
func newQuantiles(latencies []time.Duration) quantiles {
	n := len(latencies)
	if n == 0 {
		return quantiles{}
	}
	slices.Sort(latencies)
	at := func(perMille int) float64 {
		rank := (n*perMille + 999) / 1000 // rounded up
		return milliseconds(latencies[rank-1])
	}
	return quantiles{at(500), at(900), at(990), at(999), at(1000)}
}

func milliseconds(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }

func rounded(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }
