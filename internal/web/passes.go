package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

type passBody struct {
	Level string `json:"level"`
	Email string `json:"email"`

	Presence string `json:"presence"` // the code of the wall
}

type passAnswer struct {
	Pass    string        `json:"pass"`
	Voter   voting.Voter  `json:"voter"`
	Level   contest.Level `json:"level"`
	Expires string        `json:"expires"`
	Present bool          `json:"present,omitempty"`
}

// postPass issues a pass. It is the one state-changing call without a bearer,
// so it looks where the request comes from.
func (s *Server) postPass(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if s.foreign(c, stored) {
		return errForbidden
	}
	var body passBody
	if err := decode(c, &body); err != nil {
		return err
	}
	if body.Level == string(contest.LevelEmail) {
		return invalid("level", "email")
	}
	var check checks
	check.expect(body.Level == string(contest.LevelDevice), "level", "device")
	check.expect(body.Email == "", "email", "nothing with level device")
	if err := check.err(); err != nil {
		return err
	}
	token, pass, err := s.cfg.Passes.IssueDevice(stored.Contest, time.Now())
	if err != nil {
		return err
	}
	present, err := s.presence(c, stored, body.Presence, pass.Voter)
	if err != nil {
		return err
	}
	if present {
		if token, pass, err = s.cfg.Passes.IssuePresent(stored.Contest, pass, time.Now()); err != nil {
			return err
		}
	}
	if c.Get(headerFetchSite) == "same-origin" {
		setPassCookie(c, stored.Contest.ID, token, pass.Expires)
	}
	return sendPersonal(c, fiber.StatusCreated, passAnswer{token, pass.Voter, pass.Level, voting.FormatTime(pass.Expires), pass.Present})
}

// pass is the pass that the call carries as a bearer.
func (s *Server) pass(c *fiber.Ctx, stored *registry.Stored) (voting.Pass, error) {
	token := bearer(header(c, fiber.HeaderAuthorization))
	if token == "" {
		return voting.Pass{}, errInvalidPass
	}
	return s.cfg.Passes.Check(stored.Contest, token, time.Now())
}
