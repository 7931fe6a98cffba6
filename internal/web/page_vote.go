package web

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// vote takes a vote form and leads back to the page, which says what became of
// it. The form carries ballot and pass: sent twice, it counts once.
func (s *Server) vote(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if !s.fromOwnPage(c) {
		return errForbidden
	}
	if err := checkType(c, "application/x-www-form-urlencoded"); err != nil {
		return err
	}
	form := c.Request().PostArgs()
	ballot, ok := parseBallotID(string(form.Peek("ballot")))
	if !ok {
		return invalid("ballot", "ballot")
	}
	entry := string(form.Peek("entry"))
	if !entryShape.MatchString(entry) {
		return invalid("entry", "missing")
	}
	token, pass, known, err := s.formPass(c, stored, string(form.Peek("pass")))
	if err != nil {
		return err
	}
	attempt := s.attempt(c, pass, antifraud.Client{Referrer: antifraud.ReferrerSite})
	outcome, err := s.cast(stored, ballot, entry, pass, attempt)
	if p := problemOf(err); p != nil && p.status == fiber.StatusServiceUnavailable {
		// It may have been counted or not: the same ballot again settles it.
		s.log.Warn("vote form unanswered", slog.String("request", s.requestID(c)), slog.String("code", p.code), slog.Any("error", err))
		return s.failPage(c, p, &again{
			Action: "/c/" + stored.Contest.ID + "/vote" + chosen(c), Entry: entry, Ballot: ballot.String(), Pass: token,
		})
	}
	if err != nil {
		return err
	}

	query := url.Values{}
	if lang := c.Query("lang"); lang == "fr" || lang == "en" {
		query.Set("lang", lang)
	}
	switch outcome.Refused {
	case "":
		if !known {
			setPassCookie(c, stored.Contest.ID, token, pass.Expires)
		}
		query.Set("receipt", s.receipt(stored, outcome.Cast))
		query.Set("left", strconv.Itoa(outcome.Remaining))
	case voting.NoSuchEntry:
		return &problem{status: fiber.StatusNotFound, code: string(voting.NoSuchEntry)}
	default:
		query.Set("refused", string(outcome.Refused))
	}
	return c.Redirect("/c/"+stored.Contest.ID+"?"+query.Encode()+"#status", fiber.StatusSeeOther)
}

// fromOwnPage says that the form was on a page of ours. Unlike the API's calls,
// which carry their pass, this one comes with a cookie: no page of another
// site may send it, not even one that may embed. Programs send neither header.
func (s *Server) fromOwnPage(c *fiber.Ctx) bool {
	if site := c.Get(headerFetchSite); site != "" && site != "same-origin" {
		return false
	}
	origin := header(c, fiber.HeaderOrigin)
	return origin == "" || s.ownOrigin(c, origin)
}

// formPass is who votes: the browser's pass, else the one made with the form,
// else a new one. known says that the browser has it already.
func (s *Server) formPass(c *fiber.Ctx, stored *registry.Stored, made string) (token string, pass voting.Pass, known bool, err error) {
	now := time.Now()
	for _, token := range []string{passCookie(c, stored.Contest.ID), made} {
		if token == "" {
			continue
		}
		pass, err := s.cfg.Passes.Check(stored.Contest, token, now)
		if err == nil {
			return token, pass, token != made, nil
		}
		if !errors.Is(err, voting.ErrPass) {
			return "", voting.Pass{}, false, err
		}
	}
	token, pass, err = s.cfg.Passes.IssueDevice(stored.Contest, now)
	return token, pass, false, err
}

// status is what became of a vote. Kind is a style: good, wait or bad.
type status struct {
	Kind, Title, Text string
}

// statusOf reads what the address says happened, and believes nothing of it: an
// accepted ballot is looked up by its receipt, a refusal is shown only where it
// is so. A link made up by somebody else shows nothing.
func (s *Server) statusOf(ctx context.Context, c *fiber.Ctx, stored *registry.Stored, board *live.Board, me *voting.Pass, voted bool, w words) (*status, error) {
	d := stored.Contest
	if text := query(c, "receipt"); text != "" {
		receipt, err := s.cfg.Receipts.Open(text)
		if err != nil || receipt.Contest != d.ID || (me != nil && me.Voter != receipt.Voter) {
			return nil, nil
		}
		cast, err := s.cfg.Boxes.Find(ctx, stored, receipt.Voter, receipt.Ballot)
		if errors.Is(err, ballotbox.ErrNoSuchBallot) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return castStatus(w, d, board, cast, c.QueryInt("left")), nil
	}
	over := board.Phase != contest.PhaseVoting
	switch refused := voting.Code(c.Query("refused")); {
	case refused == voting.AlreadyVoted && voted:
		return &status{"wait", w.Say("page.already.title"), nextTurn(w, d, board, "page.already")}, nil
	case refused == voting.BallotReused && voted:
		return &status{"wait", w.Say("page.reused.title"), w.Say("page.reused")}, nil
	case refused == voting.PhaseClosed && over:
		return &status{"bad", w.Say("page.closed.title"), w.Say("page.closed")}, nil
	}
	return nil, nil
}

// castStatus says where an accepted ballot stands.
func castStatus(w words, d *contest.Contest, board *live.Board, cast voting.Cast, left int) *status {
	entry, _ := d.Entry(cast.Entry)
	title := entry.Title.In(w.Lang, d.Locale)
	said := &status{"wait", w.Say("page." + string(cast.Standing) + ".title"), w.Say("page."+string(cast.Standing), "Entry", title)}
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
