package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
)

// sweepTime is how long a publication waits for the detectors: what is left of the
// organizer's time is for publishing.
const sweepTime = organizerTime - 10*time.Second

type closeBody struct {
	Reason string `json:"reason"`
}

// postClose ends voting now. When it answers, no ballot is counted any more.
// Closing what is closed changes nothing.
func (s *Server) postClose(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	var body closeBody
	if err := decodeOptional(c, &body); err != nil {
		return err
	}
	var check checks
	check.expect(body.Reason == "" || reasonShape.MatchString(body.Reason), "reason", "a code of 1 to 64 of a-z 0-9 -")
	if err := check.err(); err != nil {
		return err
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	if body.Reason == "" {
		body.Reason = "ended-early" // no record without a reason
	}
	at, err := s.cfg.Boxes.Close(ctx, stored, body.Reason)
	if err != nil {
		return err
	}
	// The boxes are closed, which is what counts. Should this fail, the call
	// again finds them so and ends here.
	if err := s.cfg.Registry.MarkClosed(ctx, stored.Contest.ID, at); err != nil {
		return err
	}
	return s.sendContest(c)
}

// postPublish makes the ledger and the void total public. It waits for the last sweep
// of the detectors, which may still take ballots out of the result.
func (s *Server) postPublish(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if err := decodeOptional(c, &struct{}{}); err != nil {
		return err
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	if s.cfg.Sweeps != nil {
		waiting, cancel := context.WithTimeout(ctx, sweepTime)
		defer cancel()
		if err := s.cfg.Sweeps.Finish(waiting, stored); err != nil {
			return err
		}
	}
	at, err := s.cfg.Boxes.Publish(ctx, stored)
	if err != nil {
		return err
	}
	if err := s.cfg.Registry.MarkPublished(ctx, stored.Contest.ID, at); err != nil {
		return err
	}
	return s.sendContest(c)
}
