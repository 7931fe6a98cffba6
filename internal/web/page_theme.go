package web

import (
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/image/colornames"

	"github.com/joute/joute/contest"
)

// ownAccent is the colour of pages that no contest gives one.
const ownAccent = "#4338ca"

// The grounds text stands on in joute.css, light and dark: the least favourable of each.
var (
	paper = color.RGBA{0xf1, 0xf1, 0xf5, 0xff}
	night = color.RGBA{0x20, 0x20, 0x2a, 0xff}
)

// theme is the style sheet of a contest's colours.
func (s *Server) theme(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	sheet := themeOf(stored.Contest)
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	if c.Query("v") == fingerprint(sheet) {
		c.Set(fiber.HeaderCacheControl, forever)
	}
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	return c.Send(sheet)
}

func themeHref(c *contest.Contest) string {
	return "/c/" + c.ID + "/theme.css?v=" + fingerprint(themeOf(c))
}

// themeOf sets the accent as a ground, a text colour on it that can be read, and
// the accent as a text on light and on dark, moved just far enough to be read.
// A page that says which of the two it is, such as a wall, is believed.
// The document's colour is parsed and written anew, never copied.
func themeOf(c *contest.Contest) []byte {
	accent, on, light, dark := coloursOf(c)
	return fmt.Appendf(nil, ":root{--accent:%s;--on-accent:%s;--accent-text:%s}\n@media(prefers-color-scheme:dark){:root{--accent-text:%s}}\n"+
		":root[data-theme=light]{--accent-text:%[3]s}:root[data-theme=dark]{--accent-text:%[4]s}\n", accent, on, light, dark)
}

// frameTheme is the same for a frame, whose page may ask for light or dark
// whatever the reader's machine prefers.
func frameTheme(c *contest.Contest) template.CSS {
	accent, on, light, dark := coloursOf(c)
	return template.CSS(fmt.Sprintf(":root{--accent:%s;--on-accent:%s;--accent-text:%s}:root[data-theme=dark]{--accent-text:%s}"+
		"@media(prefers-color-scheme:dark){:root[data-theme=auto]{--accent-text:%[4]s}}", accent, on, light, dark))
}

func coloursOf(c *contest.Contest) (ground, on, light, dark string) {
	accent, text := accentOf(c)
	return cssColour(accent), cssColour(text), cssColour(readable(accent, paper)), cssColour(readable(accent, night))
}

// accentOf is the contest's colour, and black or white to read on it.
func accentOf(c *contest.Contest) (accent, on color.RGBA) {
	accent, on = parseColour(c.Accent), color.RGBA{0xff, 0xff, 0xff, 0xff}
	if black := (color.RGBA{A: 0xff}); contrast(black, accent) > contrast(on, accent) {
		on = black
	}
	return accent, on
}

// parseColour reads the two forms a document may have. Transparency is left
// out: nothing is behind a page.
func parseColour(text string) color.RGBA {
	if text == "" {
		text = ownAccent
	}
	if text[0] != '#' {
		if text == "rebeccapurple" { // of CSS Color 4; the other names are older
			return color.RGBA{0x66, 0x33, 0x99, 0xff}
		}
		return colornames.Map[text]
	}
	digits := text[1:]
	if len(digits) < 6 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, _ := strconv.ParseUint(digits[:6], 16, 32) // checked by package contest
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 0xff}
}

func cssColour(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// luminance is the relative luminance of WCAG 2.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// contrast is the contrast ratio of WCAG 2, 1 to 21.
func contrast(a, b color.RGBA) float64 {
	light, dark := luminance(a), luminance(b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// readable moves c towards black or white, away from the ground, until it has
// the 4.5 to 1 that text needs.
func readable(c, ground color.RGBA) color.RGBA {
	target := 0.0
	if luminance(ground) < 0.5 {
		target = 255
	}
	for step := 0; step <= 20; step++ {
		share := float64(step) / 20
		mix := func(v uint8) uint8 { return uint8(math.Round(float64(v)*(1-share) + target*share)) }
		if mixed := (color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}); contrast(mixed, ground) >= 4.5 {
			return mixed
		}
	}
	return color.RGBA{uint8(target), uint8(target), uint8(target), 0xff}
}
