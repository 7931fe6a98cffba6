package web

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const (
	// maxCookieAge is the longest that browsers keep a cookie.
	maxCookieAge = 400 * 24 * time.Hour

	// maxCookies bounds what a browser sends of ours: some dozen passes. With more, and
	// what else it says, a request is longer than maxHeaders, and every page refused.
	maxCookies = 4 << 10
)

// passCookieName: browsers take a __Host- cookie only from this very host, over
// TLS (or on loopback), for all its paths.
func passCookieName(contestID string) string { return "__Host-joute-" + contestID }

// passCookie is the pass that a page of ours left with this browser, or empty.
func passCookie(c *fiber.Ctx, contestID string) string {
	return strings.Clone(c.Cookies(passCookieName(contestID)))
}

// framePassCookieName is the cookie of our frame on another site's page. It is
// another one: on our own pages a browser could hold both.
func framePassCookieName(contestID string) string { return "__Host-joute_frame-" + contestID }

// framePassCookie is the pass of the frame at hand: the visitor's own where the
// browser gives it to frames, else the one of this site's frames. Or empty.
func framePassCookie(c *fiber.Ctx, contestID string) string {
	if token := passCookie(c, contestID); token != "" {
		return token
	}
	return strings.Clone(c.Cookies(framePassCookieName(contestID)))
}

// setFramePassCookie leaves a pass with the frames of ours on one site's pages,
// and no other site's: Partitioned. Only what was counted or held earns one.
func (s *Server) setFramePassCookie(c *fiber.Ctx, contestID, token string, expires time.Time) {
	s.setCookie(c, contestID, framePassCookieName(contestID), token, time.Until(expires))
}

// setPassCookie leaves a pass with the browser. Scripts cannot read it, and no
// other site's form or frame sends it.
func (s *Server) setPassCookie(c *fiber.Ctx, contestID, token string, expires time.Time) {
	s.setCookie(c, contestID, passCookieName(contestID), token, time.Until(expires))
}

// provenCookieName is the cookie of an address that was just proven, sealed: a form
// that needs it does not ask for it again (WCAG 2.2, 3.3.7).
func provenCookieName(contestID string) string { return "__Host-joute_proven-" + contestID }

func (s *Server) setProvenCookie(c *fiber.Ctx, contestID, sealed string) {
	s.setCookie(c, contestID, provenCookieName(contestID), sealed, fanFormLife)
}

// provenCookie is the address that this browser has just proven, sealed, or empty.
func provenCookie(c *fiber.Ctx, contestID string) string {
	return strings.Clone(c.Cookies(provenCookieName(contestID)))
}

// setCookie leaves a cookie of one contest with the browser, and lets go of those of others
// that it has no room for.
func (s *Server) setCookie(c *fiber.Ctx, contestID, name, value string, age time.Duration) {
	room := maxCookies - len(name) - len(value)
	for _, old := range s.cookiesAtHand(c) {
		switch {
		case old.name == name:
		case old.size > room && old.contest != contestID:
			writeCookie(c, old.name, "", -1)
		default:
			room -= old.size
		}
	}
	writeCookie(c, name, value, int(min(age, maxCookieAge).Seconds()))
}

// contestCookie is a cookie that names a contest.
type contestCookie struct {
	name, contest string
	size          int
}

// cookiesAtHand are the contests' cookies that came with a request: first those of contests
// that are not over, of each the newest first. Browsers send the oldest first.
func (s *Server) cookiesAtHand(c *fiber.Ctx) []contestCookie {
	var open, over []contestCookie
	for key, value := range c.Request().Header.Cookies() {
		name := string(key)
		family, contestID, found := strings.Cut(strings.TrimPrefix(name, "__Host-"), "-")
		if !found || family == name || !strings.HasPrefix(family, "joute") {
			continue
		}
		one := contestCookie{name, contestID, len(name) + len("=; ") + len(value)}
		if stored, ok := s.cfg.Registry.Get(contestID); ok && time.Now().Before(stored.Closes()) {
			open = append(open, one)
		} else {
			over = append(over, one)
		}
	}
	slices.Reverse(open)
	slices.Reverse(over)
	return append(open, over...)
}

// writeCookie sets a cookie, or deletes it with a negative age: as it was set, or a browser
// takes it for another one.
func writeCookie(c *fiber.Ctx, name, value string, age int) {
	var cookie fasthttp.Cookie
	cookie.SetKey(name)
	cookie.SetValue(value)
	cookie.SetPath("/")
	cookie.SetSecure(true)
	cookie.SetHTTPOnly(true)
	if age < 0 {
		cookie.SetExpire(fasthttp.CookieExpireDelete)
	} else {
		cookie.SetMaxAge(age)
	}
	cookie.SetSameSite(fasthttp.CookieSameSiteLaxMode)
	if strings.HasPrefix(name, framePassCookieName("")) {
		cookie.SetSameSite(fasthttp.CookieSameSiteNoneMode)
		cookie.SetPartitioned(true)
	}
	c.Response().Header.SetCookie(&cookie)
}
