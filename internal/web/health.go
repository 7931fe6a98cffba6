package web

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/internal/store"
)

//go:embed openapi.json
var openAPI []byte

const readyTime = time.Second

// livez says that the process answers, and nothing about the store.
func (s *Server) livez(c *fiber.Ctx) error {
	return sendPersonal(c, fiber.StatusOK, map[string]string{"status": "ok", "version": s.cfg.Version})
}

type readyAnswer struct {
	Status string                `json:"status"` // ready or not-ready
	Checks map[string]readyCheck `json:"checks"`
}

type readyCheck struct {
	OK     bool     `json:"ok"`
	Faults []string `json:"faults,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// readyz says whether this server should get ballots: 200, else 503 with what
// is wrong. It names settings of the store and never its address.
func (s *Server) readyz(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(s.base, readyTime)
	defer cancel()
	checks := map[string]readyCheck{"store": {OK: true}}
	switch err := s.cfg.Store.Client().Ping(ctx).Err(); {
	case errors.Is(err, store.ErrUnsafe):
		checks["store"] = readyCheck{Faults: []string{"the store is refused: gate says why"}}
	case err != nil:
		checks["store"] = readyCheck{Faults: []string{"the store does not answer"}}
	}
	parts := map[string]Health{"gate": s.cfg.Interlock} // the name that monitors know it by
	if s.cfg.Archive != nil {
		parts["ledger"] = s.cfg.Archive
	}
	for name, part := range parts {
		ok, faults, notes := part.Status()
		checks[name] = readyCheck{ok, faults, notes}
	}
	answer, status := readyAnswer{"ready", checks}, fiber.StatusOK
	for _, one := range checks {
		if !one.OK {
			answer.Status, status = "not-ready", fiber.StatusServiceUnavailable
		}
	}
	return sendPersonal(c, status, answer)
}

func (s *Server) openapi(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	return sendJSON(c, fiber.StatusOK, openAPI)
}
