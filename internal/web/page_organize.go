package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/panics"
)

// organize registers the pages of organizers. Who has not signed in is led to
// where one does, and learns nothing on the way.
func (s *Server) organize(r fiber.Router) {
	r.Get("/organize", s.page(s.signedIn(s.organizeHome)))
	r.Get("/organize/login", s.page(s.loginPage))
	r.Post("/organize/login", s.page(s.signIn))
	r.Post("/organize/logout", s.page(s.signOut))
	r.Get("/organize/logout", func(c *fiber.Ctx) error { // a reload of where the form led
		return c.Redirect("/organize"+chosen(c), fiber.StatusSeeOther)
	})
	r.Get("/organize/:contest/held", s.page(s.signedIn(s.heldPage)))
	r.Post("/organize/:contest/held", s.page(s.signedIn(s.announcedAct)))
	r.Get("/organize/:contest/farms", s.page(s.signedIn(s.farmsPage)))
	r.Post("/organize/:contest/farms", s.page(s.signedIn(s.liftFarm)))
}

// signedIn lets organizers through.
func (s *Server) signedIn(next func(*fiber.Ctx, session) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "private, no-store")
		who, ok := s.organizerSession(c)
		if !ok {
			to := "/organize/login" + chosen(c)
			if stored, found := s.cfg.Registry.Get(param(c, "contest")); found {
				sep := "?"
				if chosen(c) != "" {
					sep = "&"
				}
				to += sep + "contest=" + stored.Contest.ID
			}
			return c.Redirect(to, fiber.StatusSeeOther)
		}
		return next(c, who)
	}
}

// tool is what every page of organizers has.
type tool struct {
	layout
	Lead   string
	Logout string // where signing out goes; empty: nobody is signed in
}

func (s *Server) tool(c *fiber.Ctx, lang, title string) tool {
	t := tool{layout: s.layout(c, lang, title)}
	t.Theme, t.Home = asset("organize.css"), "/organize"+chosen(c)
	return t
}

// renderTool answers with a page that nothing keeps.
func (s *Server) renderTool(c *fiber.Ctx, status int, name, lang string, data any) error {
	err := s.render(c, status, name, lang, data)
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return err
}

type loginView struct {
	tool
	Action  string
	Contest string // to go on to
	Fault   string
}

func (s *Server) loginPage(c *fiber.Ctx) error {
	return s.showLogin(c, query(c, "contest"), fiber.StatusOK)
}

// showLogin answers with the form; any other status than 200 says that the key was
// not it.
func (s *Server) showLogin(c *fiber.Ctx, contestID string, status int) error {
	lang := s.pageLang(c, "")
	v := loginView{tool: s.tool(c, lang, s.texts.say(lang, "organize.login.title", nil)), Action: "/organize/login" + chosen(c)}
	v.Lead = v.Say("organize.login.lead")
	if stored, ok := s.cfg.Registry.Get(contestID); ok {
		v.Contest = stored.Contest.ID
		v.Other += "&contest=" + v.Contest
	}
	if status != fiber.StatusOK {
		v.Fault = v.Say("organize.login.refused")
	}
	return s.renderTool(c, status, "login.html", lang, v)
}

type organizeView struct {
	tool
	Contests []organizedContest
}

// organizedContest is a contest with what waits in it.
type organizedContest struct {
	ID                             string // what commands and the API call it
	Href, Title, Brand, When, Held string
	Waiting                        bool
}

// organizeHome lists the contests and how much waits in each.
func (s *Server) organizeHome(c *fiber.Ctx, _ session) error {
	lang := s.pageLang(c, "")
	v := organizeView{tool: s.tool(c, lang, s.texts.say(lang, "organize.title", nil))}
	v.Lead, v.Logout = v.Say("organize.lead"), "/organize/logout"+chosen(c)
	stored := s.cfg.Registry.List()
	v.Contests = make([]organizedContest, len(stored))
	_, err := within(s.base, func(ctx context.Context) (any, error) {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(lookupsAtOnce)
		for i, one := range stored {
			group.Go(panics.Caught(func() error {
				count, err := s.cfg.Boxes.Tally(ctx, one)
				if err != nil {
					return err
				}
				d := one.Contest
				v.Contests[i] = organizedContest{
					ID: d.ID, Href: "/organize/" + d.ID + "/held" + chosen(c), Title: v.In(d.Title, d), Brand: d.Brand,
					When: phaseLine(v.words, one, one.Phase(time.Now()), one.Closes()), Held: v.waiting(count.Live.Held), Waiting: count.Live.Held > 0,
				}
				return nil
			}))
		}
		return nil, group.Wait()
	})
	if err != nil {
		return err
	}
	return s.renderTool(c, fiber.StatusOK, "organize.html", lang, v)
}

// waiting is how many ballots wait for a decision, in words.
func (w words) waiting(n int64) string {
	if n == 0 {
		return w.Say("held.none")
	}
	return w.Count("held.waiting", n)
}

// school names a school of a contest.
func (w words) school(d *contest.Contest, id string) string {
	school, _ := d.School(id)
	return w.In(school.Name, d)
}
