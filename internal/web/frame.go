package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
)

// widgets registers what other sites' pages show of us.
func (s *Server) widgets(r fiber.Router) {
	r.Get("/embed/v1/loader.js", s.loader)
	r.Get("/embed/:version/loader.js", s.noLoader)
	r.Get("/embed/:contest", s.framed(s.boardFrame))
	r.Get("/embed/:contest/:entry", s.framed(s.voteFrame))
	r.Post("/embed/:contest/:entry", s.voteInFrame)
	r.Get("/embed", s.framed(nowhere))
	r.Get("/embed/*", s.framed(nowhere))
	r.Get("/c/:contest/embed", s.page(s.embedPage))
	r.Get("/c/:contest/e/:entry/confirm", s.page(s.confirmPage))
	r.Post("/c/:contest/e/:entry/confirm", s.page(s.confirmVote))
}

func nowhere(*fiber.Ctx) error { return errNotFound }

// framed answers errors of next as a page that fits into a frame.
func (s *Server) framed(next fiber.Handler) fiber.Handler {
	return s.pageOr(next, s.failFrame)
}

const (
	// boardRows is what a board in a frame shows: more is a link away.
	boardRows = 8

	// Heights that pages reserve before a frame has loaded: what a frame shows at
	// first fits in. The loader and the generator's snippets say the same.
	voteHeight, boardHeight = 300, 580

	// leadingRows is what a sandboxed vote frame shows of the board.
	leadingRows = 3
)

// frameView is what frame.html shows.
type frameView struct {
	words
	Title, Heading, Text string // Heading and Text: a frame that only says something
	Theme                template.CSS
	Scheme               string // light, dark or auto
	Style, Script        string
	Solver               string // the script of challenges, loaded when one is asked for
	Site                 string // our page to go on
	On                   string // what a frame that only says something calls it

	Board *boardFrameView
	Vote  *voteFrameView
}

type boardFrameView struct {
	When, Unit string
	Schools    []schoolView
	Scored     bool
	Notice     string // why numbers are hidden or frozen, in the two lines that there are
	Feed       string // empty: numbers do not move, or are hidden
	Phase      contest.Phase
	Rows       int
}

type voteFrameView struct {
	ID, Entry, School, Contest string
	row
	When   string
	Voting bool   // there is something to press
	Why    string // why not, when the phase does not tell
	Window string // the page of ours that confirms a vote
	Fields []field
	Inside bool // the vote may be confirmed in the frame

	// For a sandboxed frame, which takes no vote and may open nothing.
	Leading []schoolView // empty while numbers are hidden
	Address string
}

// newFrame starts the view of a frame. Its language is the one of ?lang=, else
// the contest's: a frame is part of somebody's page, whoever reads it.
func (s *Server) newFrame(c *fiber.Ctx, d *contest.Contest) *frameView {
	locale, accept := "", header(c, fiber.HeaderAcceptLanguage)
	v := &frameView{Scheme: "auto", Style: asset("frame.css"), Script: asset("frame.js"), Solver: asset("challenge.js"), Site: "/"}
	if d != nil {
		locale, accept = d.Locale, ""
		v.Site = "/c/" + d.ID
	} else {
		d = &contest.Contest{}
	}
	lang := s.choose(c.Query("lang"), accept, locale)
	c.Locals(localLang, lang)
	v.words = words{s.texts, lang}
	v.Site += "?" + onward(c, lang).Encode()
	v.Theme = frameTheme(d)
	if scheme := c.Query("theme"); scheme == "light" || scheme == "dark" {
		v.Scheme = strings.Clone(scheme)
	}
	return v
}

// sendFrame answers with a frame. ancestors are the pages that may show it;
// what it loads is our style, our script, and the style in its head.
func (s *Server) sendFrame(c *fiber.Ctx, status int, v *frameView, ancestors string) error {
	sum := sha256.Sum256([]byte(v.Theme))
	policy := "default-src 'none'; style-src 'self' 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; script-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors " + ancestors
	return s.renderUnder(c, policy, status, "frame.html", v.Lang, v)
}

// failFrame is a refusal as a frame, with a way on.
func (s *Server) failFrame(c *fiber.Ctx, p *problem) error {
	var d *contest.Contest
	on := "page.back"
	if stored, ok := s.cfg.Registry.Get(param(c, "contest")); ok {
		d, on = stored.Contest, "frame.contest"
	}
	v := s.newFrame(c, d)
	v.On = v.Say(on)
	v.Heading, v.Text = s.tell(c, v.Lang, p)
	v.Title = v.Heading
	p.wait(c)
	return s.sendFrame(c, p.status, v, s.ancestors(c))
}

// boardFrame shows the schools' ranking.
func (s *Server) boardFrame(c *fiber.Ctx) error {
	stored, board, err := s.publicBoard(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	v := s.newFrame(c, d)
	v.Title = v.In(d.Title, d)
	b := &boardFrameView{
		When: phaseLine(v.words, stored, board.Phase, board.Closes), Scored: d.Scoring.Schools.By == contest.ByPerStudent, Rows: boardRows, Phase: board.Phase,
		Schools: schoolRows(v.words, d, board, boardRows), Unit: schoolUnit(v.words, d),
	}
	if reason := unseen(d, board); reason != "" {
		b.Notice = v.Say("frame." + reason)
	}
	if d.Results.Visibility == contest.VisibleLive && board.Phase == contest.PhaseVoting {
		b.Feed = "/v1/contests/" + d.ID + "/leaderboard?limit=1"
	}
	v.Board = b
	return s.sendFrame(c, fiber.StatusOK, v, s.ancestors(c))
}

// schoolRows are the first n schools of the board, as the contest's page has them.
func schoolRows(w words, d *contest.Contest, board *live.Board, n int) []schoolView {
	page := contestView{layout: layout{words: w}}
	page.look(d, board)
	page.schools(d, board)
	return page.Schools[:min(len(page.Schools), n)]
}

// voteFrame shows one entry and a way to vote for it. Where the page around is
// one of those the contest trusts, the vote is confirmed here; as only the page
// itself says which it is, the answer then allows that page alone to frame it.
// Everywhere else a window of ours confirms.
func (s *Server) voteFrame(c *fiber.Ctx) error {
	stored, board, err := s.publicBoard(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	entry, err := entryOf(c, d)
	if err != nil {
		return err
	}
	v := s.newFrame(c, d)
	school, _ := d.School(entry.School)
	view := &voteFrameView{
		ID: entry.ID, Entry: v.In(entry.Title, d), School: v.In(school.Name, d), Contest: v.In(d.Title, d),
		When: phaseLine(v.words, stored, board.Phase, board.Closes), row: entryPlace(v.words, d, board, entry.ID),
	}
	v.Title = view.Entry
	v.Vote = view
	if board.Phase != contest.PhaseVoting {
		return s.sendFrame(c, fiber.StatusOK, v, s.ancestors(c))
	}
	if !contest.LevelDevice.AtLeast(d.Identity) {
		view.Why = v.Say("page.identity." + string(d.Identity))
		return s.sendFrame(c, fiber.StatusOK, v, s.ancestors(c))
	}
	asked := formQuery(c, v.Lang)
	origin := asked.Get("origin")
	trusted := origin != "" && slices.Contains(d.Embed.Origins, origin)
	if via := asked.Get("via"); via != "" && trusted {
		// A page that the contest trusts was opened with this link.
		asked.Set("via", s.sealed(via))
	}
	view.Voting = true
	view.Window = "/c/" + d.ID + "/e/" + entry.ID + "/confirm?" + asked.Encode()
	view.Address = strings.TrimPrefix(strings.TrimPrefix(s.site(c), "https://"), "http://") + "/c/" + d.ID
	if !board.Hidden {
		view.Leading = schoolRows(v.words, d, board, leadingRows)
	}
	ancestors := s.ancestors(c)
	if trusted {
		if view.Fields, err = s.newForm(stored, entry.ID, asked, framePassCookie(c, d.ID)); err != nil {
			return err
		}
		view.Inside, ancestors = true, origin
		s.framedBy(c, stored, origin)
	}
	return s.sendFrame(c, fiber.StatusOK, v, ancestors)
}

// entryPlace is an entry's place on a board.
func entryPlace(w words, d *contest.Contest, board *live.Board, id string) row {
	view := contestView{layout: layout{words: w}}
	view.look(d, board)
	for _, r := range board.Entries {
		if r.ID == id {
			return view.row(r.Rank, r.Votes, r.Trend)
		}
	}
	return row{}
}

// publicBoard is the contest of the address and what anybody may see of it.
func (s *Server) publicBoard(c *fiber.Ctx) (*registry.Stored, *live.Board, error) {
	stored, err := s.contest(c)
	if err != nil {
		return nil, nil, err
	}
	board, err := within(s.base, func(ctx context.Context) (*live.Board, error) { return s.cfg.Boards.Board(ctx, stored, live.Public) })
	return stored, board, err
}

// onward is the query of a frame's links to pages of ours.
func onward(c *fiber.Ctx, lang string) url.Values {
	query := kept(c)
	query.Set("lang", lang)
	return query
}

// formQuery is what goes on from a frame to the window that confirms: language,
// the page around the frame, and the share code. What has not their shape is left out.
func formQuery(c *fiber.Ctx, lang string) url.Values {
	asked := url.Values{"lang": {lang}}
	if origin := query(c, "origin"); origin != "" && isOrigin(origin) {
		asked.Set("origin", origin)
	}
	if via := carried(c); via != "" {
		asked.Set("via", via)
	}
	return asked
}

// newForm makes the hidden fields of a vote form: a ballot, for the voter of the
// cookie or a new one, bound together by a token.
func (s *Server) newForm(stored *registry.Stored, entry string, asked url.Values, cookie string) ([]field, error) {
	now := time.Now()
	facts := formFacts{contest: stored.Contest.ID, entry: entry, origin: asked.Get("origin"), ballot: uuid.New()}
	var fields []field
	if pass, err := s.cfg.Passes.Check(stored.Contest, cookie, now); err == nil {
		facts.voter = pass.Voter
	} else {
		// Made now, and the browser keeps it only once it has voted.
		token, pass, err := s.cfg.Passes.IssueDevice(stored.Contest, now)
		if err != nil {
			return nil, fmt.Errorf("form: %w", err)
		}
		facts.voter = pass.Voter
		fields = append(fields, field{"pass", token})
	}
	fields = append(fields, field{"entry", entry}, field{"ballot", facts.ballot.String()}, field{"token", s.forms.seal(facts, now)})
	for _, name := range []string{"origin", "via"} {
		if value := asked.Get(name); value != "" {
			fields = append(fields, field{name, value})
		}
	}
	return fields, nil
}
