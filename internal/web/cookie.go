package web

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
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

// setPassCookie leaves a pass with the browser. Scripts cannot read it, and no
// other site's form or frame sends it.
func setPassCookie(c *fiber.Ctx, contestID, token string, expires time.Time) {
	age := min(time.Until(expires), maxCookieAge)
	c.Cookie(&fiber.Cookie{
		Name: passCookieName(contestID), Value: token, Path: "/", MaxAge: int(age.Seconds()),
		Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}
