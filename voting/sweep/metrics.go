package sweep

import (
	"errors"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/voting"
)

type metrics struct {
	decisions         *prometheus.CounterVec
	seconds           prometheus.Histogram
	lag               prometheus.Gauge
	stopped, canaries prometheus.Counter
}

// told are the reasons that are labels of their own: the detectors may know more, and
// a label for each would have no end.
var told = []antifraud.Reason{antifraud.ReasonLockstep, antifraud.ReasonKnownFarm, antifraud.ReasonCleared, antifraud.ReasonUnconfirmed}

const otherReason = "other"

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_sweep_decisions_total",
			Help: "Ballots that the detectors decided on, by the standing, the first reason, and whether it was written or, by a policy that only observes, not.",
		}, []string{"standing", "reason", "written"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "joute_sweep_seconds",
			Help:    "How long a sweep of the detectors took, writing included.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 60},
		}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "joute_sweep_lag_seconds",
			Help: "How long the oldest ballot waits for a sweep, of the contests that this server sweeps.",
		}),
		stopped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "joute_sweep_stopped_total",
			Help: "Ballots that were not held because too many of an entry's or a contest's hour would have been on less than two families of evidence.",
		}),
		canaries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "joute_sweep_canaries_total",
			Help: "Ballots of canaries that would have been held or void: an alarm.",
		}),
	}
	for _, standing := range []voting.Standing{voting.Counted, voting.Held, voting.Void} {
		m.decisions.WithLabelValues(string(standing), otherReason, "true")
	}
	if registerer == nil {
		return m, nil
	}
	return m, errors.Join(registerer.Register(m.decisions), registerer.Register(m.seconds), registerer.Register(m.lag), registerer.Register(m.stopped), registerer.Register(m.canaries))
}

func (m *metrics) decided(d Decision, observe bool) {
	reason, written := otherReason, "true"
	if slices.Contains(told, d.Reasons[0]) {
		reason = d.Reasons[0]
	}
	if observe {
		written = "false"
	}
	m.decisions.WithLabelValues(string(d.Standing), reason, written).Inc()
}
