package web

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/voting"
)

// fanOf is who a mail's link names. A link that is not one of ours, or of a
// contest that is gone, is the same to its reader.
func (s *Server) fanOf(c *fiber.Ctx, purpose community.Purpose) (community.Token, *registry.Stored, error) {
	token, err := s.fanTokens.Open(param(c, "token"), purpose)
	if err != nil {
		return community.Token{}, nil, errNoFan
	}
	stored, ok := s.cfg.Registry.Get(token.Contest)
	if !ok {
		return community.Token{}, nil, errNoFan
	}
	return token, stored, nil
}

// fanStands is where the fan of a link stands.
func (s *Server) fanStands(stored *registry.Stored, token community.Token) (fans.Standing, *fans.Proof, error) {
	type stand struct {
		standing fans.Standing
		proof    *fans.Proof
	}
	found, err := within(s.base, func(ctx context.Context) (f stand, err error) {
		f.standing, f.proof, err = s.cfg.Fans.Look(ctx, stored, token.Fan, token.Ask)
		return f, err
	})
	return found.standing, found.proof, err
}

// confirmFanPage is where the mail's link leads. It changes nothing: scanners of
// mail open every link.
func (s *Server) confirmFanPage(c *fiber.Ctx) error {
	token, stored, err := s.fanOf(c, community.ToConfirm)
	if err != nil {
		return err
	}
	standing, proof, err := s.fanStands(stored, token)
	if err != nil {
		return err
	}
	if standing == fans.Nobody {
		return errFanExpired
	}
	v := s.fanPage(c, stored, s.pageLang(c, stored.Contest.Locale))
	if standing != fans.Waiting {
		v.Title = v.Say("fan.in.title")
		v.Lines = []string{v.Say("fan.in", "Community", v.Community), v.Say("fan.in.leaving")}
		v.Leave = "/fan/leave/" + s.fanTokens.Seal(community.Token{Purpose: community.ToLeave, Contest: token.Contest, Fan: token.Fan}) + "?lang=" + v.Lang
		return s.renderFan(c, fiber.StatusOK, v)
	}
	texts, err := within(s.base, func(ctx context.Context) (map[string]string, error) { return s.cfg.Fans.Wordings(ctx, stored) })
	if err != nil {
		return err
	}
	v.Title = v.Say("fan.title", "Community", v.Community)
	v.OptIn = strings.Split(texts[proof.Wording], "\n")
	v.Lines, v.Button = []string{v.Say("fan.confirm", "Community", v.Community)}, v.Say("fan.confirm.button")
	if proof.Under15Parent {
		v.Lines, v.Button = []string{v.Say("fan.confirm.parent", "Community", v.Community)}, v.Say("fan.confirm.parent.button")
	}
	v.Action = strings.Clone(c.Path()) + "?lang=" + v.Lang
	return s.renderFan(c, fiber.StatusOK, v)
}

// confirmFan is the press that makes a member. Who presses again finds themselves in.
func (s *Server) confirmFan(c *fiber.Ctx) error {
	token, stored, err := s.fanOf(c, community.ToConfirm)
	if err != nil {
		return err
	}
	if !s.fromOwnPage(c) {
		return errForbidden
	}
	type confirmed struct {
		member fans.Confirmed
		joined bool
	}
	who, err := within(s.base, func(ctx context.Context) (w confirmed, err error) {
		w.member, w.joined, err = s.cfg.Fans.Confirm(ctx, stored, token.Fan, token.Ask)
		return w, err
	})
	if errors.Is(err, fans.ErrExpired) {
		return errFanExpired
	}
	if err != nil {
		return err
	}
	if who.joined {
		s.metrics.fans.WithLabelValues(fanConfirmed).Inc()
		s.welcome(c, stored, token.Fan, who.member)
	}
	return c.Redirect(strings.Clone(c.Path())+"?lang="+s.pageLang(c, stored.Contest.Locale)+"#status", fiber.StatusSeeOther)
}

// welcome writes to a new member how to leave, which they may look for in a year.
// They are one whether or not it arrives.
func (s *Server) welcome(c *fiber.Ctx, stored *registry.Stored, fan community.Fan, m fans.Confirmed) {
	to, err := voting.ParseEmail(m.Address)
	if err != nil || s.cfg.Mail == nil || s.mailSite(c) == "" {
		s.log.Warn("a new member was not written to", slog.String("request", s.requestID(c)), slog.Any("error", err))
		return
	}
	v := s.fanPage(c, stored, m.Lang)
	letter := mail.Joined(m.Lang, mail.JoinedLetter{
		Community: v.Community, Contest: v.Contest,
		LeaveURL: s.fanLink(c, "/fan/leave/", community.Token{Purpose: community.ToLeave, Contest: stored.Contest.ID, Fan: fan}, m.Lang),
	})
	letter.To = to
	s.cfg.Mail.Put(letter)
}

// leaveFanPage asks once more, and says so when it is done.
func (s *Server) leaveFanPage(c *fiber.Ctx) error {
	token, stored, err := s.fanOf(c, community.ToLeave)
	if err != nil {
		return err
	}
	standing, _, err := s.fanStands(stored, token)
	if err != nil {
		return err
	}
	v := s.fanPage(c, stored, s.pageLang(c, stored.Contest.Locale))
	if standing == fans.Nobody {
		v.Title, v.Lines = v.Say("fan.left.title"), []string{v.Say("fan.left", "Community", v.Community)}
		return s.renderFan(c, fiber.StatusOK, v)
	}
	v.Title, v.Lines = v.Say("fan.leave.title", "Community", v.Community), []string{v.Say("fan.leave")}
	v.Action, v.Button = strings.Clone(c.Path())+"?lang="+v.Lang, v.Say("fan.leave.button")
	return s.renderFan(c, fiber.StatusOK, v)
}

// leaveFan lets a fan go, whoever brings the link: logged out, in any browser,
// after the contest, also a mail server by RFC 8058, which comes with neither
// origin nor cookie and follows no redirect.
func (s *Server) leaveFan(c *fiber.Ctx) error {
	token, stored, err := s.fanOf(c, community.ToLeave)
	if err != nil {
		return err
	}
	left, err := within(s.base, func(ctx context.Context) (bool, error) { return s.cfg.Fans.Leave(ctx, stored, token.Fan) })
	if err != nil {
		return err
	}
	if left {
		s.metrics.fans.WithLabelValues(fanLeft).Inc()
	}
	if c.Request().PostArgs().Has("page") {
		return c.Redirect(strings.Clone(c.Path())+"?lang="+s.pageLang(c, stored.Contest.Locale)+"#status", fiber.StatusSeeOther)
	}
	return s.leaveFanPage(c)
}
