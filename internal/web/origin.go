package web

import (
	"bytes"
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
		s.echoOrigin(c.Context(), param(c, "contest"))
		return next(c)
	}
}

func (s *Server) echoOrigin(fctx *fasthttp.RequestCtx, contestID string) {
	h := &fctx.Response.Header
	vary(h, variesByOrigin)
	origin := fctx.Request.Header.Peek(fiber.HeaderOrigin)
	if len(origin) > 0 && s.embeds(contestID, origin) {
		h.SetBytesV(fiber.HeaderAccessControlAllowOrigin, origin)
		h.Set(fiber.HeaderAccessControlExposeHeaders, "X-Request-Id, Retry-After")
	}
}

// embeds tells whether an origin is one whose pages the contest names.
func (s *Server) embeds(contestID string, origin []byte) bool {
	stored, ok := s.cfg.Registry.Get(contestID)
	return ok && slices.Contains(stored.Contest.Embed.Origins, string(origin))
}

// vary adds to what an answer varies by.
func vary(h *fasthttp.ResponseHeader, by fixed) {
	if others := h.PeekBytes(by.name); len(others) > 0 {
		h.SetCanonical(by.name, slices.Concat(others, []byte(", "), by.value))
		return
	}
	h.SetCanonical(by.name, by.value)
}

// readRefusal lets pages read a refusal of the API that came before any route, as they may
// read the answers of its path: else they see a broken connection, no code and not when to
// come back.
func (s *Server) readRefusal(fctx *fasthttp.RequestCtx) {
	h := &fctx.Response.Header
	rest, found := bytes.CutPrefix(fctx.RequestURI(), []byte(onContests))
	switch {
	case !found || len(h.Peek(fiber.HeaderAccessControlAllowOrigin)) > 0 || len(h.PeekBytes(variesByOrigin.name)) > 0: // a route has decided
	case fctx.IsGet() || fctx.IsHead():
		allowAnyOrigin(h)
	default:
		contestID, _, _ := bytes.Cut(bytes.TrimPrefix(rest, []byte("/")), []byte("/"))
		s.echoOrigin(fctx, string(contestID))
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
		headers := "Authorization, Content-Type"
		if slices.Contains(open, asked) {
			c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
			headers += ", If-None-Match, Last-Event-ID" // of pages that read by fetch
		} else {
			s.echoOrigin(c.Context(), param(c, "contest"))
		}
		c.Set(fiber.HeaderAccessControlAllowMethods, strings.Join(methods, ", "))
		c.Set(fiber.HeaderAccessControlAllowHeaders, headers)
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
