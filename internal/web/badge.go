package web

import (
	"fmt"
	"html"
	"image/color"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/card"
	"github.com/joute/joute/internal/live"
)

// badge is a small picture that pages and mails show as <img>: no script, no
// font and no style sheet goes with it, so widths are those of our own font and
// textLength makes the reader's take the same room.
type badge struct {
	Lang             string
	Place            string // on the accent
	Title, Text      string
	Label            string // the whole of it, to who does not see it
	Accent, On       color.RGBA
	Paper            color.RGBA
	Ink, Quiet, Edge string // colours of texts and of the outline
}

const (
	badgeHeight = 48
	badgePad    = 12
	badgeMost   = 300 // of the text's width: a phone is 360 wide
	titleSize   = 15
	textSize    = 12
	placeSize   = 21
)

// badgeOf answers with an entry's badge: its place and votes as anybody may see them.
func (s *Server) badgeOf(c *fiber.Ctx) error {
	stored, board, err := s.publicBoard(c)
	if err != nil {
		return err
	}
	entry, err := entryOf(c, stored.Contest)
	if err != nil {
		return err
	}
	b := s.newBadge(c, stored.Contest)
	w := words{s.texts, b.Lang}
	b.Title = orElse(shown(w.In(entry.Title, stored.Contest)), entry.ID)
	b.fill(w, stored, board, entry.ID)
	body := b.svg()
	etag := `"` + fingerprint(body) + `"`
	c.Set(fiber.HeaderETag, etag)
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	if matches(header(c, fiber.HeaderIfNoneMatch), etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return sendBadge(c, fiber.StatusOK, b.Lang, body)
}

// failBadge is a refusal as a badge: in an <img> a problem document is a broken picture.
func (s *Server) failBadge(c *fiber.Ctx, p *problem) error {
	d := &contest.Contest{}
	if stored, ok := s.cfg.Registry.Get(param(c, "contest")); ok {
		d = stored.Contest
	}
	b := s.newBadge(c, d)
	b.Place, b.Text = "–", "Joute"
	b.Title, _ = s.tell(c, b.Lang, p)
	b.Label = b.Title
	c.Set(fiber.HeaderCacheControl, "no-store")
	p.wait(c)
	return sendBadge(c, p.status, b.Lang, b.svg())
}

func sendBadge(c *fiber.Ctx, status int, lang string, body []byte) error {
	c.Set(fiber.HeaderContentLanguage, lang)
	c.Set(fiber.HeaderContentType, "image/svg+xml")
	return c.Status(status).Send(body)
}

// newBadge is one in the colours that were asked for. A picture cannot know what
// it stands on, so it brings its ground along.
func (s *Server) newBadge(c *fiber.Ctx, d *contest.Contest) *badge {
	b := &badge{Lang: s.choose(c.Query("lang"), "", d.Locale), Paper: color.RGBA{0xff, 0xff, 0xff, 0xff}, Ink: "#16161d", Quiet: "#55555f", Edge: "#c9c9d4"}
	if c.Query("theme") == "dark" {
		b.Paper, b.Ink, b.Quiet, b.Edge = color.RGBA{0x1b, 0x1b, 0x22, 0xff}, "#f2f2f6", "#a9a9b6", "#4a4a57"
	}
	b.Accent, b.On = accentOf(d)
	return b
}

// fill says the place and the votes, or why there are none.
func (b *badge) fill(w words, stored *registry.Stored, board *live.Board, id string) {
	d := stored.Contest
	name := w.In(d.Title, d)
	at, placed := standingOf(board, cardEntry, id)
	switch {
	case placed:
		b.Place = strconv.Itoa(at.rank) + ordinalSuffix(b.Lang, at.rank)
		b.Text = w.Count("frame.votes", at.votes) + " · " + name
		switch {
		case board.Frozen:
			b.Text = w.Count("frame.votes", at.votes) + " · " + w.Say("badge.frozen")
		case board.Phase != contest.PhaseVoting:
			b.Text = w.Count("frame.votes", at.votes) + " · " + w.Say("badge.final")
		}
		b.Label = sentences(b.Title, b.Place+" "+w.Say("card.of.e", "N", w.Number(int64(at.of))), b.Text)
		return
	case board.Hidden && begun(board.Phase):
		b.Place, b.Text = secret, w.Say("card.secret")+" · "+name
		b.Label = sentences(b.Title, w.Say("card.secret")+" "+w.Say("card.secret.until"), name)
		return
	}
	b.Place, b.Text = w.Say("badge.soon"), name
	if board.Phase == contest.PhaseVoting { // and nobody has, yet
		b.Place = w.Say("badge.vote")
	}
	b.Label = sentences(b.Title, name, cardFoot(w, stored, board))
}

// svg draws it. Everything is an attribute: a page may forbid styles in pictures.
func (b *badge) svg() []byte {
	title, titleWide := card.Fit(shown(b.Title), true, titleSize, badgeMost)
	text, textWide := card.Fit(shown(b.Text), false, textSize, badgeMost)
	_, placeWide := card.Fit(b.Place, true, placeSize, badgeMost)
	left := max(placeWide+2*badgePad, badgeHeight)
	width := int(left + max(titleWide, textWide) + 2*badgePad + 0.5)
	line := func(x, y float64, size int, weight, fill string, wide float64, text string) string {
		return fmt.Sprintf(`<text x="%.0f" y="%.0f" font-size="%d" font-weight="%s" fill="%s" textLength="%.0f" lengthAdjust="spacingAndGlyphs">%s</text>`,
			x, y, size, weight, fill, wide, html.EscapeString(text))
	}
	at := left + badgePad
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" lang="%[3]s" aria-labelledby="t">`+
		`<title id="t">%[4]s</title><clipPath id="c"><rect width="%[1]d" height="%[2]d" rx="10"/></clipPath>`+
		`<g clip-path="url(#c)"><path fill="%[5]s" d="M0 0h%[1]dv%[2]dH0z"/><path fill="%[6]s" d="M0 0h%.[7]fl-6 %[2]dH0z"/></g>`+
		`<rect x=".5" y=".5" width="%[8]d" height="%[9]d" rx="9.5" fill="none" stroke="%[10]s"/>`+
		`<g font-family="Verdana,DejaVu Sans,Geneva,sans-serif">%[11]s%[12]s%[13]s</g></svg>`,
		width, badgeHeight, b.Lang, html.EscapeString(shown(b.Label)), cssColour(b.Paper), cssColour(b.Accent), left+3, width-1, badgeHeight-1, b.Edge,
		line((left-placeWide)/2, 31.5, placeSize, "bold", cssColour(b.On), placeWide, b.Place),
		line(at, 21, titleSize, "bold", b.Ink, titleWide, title), line(at, 38, textSize, "normal", b.Quiet, textWide, text))
}

// shown is a text without what XML forbids and what turns the order of letters around.
func shown(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufffe' || r == '\uffff' || r == '\ufeff':
			return -1
		case r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
