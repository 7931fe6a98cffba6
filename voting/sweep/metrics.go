package sweep

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

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

// newMetrics panics where the registerer has them already: a mistake of the program.
// Without one nobody reads them.
func newMetrics(registerer prometheus.Registerer) *metrics {
	made := promauto.With(registerer)
	m := &metrics{
		decisions: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_sweep_decisions_total",
			Help: "Ballots that the detectors decided on, by the standing, the first reason, and whether it was written or, by a policy that only observes, not.",
		}, []string{"standing", "reason", "written"}),
		seconds: made.NewHistogram(prometheus.HistogramOpts{
			Name:    "joute_sweep_seconds",
			Help:    "How long a sweep of the detectors took, writing included.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 60},
		}),
		lag: made.NewGauge(prometheus.GaugeOpts{
			Name: "joute_sweep_lag_seconds",
			Help: "How long the oldest ballot waits for a sweep, of the contests that this server sweeps.",
		}),
		stopped: made.NewCounter(prometheus.CounterOpts{
			Name: "joute_sweep_stopped_total",
			Help: "Ballots that were not held because too many of an entry's or a contest's hour would have been on less than two families of evidence.",
		}),
		canaries: made.NewCounter(prometheus.CounterOpts{
			Name: "joute_sweep_canaries_total",
			Help: "Ballots of canaries that would have been held or void: an alarm.",
		}),
	}
	for _, standing := range []voting.Standing{voting.Counted, voting.Held, voting.Void} {
		m.decisions.WithLabelValues(string(standing), otherReason, "true")
	}
	return m
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
