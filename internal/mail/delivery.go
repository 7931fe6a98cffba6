package mail

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// State is how far a mail has come.
type State string

// The states of a delivery.
const (
	Queued State = "queued" // not yet sent, perhaps tried
	Sent   State = "sent"   // the mail server has it
	Failed State = "failed" // given up
)

// Delivery is what becomes of one mail.
type Delivery struct {
	done chan struct{}

	mu    sync.Mutex
	state State
}

func newDelivery() *Delivery { return &Delivery{done: make(chan struct{}), state: Queued} }

// State is how far the mail has come.
func (d *Delivery) State() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Done is closed once the state is Sent or Failed.
func (d *Delivery) Done() <-chan struct{} { return d.done }

func (d *Delivery) end(state State) {
	d.mu.Lock()
	d.state = state
	d.mu.Unlock()
	close(d.done)
}

// The outcomes of joute_mails_total.
const (
	outcomeSent    = "sent"
	outcomeRefused = "refused" // by the server, for good
	outcomeExpired = "expired" // it was of no use any more
	outcomeFull    = "full"    // too many waited
	outcomeStopped = "stopped" // the server ended first

	outcomeUnanswered = "unanswered" // the mail server had it several times, and never said so
)

type outboxMetrics struct{ mails *prometheus.CounterVec }

// newOutboxMetrics panics when the registerer has another outbox's, as
// registering twice is a mistake of the program.
func newOutboxMetrics(registerer prometheus.Registerer, waiting func() int) outboxMetrics {
	made := promauto.With(registerer)
	made.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "joute_mails_waiting",
		Help: "Mails that are neither sent nor given up.",
	}, func() float64 { return float64(waiting()) })
	m := outboxMetrics{made.NewCounterVec(prometheus.CounterOpts{
		Name: "joute_mails_total",
		Help: "Mails by what became of them: sent, refused (by the mail server), expired, full (too many waited), stopped (at a shutdown), unanswered (the mail server had all of it and said nothing).",
	}, []string{"outcome"})}
	for _, outcome := range []string{outcomeSent, outcomeRefused, outcomeExpired, outcomeFull, outcomeStopped, outcomeUnanswered} {
		m.mails.WithLabelValues(outcome) // there from the start, so that a rate over the first works
	}
	return m
}

func (m outboxMetrics) count(outcome string) { m.mails.WithLabelValues(outcome).Inc() }
