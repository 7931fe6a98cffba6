package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
)

//go:embed templates/*.html
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*.html"))

// pagePolicy lets a page load our own style, script and pictures, talk to us and
// nobody else, and be in nobody's frame.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pages registers the pages. They are complete without JavaScript.
func (s *Server) pages(r fiber.Router) {
	r.Get("/", s.page(s.home))
	r.Get("/c/:contest", s.page(s.contestPage))
	r.Post("/c/:contest/vote", s.page(s.vote))
	r.Post("/c/:contest/share", s.given)
	r.Get("/s/:code", s.page(s.openLink))
	r.Get("/k/:token", s.page(s.captainPage))
	r.Get("/c/:contest/vote", func(c *fiber.Ctx) error { // a reload of where the form led
		return c.Redirect("/c/"+url.PathEscape(param(c, "contest")), fiber.StatusSeeOther)
	})
	r.Get("/c/:contest/e/:entry", s.page(s.entryPage))
	r.Get("/c/:contest/s/:school", s.page(s.schoolPage))
	r.Get("/c/:contest/email", s.page(s.emailPage))
	r.Post("/c/:contest/email", s.page(s.askEmail))
	r.Get("/c/:contest/email/code", s.page(s.codePage))
	r.Post("/c/:contest/email/code", s.page(s.confirmEmail))
	r.Get("/c/:contest/theme.css", s.theme)
	r.Get("/r/:receipt", s.page(s.receiptPage))
	r.Post("/r/:receipt/appeal", s.page(s.appealForm))
	r.Get("/r/:receipt/appeal", func(c *fiber.Ctx) error { // a reload of where the form led
		return c.Redirect("/r/"+url.PathEscape(param(c, "receipt"))+chosen(c), fiber.StatusSeeOther)
	})
	s.organize(r)
	r.Get("/tv/:contest", s.page(s.wall))
	r.Get("/demo/mail", s.page(s.demoMail))
	r.Get("/p/:token", s.page(s.presencePage))
	r.Post("/p/:token", s.page(s.markPresent))
	r.Get("/static/:file", s.static)
	s.fanPages(r)
	s.widgets(r)
	s.pictures(r)
	s.stories(r)
}

// page answers errors of next as a page too.
func (s *Server) page(next fiber.Handler) fiber.Handler {
	return s.pageOr(next, func(c *fiber.Ctx, p *problem) error { return s.failPage(c, p, message{}) })
}

// pageOr answers errors of next by say.
func (s *Server) pageOr(next fiber.Handler, say func(*fiber.Ctx, *problem) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := next(c)
		if err == nil {
			return nil
		}
		p := problemOf(err)
		switch {
		case p == nil:
			p = errInternal
			s.log.Error("page failed", slog.String("request", s.requestID(c)), slog.String("route", c.Route().Path), slog.Any("error", err))
		case p == errOverloaded:
			s.shed.refuse(classOf(c.Context()))
		case p.status >= 500:
			s.log.Warn("page refused", slog.String("request", s.requestID(c)), slog.String("code", p.code), slog.Any("error", err))
		}
		return say(c, p)
	}
}

// layout is what every page has.
type layout struct {
	words
	Title       string
	Description string
	Other       string // this page in the other language; empty: it cannot be asked for
	OtherLang   string
	OtherName   string
	Style       string
	Script      string
	Icon        string
	Theme       string // style sheet of the contest's colours; empty: Joute's own
	Brand       string
	Home        string
	Index       bool   // may be found by search engines
	Canonical   string // the one address of what the page shows; empty: it is not for sharing
	Share       *share // what a chat shows of a link to it
}

// Asset is the address of a file of static/.
func (layout) Asset(name string) string { return asset(name) }

// layout fills in the layout of the page at hand.
func (s *Server) layout(c *fiber.Ctx, lang, title string) layout {
	other, name := "en", "English"
	if lang == "en" {
		other, name = "fr", "Français"
	}
	elsewhere := kept(c)
	elsewhere.Set("lang", other)
	return layout{
		words: words{s.texts, lang}, Title: title,
		Other: strings.Clone(c.Path()) + "?" + elsewhere.Encode(), OtherLang: other, OtherName: name,
		Style: asset("joute.css"), Script: asset("board.js"), Icon: asset("icon.svg"), Home: home(c),
	}
}

// home keeps what links between pages keep.
func home(c *fiber.Ctx) string { return "/" + chosen(c) }

// chosen is kept, with its question mark unless it is empty.
func chosen(c *fiber.Ctx) string {
	if query := kept(c); len(query) > 0 {
		return "?" + query.Encode()
	}
	return ""
}

// render answers with a page. Pages hold ballot ids and passes made for one
// reader: nothing between keeps them.
func (s *Server) render(c *fiber.Ctx, status int, name, lang string, data any) error {
	return s.renderUnder(c, pagePolicy, status, name, lang, data)
}

// renderUnder is render with a Content-Security-Policy of its own.
func (s *Server) renderUnder(c *fiber.Ctx, policy string, status int, name, lang string, data any) error {
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Set(fiber.HeaderContentLanguage, lang)
	c.Vary(fiber.HeaderAcceptLanguage)
	c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
	return c.Status(status).Send(out.Bytes())
}

// message is a page that says one thing.
type message struct {
	layout
	Heading, Text string
	Again         *again // to press once more, the same ballot
	Proof         string // address of the page that takes a proof, with which it would go on; or empty
	Contests      []contestLink
}

// again is a vote form for the very same ballot.
type again struct {
	Action string
	Fields []field
}

// field is a hidden input.
type field struct{ Name, Value string }

// failPage is a refusal as a page: the same sentence as the API's problem, but
// where that one speaks of requests and ballot ids. m is what can be done about it.
func (s *Server) failPage(c *fiber.Ctx, p *problem, m message) error {
	lang := s.pageLang(c, "")
	m.Heading, m.Text = s.tell(c, lang, p)
	if p.status == fiber.StatusNotFound {
		m.Contests = s.contestLinks(c, lang)
		if stored, ok := s.cfg.Registry.Get(param(c, "contest")); ok { // it has no such page
			m.Contests = []contestLink{s.contestLink(c, lang, stored)}
		}
	}
	m.layout = s.layout(c, lang, m.Heading)
	if p == errNotFound {
		m.Other = "" // the address is anybody's: //elsewhere/ as a link would lead there
	}
	p.wait(c)
	return s.render(c, p.status, "message.html", lang, m)
}

// wantsPage says that a person is looking for a page: browsers ask for HTML, programs do
// not, and nobody asks the API for it.
func wantsPage(c *fiber.Ctx) bool {
	method := c.Method()
	return (method == fiber.MethodGet || method == fiber.MethodHead) && !strings.HasPrefix(c.Path(), "/v1/") &&
		strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML)
}

// tell is a refusal in words for who looks at a page.
func (s *Server) tell(c *fiber.Ctx, lang string, p *problem) (heading, text string) {
	switch p.code {
	case "store-unavailable", "overloaded":
		return s.texts.say(lang, "page.busy.title", nil), s.texts.say(lang, "page.busy", nil)
	case "internal-error":
		return s.texts.say(lang, "problem.internal-error.title", nil), s.texts.say(lang, "page.internal", map[string]any{"Request": s.requestID(c)})
	case "invalid-request":
		return s.texts.say(lang, "problem.invalid-request.title", nil), s.texts.say(lang, "page.invalid", nil)
	default:
		d := p.document(s.texts, lang, s.requestID(c))
		return d.Title, d.Detail
	}
}

// contestLink is a contest in a list.
type contestLink struct {
	Href, Title, Brand, When string
	Open                     bool
}

type homePage struct {
	layout
	Contests []contestLink
}

// home lists the contests that are open, then those to come.
func (s *Server) home(c *fiber.Ctx) error {
	lang := s.pageLang(c, "")
	p := homePage{layout: s.layout(c, lang, s.texts.say(lang, "page.home.title", nil)), Contests: s.contestLinks(c, lang)}
	p.Description, p.Index, p.Canonical = s.texts.say(lang, "page.home.description", nil), true, s.site(c)+"/"
	return s.render(c, fiber.StatusOK, "home.html", lang, p)
}

func (s *Server) contestLinks(c *fiber.Ctx, lang string) []contestLink {
	var open, coming []contestLink
	for _, stored := range s.cfg.Registry.List() {
		link := s.contestLink(c, lang, stored)
		switch stored.Phase(time.Now()) {
		case contest.PhaseVoting:
			open = append(open, link)
		case contest.PhaseUpcoming, contest.PhaseEntries, contest.PhaseBetween:
			coming = append(coming, link)
		}
	}
	return append(open, coming...)
}

func (s *Server) contestLink(c *fiber.Ctx, lang string, stored *registry.Stored) contestLink {
	w, d, phase := words{s.texts, lang}, stored.Contest, stored.Phase(time.Now())
	return contestLink{
		Href: "/c/" + d.ID + chosen(c), Title: w.In(d.Title, d), Brand: d.Brand, When: phaseLine(w, stored, phase, stored.Closes()), Open: phase == contest.PhaseVoting,
	}
}
