package web

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// maxCookieAge is the longest that browsers keep a cookie.
const maxCookieAge = 400 * 24 * time.Hour

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
func setFramePassCookie(c *fiber.Ctx, contestID, token string, expires time.Time) {
	var cookie fasthttp.Cookie
	cookie.SetKey(framePassCookieName(contestID))
	cookie.SetValue(token)
	cookie.SetPath("/")
	cookie.SetMaxAge(int(min(time.Until(expires), maxCookieAge).Seconds()))
	cookie.SetSecure(true)
	cookie.SetHTTPOnly(true)
	cookie.SetSameSite(fasthttp.CookieSameSiteNoneMode)
	cookie.SetPartitioned(true)
	c.Response().Header.SetCookie(&cookie)
}

// setPassCookie leaves a pass with the browser. Scripts cannot read it, and no
// other site's form or frame sends it.
func setPassCookie(c *fiber.Ctx, contestID, token string, expires time.Time) {
	age := min(time.Until(expires), maxCookieAge)
	c.Cookie(&fiber.Cookie{
		Name: passCookieName(contestID), Value: token, Path: "/", MaxAge: int(age.Seconds()),
		Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// provenCookieName is the cookie of an address that was just proven, sealed: a form
// that needs it does not ask for it again (WCAG 2.2, 3.3.7).
func provenCookieName(contestID string) string { return "__Host-joute_proven-" + contestID }

func setProvenCookie(c *fiber.Ctx, contestID, sealed string) {
	c.Cookie(&fiber.Cookie{
		Name: provenCookieName(contestID), Value: sealed, Path: "/", MaxAge: int(fanFormLife.Seconds()),
		Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// provenCookie is the address that this browser has just proven, sealed, or empty.
func provenCookie(c *fiber.Ctx, contestID string) string {
	return strings.Clone(c.Cookies(provenCookieName(contestID)))
}
