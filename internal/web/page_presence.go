package web

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// presenceView is what presence.html shows to who has scanned the wall.
type presenceView struct {
	layout
	Contest, Path string // empty: the code is of no contest
	Heading, Text string
	Kind          string // style of the sign: good or wait
	Action        string // of the form; empty: there is nothing to press
	Fields        []field
}

// presencePage is where a code of the wall leads. It asks, and changes and counts
// nothing: chats and scanners open addresses by themselves. The code dies within
// seconds, so the page holds a slip that leaves time to read; and as the slip is
// for one voter, the page is worth nothing to whom it is passed on.
func (s *Server) presencePage(c *fiber.Ctx) error {
	stored, code, err := s.hallOf(param(c, "token"))
	now := time.Now()
	if err != nil || code.CheckFresh(now) != nil {
		return s.sayPresence(c, stored, fiber.StatusGone, "presence.stale", "presence.stale.text")
	}
	d := stored.Contest
	me := s.visitor(c, stored)
	if me != nil && me.Present {
		held, err := s.heldForPresence(stored, me.Voter)
		if err != nil {
			return err
		}
		if !held {
			return s.sayPresence(c, stored, fiber.StatusOK, "presence.already", "presence.done.text")
		}
	}
	v := s.presenceView(c, stored)
	if me == nil { // a pass is made now and left with the browser when the button is pressed
		token, pass, err := s.cfg.Passes.IssueDevice(d, now)
		if err != nil {
			return err
		}
		me, v.Fields = &pass, []field{{"pass", token}}
	}
	v.Fields = append(v.Fields, field{"token", s.cfg.Presence.Slip(d.ID, code, me.Voter, now)})
	v.Heading, v.Text, v.Kind = v.Say("presence.ask"), v.Say("presence.ask.text"), "wait"
	v.Action = "/p/" + code.Token + chosen(c)
	return s.renderPresence(c, fiber.StatusOK, v)
}

// markPresent takes the form of presencePage: it marks the browser's pass, or the
// one that was made with the form, and leads to the contest.
func (s *Server) markPresent(c *fiber.Ctx) error {
	form, err := s.ownForm(c)
	if err != nil {
		return err
	}
	stored, code, err := s.hallOf(param(c, "token"))
	if err != nil {
		return s.sayPresence(c, nil, fiber.StatusGone, "presence.stale", "presence.stale.text")
	}
	d, now := stored.Contest, time.Now()
	// Whoever has a pass is marked as who they are: another would forget that they
	// have voted. A slip made for another says so.
	token := string(form.Peek("pass"))
	if s.visitor(c, stored) != nil {
		token = passCookie(c, d.ID)
	}
	pass, err := s.cfg.Passes.Check(d, token, now)
	if err == nil && pass.Present {
		held, err := s.heldForPresence(stored, pass.Voter)
		if err != nil {
			return err
		}
		if !held { // pressed twice, or marked meanwhile
			return s.toContest(c, stored)
		}
	}
	if err == nil {
		err = s.cfg.Presence.CheckSlip(d.ID, code, pass.Voter, string(form.Peek("token")), now)
	}
	if err == nil {
		err = s.useCode(stored, code, pass.Voter)
	}
	if err == nil {
		token, pass, err = s.cfg.Passes.IssuePresent(d, pass, now)
	}
	switch {
	case errors.Is(err, voting.ErrPass), errors.Is(err, voting.ErrPresence):
		return s.sayPresence(c, stored, fiber.StatusGone, "presence.stale", "presence.stale.text")
	case errors.Is(err, gate.ErrSpent):
		return s.sayPresence(c, stored, fiber.StatusConflict, "presence.spent", "presence.spent.text")
	case err != nil:
		return err
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	if err := s.release(ctx, stored, pass.Voter, antifraud.StepPresence); err != nil {
		return err
	}
	s.setPassCookie(c, d.ID, token, pass.Expires)
	return s.toContest(c, stored)
}

// heldForPresence tells whether a voter has a ballot that the hall releases. Who is marked already
// scans again for it alone.
func (s *Server) heldForPresence(stored *registry.Stored, voter voting.Voter) (bool, error) {
	return within(s.base, func(ctx context.Context) (bool, error) {
		changes, err := s.releasable(ctx, stored, voter, antifraud.StepPresence)
		return len(changes) > 0, err
	})
}

// toContest leads to the contest's page, which says that the visitor is marked.
func (s *Server) toContest(c *fiber.Ctx, stored *registry.Stored) error {
	query := url.Values{"present": {"1"}}
	if lang := c.Query("lang"); lang == "fr" || lang == "en" {
		query.Set("lang", lang)
	}
	return c.Redirect("/c/"+stored.Contest.ID+"?"+query.Encode()+"#status", fiber.StatusSeeOther)
}

// presentStatus says on the contest's page that the visitor is marked, where that
// is so.
func presentStatus(c *fiber.Ctx, me *voting.Pass, w words) *status {
	if c.Query("present") == "" || me == nil || !me.Present {
		return nil
	}
	return &status{Kind: "good", Title: w.Say("presence.done"), Text: w.Say("presence.done.text")}
}

// sayPresence is a page without a button. stored may be nil.
func (s *Server) sayPresence(c *fiber.Ctx, stored *registry.Stored, status int, heading, text string) error {
	v := s.presenceView(c, stored)
	v.Heading, v.Text, v.Kind = v.Say(heading), v.Say(text), "wait"
	if status == fiber.StatusOK {
		v.Kind = "good"
	}
	return s.renderPresence(c, status, v)
}

func (s *Server) presenceView(c *fiber.Ctx, stored *registry.Stored) *presenceView {
	if stored == nil {
		lang := s.pageLang(c, "")
		return &presenceView{layout: s.layout(c, lang, s.texts.say(lang, "presence.title", nil))}
	}
	d := stored.Contest
	lang := s.pageLang(c, d.Locale)
	v := &presenceView{layout: s.layout(c, lang, s.texts.say(lang, "presence.title", nil)), Path: "/c/" + d.ID + chosen(c)}
	v.Contest, v.Brand, v.Theme = v.In(d.Title, d), d.Brand, themeHref(d)
	return v
}

func (s *Server) renderPresence(c *fiber.Ctx, status int, v *presenceView) error {
	if err := s.render(c, status, "presence.html", v.Lang, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store") // the code in its address is good for seconds
	return nil
}
