package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/contest/registry"
)

const (
	headerFetchSite = "Sec-Fetch-Site"
	maxAgePreflight = "600"
)

// anyOrigin lets pages of any site read an answer. No credentials go with it.
func anyOrigin(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		allowAnyOrigin(&c.Response().Header)
		return next(c)
	}
}

func allowAnyOrigin(h *fasthttp.ResponseHeader) {
	h.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	h.Set(fiber.HeaderAccessControlExposeHeaders, "ETag, X-Request-Id, Retry-After")
}

// embedOrigins lets only the pages that the contest names read an answer.
func (s *Server) embedOrigins(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		s.echoOrigin(c)
		return next(c)
	}
}

func (s *Server) echoOrigin(c *fiber.Ctx) {
	if len(c.Response().Header.PeekBytes(variesByOrigin.name)) == 0 {
		variesByOrigin.set(c)
	} else {
		c.Vary(fiber.HeaderOrigin)
	}
	origin := header(c, fiber.HeaderOrigin)
	if origin == "" {
		return
	}
	if stored, ok := s.cfg.Registry.Get(param(c, "contest")); ok && slices.Contains(stored.Contest.Embed.Origins, origin) {
		c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
		c.Set(fiber.HeaderAccessControlExposeHeaders, "X-Request-Id, Retry-After")
	}
}

// preflight answers OPTIONS for a path: methods are what it takes, open those
// that any origin may read.
func (s *Server) preflight(methods, open []string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		asked := header(c, fiber.HeaderAccessControlRequestMethod)
		if asked == "" {
			c.Set(fiber.HeaderAllow, strings.Join(methods, ", "))
			return c.SendStatus(fiber.StatusNoContent)
		}
		c.Vary(fiber.HeaderAccessControlRequestMethod)
		if slices.Contains(open, asked) {
			c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
		} else {
			s.echoOrigin(c)
		}
		c.Set(fiber.HeaderAccessControlAllowMethods, strings.Join(methods, ", "))
		c.Set(fiber.HeaderAccessControlAllowHeaders, "Authorization, Content-Type")
		c.Set(fiber.HeaderAccessControlMaxAge, maxAgePreflight)
		return c.SendStatus(fiber.StatusNoContent)
	}
}

// foreign says that a browser sent the request from a page that is neither ours
// nor one the contest names. Programs that are no browser send neither header
// and are never foreign: they have no voter's cookies to misuse.
func (s *Server) foreign(c *fiber.Ctx, stored *registry.Stored) bool {
	site, origin := header(c, headerFetchSite), header(c, fiber.HeaderOrigin)
	switch {
	case site == "same-origin" || site == "none":
		return false
	case origin == "":
		return site != ""
	default:
		return !s.ownOrigin(c, origin) && !slices.Contains(stored.Contest.Embed.Origins, origin)
	}
}

// ownOrigin compares with the public URL, or else with the host that was asked.
func (s *Server) ownOrigin(c *fiber.Ctx, origin string) bool {
	from, err := url.Parse(origin)
	if err != nil || from.Host == "" {
		return false // "null" too
	}
	if own, err := url.Parse(s.cfg.PublicURL); err == nil && own.Host != "" {
		if strings.EqualFold(from.Scheme, own.Scheme) && strings.EqualFold(from.Host, own.Host) {
			return true
		}
	}
	return strings.EqualFold(from.Host, string(c.Request().Header.Host()))
}
