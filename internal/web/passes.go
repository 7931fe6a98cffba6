package web

import (
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

type passBody struct {
	Level string `json:"level"`
	Email string `json:"email"`

	Presence  string `json:"presence"`  // the code of the wall
	Challenge string `json:"challenge"` // solved, when one was asked for
}

type passAnswer struct {
	Pass    string        `json:"pass"`
	Voter   voting.Voter  `json:"voter"`
	Level   contest.Level `json:"level"`
	Expires string        `json:"expires"`
	School  string        `json:"school,omitempty"`
	Present bool          `json:"present,omitempty"`
}

// pendingAnswer is a pass that waits for the code that was sent.
type pendingAnswer struct {
	Pending string `json:"pending"`
	Expires string `json:"expires"`
}

// passCall is the contest of a call for a pass, whose body it reads. Such calls change
// something and have no bearer, so it looks where the request comes from.
func (s *Server) passCall(c *fiber.Ctx, body any) (*registry.Stored, error) {
	stored, err := s.contest(c)
	if err != nil {
		return nil, err
	}
	if s.foreign(c, stored) {
		return nil, errForbidden
	}
	return stored, decode(c, body)
}

// postPass issues a pass, or sends the code that one by e-mail needs.
func (s *Server) postPass(c *fiber.Ctx) error {
	var body passBody
	stored, err := s.passCall(c, &body)
	if err != nil {
		return err
	}
	email := body.Level == string(contest.LevelEmail)
	var check checks
	check.expect(email || body.Level == string(contest.LevelDevice), "level", "device or email")
	if email {
		check.expect(body.Email != "", "email", "an e-mail address")
	} else {
		check.expect(body.Email == "", "email", "nothing with level device")
	}
	check.expect(len(body.Challenge) <= maxChallenge, "challenge", "at most 4096 bytes")
	if err := check.err(); err != nil {
		return err
	}
	if email {
		asks, err := s.optionalPass(c, stored)
		if err != nil {
			return err
		}
		asked, err := s.askCode(stored, codeAsk{
			lang: s.mailLang(c, stored), address: body.Email, presence: body.Presence, asks: asks, from: s.address(c), solution: body.Challenge,
		})
		if err != nil {
			return err
		}
		return sendPersonal(c, fiber.StatusAccepted, pendingAnswer{asked.Pending, voting.FormatTime(asked.Expires)})
	}
	token, pass, err := s.cfg.Passes.IssueDevice(stored.Contest, time.Now())
	if err != nil {
		return err
	}
	present, err := s.presence(stored, body.Presence, pass.Voter)
	if err != nil {
		return err
	}
	if present {
		if token, pass, err = s.cfg.Passes.IssuePresent(stored.Contest, pass, time.Now()); err != nil {
			return err
		}
	}
	return s.sendPass(c, stored, token, pass)
}

type confirmBody struct {
	Pending string `json:"pending"`
	Code    string `json:"code"`
}

// confirmPass gives the pass for a code. With the device's pass as bearer, what
// that was marked with stays, and the same call again has the same answer.
func (s *Server) confirmPass(c *fiber.Ctx) error {
	var body confirmBody
	stored, err := s.passCall(c, &body)
	if err != nil {
		return err
	}
	var check checks
	check.expect(body.Pending != "" && len(body.Pending) <= maxPending, "pending", "the pending of a pass by e-mail")
	check.expect(codeShape.MatchString(body.Code), "code", "six digits")
	if err := check.err(); err != nil {
		return err
	}
	asked, err := s.optionalPass(c, stored)
	if err != nil {
		return err
	}
	try := ""
	if asked != nil {
		try = asked.Voter.String()
	}
	proven, err := s.confirmCode(stored, body.Pending, body.Code, try, asked)
	if err != nil {
		return err
	}
	return s.sendPass(c, stored, proven.token, proven.pass)
}

const maxPending = 64

var codeShape = regexp.MustCompile(`^[0-9]{6}$`)

// sendPass gives a pass to a caller, and to a page of ours as its cookie too.
func (s *Server) sendPass(c *fiber.Ctx, stored *registry.Stored, token string, pass voting.Pass) error {
	if c.Get(headerFetchSite) == "same-origin" {
		s.setPassCookie(c, stored.Contest.ID, token, pass.Expires)
	}
	return sendPersonal(c, fiber.StatusCreated, passAnswer{token, pass.Voter, pass.Level, voting.FormatTime(pass.Expires), pass.School, pass.Present})
}

// optionalPass is the pass that the call carries, or nil where it carries none.
func (s *Server) optionalPass(c *fiber.Ctx, stored *registry.Stored) (*voting.Pass, error) {
	if c.Get(fiber.HeaderAuthorization) == "" {
		return nil, nil
	}
	pass, err := s.pass(c, stored)
	return &pass, err
}

// mailLang is the language of a mail that a call asks for: the one its caller
// prefers, else the contest's.
func (s *Server) mailLang(c *fiber.Ctx, stored *registry.Stored) string {
	return s.choose("", c.Get(fiber.HeaderAcceptLanguage), stored.Contest.Locale)
}

// pass is the pass that the call carries as a bearer.
func (s *Server) pass(c *fiber.Ctx, stored *registry.Stored) (voting.Pass, error) {
	token := bearer(c.Get(fiber.HeaderAuthorization))
	if token == "" {
		return voting.Pass{}, errInvalidPass
	}
	return s.cfg.Passes.Check(stored.Contest, token, time.Now())
}
