package web

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
)

// headerForm carries a new token for a form that is whole but too old.
const headerForm = "X-Joute-Form"

// frameAnswer is what became of a vote in a frame, in words.
type frameAnswer struct {
	Kind    string `json:"kind"` // good, wait or bad
	Title   string `json:"title"`
	Text    string `json:"text"`
	Receipt string `json:"receipt"` // address of a page that says it again
	Name    string `json:"name"`    // of the link to it

	Share *frameShare `json:"share,omitempty"`
}

// frameShare is the voter's own link, for the device's menu or else for an app.
type frameShare struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	URL   string `json:"url"`
	App   string `json:"app"` // an address that brings the same message
}

// voteInFrame takes the vote of a frame that was made for one of the contest's
// pages. A refusal is a problem, in the frame's language.
func (s *Server) voteInFrame(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	lang := s.newFrame(c, d).Lang
	if !s.fromOwnFrame(c) {
		return errForbidden
	}
	f, err := s.readVote(c, stored, param(c, "entry"), framePassCookie(c, d.ID))
	if err != nil {
		return err
	}
	if !slices.Contains(d.Embed.Origins, f.client.EmbedOrigin) {
		return errForbidden
	}
	if err := s.checkForm(c, stored, f); err != nil {
		if isExpired(err) {
			c.Set(headerForm, s.forms.seal(f.facts(stored), time.Now()))
		}
		return err
	}
	f.client.Referrer = antifraud.ReferrerEmbed
	outcome, err := s.castOnPage(c, stored, &f)
	if err != nil {
		return err
	}
	if outcome.Refused != "" {
		p := s.refusal(stored, f.pass.Voter, outcome)
		if p.code == string(voting.AlreadyVoted) && p.say == "" {
			p.say = "page" // without talk of ballot ids
		}
		return p
	}
	if !f.known {
		s.setFramePassCookie(c, d.ID, f.token, f.pass.Expires)
	}
	status := fiber.StatusCreated
	switch {
	case outcome.Duplicate:
		status = fiber.StatusOK
	case outcome.Cast.Standing == voting.Held:
		status = fiber.StatusAccepted
	}
	answer, err := s.frameAnswer(c, stored, &f, &outcome, lang)
	if err != nil {
		return err
	}
	return sendPersonal(c, status, answer)
}

// frameAnswer says in words what became of a vote, and offers to share it.
func (s *Server) frameAnswer(c *fiber.Ctx, stored *registry.Stored, f *voteForm, outcome *voting.Outcome, lang string) (frameAnswer, error) {
	d, w := stored.Contest, words{s.texts, lang}
	answer := frameAnswer{Kind: "good", Title: w.Say("page.counted.title"), Receipt: receiptHref(s.receipt(stored, outcome.Cast), lang), Name: w.Say("frame.receipt")}
	if outcome.Cast.Standing != voting.Counted {
		answer.Kind, answer.Title = "wait", w.Say("page."+string(outcome.Cast.Standing)+".title")
	}
	if outcome.Cast.Standing == voting.Held {
		if s.provable(stored) == nil {
			// The page of the receipt has none of the frame's cookies.
			own, err := s.ownKey(d.ID, f.token, time.Now())
			if err != nil {
				return frameAnswer{}, err
			}
			answer.Receipt += "&own=" + own
		}
		answer.Receipt, answer.Name = answer.Receipt+"#what", w.Say("page.what")
	}
	// The ballot is in: that the board cannot be read now is no reason not to say so.
	if board, err := s.boardNow(stored); err == nil {
		said := castStatus(w, d, board, outcome.Cast, outcome.Remaining)
		answer.Kind, answer.Title, answer.Text = said.Kind, said.Title, said.Text
	}
	ctx, cancel := context.WithTimeout(s.base, personalTime)
	defer cancel()
	if o := s.offerSharing(ctx, c, accepted{stored, f.pass, outcome.Cast, answer.Receipt, w}); o != nil {
		answer.Share = &frameShare{o.Title, o.Text, o.Native, o.WhatsApp}
	}
	return answer, nil
}

func (s *Server) boardNow(stored *registry.Stored) (*live.Board, error) {
	return within(s.base, func(ctx context.Context) (*live.Board, error) { return s.cfg.Boards.Board(ctx, stored, live.Public) })
}

// fromOwnFrame says that a browser sent the request from a document of ours. It
// must say so itself: no program has business here, and a sandboxed frame, whose
// origin is null, has no voter that could be told from the next.
func (s *Server) fromOwnFrame(c *fiber.Ctx) bool {
	return c.Get(headerFetchSite) == "same-origin" && s.ownOrigin(c, header(c, fiber.HeaderOrigin))
}

func (f voteForm) facts(stored *registry.Stored) formFacts {
	return formFacts{contest: stored.Contest.ID, entry: f.entry, origin: f.client.EmbedOrigin, ballot: f.ballot, voter: f.maker}
}

// checkForm holds a form that was sent to its token.
func (s *Server) checkForm(c *fiber.Ctx, stored *registry.Stored, f voteForm) error {
	return s.forms.check(string(c.Request().PostArgs().Peek("token")), f.facts(stored), time.Now())
}

// confirmView is what confirm.html shows: the window that asks once more.
type confirmView struct {
	layout
	Entry, School, When string
	Status              *status
	Action              string
	Fields              []field // empty: there is nothing to press
	Contest             string
}

// confirmPage is the window that a frame opens: nobody may frame it.
func (s *Server) confirmPage(c *fiber.Ctx) error {
	return s.confirm(c, fiber.StatusOK, nil)
}

// confirm shows the window; with a form, to press it again.
func (s *Server) confirm(c *fiber.Ctx, code int, form []field) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	d := stored.Contest
	entry, err := entryOf(c, d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.base, personalTime)
	defer cancel()
	board, err := s.cfg.Boards.Board(ctx, stored, live.Public)
	if err != nil {
		return err
	}
	me, voted := s.visitor(c, stored), false
	if me != nil && c.Query("refused") != "" {
		if voted, err = s.cfg.Boxes.HasVoted(ctx, stored, me.Voter); err != nil {
			return err
		}
	}
	lang := s.pageLang(c, d.Locale)
	school, _ := d.School(entry.School)
	w := words{s.texts, lang}
	v := confirmView{layout: s.layout(c, lang, w.In(entry.Title, d)), School: w.In(school.Name, d), Contest: "/c/" + d.ID + chosen(c)}
	v.Entry, v.Brand, v.Theme, v.Script = v.Title, d.Brand, themeHref(d), asset("confirm.js")
	v.When = phaseLine(v.words, stored, board.Phase, board.Closes)
	if v.Status, err = s.statusOf(ctx, c, stored, board, me, voted, v.words); err != nil {
		return err
	}
	asked := formQuery(c, lang)
	other := formQuery(c, v.OtherLang)
	v.Other = "/c/" + d.ID + "/e/" + entry.ID + "/confirm?" + other.Encode()
	v.Action = "/c/" + d.ID + "/e/" + entry.ID + "/confirm?" + asked.Encode()
	switch {
	case form != nil:
		v.Fields, v.Status = form, &status{Kind: "wait", Title: v.Say("frame.expired.title"), Text: v.Say("frame.expired")}
	case v.Status != nil || board.Phase != contest.PhaseVoting:
	case !contest.LevelDevice.AtLeast(d.Identity) && !s.votesByEmail(d):
		v.When = v.Say("page.identity." + string(d.Identity))
	default:
		if v.Fields, err = s.newForm(stored, entry.ID, asked, passCookie(c, d.ID)); err != nil {
			return err
		}
	}
	return s.render(c, code, "confirm.html", lang, v)
}

// confirmVote takes the window's form and leads back to it.
func (s *Server) confirmVote(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if !s.fromOwnPage(c) {
		return errForbidden
	}
	f, err := s.readVote(c, stored, param(c, "entry"), passCookie(c, stored.Contest.ID))
	if err != nil {
		return err
	}
	if err := s.checkForm(c, stored, f); errors.Is(err, errFormExpired) {
		// The same ballot of the same voter under a new token: it may have been
		// counted when it was first sent.
		for i := range f.sent {
			if f.sent[i].Name == "token" {
				f.sent[i].Value = s.forms.seal(f.facts(stored), time.Now())
			}
		}
		return s.confirm(c, fiber.StatusForbidden, f.sent)
	} else if err != nil {
		return err
	}
	f.client.Referrer = antifraud.ReferrerEmbed
	if s.needsEmail(stored, f.pass) {
		return s.proveFirst(c, stored.Contest, f)
	}
	to := "/c/" + stored.Contest.ID + "/e/" + f.entry + "/confirm"
	return s.castForm(c, stored, f, to+"?"+formQuery(c, s.pageLang(c, stored.Contest.Locale)).Encode(), to, url.Values{})
}
