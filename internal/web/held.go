package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/sweep"
)

const (
	// heldShown are the newest of the queue that are looked at together: how many
	// are alike, and which are one group, is said of them.
	heldShown = 1000

	// appealsShown is how many void ballots with an open appeal are listed.
	appealsShown = 200
)

// heldAnswer is the queue: ballots that are held, by group, and those that are void
// and whose voters object.
type heldAnswer struct {
	Contest string      `json:"contest"`
	Totals  heldTotals  `json:"totals"`
	Groups  []heldGroup `json:"groups"`
	Appeals []heldLine  `json:"appeals"`
	Next    *string     `json:"next"` // place to go on from; null at the end

	Detectors *sweep.Status `json:"detectors,omitempty"` // where they are; absent before they ran
}

// heldTotals are of the whole contest, as they are now.
type heldTotals struct {
	Counted int64 `json:"counted"`
	Held    int64 `json:"held"`
	Void    int64 `json:"void"`
}

type heldGroup struct {
	Group   string     `json:"group"`
	Entry   string     `json:"entry"`
	School  string     `json:"school"`
	Reasons []string   `json:"reasons"`
	Ballots []heldLine `json:"ballots"`
}

// heldLine is one ballot with what was seen of it: hashes that are keyed, and how
// many of the list are alike.
type heldLine struct {
	Ballot   uuid.UUID           `json:"ballot"`
	Voter    voting.Voter        `json:"voter"`
	Entry    string              `json:"entry"`
	School   string              `json:"school"`
	At       string              `json:"at"`
	Standing voting.Standing     `json:"standing"`
	Reasons  []string            `json:"reasons"`
	Level    string              `json:"level,omitempty"`
	Evidence *antifraud.Evidence `json:"evidence,omitempty"`
	Finding  *ballotbox.Finding  `json:"finding,omitempty"` // of the detectors
	Alike    antifraud.Sharing   `json:"alike"`
	Appeal   string              `json:"appeal,omitempty"`

	place ballotbox.HeldPlace
	at    time.Time
}

// getHeld gives the queue to the organizer, a page at a time.
func (s *Server) getHeld(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	limit := heldShown
	if c.Context().QueryArgs().Has("limit") {
		if limit, err = limitOf(c); err != nil {
			return err
		}
	}
	var after ballotbox.HeldPlace
	if text := query(c, "after"); text != "" {
		if after, err = ballotbox.ParseHeldPlace(text); err != nil {
			return err
		}
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	q, err := s.queue(ctx, stored, after, limit)
	if err != nil {
		return err
	}
	return sendPersonal(c, fiber.StatusOK, q)
}

// queue reads what waits for a person, from a place on.
func (s *Server) queue(ctx context.Context, stored *registry.Stored, after ballotbox.HeldPlace, limit int) (*heldAnswer, error) {
	count, err := within(ctx, func(ctx context.Context) (ballotbox.Count, error) { return s.cfg.Boxes.Tally(ctx, stored) })
	if err != nil {
		return nil, err
	}
	held, err := s.cfg.Boxes.Held(ctx, stored, after, limit)
	if err != nil {
		return nil, err
	}
	void, err := s.cfg.Boxes.Appealed(ctx, stored, appealsShown)
	if err != nil {
		return nil, err
	}
	a := &heldAnswer{
		Contest: stored.Contest.ID, Totals: heldTotals{count.Live.Counted, count.Live.Held, count.Live.Void},
		Groups: []heldGroup{}, Appeals: s.heldLines(stored, void),
	}
	if s.cfg.Sweeps != nil {
		if a.Detectors, err = s.cfg.Sweeps.Status(ctx, stored); err != nil {
			return nil, err
		}
	}
	lines := s.heldLines(stored, held)
	for _, g := range antifraud.Cluster(suspects(held)) {
		group := heldGroup{Group: g.Key(), Entry: g.Entry, School: lines[g.Members[0]].School, Reasons: orNone(g.Reasons)}
		for _, i := range g.Members {
			group.Ballots = append(group.Ballots, lines[i])
		}
		a.Groups = append(a.Groups, group)
	}
	if len(held) == limit {
		next := held[limit-1].Place().String()
		a.Next = &next
	}
	return a, nil
}

func suspects(ballots []ballotbox.HeldBallot) []antifraud.Suspect {
	out := make([]antifraud.Suspect, len(ballots))
	for i, h := range ballots {
		out[i] = antifraud.Suspect{Entry: h.Entry, Reasons: h.Reasons, Evidence: h.Evidence}
	}
	return out
}

// heldLines are ballots as they are shown.
func (s *Server) heldLines(stored *registry.Stored, ballots []ballotbox.HeldBallot) []heldLine {
	alike := antifraud.Shared(suspects(ballots))
	lines := make([]heldLine, len(ballots))
	for i, h := range ballots {
		entry, _ := stored.Contest.Entry(h.Entry) // cast into it: it is there, hidden or not
		lines[i] = heldLine{
			Ballot: h.Ballot, Voter: h.Voter, Entry: h.Entry, School: entry.School, At: voting.FormatTime(h.At()), Standing: h.Standing,
			Reasons: orNone(h.Reasons), Level: h.Level, Evidence: h.Evidence, Finding: h.Finding, Alike: alike[i], Appeal: s.appealText(stored, h), place: h.Place(), at: h.At(),
		}
	}
	return lines
}

// orNone is a list that JSON shows as one.
func orNone(reasons []string) []string {
	if reasons == nil {
		return []string{}
	}
	return reasons
}
