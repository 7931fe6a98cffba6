package web

import (
	"net/url"
	"regexp"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/sharing"
)

// carried is the link that a page was come to by, to go on with: what its address
// says in ?via=, with the mark of having been opened when it has one. Text of no
// such shape is left out.
func carried(c *fiber.Ctx) string {
	text := query(c, "via")
	if text == "" || !isVia(sharing.SplitMark(text)) {
		return ""
	}
	return text
}

// kept is the query that links between pages keep: a language that was chosen by
// hand, and the link the visitor came by. It may be empty.
func kept(c *fiber.Ctx) url.Values {
	query := url.Values{}
	if lang := c.Query("lang"); lang == "fr" || lang == "en" {
		query.Set("lang", lang)
	}
	if via := carried(c); via != "" {
		query.Set("via", via)
	}
	return query
}

// opened says that a text carries the mark of a link that was opened today.
func (s *Server) opened(carried string) bool {
	_, opened, err := s.marks.Open(carried, time.Now())
	return err == nil && opened
}

// sealed marks a link as opened, where it is one of ours and has no mark yet.
func (s *Server) sealed(carried string) string {
	if via, err := sharing.ParseVia(carried); err == nil {
		return s.marks.Seal(via, time.Now())
	}
	return carried
}

// formAttempt is what the server saw of a form, of which it made the part that
// says whether the link was opened.
func (s *Server) formAttempt(c *fiber.Ctx, stored *registry.Stored, f *voteForm) antifraud.Attempt {
	attempt := s.attempt(c, stored, f.entry, f.pass, f.client)
	attempt.Opened = f.opened
	return attempt
}

// robots are what opens a link to show what is behind it, or to list it. Phones
// of the make CUBOT are none.
var robots = regexp.MustCompile(`(?i)(?:^|[^u])bot\b|^whatsapp/|facebookexternalhit|facebookcatalog|meta-externalagent|skypeuripreview|` +
	`crawl|spider|preview|embedly|iframely|vkshare|pinterest/|slack-imgproxy|snap url|mastodon/|lighthouse`)

// byRobot says that nobody looks at the answer to a request: it is a robot's, asks
// for no page, or a browser's that only expects somebody to ask.
func byRobot(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodHead || robots.MatchString(header(c, fiber.HeaderUserAgent)) ||
		c.Get("Sec-Purpose") != "" || c.Get("Purpose") == "prefetch"
}
