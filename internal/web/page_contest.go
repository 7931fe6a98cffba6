package web

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
)

// entriesPerPage bounds a page; the rest of a large contest is on the next ones.
const entriesPerPage = 100

// contestView is what the pages of a contest show of it: contest.html all,
// entry.html and school.html a part.
type contestView struct {
	layout
	ID, Name string
	Path     string // of the contest's page; Keep, behind it, keeps a language chosen by hand
	Keep     string
	Phase    contest.Phase
	When     string // the phase, for people
	Left     string // how long voting still is, or how soon it is
	Until    string // when that ends, for the script
	Rules    string
	Status   *status
	Notices  []string // why numbers are hidden or frozen, how ties are ranked
	Hidden   bool
	Frozen   bool
	Before   bool // voting has not opened: there are no numbers
	Over     bool // it has ended
	Fresh    bool // nobody has a vote
	Counted  int64
	Unit     string // of school scores: votes, or votes per so many students
	Scored   bool   // a school's score is not its votes

	Schools []schoolView
	Entries []entryView
	Result  *result

	Voting bool   // entries have a vote button
	Why    string // why they have none, when that is not plain from the phase
	Action string // of the vote forms
	Back   string // where they lead back to; see returnTo
	Pass   string // for the vote forms of who has none yet
	Via    string // the link the reader came by, for the vote forms

	Feed    string // where numbers come from while the page is open; empty: nowhere
	Poll    string // and where there is no feed
	Long    bool   // the feed does not have all of the page's entries
	Earlier string // other pages of entries
	Later   string
	First   int // number of the first entry shown, from 1
	last    int // place on the board of the last one
	Links   contest.Links
	Contact string

	viewer live.Viewer
}

// contestPage shows a contest: its leaderboard, and its entries with a vote
// button each.
func (s *Server) contestPage(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	v, board, err := s.aboard(c, stored, "")
	if err != nil {
		return err
	}
	d := stored.Contest
	v.Index = true
	v.Description = v.Say("page.description", "Title", v.Title)
	v.schools(d, board)
	s.showFans(v, stored, board)
	v.entries(c, d, board, v.Path, func(voting.EntryRow) bool { return true })
	v.Result = v.resultOf(d, board, s.site(c))
	v.follow(d, board)
	if err := s.share(c, stored, v, board, cardContest, ""); err != nil {
		return err
	}
	return s.render(c, fiber.StatusOK, "contest.html", v.Lang, v)
}

// aboard starts a page of a contest: what its reader may see of the board,
// whether they can vote, and what became of their vote. Its forms lead back to
// back.
func (s *Server) aboard(c *fiber.Ctx, stored *registry.Stored, back string) (*contestView, *live.Board, error) {
	ctx, cancel := context.WithTimeout(s.base, personalTime)
	defer cancel()
	d := stored.Contest
	me := s.visitor(c, stored)
	viewer := live.Public
	voted := false
	var err error
	if me != nil && (d.Results.Visibility == contest.VisibleAfterBallot || c.Query("refused") != "") {
		if voted, err = s.cfg.Boxes.HasVoted(ctx, stored, me.Voter); err != nil {
			return nil, nil, err
		}
		if voted {
			viewer = live.Voter
		}
	}
	board, err := s.cfg.Boards.Board(ctx, stored, viewer)
	if err != nil {
		return nil, nil, err
	}
	lang := s.pageLang(c, d.Locale)
	v := &contestView{
		layout: s.layout(c, lang, ""), ID: d.ID, Path: "/c/" + d.ID, Keep: chosen(c), Links: d.Links, Contact: contactHref(d.Links.Contact),
		Action: "/c/" + d.ID + "/vote" + chosen(c), Back: back, Via: carried(c), viewer: viewer,
	}
	v.Name = v.In(d.Title, d)
	v.Title, v.Brand, v.Theme = v.Name, d.Brand, themeHref(d)
	v.look(d, board)
	v.When = phaseLine(v.words, stored, board.Phase, board.Closes)
	v.timeLeft(d, board)
	v.Rules = rulesLine(v.words, d)
	v.Unit = schoolUnit(v.words, d)
	v.Notices = notices(v.words, d, board)

	// Voting from this page is with the pass of a device, or of an address proven on the way.
	v.Voting = board.Phase == contest.PhaseVoting && (contest.LevelDevice.AtLeast(d.Identity) || s.votesByEmail(d))
	if board.Phase == contest.PhaseVoting && !v.Voting {
		v.Why = v.Say("page.identity." + string(d.Identity))
	}
	if v.Voting && me == nil {
		// Made now and kept by the browser only once it has voted: pressing twice
		// is the same voter with the same ballot.
		if v.Pass, _, err = s.cfg.Passes.IssueDevice(d, time.Now()); err != nil {
			return nil, nil, err
		}
	}
	v.Status, err = s.statusOf(ctx, c, stored, board, me, voted, v.words)
	return v, board, err
}

// share gives a page its card, which shows what anybody may see, whoever looks at
// the page.
func (s *Server) share(c *fiber.Ctx, stored *registry.Stored, v *contestView, board *live.Board, kind cardKind, id string) error {
	if v.viewer != live.Public {
		var err error
		if board, err = s.boardNow(stored); err != nil {
			return err
		}
	}
	s.shareCard(&v.layout, c, stored, board, kind, id)
	return nil
}

// follow lets the page's script follow the board, far enough that its entries may
// fall. What the script reads is what everybody may read: nothing, or not what
// this voter sees, unless results are live. Before voting it only learns that
// voting has opened.
func (v *contestView) follow(d *contest.Contest, board *live.Board) {
	if v.Over || board.Phase == contest.PhaseVoting && d.Results.Visibility != contest.VisibleLive {
		return
	}
	limit := min(v.last+entriesPerPage, maxLimit)
	v.Feed = v1(d) + "/feed"
	v.Poll = fmt.Sprintf("%s/leaderboard?limit=%d", v1(d), limit)
	v.Long = min(len(board.Entries), limit) > defaultLimit
}

// v1 is where the API has the contest.
func v1(d *contest.Contest) string { return "/v1/contests/" + d.ID }

// timeLeft says how long it is until voting ends, or opens.
func (v *contestView) timeLeft(d *contest.Contest, board *live.Board) {
	until := board.Closes
	if v.Before {
		until = d.Phases.Voting.Opens
	}
	if left := time.Until(until); !v.Over && left > 0 {
		v.Left, v.Until = v.Span(left), until.UTC().Format(time.RFC3339)
	}
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

// entries fills in the rows of the entries that are wanted on the page at path,
// from ?from= on.
func (v *contestView) entries(c *fiber.Ctx, d *contest.Contest, board *live.Board, path string, wanted func(voting.EntryRow) bool) {
	var places []int
	for i, r := range board.Entries {
		if wanted(r) {
			places = append(places, i)
		}
	}
	from := max(c.QueryInt("from", 1), 1)
	if from > len(places) {
		from = 1
	}
	v.First = from
	to := min(from-1+entriesPerPage, len(places))
	for _, i := range places[from-1 : to] {
		v.Entries, v.last = append(v.Entries, v.entry(d, board, i)), i+1
	}
	other := func(from int) string {
		query := kept(c)
		query.Set("lang", v.Lang)
		query.Set("from", strconv.Itoa(from))
		return path + "?" + query.Encode() + "#entries"
	}
	if from > 1 {
		v.Earlier = other(max(from-entriesPerPage, 1))
	}
	if to < len(places) {
		v.Later = other(to + 1)
	}
}

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
	if reason := unseen(d, board); reason != "" {
		lines = append(lines, w.Say("page."+reason, "At", w.When(d.FreezesAt(), d.Location()), "Closes", w.When(board.Closes, d.Location())))
	}
	return lines
}

// unseen is why the numbers of now are not shown, as messages are named, or empty.
func unseen(d *contest.Contest, board *live.Board) string {
	switch {
	case board.Hidden && d.Results.Visibility == contest.VisibleAfterBallot && !frozenNow(d):
		return "hidden.after_ballot"
	case board.Hidden:
		return "hidden.after_close"
	case board.Frozen:
		return "frozen"
	}
	return ""
}

func frozenNow(d *contest.Contest) bool {
	at := d.FreezesAt()
	return !at.IsZero() && !time.Now().Before(at)
}
