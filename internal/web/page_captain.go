package web

import (
	"context"
	"html/template"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/sharing"
)

const (
	// materialsShown is how many entries of a school have pictures on its page.
	materialsShown = 12

	// reportPatience is how long the page waits for who brought whom: the first
	// time a server is asked it reads every ballot, and goes on when asked again.
	reportPatience = time.Second
)

// captainView is what captain.html shows. A captain is no organizer: numbers are
// those that anybody may see, and nothing is of single voters.
type captainView struct {
	layout
	Contest, Path string
	School, City  string
	Phase         string // for people
	Notices       []string

	Ranked       bool // the numbers may be seen, and there are some
	Placed       bool
	Rank, Of     int64
	Score        string // empty: the votes are the score
	Votes        int64
	Above, Below *gap
	Tied         string

	Link, WhatsApp string
	Messages       []pasted
	QR             template.HTML
	Materials      []material

	Hours    *hoursView
	Counting bool // who brought whom is not known yet
	Ballots  bool // ballots by channel may be seen
	Channels []channelView
	Review   string
	Growth   []string
}

// pasted is a text ready to be, in a language.
type pasted struct{ ID, Lang, Name, Text string }

// material is what to print and to post for the school, or for one entry of it.
type material struct{ Name, Poster, Story string }

func (s *Server) captainPage(c *fiber.Ctx) error {
	stored, id, err := s.captain(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	board, err := s.boardNow(stored)
	if err != nil {
		return err
	}
	school, _ := d.School(id)
	lang := s.pageLang(c, d.Locale)
	v := &captainView{layout: s.layout(c, lang, ""), Path: "/c/" + d.ID + "/s/" + id + chosen(c), City: school.City}
	v.Brand, v.Theme, v.Script = d.Brand, themeHref(d), asset("copy.js")
	v.Contest, v.School = v.In(d.Title, d), v.In(school.Name, d)
	v.Title = v.Say("captain.title", "School", v.School)
	v.Phase = phaseLine(v.words, stored, board.Phase, board.Closes)
	v.places(d, board, id)
	if err := s.captainHours(v, stored, id); err != nil {
		return err
	}
	s.captainReach(c, v, stored, board, id)
	if err := s.captainShares(c, v, stored, id); err != nil {
		return err
	}
	if err := s.render(c, fiber.StatusOK, "captain.html", lang, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return nil
}

// captainShares fills in the school's own link and what carries it.
func (s *Server) captainShares(c *fiber.Ctx, v *captainView, stored *registry.Stored, school string) error {
	d := stored.Contest
	code, err := s.captainCode(stored, school, "")
	if err != nil {
		return err
	}
	v.Link = s.linkHref(c, code, sharing.Copy)
	for _, lang := range []string{v.Lang, v.OtherLang} {
		w := words{s.texts, lang}
		of, _ := d.School(school)
		text := w.Say("captain.message", "School", w.In(of.Name, d), "Contest", w.In(d.Title, d)) + " " + s.linkHref(c, code, sharing.Message)
		v.Messages = append(v.Messages, pasted{"message-" + lang, lang, w.Say("captain.in." + lang), text})
	}
	share := v.Say("captain.message", "School", v.School, "Contest", v.Contest)
	v.WhatsApp = "https://wa.me/?text=" + textQuery(share+" "+s.linkHref(c, code, sharing.WhatsApp))
	link := s.linkHref(c, code, sharing.QR)
	if v.QR, err = qrSVG(link, v.Say("embed.qr", "Link", link)); err != nil {
		return err
	}
	base := "/k/" + param(c, "token")
	v.Materials = []material{{v.School, base + "/poster.svg?lang=" + v.Lang, base + "/story.png?lang=" + v.Lang}}
	for _, entry := range d.Entries {
		if entry.School == school && !entry.Hidden && len(v.Materials) <= materialsShown {
			query := "?entry=" + entry.ID + "&lang=" + v.Lang
			v.Materials = append(v.Materials, material{v.In(entry.Title, d), base + "/poster.svg" + query, base + "/story.png" + query})
		}
	}
	return nil
}

// captainReach fills in who came by the school's links. Visits are no votes and
// always told; what links brought is told with the rest of the numbers, and not
// while they are hidden or frozen, as it moves with every ballot.
func (s *Server) captainReach(c *fiber.Ctx, v *captainView, stored *registry.Stored, board *live.Board, school string) {
	ctx, cancel := context.WithTimeout(s.base, reportPatience)
	defer cancel()
	report, err := s.cfg.Reach.Report(ctx, stored)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("a captain's page without channels", slog.String("request", s.requestID(c)), slog.Any("error", err))
		}
		v.Counting = true
		return
	}
	of := report.School(school)
	v.Ballots = !board.Hidden && !board.Frozen && begun(board.Phase)
	for _, row := range of.Channels {
		if row.Visits > 0 || v.Ballots && row.Ballots > 0 {
			v.Channels = append(v.Channels, v.channel(row))
		}
	}
	if !v.Ballots {
		return
	}
	if of.Reviews > 0 {
		v.Review = v.Count("captain.review", of.Reviews)
	}
	v.Growth = v.growth(of.Row)
}

// captainHours fills in the votes of each hour that may be seen.
func (s *Server) captainHours(v *captainView, stored *registry.Stored, school string) error {
	hours, err := within(s.base, func(ctx context.Context) ([]live.Hours, error) {
		return s.cfg.Boards.Hours(ctx, stored, live.Public, school)
	})
	if err != nil {
		return err
	}
	if len(hours) > 0 {
		v.Hours = v.hours(hours, stored.Contest.Location())
	}
	return nil
}

// places fills in where the school stands, and between whom.
func (v *captainView) places(d *contest.Contest, board *live.Board, school string) {
	switch {
	case board.Hidden:
		v.Notices = append(v.Notices, v.Say("captain.hidden", "Closes", v.When(board.Closes, d.Location())))
		return
	case board.Frozen:
		v.Notices = append(v.Notices, notices(v.words, d, board)...)
	}
	if !begun(board.Phase) {
		return
	}
	for i, row := range board.Schools {
		if row.ID != school {
			continue
		}
		v.Ranked, v.Placed, v.Rank, v.Of, v.Votes = true, voted(board), int64(*row.Rank), int64(len(board.Schools)), *row.Votes
		if d.Scoring.Schools.By == contest.ByPerStudent {
			v.Score = v.Decimal(*row.Score)
		}
		if v.Placed {
			v.between(d, board, i)
		}
	}
}
