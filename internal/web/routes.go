package web

import (
	"slices"

	"github.com/gofiber/fiber/v2"
)

// endpoint is one call of the API.
type endpoint struct {
	method, path string
	handle       fiber.Handler
	open         bool // any origin may read the answer
}

const (
	onContests = "/v1/contests"
	onContest  = onContests + "/:contest"
)

func (s *Server) endpoints() []endpoint {
	return []endpoint{
		{"GET", onContests, s.listContests, true},
		{"GET", onContest, s.getContest, true},
		{"PUT", onContest, s.organizer(s.announced(s.putContest)), false},
		{"POST", onContest + "/passes", s.postPass, false},
		{"POST", onContest + "/passes/confirm", s.confirmPass, false},
		{"POST", onContest + "/ballots", s.postBallot, false},
		{"GET", onContest + "/ballots/:ballot", s.getBallot, false},
		{"DELETE", onContest + "/ballots/:ballot", s.announced(s.deleteBallot), false},
		{"POST", onContest + "/ballots/:ballot/appeal", s.postAppeal, false},
		{"GET", onContest + "/held", s.organizer(s.getHeld), false},
		{"GET", onContest + "/farms", s.organizer(s.getFarms), false},
		{"POST", onContest + "/farms/:farm/lift", s.organizer(s.postLift), false},
		{"POST", onContest + "/standings", s.organizer(s.announced(s.postStandings)), false},
		{"POST", onContest + "/halls", s.organizer(s.postHall), false},
		{"POST", onContest + "/close", s.organizer(s.announced(s.postClose)), false},
		{"POST", onContest + "/publish", s.organizer(s.announced(s.postPublish)), false},
		{"POST", onContest + "/forget", s.organizer(s.announced(s.postForget)), false},
		{"GET", onContest + "/ledger", s.getLedger, true},
		{"GET", onContest + "/checkpoint", s.getCheckpoint, true},
		{"GET", onContest + "/evidence", s.organizer(s.getEvidence), false},
		{"GET", onContest + "/sweeps", s.organizer(s.getSweeps), false},
		{"GET", onContest + "/fans", s.organizer(s.getFans), false},
		{"GET", onContest + "/fans/ledger", s.organizer(s.getFanLedger), false},
		{"GET", onContest + "/fans/churn", s.organizer(s.getFanChurn), false},
		{"POST", onContest + "/shares", s.postShare, false},
		{"POST", onContest + "/captains", s.organizer(s.postCaptain), false},
		{"GET", onContest + "/reach", s.organizer(s.getReach), false},
		{"GET", onContest + "/leaderboard", s.getLeaderboard, true},
		{"GET", onContest + "/feed", s.getFeed, true},
		{"GET", "/livez", s.livez, true},
		{"GET", "/readyz", s.readyz, true},
		{"GET", "/metrics", s.getMetrics(), false},
		{"GET", "/openapi.json", s.openapi, true},
	}
}

// announced tells the feeds that next may have changed something, also where it
// failed half-way. A cast announces itself.
func (s *Server) announced(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := next(c)
		if stored, ok := s.cfg.Registry.Get(param(c, "contest")); ok {
			s.cfg.Feeds.Changed(stored.Contest.ID)
		}
		return err
	}
}

// route registers the API: every call, and OPTIONS for every path.
func (s *Server) route(r fiber.Router) {
	methods, open := map[string][]string{}, map[string][]string{}
	var paths []string
	for _, e := range s.endpoints() {
		if !slices.Contains(paths, e.path) {
			paths = append(paths, e.path)
		}
		handle := s.embedOrigins(e.handle)
		if e.open {
			handle = anyOrigin(e.handle)
			open[e.path] = append(open[e.path], e.method)
		}
		methods[e.path] = append(methods[e.path], e.method)
		if e.method == fiber.MethodGet {
			methods[e.path] = append(methods[e.path], fiber.MethodHead)
			r.Get(e.path, handle) // and HEAD
			continue
		}
		r.Add(e.method, e.path, handle)
	}
	for _, path := range paths {
		r.Options(path, s.preflight(append(methods[path], fiber.MethodOptions), open[path]))
	}
}
