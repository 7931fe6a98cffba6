package web

import (
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
)

// labelUnavailable is the outcome of a cast that the store did not answer.
const labelUnavailable = "unavailable"

// What came of a decision.
const (
	effectApplied  = "applied"
	effectObserved = "observed" // by a policy that changes nothing
	effectSpared   = "spared"   // a canary: an alarm
)

// The events of joute_fans_total.
const (
	fanAsked     = "asked"
	fanConfirmed = "confirmed"
	fanLeft      = "left"
	fanFull      = "full"
)

type metrics struct {
	ballots *prometheus.CounterVec
	counted prometheus.Counter // of ballots, looked up once for nearly all of them
	cast    prometheus.Histogram
	fans    *prometheus.CounterVec
	farms   *prometheus.CounterVec

	screened *prometheus.CounterVec
	accepted prometheus.Counter // of screened, likewise

	logins       *prometheus.CounterVec
	feedsRefused prometheus.Counter
	refused      *prometheus.CounterVec
}

// newMetrics panics where the registry has them already: a mistake of the program.
func newMetrics(registry *prometheus.Registry, feeds *live.Feeds) *metrics {
	made := promauto.With(registry)
	m := &metrics{
		ballots: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_ballots_total",
			Help: "Ballots cast, by what became of them: counted, held, duplicate, unavailable, or the code of the refusal.",
		}, []string{"outcome"}),
		cast: made.NewHistogram(prometheus.HistogramOpts{
			Name: "joute_cast_seconds",
			Help: "How long the ballot box took to decide a cast, waiting included.",
			// From a loopback answer without a sync to the store's timeout.
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2},
		}),
		fans: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_fans_total",
			Help: "Opt-ins of communities: asked (a mail was written), confirmed, left, full (refused: the contest had caused its mails of the hour).",
		}, []string{"event"}),
		farms: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_known_farm_total",
			Help: "Attempts that bore the signature of a known farm: rejected, held, accepted (the voter was in the hall, or is of the entry's school), spared (a canary), observed (by a policy that changes nothing).",
		}, []string{"became"}),
		screened: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_screened_total",
			Help: "Attempts at casting, by what the policy decided (accept, challenge, hold, reject), and whether that was applied, only observed, or spared a canary, which is an alarm.",
		}, []string{"decision", "effect"}),
		logins: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_organizer_logins_total",
			Help: "Organizer keys typed into the login page: accepted, or refused. Many refused ones are somebody guessing.",
		}, []string{"outcome"}),
		feedsRefused: made.NewCounter(prometheus.CounterOpts{
			Name: "joute_feed_refused_total",
			Help: "Readers for whose connection there was no room; their pages poll.",
		}),
		refused: made.NewCounterVec(prometheus.CounterOpts{
			Name: "joute_shed_total",
			Help: "Requests refused because there was too much to do, by class: feeds, exports, reads, organizers, ballots.",
		}, []string{"class"}),
	}
	made.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "joute_feed_readers",
		Help: "Open connections that follow a leaderboard.",
	}, func() float64 { return float64(feeds.Readers()) })
	m.begin()
	m.counted = m.ballots.WithLabelValues(string(voting.Counted))
	m.accepted = m.screened.WithLabelValues(string(antifraud.Accept), effectApplied)
	return m
}

// begin has each outcome there from the start, so that a rate over the first one works.
func (m *metrics) begin() {
	for _, outcome := range []voting.Code{
		"counted", "held", "duplicate", labelUnavailable,
		voting.AlreadyVoted, voting.BallotReused, voting.PhaseClosed, voting.NoSuchEntry, voting.IdentityLevel, voting.ChallengeRequest, voting.Rejected,
	} {
		m.ballots.WithLabelValues(string(outcome))
	}
	for _, decision := range []antifraud.Action{antifraud.Accept, antifraud.AskChallenge, antifraud.Hold, antifraud.Reject} {
		m.screened.WithLabelValues(string(decision), effectApplied)
		if decision != antifraud.Accept {
			m.screened.WithLabelValues(string(decision), effectObserved)
		}
	}
	for _, decision := range []antifraud.Action{antifraud.Hold, antifraud.Reject} {
		m.screened.WithLabelValues(string(decision), effectSpared)
	}
	for _, event := range []string{fanAsked, fanConfirmed, fanLeft, fanFull} {
		m.fans.WithLabelValues(event)
	}
	for _, became := range []farmMatch{farmRejected, farmHeld, farmAccepted, farmObserved, farmSpared} {
		m.farms.WithLabelValues(string(became))
	}
	for _, outcome := range []string{"accepted", "refused"} {
		m.logins.WithLabelValues(outcome)
	}
}

// tellBallot counts what became of a ballot.
func (m *metrics) tellBallot(outcome string) {
	if outcome == string(voting.Counted) {
		m.counted.Inc()
		return
	}
	m.ballots.WithLabelValues(outcome).Inc()
}

// tellScreened counts what screening decided, and what came of it.
func (m *metrics) tellScreened(decision antifraud.Action, effect string) {
	if decision == antifraud.Accept && effect == effectApplied {
		m.accepted.Inc()
		return
	}
	m.screened.WithLabelValues(string(decision), effect).Inc()
}

// getMetrics is the page that Prometheus reads, from the server's machine or its private
// network. From elsewhere, or through a proxy, it takes the organizer's key: how many
// ballots came tells something of contests that keep it secret.
func (s *Server) getMetrics() fiber.Handler {
	page := fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{}))
	return func(c *fiber.Ctx) error {
		forwarded := c.Get(fiber.HeaderXForwardedFor) != "" || c.Get("Forwarded") != ""
		if (forwarded || !isNear(peerOf(c))) && !s.isOrganizer(c.Get(fiber.HeaderAuthorization)) {
			return errUnauthorized
		}
		noStore.set(c)
		page(c.Context())
		return nil
	}
}
