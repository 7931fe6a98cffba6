package web

import (
	"context"
	"log/slog"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/mail"
)

// fanPages registers the pages of a contest's community. Links of mails stand
// apart from the contest's address: they work when its offer is over, too.
func (s *Server) fanPages(r fiber.Router) {
	r.Post("/c/:contest/fan", s.page(s.askFan))
	r.Get("/c/:contest/fan", s.page(s.askedFan))
	r.Get("/fan/:token", s.page(s.confirmFanPage))
	r.Post("/fan/:token", s.page(s.confirmFan))
	r.Get("/fan/leave/:token", s.page(s.leaveFanPage))
	r.Post("/fan/leave/:token", s.page(s.leaveFan))
}

// fanView is what fan.html shows: one thing about the community, with a form, a
// button or neither.
type fanView struct {
	layout
	Contest, Path string
	Community     string
	Lines         []string
	OptIn         []string // the text agreed to, quoted
	Form          *fanForm
	Action        string // of the one button
	Button        string
	Leave         string // link
	Links         contest.Links
	Contact       string
}

// fanPage starts a page about the community of a contest.
func (s *Server) fanPage(c *fiber.Ctx, stored *registry.Stored, lang string) *fanView {
	d := stored.Contest
	v := &fanView{layout: s.layout(c, lang, ""), Links: d.Links, Contact: contactHref(d.Links.Contact)}
	v.Contest, v.Path, v.Brand, v.Theme = v.In(d.Title, d), "/c/"+d.ID+"?lang="+lang, d.Brand, themeHref(d)
	v.Community = d.Brand // for links that outlive the offer
	if d.Community != nil {
		v.Community = d.Community.Name
	}
	if v.Community == "" {
		v.Community = v.Contest
	}
	return v
}

// renderFan shows a page that is for one reader and no cache.
func (s *Server) renderFan(c *fiber.Ctx, status int, v *fanView) error {
	if err := s.render(c, status, "fan.html", v.Lang, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return nil
}

// showFanForm shows the form once more, with what is to be put right.
func (s *Server) showFanForm(c *fiber.Ctx, stored *registry.Stored, status int, f *fanForm) error {
	v := s.fanPage(c, stored, f.Lang)
	v.Title, v.Form = v.Say("fan.title", "Community", f.Community), f
	v.Other = "" // the page came of a form, whose text was in this language
	return s.renderFan(c, status, v)
}

// askFan takes the form of an offer. Whether the address is known, new, or had
// its mails of this hour, the answer is the same and takes as long.
func (s *Server) askFan(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	if !s.offersCommunity(c, d) {
		return errNotFound
	}
	if !s.fromOwnPage(c) {
		return errForbidden
	}
	f, err := s.readFanForm(c, stored)
	switch {
	case f == nil:
		return err
	case f.Age == "under" && f.policy == contest.Under15Hide:
		// Thanked, and asked nothing further: whatever else was filled in is dropped.
		return c.Redirect("/c/"+d.ID+"/fan?age=under&lang="+f.Lang+"#status", fiber.StatusSeeOther)
	case isExpired(err):
		f.Notice = f.Say("fan.expired")
		return s.showFanForm(c, stored, fiber.StatusForbidden, f)
	case err != nil:
		return err
	case f.Age == "under" && !f.Parental:
		f.Parental, f.Email, f.Sealed = true, "", "" // the child's address is not a parent's
		return s.showFanForm(c, stored, fiber.StatusOK, f)
	case !s.check(f):
		return s.showFanForm(c, stored, fiber.StatusUnprocessableEntity, f)
	}
	asked, err := s.askByMail(c, stored, f)
	if p := problemOf(err); p != nil && p.status == fiber.StatusServiceUnavailable {
		s.log.Warn("opt-in unanswered", slog.String("request", s.requestID(c)), slog.String("code", p.code), slog.Any("error", err))
		f.Notice = f.Say("fan.busy")
		p.wait(c)
		return s.showFanForm(c, stored, p.status, f) // with what was typed
	}
	if p := problemOf(err); p != nil && p.challenge != nil {
		if f.Challenge, err = newChallengeView(f.words, p.challenge, true, f.Say("challenge.fan.plain")); err != nil {
			return err
		}
		return s.showFanForm(c, stored, p.status, f)
	}
	if err != nil {
		return err
	}
	if asked == fans.Full {
		f.Notice = f.Say("fan.full")
		c.Set(fiber.HeaderRetryAfter, "3600")
		return s.showFanForm(c, stored, fiber.StatusServiceUnavailable, f)
	}
	return c.Redirect("/c/"+d.ID+"/fan?lang="+f.Lang+"#status", fiber.StatusSeeOther)
}

// askByMail keeps the request and writes to the address.
func (s *Server) askByMail(c *fiber.Ctx, stored *registry.Stored, f *fanForm) (fans.Asked, error) {
	d := stored.Contest
	fan, err := s.cfg.Fans.Fan(stored, f.address.Canonical())
	if err != nil {
		return "", err
	}
	r := fans.Request{
		Fan: fan, Address: f.address.Deliver(), School: f.facts.School, Wording: f.wording(), Page: f.facts.Page, Channel: f.facts.Channel,
		Lang: f.Lang, Under15Parent: f.Parental,
	}
	if err := r.Ask.UnmarshalText([]byte(f.facts.Ask)); err != nil {
		return "", errFormForged
	}
	// Both letters are written before the store is asked, whichever is sent.
	leave := s.fanLink(c, "/fan/leave/", community.Token{Purpose: community.ToLeave, Contest: d.ID, Fan: fan}, f.Lang)
	optIn := mail.OptIn(f.Lang, mail.OptInLetter{
		Community: d.Community.Name, Contest: f.In(d.Title, d), OptIn: r.Wording.Text, LeaveURL: leave,
		ConfirmURL: s.fanLink(c, "/fan/", community.Token{Purpose: community.ToConfirm, Contest: d.ID, Fan: fan, Ask: r.Ask}, f.Lang),
	})
	joined := mail.Joined(f.Lang, mail.JoinedLetter{Community: d.Community.Name, Contest: f.In(d.Title, d), LeaveURL: leave})
	from, me := s.address(c), s.visitor(c, stored)
	asked, err := within(s.base, func(ctx context.Context) (fans.Asked, error) {
		if inHall := me != nil && me.Present; !inHall && !f.proven {
			if err := s.affordMail(ctx, stored, fanMails, from, f.solution, fan); err != nil {
				return "", err
			}
		}
		return s.cfg.Fans.Ask(ctx, stored, r)
	})
	if err != nil {
		return "", err
	}
	switch asked {
	case fans.Pending:
		s.metrics.fans.WithLabelValues(fanAsked).Inc()
		optIn.To = f.address
		s.cfg.Mail.Put(optIn) // what becomes of it is the same to who asked, and counted
	case fans.Member:
		joined.To = f.address
		s.cfg.Mail.Put(joined)
	case fans.Full:
		s.metrics.fans.WithLabelValues(fanFull).Inc() // not logged one by one: thousands may come
	}
	return asked, nil
}

// fanLink is the address, for a mail, of a page that a token opens.
func (s *Server) fanLink(c *fiber.Ctx, path string, token community.Token, lang string) string {
	return s.mailSite(c) + path + s.fanTokens.Seal(token) + "?lang=" + url.QueryEscape(lang)
}

// askedFan says what to do next: to look into the mailbox, or nothing.
func (s *Server) askedFan(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if !s.offersCommunity(c, stored.Contest) {
		return errNotFound
	}
	v := s.fanPage(c, stored, s.pageLang(c, stored.Contest.Locale))
	switch {
	case c.Query("age") == "under":
		v.Title, v.Lines = v.Say("fan.young.title"), []string{v.Say("fan.young")}
		v.Other += "&age=under"
	case s.cfg.Mail.Down():
		v.Title, v.Lines = v.Say("fan.sent.title"), []string{v.Say("fan.down"), v.Say("fan.sent.stays", "Community", v.Community)}
	default:
		v.Title, v.Lines = v.Say("fan.sent.title"), []string{v.Say("fan.sent"), v.Say("fan.sent.late"), v.Say("fan.sent.stays", "Community", v.Community)}
	}
	return s.renderFan(c, fiber.StatusOK, v)
}
