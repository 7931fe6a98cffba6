package web

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// status is what became of a vote. Kind is a style: good, wait or bad.
type status struct {
	Kind, Title, Text string
	Reasons           []string // why it stands so
	Receipt           string   // address of the page that says it to whoever has it
	Proof             string   // what the voter has just proven
	ReceiptName       string
	After             *after // nil for who is not the ballot's voter
}

// statusOf reads what the address says happened, and believes nothing of it: an
// accepted ballot is looked up by its receipt, a refusal is shown only where it
// is so. A link made up by somebody else shows nothing.
func (s *Server) statusOf(ctx context.Context, c *fiber.Ctx, stored *registry.Stored, board *live.Board, me *voting.Pass, hasVoted bool, w words) (*status, error) {
	d := stored.Contest
	if text := query(c, "receipt"); text != "" {
		receipt, err := s.cfg.Receipts.Open(text)
		if err != nil || receipt.Contest != d.ID {
			return nil, nil
		}
		if me != nil {
			if own, err := s.isOwn(stored, me, receipt.Voter); err != nil || !own {
				return nil, err
			}
		}
		cast, err := s.cfg.Boxes.Find(ctx, stored, receipt.Voter, receipt.Ballot)
		if errors.Is(err, ballotbox.ErrNoSuchBallot) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		said := castStatus(w, d, board, cast, c.QueryInt("left"))
		if me == nil {
			said.Text = "" // whoever was shown the receipt learns no more than by its own page: not for whom
		}
		said.Proof = proofLine(c, d, me, w)
		s.leads(ctx, c, said, stored, me, cast, text, w)
		return said, nil
	}
	if line := proofLine(c, d, me, w); line != "" {
		return &status{Kind: "good", Title: line}, nil
	}
	if said := presentStatus(c, me, w); said != nil {
		return said, nil
	}
	over := board.Phase != contest.PhaseVoting
	switch refused := voting.Code(c.Query("refused")); {
	case refused == voting.AlreadyVoted && hasVoted:
		return s.alreadyVoted(ctx, c, stored, board, me, w)
	case refused == voting.BallotReused && hasVoted:
		return &status{Kind: "wait", Title: w.Say("page.reused.title"), Text: w.Say("page.reused")}, nil
	case refused == voting.PhaseClosed && over:
		return &status{Kind: "bad", Title: w.Say("page.closed.title"), Text: w.Say("page.closed")}, nil
	}
	return nil, nil
}

// leads adds to what is said of a ballot where that leads: its receipt, and what
// is offered to its voter.
func (s *Server) leads(ctx context.Context, c *fiber.Ctx, said *status, stored *registry.Stored, me *voting.Pass, cast voting.Cast, receipt string, w words) {
	said.Receipt, said.ReceiptName = receiptHref(receipt, w.Lang), w.Say("frame.receipt")
	if cast.Standing == voting.Held || cast.Standing == voting.Void {
		said.Reasons = w.reasons(cast.Reasons)
		said.Receipt, said.ReceiptName = said.Receipt+"#what", w.Say("page.what")
	}
	if me != nil {
		said.After = s.afterVote(ctx, c, accepted{stored, *me, cast, receipt, w})
	}
}

// alreadyVoted tells who has no turn left where the vote they gave stands: it may
// not count, and whoever has come back to the page finds what to do again.
func (s *Server) alreadyVoted(ctx context.Context, c *fiber.Ctx, stored *registry.Stored, board *live.Board, me *voting.Pass, w words) (*status, error) {
	said := &status{Kind: "wait", Title: w.Say("page.already.title"), Text: nextTurn(w, stored.Contest, board, "page.already")}
	casts, err := s.cfg.Boxes.Ballots(ctx, stored, me.Voter)
	if err != nil {
		return nil, err
	}
	if len(casts) == 0 {
		return said, nil
	}
	cast := casts[len(casts)-1]
	for _, one := range casts { // a device's that was joined later may be void
		if one.Standing == voting.Counted {
			cast = one
		}
	}
	if cast.Standing != voting.Counted {
		said.Text = castStatus(w, stored.Contest, board, cast, 0).Text
	}
	s.leads(ctx, c, said, stored, me, cast, s.receipt(stored, cast), w)
	return said, nil
}

// proofLine says what a voter has just proven, if that is so.
func proofLine(c *fiber.Ctx, d *contest.Contest, me *voting.Pass, w words) string {
	if me == nil || !me.Level.AtLeast(contest.LevelEmail) || c.Query("proven") == "" {
		return ""
	}
	if school, ok := d.School(me.School); ok {
		return w.Say("proof.done.school", "School", w.In(school.Name, d))
	}
	return w.Say("proof.done")
}

// castStatus says where an accepted ballot stands.
func castStatus(w words, d *contest.Contest, board *live.Board, cast voting.Cast, left int) *status {
	entry, _ := d.Entry(cast.Entry)
	said := &status{
		Kind: "wait", Title: w.Say("page." + string(cast.Standing) + ".title"), Text: w.Say("page."+string(cast.Standing), "Entry", w.In(entry.Title, d)),
	}
	if cast.Standing != voting.Counted {
		return said
	}
	said.Kind = "good"
	switch {
	case board.Phase != contest.PhaseVoting:
	case left > 0 && left < d.Rules.Ballots.Max:
		said.Text += " " + w.Count("page.left", int64(left))
	default:
		said.Text += " " + nextTurn(w, d, board, "page.next")
	}
	return said
}

// nextTurn says when the voter's next turn comes, or that none does: messages id
// and id.never.
func nextTurn(w words, d *contest.Contest, board *live.Board, id string) string {
	now := time.Now()
	bounds := d.Periods(now)
	i := slices.IndexFunc(bounds, func(t time.Time) bool { return t.After(now) })
	if i < 0 || !bounds[i].Before(board.Closes) {
		return w.Say(id + ".never")
	}
	return w.Say(id, "Next", w.When(bounds[i], d.Location()))
}
