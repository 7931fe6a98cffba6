package web

import (
	"context"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// farmsAnswer are the known farms of a contest, the newest first.
type farmsAnswer struct {
	Contest string     `json:"contest"`
	Farms   []farmLine `json:"farms"`
}

// farmLine is a known farm. What it is known by is told to nobody: it would tell a
// farm what to change.
type farmLine struct {
	ID       string   `json:"id"`
	Entries  []string `json:"entries"`
	Members  int      `json:"members"`
	Since    string   `json:"since"`
	Expires  string   `json:"expires"`
	Met      int64    `json:"met"`
	Rejected int64    `json:"rejected"`
	LiftedAt string   `json:"lifted_at,omitempty"`
}

func lineOf(f gate.Farm) farmLine {
	line := farmLine{
		ID: f.ID, Entries: orNone(f.Entries), Members: f.Members, Since: voting.FormatTime(f.Since), Expires: voting.FormatTime(f.Expires),
		Met: f.Met, Rejected: f.Rejected,
	}
	if !f.Lifted.IsZero() {
		line.LiftedAt = voting.FormatTime(f.Lifted)
	}
	return line
}

func (s *Server) farmsOf(ctx context.Context, stored *registry.Stored) ([]gate.Farm, error) {
	return within(ctx, func(ctx context.Context) ([]gate.Farm, error) { return s.cfg.Farms.List(ctx, stored.Contest.ID) })
}

// getFarms lists the known farms to the organizer.
func (s *Server) getFarms(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	farms, err := s.farmsOf(s.base, stored)
	if err != nil {
		return err
	}
	a := farmsAnswer{Contest: stored.Contest.ID, Farms: make([]farmLine, len(farms))}
	for i, f := range farms {
		a.Farms[i] = lineOf(f)
	}
	return sendPersonal(c, fiber.StatusOK, a)
}

// postLift lifts a signature for good, and answers as it is then. What was decided
// by it stays: it is in the ledger, and can be changed there.
func (s *Server) postLift(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	id := param(c, "farm")
	if err := s.lift(c, stored, id); err != nil {
		return err
	}
	farms, err := s.farmsOf(s.base, stored)
	if err != nil {
		return err
	}
	for _, f := range farms {
		if f.ID == id {
			return sendPersonal(c, fiber.StatusOK, lineOf(f))
		}
	}
	return errNoFarm // it has expired meanwhile
}

func (s *Server) lift(c *fiber.Ctx, stored *registry.Stored, id string) error {
	_, err := within(s.base, func(ctx context.Context) (any, error) { return nil, s.cfg.Farms.Lift(ctx, stored.Contest.ID, id) })
	if err != nil {
		return err
	}
	s.log.Info("signature of a farm lifted", slog.String("request", s.requestID(c)), slog.String("contest", stored.Contest.ID), slog.String("farm", id))
	return nil
}
