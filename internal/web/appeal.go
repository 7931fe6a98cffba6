package web

import (
	"context"
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

type appealBody struct {
	Text string `json:"text"`
}

// appealAnswer is the same for the first appeal of a ballot and for any later one,
// which changes nothing.
type appealAnswer struct {
	Ballot   uuid.UUID       `json:"ballot"`
	Standing voting.Standing `json:"standing"`
	Appeal   string          `json:"appeal"`
}

// appealFaults are the refusals of a text: a message of the form, and what a
// program reads.
var appealFaults = []struct {
	err  error
	say  string
	what string
}{
	{voting.ErrAppealEmpty, "appeal.empty", "a text"},
	{voting.ErrAppealLong, "appeal.long", "at most 500 characters"},
	{voting.ErrAppealText, "appeal.text", "plain text without control or direction characters"},
}

// postAppeal keeps what the voter of a held or void ballot writes to the
// organizers.
func (s *Server) postAppeal(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	var body appealBody
	if err := decode(c, &body); err != nil {
		return err
	}
	text, err := voting.ParseAppeal(body.Text)
	if err != nil {
		var check checks
		for _, fault := range appealFaults {
			check.expect(!errors.Is(err, fault.err), "text", fault.what)
		}
		return check.err()
	}
	voter, err := s.holder(c, stored)
	if err != nil {
		return err
	}
	id, err := ballotOf(c)
	if err != nil {
		return err
	}
	cast, err := s.appeal(stored, voter, id, text)
	if err != nil {
		return err
	}
	return sendPersonal(c, fiber.StatusAccepted, appealAnswer{id, cast.Standing, "received"})
}

// appealPurpose binds a sealed text to its ballot.
func appealPurpose(contestID string, cast voting.Cast) string {
	return "appeal " + contestID + " " + cast.Ballot.String() + " " + cast.Voter.String()
}

// appeal keeps the text of a ballot, sealed: it may name whoever wrote it.
func (s *Server) appeal(stored *registry.Stored, voter voting.Voter, id uuid.UUID, text string) (voting.Cast, error) {
	if stored.Forgotten() {
		return voting.Cast{}, errForgotten
	}
	if err := s.cfg.Interlock.Err(); err != nil {
		return voting.Cast{}, err
	}
	return within(s.base, func(ctx context.Context) (voting.Cast, error) {
		cast, err := s.cfg.Boxes.Find(ctx, stored, voter, id)
		if err != nil {
			return voting.Cast{}, err
		}
		sealed, err := s.cfg.Keys.Seal([]byte(text), appealPurpose(stored.Contest.ID, cast))
		if err != nil {
			return voting.Cast{}, err
		}
		cast.Standing, err = s.cfg.Boxes.Appeal(ctx, stored, cast.Voter, cast.Ballot, sealed)
		return cast, err
	})
}

// appealText opens what Appeal has sealed; empty when there is none, or when the
// key it was sealed with is gone.
func (s *Server) appealText(stored *registry.Stored, h ballotbox.HeldBallot) string {
	if h.Appeal == nil {
		return ""
	}
	text, err := s.cfg.Keys.Open(h.Appeal, appealPurpose(stored.Contest.ID, h.Cast))
	if err != nil {
		s.log.Warn("an appeal cannot be opened", "contest", stored.Contest.ID, "error", err)
		return ""
	}
	return string(text)
}

// appealForm takes the form of a receipt's page and leads back to it. A text that
// is refused comes back in the form, with what is wrong beside it.
func (s *Server) appealForm(c *fiber.Ctx) error {
	form, err := s.ownForm(c)
	if err != nil {
		return err
	}
	r, err := s.openReceipt(c)
	if err != nil {
		return err
	}
	if r.stored.Forgotten() {
		return errForgotten
	}
	sent := string(form.Peek("text"))
	text, err := voting.ParseAppeal(sent)
	for _, fault := range appealFaults {
		if errors.Is(err, fault.err) {
			return s.showReceipt(c, r, &refusedAppeal{sent, fault.say})
		}
	}
	if _, err := s.appeal(r.stored, r.cast.Voter, r.cast.Ballot, text); err != nil && !errors.Is(err, ballotbox.ErrNothingToAppeal) {
		return err // what needs no appeal any more is what the page says anyway
	}
	return c.Redirect("/r/"+url.PathEscape(param(c, "receipt"))+chosen(c)+"#what", fiber.StatusSeeOther)
}
