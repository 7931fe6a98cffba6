package archive

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	archived prometheus.Counter
}

// newMetrics panics where the registerer has them already: a mistake of the program.
// Without one nobody reads them.
func newMetrics(registerer prometheus.Registerer, states *states) *metrics {
	made := promauto.With(registerer)
	gauge := func(name, help string, of func(state, time.Time) float64, sum func(x, y float64) float64) {
		made.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() (value float64) {
			now := time.Now()
			states.each(func(_ string, one state) { value = sum(value, of(one, now)) })
			return value
		})
	}
	add, most := func(x, y float64) float64 { return x + y }, func(x, y float64) float64 { return max(x, y) }
	gauge("joute_ledger_behind", "Ledger records that are in the store and not in the data folder yet, as of the last look at each contest.",
		func(s state, _ time.Time) float64 { return float64(s.waiting) }, add)
	gauge("joute_ledger_checkpoint_age_seconds", "How long records have waited in the store without any being moved to the data folder, of the contest that waits longest; 0 while moving goes on.",
		func(s state, now time.Time) float64 { return s.late(now).Seconds() }, most)
	gauge("joute_ledger_drift", "Ballot boxes whose counts in the store are not those of their ledger, of the contests that this server moves. Anything but 0 is an alarm.",
		func(s state, _ time.Time) float64 { return float64(len(s.drift)) }, add)
	gauge("joute_ledger_mismatch", "Contests whose records in the store and in the data folder do not belong together: no ballot is taken. Anything but 0 is an alarm.",
		func(s state, _ time.Time) float64 {
			if s.fault.kind == faultMismatch {
				return 1
			}
			return 0
		}, add)
	return &metrics{archived: made.NewCounter(prometheus.CounterOpts{
		Name: "joute_ledger_archived_records_total",
		Help: "Ledger records that this server has moved from the store to the data folder.",
	})}
}
