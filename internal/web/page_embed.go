package web

import (
	"fmt"
	"html"
	"html/template"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
)

// embedView is what embed.html shows: the generator of snippets.
type embedView struct {
	layout
	Contest, Path string
	Board         bool // else a vote
	Langs, Themes []choice
	Entries       []choice
	Snippets      []snippet
	Link          string
	Badge         string // the address of an entry's picture, and what it says to who does not see it
	BadgeAlt      string
	QR            template.HTML
	Preview       string // empty: this page may not frame it
	PreviewTitle  string
	Height        int
	Policy        string // what a strict page must allow
	Origins       []string
}

type choice struct {
	Value, Name string
	Chosen      bool
}

type snippet struct{ ID, Title, Text, Code string }

// embedPage makes the HTML that a page owner pastes. It is a form by GET: what
// is chosen is in the address.
func (s *Server) embedPage(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	lang := s.pageLang(c, d.Locale)
	v := embedView{layout: s.layout(c, lang, s.texts.say(lang, "embed.title", nil)), Contest: words{s.texts, lang}.In(d.Title, d), Path: "/c/" + d.ID}
	v.Brand, v.Theme, v.Script, v.Origins = d.Brand, themeHref(d), asset("copy.js"), d.Embed.Origins
	shown := query(c, "entry")
	for _, e := range d.Entries {
		if !e.Hidden {
			v.Entries = append(v.Entries, choice{e.ID, v.In(e.Title, d), e.ID == shown})
		}
	}
	v.Board = c.Query("kind") == "board" || len(v.Entries) == 0
	if entry, ok := d.Entry(shown); len(v.Entries) > 0 && (!ok || entry.Hidden) {
		shown, v.Entries[0].Chosen = v.Entries[0].Value, true
	}
	widget, theme := query(c, "widget"), query(c, "theme") // ?lang= is this page's own
	for _, one := range []string{"", "fr", "en"} {
		v.Langs = append(v.Langs, choice{one, v.Say("embed.lang." + orAuto(one)), one == widget})
	}
	for _, one := range []string{"", "light", "dark"} {
		v.Themes = append(v.Themes, choice{one, v.Say("embed.theme." + orAuto(one)), one == theme})
	}
	v.fill(s.site(c), d, shown, widget, theme)
	if v.QR, err = qrSVG(v.Link, v.Say("embed.qr", "Link", v.Link)); err != nil {
		return err
	}
	if d.Embed.Only {
		v.Preview = ""
	}
	return s.renderUnder(c, strings.Replace(pagePolicy, "; form-action", "; frame-src 'self'; form-action", 1), fiber.StatusOK, "embed.html", lang, v)
}

// fill writes the snippets for what was chosen.
func (v *embedView) fill(site string, d *contest.Contest, entry, lang, theme string) {
	v.Policy = fmt.Sprintf("script-src %s; frame-src %[1]s", site)
	asked, attributes := url.Values{}, ` contest="`+d.ID+`"`
	element, path := "joute-board", "/embed/"+d.ID
	v.Link, v.Height, v.PreviewTitle = site+"/c/"+d.ID, boardHeight, v.Contest
	if !v.Board {
		element, path, v.Height = "joute-vote", path+"/"+entry, voteHeight
		v.Link += "/e/" + entry
		attributes += ` entry="` + entry + `"`
	}
	for _, one := range []struct {
		name, value string
		choices     []choice
	}{{"lang", lang, v.Langs}, {"theme", theme, v.Themes}} {
		for _, c := range one.choices {
			if c.Value == one.value && c.Value != "" {
				asked.Set(one.name, c.Value)
				attributes += " " + one.name + `="` + c.Value + `"`
			}
		}
	}
	v.Preview = path
	if len(asked) > 0 {
		v.Preview += "?" + asked.Encode()
	}
	title := html.EscapeString(v.Contest)
	// The table holds the place until the script is there, so that nothing below
	// moves, and needs no style, which a strict page would refuse.
	v.Snippets = []snippet{
		{"script", v.Say("embed.script.title"), v.Say("embed.script"), fmt.Sprintf("<script src=\"%s/embed/v1/loader.js\" async></script>\n<%s%s><table role=\"presentation\" width=\"100%%\" height=\"%d\"><tr><td align=\"center\"><a href=\"%s\">%s</a></table></%[2]s>",
			site, element, attributes, v.Height, v.Link, title)},
		{"frame", v.Say("embed.frame.title"), v.Say("embed.frame"), fmt.Sprintf(`<iframe src="%s" title="%s" width="100%%" height="%d" frameborder="0" allow="web-share"></iframe>`,
			html.EscapeString(site+v.Preview), title, v.Height)},
		{"link", v.Say("embed.link.title"), v.Say("embed.link"), fmt.Sprintf(`<a href="%s">%s</a>`, v.Link, title)},
	}
	if !v.Board {
		v.badge(site, d, entry, asked)
	}
}

// badge writes the snippets of an entry's badge.
func (v *embedView) badge(site string, d *contest.Contest, id string, asked url.Values) {
	v.Policy += "; img-src " + site
	v.Badge = "/badge/" + d.ID + "/" + id + ".svg"
	if len(asked) > 0 {
		v.Badge += "?" + asked.Encode()
	}
	entry, _ := d.Entry(id)
	v.BadgeAlt = entry.Title.In(v.Lang, d.Locale) + " · " + v.Contest
	v.Snippets = append(v.Snippets,
		snippet{"badge-html", v.Say("embed.badge.html"), v.Say("embed.badge"), fmt.Sprintf(`<a href="%s"><img src="%s" alt="%s" height="%d"></a>`,
			v.Link, html.EscapeString(site+v.Badge), html.EscapeString(v.BadgeAlt), badgeHeight)},
		snippet{"badge-markdown", v.Say("embed.badge.markdown"), v.Say("embed.badge"), fmt.Sprintf("[![%s](%s)](%s)", inMarkdown(v.BadgeAlt), site+v.Badge, v.Link)})
}

// inMarkdown is a text whose punctuation means nothing, to Markdown or to the HTML that may stand in it.
func inMarkdown(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r < 0x80 && strings.ContainsRune("\\`*_{}[]<>()#+-.!|&~\"'", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

func orAuto(value string) string {
	if value == "" {
		return "auto"
	}
	return value
}

// site is how browsers reach the server: the public URL, or else as the request did.
func (s *Server) site(c *fiber.Ctx) string {
	if s.cfg.PublicURL != "" {
		return strings.TrimSuffix(s.cfg.PublicURL, "/")
	}
	return "http://" + string(c.Request().Header.Host())
}
