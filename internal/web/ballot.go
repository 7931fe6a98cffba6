package web

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// ballotAnswer is where a ballot stands.
type ballotAnswer struct {
	Ballot   uuid.UUID       `json:"ballot"`
	Entry    string          `json:"entry"`
	Standing voting.Standing `json:"standing"`
	Reasons  []string        `json:"reasons"`
	At       string          `json:"at"`
	Position voting.Position `json:"position"`
}

// getBallot tells whoever holds the ballot's pass or receipt where it stands.
func (s *Server) getBallot(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	voter, err := s.holder(c, stored)
	if err != nil {
		return err
	}
	id, err := ballotOf(c)
	if err != nil {
		return err
	}
	cast, err := within(s.base, func(ctx context.Context) (voting.Cast, error) {
		cast, confirmed, err := s.cfg.Boxes.Confirmed(ctx, stored, voter, id)
		if err == nil && !confirmed {
			cast.Standing, cast.Reasons = voting.Pending, nil
		}
		return cast, err
	})
	if err != nil {
		return err
	}
	return sendBallot(c, cast)
}

// holder is the voter whose pass or receipt the call carries. A receipt speaks
// for its own ballot only.
func (s *Server) holder(c *fiber.Ctx, stored *registry.Stored) (voting.Voter, error) {
	receipt, err := s.cfg.Receipts.Open(bearer(header(c, fiber.HeaderAuthorization)))
	if err != nil {
		pass, err := s.pass(c, stored)
		return pass.Voter, err
	}
	if receipt.Contest != stored.Contest.ID {
		return voting.Voter{}, errInvalidPass
	}
	if id, err := ballotOf(c); err != nil || id != receipt.Ballot {
		return voting.Voter{}, ballotbox.ErrNoSuchBallot
	}
	return receipt.Voter, nil
}

// ballotOf is the id of the ballot that the call is about.
func ballotOf(c *fiber.Ctx) (uuid.UUID, error) {
	id, ok := parseBallotID(param(c, "ballot"))
	if !ok {
		return uuid.Nil, ballotbox.ErrNoSuchBallot
	}
	return id, nil
}

// deleteBallot takes a ballot back, for the pass that cast it and inside the
// undo window. Asking again finds it taken back.
func (s *Server) deleteBallot(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	pass, err := s.pass(c, stored)
	if err != nil {
		return err
	}
	id, err := ballotOf(c)
	if err != nil {
		return err
	}
	if err := s.cfg.Interlock.Err(); err != nil {
		return err
	}
	cast, err := within(s.base, func(ctx context.Context) (voting.Cast, error) {
		cast, _, err := s.cfg.Boxes.Change(ctx, stored, ballotbox.Change{
			Voter: pass.Voter, Ballot: id, Standing: voting.Withdrawn, Actor: voting.ActorVoter,
		})
		return cast, err
	})
	if err != nil {
		return err
	}
	return sendBallot(c, cast)
}

func sendBallot(c *fiber.Ctx, cast voting.Cast) error {
	reasons := cast.Reasons
	if reasons == nil {
		reasons = []string{}
	}
	return sendPersonal(c, fiber.StatusOK, ballotAnswer{
		cast.Ballot, cast.Entry, cast.Standing, reasons, voting.FormatTime(cast.At()), cast.Position,
	})
}
