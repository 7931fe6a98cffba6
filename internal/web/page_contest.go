package web

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
)

// entriesPerPage bounds a page; the rest of a large contest is on the next ones.
const entriesPerPage = 100

// contestView is what contest.html shows.
type contestView struct {
	layout
	ID      string
	Phase   contest.Phase
	When    string // the phase, for people
	Rules   string
	Status  *status
	Notices []string // why numbers are hidden or frozen, how ties are ranked
	Hidden  bool
	Counted int64
	Unit    string // of school scores: votes, or votes per so many students
	Scored  bool   // a school's score is not its votes

	Schools []schoolView
	Entries []entryView

	Voting bool   // entries have a vote button
	Why    string // why they have none, when that is not plain from the phase
	Action string // of the vote forms
	Pass   string // for the vote forms of who has none yet

	Feed         string // where numbers come from while the page is open; empty: nowhere
	Poll         string // and where there is no feed
	Long         bool   // the feed does not have all of the page's entries
	Earlier, All string // other pages of entries
	Later        string
	First        int // number of the first entry shown, from 1
	Links        contest.Links
	Contact      string
}

type schoolView struct {
	ID, Name, City string
	row
	Score string
	Bar   int // 0 to 100, of the first one's score
}

type entryView struct {
	ID, Title, School, Authors string
	Video, Site                string
	Ballot                     string
	row
}

// row is a place on the board.
type row struct {
	Ranked bool // false: rank and numbers are hidden
	Rank   int
	Votes  int64
	Trend  int
	Arrow  string // the trend to look at, empty when there is none
	Told   string // and to hear
}

func (v *contestView) row(rank *int, votes *int64, trend *int) row {
	if rank == nil || votes == nil || trend == nil {
		return row{}
	}
	r := row{Ranked: true, Rank: *rank, Votes: *votes, Trend: *trend}
	switch {
	case r.Trend > 0:
		r.Arrow, r.Told = fmt.Sprintf("▲ %d", r.Trend), v.Say("page.rise", "N", r.Trend)
	case r.Trend < 0:
		r.Arrow, r.Told = fmt.Sprintf("▼ %d", -r.Trend), v.Say("page.fall", "N", -r.Trend)
	}
	return r
}

// contestPage shows a contest: its leaderboard, and its entries with a vote
// button each.
func (s *Server) contestPage(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.base, personalTime)
	defer cancel()
	me := s.visitor(c, stored)
	viewer := live.Public
	voted := false
	if me != nil && (stored.Contest.Results.Visibility == contest.VisibleAfterBallot || c.Query("refused") != "") {
		if voted, err = s.cfg.Boxes.HasVoted(ctx, stored, me.Voter); err != nil {
			return err
		}
		if voted {
			viewer = live.Voter
		}
	}
	board, err := s.cfg.Boards.Board(ctx, stored, viewer)
	if err != nil {
		return err
	}
	d := stored.Contest
	lang := s.pageLang(c, d.Locale)
	v := contestView{
		layout: s.frame(c, lang, d.Title.In(lang, d.Locale)),
		ID:     d.ID, Phase: board.Phase, Hidden: board.Hidden, Links: d.Links, Contact: contactHref(d.Links.Contact),
		Action: "/c/" + d.ID + "/vote" + chosen(c), Scored: d.Scoring.Schools.By == contest.ByPerStudent,
	}
	v.Brand, v.Theme, v.Index = d.Brand, themeHref(d), true
	v.Description = v.Say("page.description", "Title", v.Title)
	v.When = phaseLine(v.words, stored, board.Phase, board.Closes)
	v.Rules = rulesLine(v.words, d)
	if board.Totals.Counted != nil {
		v.Counted = *board.Totals.Counted
	}
	v.Unit = schoolUnit(v.words, d)
	v.Notices = notices(v.words, d, board)
	v.schools(d, board)
	v.entries(c, d, board)

	// Without a pass of the device's kind there is no voting from this page.
	v.Voting = board.Phase == contest.PhaseVoting && contest.LevelDevice.AtLeast(d.Identity)
	if board.Phase == contest.PhaseVoting && !v.Voting {
		v.Why = v.Say("page.identity." + string(d.Identity))
	}
	if v.Voting && me == nil {
		// Made now and kept by the browser only once it has voted: pressing twice
		// is the same voter with the same ballot.
		if v.Pass, _, err = s.cfg.Passes.IssueDevice(d, time.Now()); err != nil {
			return err
		}
	}
	if v.Status, err = s.statusOf(ctx, c, stored, board, me, voted, v.words); err != nil {
		return err
	}
	shown := board // to a chat: what anybody may see, whoever looks at the page
	if viewer != live.Public {
		if shown, err = s.cfg.Boards.Board(ctx, stored, live.Public); err != nil {
			return err
		}
	}
	s.shareCard(&v.layout, c, stored, shown, cardContest, "")
	// What the script reads is what everybody may read: nothing, or not what this
	// voter sees, unless results are live.
	// Before voting it only learns that voting has opened.
	switch board.Phase {
	case contest.PhaseClosed, contest.PhasePublished:
	case contest.PhaseVoting:
		if d.Results.Visibility == contest.VisibleLive {
			v.follow(d, len(board.Entries))
		}
	default:
		v.follow(d, len(board.Entries))
	}
	return s.render(c, fiber.StatusOK, "contest.html", lang, v)
}

// follow lets the page's script follow the board, which has so many entries.
func (v *contestView) follow(d *contest.Contest, entries int) {
	limit := min(v.First-1+entriesPerPage, maxLimit)
	v.Feed = "/v1/contests/" + d.ID + "/feed"
	v.Poll = fmt.Sprintf("/v1/contests/%s/leaderboard?limit=%d", d.ID, limit)
	v.Long = min(entries, limit) > defaultLimit
}

// visitor is the pass this browser got with an earlier ballot, or nil.
func (s *Server) visitor(c *fiber.Ctx, stored *registry.Stored) *voting.Pass {
	token := passCookie(c, stored.Contest.ID)
	if token == "" {
		return nil
	}
	pass, err := s.cfg.Passes.Check(stored.Contest, token, time.Now())
	if err != nil {
		return nil
	}
	return &pass
}

func (v *contestView) schools(d *contest.Contest, board *live.Board) {
	best := 0.0
	for _, r := range board.Schools {
		if r.Score != nil {
			best = max(best, *r.Score)
		}
	}
	for _, r := range board.Schools {
		school, _ := d.School(r.ID)
		one := schoolView{ID: r.ID, Name: school.Name.In(v.Lang, d.Locale), City: school.City, row: v.row(r.Rank, r.Votes, r.Trend)}
		if r.Score != nil {
			one.Score = v.Number(int64(*r.Score))
			if v.Scored {
				one.Score = v.Decimal(*r.Score)
			}
			if best > 0 {
				one.Bar = int(math.Round(100 * *r.Score / best))
			}
		}
		v.Schools = append(v.Schools, one)
	}
}

func (v *contestView) entries(c *fiber.Ctx, d *contest.Contest, board *live.Board) {
	from := max(c.QueryInt("from", 1), 1)
	if from > len(board.Entries) {
		from = 1
	}
	v.First = from
	to := min(from-1+entriesPerPage, len(board.Entries))
	for _, r := range board.Entries[from-1 : to] {
		entry, _ := d.Entry(r.ID)
		school, _ := d.School(entry.School)
		one := entryView{
			ID: r.ID, Title: entry.Title.In(v.Lang, d.Locale), School: school.Name.In(v.Lang, d.Locale),
			Authors: strings.Join(entry.Authors, ", "), Ballot: uuid.NewString(), row: v.row(r.Rank, r.Votes, r.Trend),
		}
		if entry.Video != nil {
			one.Video, one.Site = entry.Video.URL(), siteNames[entry.Video.Provider]
		}
		v.Entries = append(v.Entries, one)
	}
	other := func(from int) string {
		return fmt.Sprintf("/c/%s?lang=%s&from=%d#entries", d.ID, v.Lang, from)
	}
	if from > 1 {
		v.Earlier = other(max(from-entriesPerPage, 1))
	}
	if to < len(board.Entries) {
		v.Later = other(to + 1)
	}
}

var siteNames = map[contest.Provider]string{contest.YouTube: "YouTube", contest.Vimeo: "Vimeo", contest.Dailymotion: "Dailymotion"}

// contactHref is an address or a link, as a link.
func contactHref(contact string) string {
	if contact == "" || strings.Contains(contact, "://") {
		return contact
	}
	return "mailto:" + contact
}

// phaseLine says where the contest is, and until when.
func phaseLine(w words, stored *registry.Stored, phase contest.Phase, closes time.Time) string {
	zone := stored.Contest.Location()
	return w.Say("page.phase."+string(phase),
		"Opens", w.When(stored.Contest.Phases.Voting.Opens, zone), "Closes", w.When(closes, zone))
}

// schoolUnit says what a school's score counts.
func schoolUnit(w words, d *contest.Contest) string {
	unit := w.Say("page.unit.votes")
	if d.Scoring.Schools.By == contest.ByPerStudent {
		unit = w.Say("page.unit.per_student", "Per", w.Number(int64(d.Scoring.Schools.Per)))
	}
	if n := d.Scoring.Schools.BestEntries; n > 0 {
		unit += " " + w.Count("page.best", int64(n))
	}
	return unit
}

// rulesLine says how many votes a person has.
func rulesLine(w words, d *contest.Contest) string {
	line := w.Count("page.rules."+string(d.Rules.Ballots.Per), int64(d.Rules.Ballots.Max))
	if d.Rules.PerEntry < d.Rules.Ballots.Max {
		line += " " + w.Count("page.rules.per_entry", int64(d.Rules.PerEntry))
	}
	return line
}

// notices are what a reader must know to read the numbers right.
func notices(w words, d *contest.Contest, board *live.Board) (lines []string) {
	over := board.Phase == contest.PhaseClosed || board.Phase == contest.PhasePublished
	switch {
	case board.Hidden && d.Results.Visibility == contest.VisibleAfterBallot && !frozenNow(d):
		lines = append(lines, w.Say("page.hidden.after_ballot"))
	case board.Hidden:
		lines = append(lines, w.Say("page.hidden.after_close", "Closes", w.When(board.Closes, d.Location())))
	case board.Frozen:
		lines = append(lines, w.Say("page.frozen", "At", w.When(d.FreezesAt(), d.Location()), "Closes", w.When(board.Closes, d.Location())))
	}
	if over {
		lines = append(lines, w.Say("page.ties."+string(d.Scoring.Ties)))
	}
	return lines
}

func frozenNow(d *contest.Contest) bool {
	at := d.FreezesAt()
	return !at.IsZero() && !time.Now().Before(at)
}
