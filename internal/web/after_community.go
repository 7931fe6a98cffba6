package web

import (
	"crypto/rand"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/community"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// communityOffer is shown by the template after-community: to join the
// community, apart from the vote, or not to.
type communityOffer struct {
	words
	Declined bool // they said no just now
	Form     *fanForm
}

func (s *Server) offerCommunity(c *fiber.Ctx, v accepted) *communityOffer {
	d := v.stored.Contest
	entry, known := d.Entry(v.cast.Entry)
	if !known || v.cast.Standing != voting.Counted && v.cast.Standing != voting.Held || !s.offersCommunity(c, d) {
		return nil
	}
	if c.Query("fan") == "no" {
		return &communityOffer{words: v.words, Declined: true}
	}
	facts := fanFacts{
		Contest: d.ID, School: entry.School, Path: strings.Clone(c.Path()), Page: pageKind(c, d), Channel: community.ChannelSite, Lang: v.Lang,
	}
	if strings.HasSuffix(facts.Page, "/confirm") {
		facts.Channel, facts.Path = community.ChannelEmbed, "/c/"+d.ID // the window asks for a vote, which is in
	}
	var ask community.AskID
	rand.Read(ask[:]) // never fails
	facts.Ask = ask.String()
	form, err := s.newFanForm(d, facts, withoutOffer(c))
	if err != nil {
		s.log.Error("no offer of the community", slog.String("request", s.requestID(c)), slog.Any("error", err))
		return nil
	}
	if sealed := provenCookie(c, d.ID); sealed != "" {
		if _, known := s.openAddress(sealed, d.ID, time.Now()); known {
			form.Sealed = sealed
		}
	}
	return &communityOffer{words: v.words, Form: form}
}

// offersCommunity says whether there is an opt-in: the contest has one, and its
// mails can be sent, with links that lead here.
func (s *Server) offersCommunity(c *fiber.Ctx, d *contest.Contest) bool {
	return d.Community != nil && s.cfg.Mail != nil && s.mailSite(c) != ""
}

// mailSite is the site that links in mails lead to, or empty. Unlike a page's
// reader, a mail's did not make the request, so the Host it came with is not
// believed: anybody could have sent their links to somebody else's mailbox. Only
// on this very machine it is, for trials.
func (s *Server) mailSite(c *fiber.Ctx) string {
	if s.cfg.PublicURL != "" {
		return s.site(c)
	}
	at, err := url.Parse(s.site(c))
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(at.Hostname()); at.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return s.site(c)
	}
	return ""
}

// pageKind is the page at hand as a proof names it: /c/CONTEST/e/:entry for any
// entry's. Which entry's it was would say, beside an address, who was voted for.
func pageKind(c *fiber.Ctx, d *contest.Contest) string {
	return strings.Replace(c.Route().Path, ":contest", d.ID, 1)
}

// withoutOffer is the address at hand with the answer no.
func withoutOffer(c *fiber.Ctx) string {
	query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		query = url.Values{}
	}
	query.Set("fan", "no")
	return strings.Clone(c.Path()) + "?" + query.Encode() + "#status"
}
