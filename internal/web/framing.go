package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// nobody may frame a page.
const nobody = "'none'"

// ancestors says which pages may frame the answer to c: CSP's frame-ancestors.
// Widgets are for any page, unless their contest says `embed.only`; the rest is
// for none. It goes by the path alone, so that errors which no handler saw,
// such as a 405, are framed like the page that was asked for: a frame that a
// browser refuses is blank, and tells nobody why.
func (s *Server) ancestors(c *fiber.Ctx) string {
	rest, found := strings.CutPrefix(c.Path(), "/embed")
	if !found || rest != "" && rest[0] != '/' {
		return nobody
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	stored, found := s.cfg.Registry.Get(id)
	switch {
	case !found || !stored.Contest.Embed.Only:
		return "*"
	case len(stored.Contest.Embed.Origins) == 0:
		return nobody
	default:
		return strings.Join(stored.Contest.Embed.Origins, " ")
	}
}
