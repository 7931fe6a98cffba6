package web

import (
	"fmt"
	"html/template"
	"image/color"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
)

// bestEntries is how many entries a wall names beside the schools.
const bestEntries = 3

// wallView is what tv.html shows: a screen nobody touches, for days.
type wallView struct {
	layout
	Follow string // the script that brings numbers
	Scheme string // dark or light
	Clear  bool   // no ground of its own: another picture is behind it

	// What the script compares with a page it asks for every few seconds. Build
	// is the code, Print also what the page says, numbers left out.
	Build, Print string
	Position     string
	Feed, Poll   string
	Now, Next    int64 // Unix milliseconds: the server's clock, and when the page will say something else
	Zone         string

	State   string // coming, voting, frozen, hidden or over
	Phase   contest.Phase
	Lead    string // what the time is left to
	Until   int64
	Left    []timeLeft
	At      string // the same instant, exactly
	Notice  string
	Numbers bool
	Counted int64
	Unit    string
	Scored  bool
	Schools []wallSchool
	Entries []entryView
	Winners []wallSchool

	Short   string // the contest's address as people type it
	QR      template.HTML
	Hall    hallView
	Refresh int64 // seconds, for a wall without scripts
	Home    bool  // some votes are from the hall
}

type wallSchool struct {
	schoolView
	Colour string // of its bar; empty: the contest's
	Home   string // its votes from the hall and from elsewhere; empty while no school has any from the hall
}

// timeLeft is one unit of what is left: 14, minutes.
type timeLeft struct {
	Unit  string // as Intl names it
	N     int64
	Name  string
	Shown bool
}

// The least favourable grounds of tv.css, dark and light.
var wallGrounds = map[string]color.RGBA{"dark": night, "light": paper}

// wall is the screen in the hall. It speaks the contest's language unless
// ?lang= says otherwise: whoever set it up is not who reads it.
func (s *Server) wall(c *fiber.Ctx) error {
	stored, board, err := s.publicBoard(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	lang := s.choose(c.Query("lang"), "", d.Locale)
	c.Locals(localLang, lang)
	now := time.Now()
	v := wallView{
		layout: s.layout(c, lang, words{s.texts, lang}.In(d.Title, d)), Follow: asset("feed.js"),
		Scheme: "dark", Clear: c.Query("bg") == "transparent",
		Position: board.Position, Feed: "/v1/contests/" + d.ID + "/feed", Poll: fmt.Sprintf("/v1/contests/%s/leaderboard?limit=%d", d.ID, defaultLimit),
		Now: now.UnixMilli(), Next: nextChange(stored, board, now), Zone: d.Location().String(),
		Phase: board.Phase, Numbers: !board.Hidden, Unit: schoolUnit(words{s.texts, lang}, d),
	}
	v.Brand, v.Theme, v.Style, v.Script = d.Brand, themeHref(d), asset("tv.css"), asset("tv.js")
	if c.Query("theme") == "light" {
		v.Scheme = "light"
	}
	v.Build = fingerprint([]byte(s.cfg.Version + v.Style + v.Script + v.Follow))
	v.Print = fingerprint(fmt.Append(nil, v.Build, stored.Epoch, stored.Version, stored.ClosedAt.UnixMilli(), stored.PublishedAt.UnixMilli(),
		board.Phase, board.Hidden, board.Frozen, now.In(d.Location()).YearDay()))
	v.say(stored, board, now)
	v.fill(d, board)
	link := s.site(c) + "/c/" + d.ID
	_, v.Short, _ = strings.Cut(link, "://")
	if v.QR, err = qrSVG(link, v.Say("embed.qr", "Link", link)); err != nil {
		return err
	}
	if err := s.hall(c, &v, stored, now); err != nil {
		return err
	}
	if err := s.render(c, fiber.StatusOK, "tv.html", lang, v); err != nil {
		return err
	}
	if v.Hall.QR != "" {
		c.Set(fiber.HeaderCacheControl, "private, no-store")
	}
	return nil
}

// nextChange is when the page will say something else without a new document.
func nextChange(s *registry.Stored, board *live.Board, now time.Time) int64 {
	for _, at := range []time.Time{s.Contest.Phases.Voting.Opens, s.Contest.FreezesAt(), board.Closes} {
		if at.After(now) {
			return at.UnixMilli()
		}
	}
	return 0
}

// say puts the state of the contest into words.
func (v *wallView) say(stored *registry.Stored, board *live.Board, now time.Time) {
	d, until := stored.Contest, board.Closes
	switch {
	case board.Phase == contest.PhaseClosed || board.Phase == contest.PhasePublished:
		v.State, v.At = "over", v.onDay("tv.ended", board.Closes, d, now)
		return
	case board.Phase != contest.PhaseVoting:
		until = d.Phases.Voting.Opens
		v.State, v.Lead = "coming", v.Say("tv.opens.in")
	default:
		v.State, v.Lead = "voting", v.Say("tv.closes.in")
	}
	switch {
	case v.State == "voting" && board.Hidden:
		v.State, v.Notice = "hidden", v.Say("tv.hidden."+string(d.Results.Visibility))
	case v.State == "voting" && board.Frozen:
		v.State, v.Notice = "frozen", v.onDay("tv.frozen", d.FreezesAt(), d, now)
	}
	v.At, v.Until, v.Left = v.onDay("tv.on_day", until, d, now), until.UnixMilli(), v.left(until.Sub(now), v.State == "coming")
}

// onDay says an instant by its hour alone when it is today where the contest is.
func (v *wallView) onDay(id string, at time.Time, d *contest.Contest, now time.Time) string {
	zone := d.Location()
	if at.In(zone).Format(time.DateOnly) == now.In(zone).Format(time.DateOnly) {
		return v.Say(id+".today", "Hour", v.Hour(at.In(zone)), "Zone", zone)
	}
	return v.Say(id, "At", v.When(at, zone))
}

// left is a time in its units: the two largest, or all of them.
func (v *wallView) left(d time.Duration, all bool) []timeLeft {
	seconds := max(int64(d/time.Second), 0)
	var units []timeLeft
	shown := 0
	for _, unit := range []struct {
		name    string
		of, max int64
	}{{"day", 86400, 1 << 40}, {"hour", 3600, 24}, {"minute", 60, 60}, {"second", 1, 60}} {
		n := seconds / unit.of % unit.max
		if n > 0 || shown > 0 || unit.of == 1 {
			shown++
		}
		units = append(units, timeLeft{unit.name, n, v.Count("tv."+unit.name, n), shown > 0 && (all || shown <= 2)})
	}
	return units
}

// fill takes the numbers from the board, and from nowhere else.
func (v *wallView) fill(d *contest.Contest, board *live.Board) {
	page := contestView{layout: v.layout}
	page.look(d, board)
	page.schools(d, board)
	v.Scored = page.Scored
	v.Home = slices.ContainsFunc(board.Schools, func(row voting.SchoolRow) bool { return row.Home != nil })
	for i, one := range page.Schools {
		school, _ := d.School(one.ID)
		row := wallSchool{schoolView: one}
		if school.Colour != "" {
			row.Colour = cssColour(readable(parseColour(school.Colour), wallGrounds[v.Scheme]))
		}
		if v.Home {
			row.Home = v.homeAndAway(board.Schools[i])
		}
		v.Schools = append(v.Schools, row)
		if v.State == "over" && row.Ranked && row.Rank == 1 && row.Votes > 0 {
			v.Winners = append(v.Winners, row)
		}
	}
	if board.Totals.Counted == nil {
		return
	}
	v.Counted = *board.Totals.Counted
	for _, r := range board.Entries[:min(len(board.Entries), bestEntries)] {
		if r.Votes == nil || *r.Votes == 0 {
			break // nobody leads with nothing
		}
		entry, _ := d.Entry(r.ID)
		v.Entries = append(v.Entries, entryView{Title: v.In(entry.Title, d), row: page.row(r.Rank, r.Votes, r.Trend)})
	}
}
