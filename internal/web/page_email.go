package web

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// emailView is what email.html shows: first the form for an address, then the one
// for the code that was sent there.
type emailView struct {
	layout
	Contest, Path string
	For           string // title of the entry whose vote waits for the proof, or empty
	Pending       string // empty: no code is waited for
	Try           string // names what is sent with the form: sent again, it is the same try
	Down          bool   // mails do not leave now
	Fault         string // why what was sent cannot be taken
	Typed         string // the address again, with a fault
	Fields        []field
	Action        string
	Another       string // address of the page that asks for another code
	Links         contest.Links
	Contact       string
	Challenge     *challengeView // nil: none is needed

	made *antifraud.Challenge // that the form was asked for when it was sent
}

// needsEmail says that a vote with this pass must wait for the proof of an address,
// which can be given here.
func (s *Server) needsEmail(stored *registry.Stored, pass voting.Pass) bool {
	return s.votesByEmail(stored.Contest) && !pass.Level.AtLeast(contest.LevelEmail)
}

// votesByEmail says that the contest asks for an address, and that this server can
// find out whose it is.
func (s *Server) votesByEmail(d *contest.Contest) bool {
	return d.Identity == contest.LevelEmail && s.cfg.Mail != nil
}

// proveFirst leads a vote form to the proof that it needs.
func (s *Server) proveFirst(c *fiber.Ctx, d *contest.Contest, f voteForm) error {
	return c.Redirect(emailHref(c, d, "/email", errandFor(c, d, f)), fiber.StatusSeeOther)
}

// emailPage asks for an address.
func (s *Server) emailPage(c *fiber.Ctx) error {
	return s.sendEmailPage(c, fiber.StatusOK, func(*emailView) {})
}

// codePage asks for the code that was sent.
func (s *Server) codePage(c *fiber.Ctx) error {
	return s.sendEmailPage(c, fiber.StatusOK, func(v *emailView) { v.Pending = query(c, "pending") })
}

// sendEmailPage is either page, with what fill adds. The errand is the one of the
// address, or of the form.
func (s *Server) sendEmailPage(c *fiber.Ctx, status int, fill func(*emailView)) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if err := s.provable(stored); err != nil {
		return err
	}
	d := stored.Contest
	args := c.Request().URI().QueryArgs()
	if c.Method() == fiber.MethodPost {
		args = c.Request().PostArgs()
	}
	e := errandOf(d, args)
	lang := s.pageLang(c, d.Locale)
	v := &emailView{layout: s.layout(c, lang, ""), Path: "/c/" + d.ID + chosen(c), Fields: e.fields(), Down: s.cfg.Mail.Down(), Links: d.Links, Contact: contactHref(d.Links.Contact)}
	v.Contest, v.Brand, v.Theme = v.In(d.Title, d), d.Brand, themeHref(d)
	v.For = v.In(e.entry.Title, d)
	fill(v)
	if v.Pending == "" {
		if v.Challenge, err = s.mailChallenge(c, stored, v, e); err != nil {
			return err
		}
	}
	v.Title, v.Action = v.Say("proof.title"), "/c/"+d.ID+"/email"+chosen(c)
	page, pending := "/email", []field(nil)
	if v.Pending != "" {
		v.Title, v.Action, v.Try = v.Say("proof.code.title"), "/c/"+d.ID+"/email/code"+chosen(c), rand.Text()
		page, pending = "/email/code", []field{{"pending", v.Pending}}
		v.Another = emailHref(c, d, "/email", e)
	}
	other := url.Values{"lang": {v.OtherLang}}
	for _, f := range append(e.fields(), pending...) {
		other.Set(f.Name, f.Value)
	}
	v.Other = "/c/" + d.ID + page + "?" + other.Encode()
	if err := s.render(c, status, "email.html", lang, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return nil
}

// emailForm checks what both forms have in common.
func (s *Server) emailForm(c *fiber.Ctx) (*registry.Stored, *fasthttp.Args, error) {
	stored, err := s.contest(c)
	if err != nil {
		return nil, nil, err
	}
	form, err := s.ownForm(c)
	return stored, form, err
}

// askEmail takes the form of an address and leads to the one of the code.
func (s *Server) askEmail(c *fiber.Ctx) error {
	stored, form, err := s.emailForm(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	typed, e := string(form.Peek("email")), errandOf(d, form)
	asked, err := s.askCode(stored, codeAsk{
		lang: s.pageLang(c, d.Locale), address: typed, asks: s.voterHere(c, stored, e.own), from: s.address(c), solution: string(form.Peek("challenge")),
	})
	if p := problemOf(err); p != nil && (p.status == fiber.StatusBadRequest || p.status == fiber.StatusTooManyRequests) {
		return s.sendEmailPage(c, p.status, func(v *emailView) {
			_, v.Fault = s.tellProof(v.Lang, p)
			v.Typed = typed[:min(len(typed), maxTypedAgain)]
		})
	} else if p != nil && p.challenge != nil {
		return s.sendEmailPage(c, p.status, func(v *emailView) {
			v.made, v.Typed = p.challenge, typed[:min(len(typed), maxTypedAgain)]
		})
	}
	if err != nil {
		return err
	}
	return c.Redirect(emailHref(c, d, "/email/code", e, field{"pending", asked.Pending}), fiber.StatusSeeOther)
}

const maxTypedAgain = 300

// tellProof is a refusal of the proof in words for the page.
func (s *Server) tellProof(lang string, p *problem) (heading, text string) {
	d := p.document(s.texts, lang, "")
	return d.Title, d.Detail
}

// confirmEmail takes a code: the browser's pass is then of who reads the address.
// A vote that waited for it is cast.
func (s *Server) confirmEmail(c *fiber.Ctx) error {
	stored, form, err := s.emailForm(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	pending, code := string(form.Peek("pending")), typedCode(form)
	if pending == "" || len(pending) > maxPending {
		return s.askCodeAgain(c, pending, errCodeGone)
	}
	if !codeShape.MatchString(code) {
		return s.askCodeAgain(c, pending, &problem{status: fiber.StatusForbidden, code: "wrong-code", say: "shape"})
	}
	e := errandOf(d, form)
	seen := seenBy(form)
	seen.Via, seen.EmbedOrigin = "", "" // the errand's
	if e.entry.ID != "" {               // before the code is used up
		if _, err := (&castBody{Entry: e.entry.ID, Client: seen}).check(); err != nil {
			return err
		}
	}
	p, err := s.confirmCode(stored, pending, code, string(form.Peek("try")), s.voterHere(c, stored, e.own))
	if known := problemOf(err); known != nil && (known.code == "wrong-code" || known.code == "code-expired") {
		return s.askCodeAgain(c, pending, known)
	}
	if err != nil {
		return err
	}
	s.setPassCookie(c, d.ID, p.token, p.pass.Expires)
	s.setProvenCookie(c, d.ID, p.sealed)
	return s.endErrand(c, stored, e, seen, p)
}

// typedCode is the code of a form, without what people put between digits: 482 913.
func typedCode(form *fasthttp.Args) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, string(form.Peek("code")))
}

// askCodeAgain says what is wrong with a code, and asks for it again where it may still be
// tried; else for an address, for another code.
func (s *Server) askCodeAgain(c *fiber.Ctx, pending string, p *problem) error {
	return s.sendEmailPage(c, p.status, func(v *emailView) {
		_, v.Fault = s.tellProof(v.Lang, p)
		if p.status == fiber.StatusForbidden {
			v.Pending = pending
		}
	})
}

// endErrand leads on from a proof: to the receipt or the page from where it was asked for, or
// through the vote that waited for it.
func (s *Server) endErrand(c *fiber.Ctx, stored *registry.Stored, e errand, seen antifraud.Client, p proven) error {
	d := stored.Contest
	if kind, receipt, _ := strings.Cut(e.back, "/"); kind == "r" {
		if _, err := s.cfg.Receipts.Open(receipt); err == nil {
			return c.Redirect("/r/"+receipt+chosen(c)+"#status", fiber.StatusSeeOther)
		}
	}
	to, said := returnTo(d, e.back), kept(c)
	said.Set("proven", "1")
	if e.entry.ID != "" {
		f := s.waitingVote(e, p)
		// Of this page, where the vote is sent: nothing that was seen is carried in addresses.
		seen.Via, seen.EmbedOrigin, seen.Referrer = f.client.Via, f.client.EmbedOrigin, f.client.Referrer
		f.client = seen
		return s.castForm(c, stored, f, "/c/"+d.ID+"/vote"+chosen(c), to, said)
	}
	if receipt := s.newestReceipt(stored, p.pass.Voter); receipt != "" {
		said.Set("receipt", receipt)
	}
	return c.Redirect(to+"?"+said.Encode()+"#status", fiber.StatusSeeOther)
}

// newestReceipt is of the voter's last ballot, or empty: to say where it stands.
func (s *Server) newestReceipt(stored *registry.Stored, voter voting.Voter) string {
	casts, err := within(s.base, func(ctx context.Context) ([]voting.Cast, error) { return s.cfg.Boxes.Ballots(ctx, stored, voter) })
	if err != nil || len(casts) == 0 {
		return ""
	}
	return s.receipt(stored, casts[len(casts)-1])
}
