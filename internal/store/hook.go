package store

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/redis/go-redis/v9"
)

// hook stands around every round trip but those of scripts: it bounds, measures
// and classifies it, and lets none through to a store that is refused.
type hook struct {
	timeout time.Duration
	metrics *metrics
	bar     func(context.Context) error // why the store is refused
}

func (h hook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := h.bar(ctx); err != nil {
			cmd.SetErr(err)
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, h.timeout)
		defer cancel()
		start := time.Now()
		err := next(context.WithValue(ctx, counted{}, true), cmd)
		h.metrics.observe(opCommand, start, err)
		return Classify(err)
	}
}

func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := h.bar(ctx); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, h.timeout)
		defer cancel()
		start := time.Now()
		err := next(context.WithValue(ctx, counted{}, true), cmds)
		if ctx.Value(counted{}) == nil {
			h.metrics.observe(opPipeline, start, err)
		}
		for _, cmd := range cmds {
			if failed := cmd.Err(); failed != nil {
				cmd.SetErr(Classify(failed))
			}
		}
		return Classify(err)
	}
}

// counted marks the context of a call that is measured: a new connection
// introduces itself by a pipeline of its own within it.
type counted struct{}

// Labels of round trips: what they carried, and how they ended.
const (
	opScript, opCommand, opPipeline = "script", "command", "pipeline"
	resultOK, resultError           = "ok", "error"
)

type metrics struct {
	trips   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

// newMetrics panics where the registerer has them already: a mistake of the program.
// Without one nobody reads them.
func newMetrics(registerer prometheus.Registerer) *metrics {
	made := promauto.With(registerer)
	m := &metrics{
		trips: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_store_round_trips_total",
			Help: "Round trips to the store, by what they carried (script, command, pipeline) and how they ended (ok, error).",
		}, []string{"op", "result"}),
		seconds: made.NewHistogramVec(prometheus.HistogramOpts{
			Name: "joute_store_round_trip_seconds",
			Help: "How long round trips to the store took, by what they carried.",
			// From a loopback answer without a sync to the timeout.
			Buckets: []float64{.0002, .0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2},
		}, []string{"op"}),
	}
	// Each is there from the start, so that a rate over the first error works.
	for _, op := range []string{opScript, opCommand, opPipeline} {
		for _, result := range []string{resultOK, resultError} {
			m.trips.WithLabelValues(op, result)
		}
	}
	return m
}

func (m *metrics) observe(op string, start time.Time, err error) {
	result := resultOK
	if err != nil && !errors.Is(err, redis.Nil) {
		result = resultError
	}
	m.trips.WithLabelValues(op, result).Inc()
	m.seconds.WithLabelValues(op).Observe(time.Since(start).Seconds())
}
