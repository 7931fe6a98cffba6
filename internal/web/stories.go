package web

import (
	"context"
	"fmt"
	"image/color"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/card"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/sharing/reach"
)

// stories registers the pictures that people post themselves.
func (s *Server) stories(r fiber.Router) {
	r.Get("/story/:contest/e/:id.png", anySite(s.storyOf(cardEntry)))
	r.Get("/story/:contest/s/:id.png", anySite(s.storyOf(cardSchool)))
	r.Get("/k/:token/story.png", s.captainStory)
	r.Get("/k/:token/poster.svg", s.page(s.captainPoster))
}

// subject is what a picture is about.
type subject struct {
	kind  cardKind
	id    string
	name  string // as its document has it
	below string
}

// subjectOf is an entry or a school that is on a public path.
func subjectOf(w words, d *contest.Contest, kind cardKind, id string) (subject, error) {
	if kind == cardSchool {
		school, ok := d.School(id)
		if !ok {
			return subject{}, errNoSchool
		}
		return subject{kind, id, w.In(school.Name, d), school.City}, nil
	}
	entry, ok := d.Entry(id)
	if !ok || entry.Hidden {
		return subject{}, errNoEntry
	}
	school, _ := d.School(entry.School)
	return subject{kind, id, w.In(entry.Title, d), w.In(school.Name, d)}, nil
}

// storyOf answers with the story of an entry or a school. With ?via= it leads by
// that share link, where there is such a code of this contest; else to the page
// itself. So made-up codes are all the same picture.
func (s *Server) storyOf(kind cardKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		stored, err := s.contest(c)
		if err != nil {
			return err
		}
		lang := s.choose(c.Query("lang"), "", stored.Contest.Locale)
		about, err := subjectOf(words{s.texts, lang}, stored.Contest, kind, param(c, "id"))
		if err != nil {
			return err
		}
		link := s.site(c) + "/c/" + stored.Contest.ID + "/" + string(kind) + "/" + url.PathEscape(about.id)
		if via, err := sharing.ParseVia(sharing.SplitMark(query(c, "via"))); err == nil && s.leadsTo(via.Code, stored) {
			link = s.linkHref(c, via.Code, sharing.Story)
		}
		c.Set(fiber.HeaderCacheControl, "public, max-age=60") // an entry may be taken off
		return s.sendStory(c, stored, about, lang, link)
	}
}

// leadsTo says that a code is one of the contest's. While the store does not
// answer none is: the picture leads to the vote all the same.
func (s *Server) leadsTo(code sharing.Code, stored *registry.Stored) bool {
	to, err := within(s.base, func(ctx context.Context) (reach.Place, error) { return s.cfg.Reach.Find(ctx, code) })
	return err == nil && to.Contest == stored.Contest.ID
}

// sendStory answers with a story. It has no number: it is drawn once.
func (s *Server) sendStory(c *fiber.Ctx, stored *registry.Stored, about subject, lang, link string) error {
	d, w, phase := stored.Contest, words{s.texts, lang}, stored.Phase(time.Now())
	story := card.Story{Brand: d.Brand, Above: w.In(d.Title, d), Call: callOf(w, phase), Heading: about.name, Instead: about.id, Below: about.below, Link: link, Shown: bare(link)}
	story.Ground, story.Ink = accentOf(d)
	key := fmt.Sprint(about.kind.path(d.ID, about.id), " ", lang, " ", stored.Epoch, stored.Version, phase, " ", link)
	shown, err := s.drawnStories.get(key, story.Version(), story.PNG)
	if err != nil {
		return err
	}
	etag := `"` + shown.version + `"`
	c.Set(fiber.HeaderETag, etag)
	if matches(header(c, fiber.HeaderIfNoneMatch), etag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, "image/png")
	return c.Send(shown.body)
}

// callOf is what a picture asks for.
func callOf(w words, phase contest.Phase) string {
	switch phase {
	case contest.PhaseVoting:
		return w.Say("story.vote")
	case contest.PhaseClosed, contest.PhasePublished:
		return w.Say("story.over")
	default:
		return w.Say("story.soon")
	}
}

// bare is a link as people type it.
func bare(link string) string {
	_, rest, _ := strings.Cut(link, "://")
	return rest
}

// captainSubject is what a captain's picture is about, and the code it carries:
// the school, or the entry of it that ?entry= names.
func (s *Server) captainSubject(c *fiber.Ctx) (*registry.Stored, string, subject, sharing.Code, error) {
	stored, school, err := s.captain(c)
	if err != nil {
		return nil, "", subject{}, 0, err
	}
	lang := s.choose(c.Query("lang"), "", stored.Contest.Locale)
	kind, id := cardSchool, school
	entry := query(c, "entry")
	if entry != "" {
		kind, id = cardEntry, entry
		if of, ok := stored.Contest.Entry(entry); !ok || of.School != school {
			return nil, "", subject{}, 0, errNoEntry
		}
	}
	about, err := subjectOf(words{s.texts, lang}, stored.Contest, kind, id)
	if err != nil {
		return nil, "", subject{}, 0, err
	}
	code, err := s.captainCode(stored, school, entry)
	return stored, lang, about, code, err
}

// captainStory is the story by the captain's own link.
func (s *Server) captainStory(c *fiber.Ctx) error {
	stored, lang, about, code, err := s.captainSubject(c)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, max-age=60")
	return s.sendStory(c, stored, about, lang, s.linkHref(c, code, sharing.Story))
}

// posterPolicy lets the poster say how it is printed, and nothing else.
const posterPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

// captainPoster is a sheet to print. Drawing it takes a millisecond or two.
func (s *Server) captainPoster(c *fiber.Ctx) error {
	stored, lang, about, code, err := s.captainSubject(c)
	if err != nil {
		return err
	}
	d, w, link := stored.Contest, words{s.texts, lang}, s.linkHref(c, code, sharing.Poster)
	accent, _ := accentOf(d)
	poster := card.Poster{
		Lang: lang, Accent: readable(accent, color.RGBA{0xff, 0xff, 0xff, 0xff}), Brand: d.Brand, Above: w.In(d.Title, d), Call: callOf(w, stored.Phase(time.Now())),
		Heading: about.name, Instead: about.id, Below: about.below, Scan: w.Say("poster.scan"), Link: link, Shown: bare(link),
	}
	if closes := stored.Closes(); time.Now().Before(closes) {
		poster.Foot = w.Say("card.open", "At", w.Brief(closes, d.Location()))
	}
	body, err := poster.SVG()
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, posterPolicy)
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	c.Set(fiber.HeaderContentLanguage, lang)
	c.Set(fiber.HeaderContentType, "image/svg+xml")
	return c.Send(body)
}
