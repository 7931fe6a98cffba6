package web

import (
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"
)

// DemoMail is a mail that the demo's own mail server took.
type DemoMail struct {
	To, Subject, Text string
	At                time.Time
}

type demoMailPage struct {
	layout
	Still  bool   // it does not refresh itself
	Switch string // to the other of still and refreshing
	Mails  []shownMail
}

type shownMail struct {
	Subject, To, At, Clock string
	Text                   []mailPiece
}

// mailPiece is a piece of a mail's text. Href is empty but for an address.
type mailPiece struct{ Text, Href string }

// demoMail shows the mails that the demo sent, which go nowhere else. It loads
// itself again every few seconds, unless told not to.
func (s *Server) demoMail(c *fiber.Ctx) error {
	if s.cfg.DemoMail == nil {
		return errNotFound
	}
	lang := s.pageLang(c, "")
	p := demoMailPage{layout: s.layout(c, lang, s.texts.say(lang, "demo.mail.title", nil)), Still: c.Query("still") != ""}
	p.Switch = "/demo/mail?lang=" + lang
	if p.Still {
		p.Other += "&still=1"
	} else {
		p.Switch += "&still=1"
	}
	for _, m := range s.cfg.DemoMail() {
		p.Mails = append(p.Mails, shownMail{Subject: m.Subject, To: m.To, At: m.At.UTC().Format(time.RFC3339), Clock: m.At.Local().Format(time.TimeOnly), Text: pieces(m.Text)})
	}
	if err := s.render(c, fiber.StatusOK, "demomail.html", lang, p); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return nil
}

var addressInText = regexp.MustCompile(`https?://[^\s<>"]+`)

// pieces finds the addresses in a text, to be pressed as a mail reader has them.
func pieces(text string) (out []mailPiece) {
	last := 0
	for _, at := range addressInText.FindAllStringIndex(text, -1) {
		if at[0] > last {
			out = append(out, mailPiece{Text: text[last:at[0]]})
		}
		out = append(out, mailPiece{text[at[0]:at[1]], text[at[0]:at[1]]})
		last = at[1]
	}
	if last < len(text) {
		out = append(out, mailPiece{Text: text[last:]})
	}
	return out
}
