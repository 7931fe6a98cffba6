package web

import (
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// vote takes a vote form and leads back to the page, which says what became of
// it. The form carries ballot and pass: sent twice, it counts once.
func (s *Server) vote(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if !s.fromOwnPage(c) {
		return errForbidden
	}
	f, err := s.readVote(c, stored, "", passCookie(c, stored.Contest.ID))
	if err != nil {
		return err
	}
	f.client.Referrer = antifraud.ReferrerSite
	if f.opened {
		f.client.Referrer = antifraud.ReferrerShare
	}
	if s.needsEmail(stored, f.pass) {
		return s.proveFirst(c, stored.Contest, f)
	}
	to := returnTo(stored.Contest, string(c.Request().PostArgs().Peek("back")))
	return s.castForm(c, stored, f, "/c/"+stored.Contest.ID+"/vote"+chosen(c), to, url.Values{})
}

// returnTo is the page a vote leads back to: an entry's for e/ENTRY, a school's
// for s/SCHOOL, else the contest's. It is put together of what the contest has:
// no form leads anywhere else.
func returnTo(d *contest.Contest, back string) string {
	kind, id, _ := strings.Cut(back, "/")
	entry, isEntry := d.Entry(id)
	school, isSchool := d.School(id)
	switch {
	case kind == "e" && isEntry && !entry.Hidden:
		return "/c/" + d.ID + "/e/" + entry.ID
	case kind == "s" && isSchool:
		return "/c/" + d.ID + "/s/" + school.ID
	}
	return "/c/" + d.ID
}

// voteForm is a vote form as it was sent, checked.
type voteForm struct {
	ballot uuid.UUID
	entry  string
	client antifraud.Client
	opened bool   // its link was opened: the page it is of knew
	token  string // of pass
	pass   voting.Pass
	known  bool         // the browser has the pass already
	maker  voting.Voter // for whom the form was made
	sent   []field      // what to send again, should it be needed

	solution string // of a challenge that the ballot was asked for, or empty
}

// readVote reads a vote form. Its entry is the one of the address, where that
// names one; cookie is the browser's pass, or empty.
func (s *Server) readVote(c *fiber.Ctx, stored *registry.Stored, entry, cookie string) (voteForm, error) {
	if err := checkType(c, "application/x-www-form-urlencoded"); err != nil {
		return voteForm{}, err
	}
	form := c.Request().PostArgs()
	if entry == "" {
		entry = string(form.Peek("entry"))
	}
	ballot := string(form.Peek("ballot"))
	if !isEntryID(entry) {
		return voteForm{}, invalid("entry", "missing")
	}
	f := voteForm{entry: entry, client: seenBy(form)}
	f.opened = s.opened(f.client.Via)
	f.client.Via = sharing.SplitMark(f.client.Via)
	f.solution = string(form.Peek("challenge"))
	body := castBody{Ballot: &ballot, Entry: entry, Challenge: f.solution, Client: f.client}
	var err error
	if f.ballot, err = body.check(); err != nil {
		return voteForm{}, err
	}
	made := string(form.Peek("pass"))
	if f.token, f.pass, f.known, err = s.formPass(stored, cookie, made); err != nil {
		return voteForm{}, err
	}
	// Who has voted since the form was made votes as themselves; the form stays
	// what it was.
	f.maker = f.pass.Voter
	if pass, err := s.cfg.Passes.Check(stored.Contest, made, time.Now()); err == nil {
		f.maker = pass.Voter
	} else {
		made = f.token
	}
	f.sent = []field{{"entry", entry}, {"ballot", ballot}, {"pass", made}}
	for _, name := range []string{"token", "origin", "via", "back", "device", "dwell_ms", "confirm_ms", "visible", "challenge"} {
		if form.Has(name) {
			f.sent = append(f.sent, field{name, string(form.Peek(name))})
		}
	}
	return f, nil
}

// seenBy is what a page or widget saw, of its form's fields. A form of a page
// without scripts has none of them.
func seenBy(form *fasthttp.Args) antifraud.Client {
	seen := antifraud.Client{
		Via: string(form.Peek("via")), EmbedOrigin: string(form.Peek("origin")), Device: string(form.Peek("device")),
	}
	for name, into := range map[string]**int64{"dwell_ms": &seen.DwellMS, "confirm_ms": &seen.ConfirmMS} {
		if !form.Has(name) {
			continue
		}
		ms, err := strconv.ParseInt(string(form.Peek(name)), 10, 64)
		if err != nil {
			ms = -1 // check says what was expected
		}
		*into = &ms
	}
	if form.Has("visible") {
		visible := string(form.Peek("visible")) == "true"
		seen.Visible = &visible
	}
	return seen
}

// castForm casts a vote form and leads to the page that says what became of it:
// to, with query. action is where the same form is sent again.
func (s *Server) castForm(c *fiber.Ctx, stored *registry.Stored, f voteForm, action, to string, query url.Values) error {
	outcome, err := s.castOnPage(c, stored, &f)
	if p := problemOf(err); p != nil && p.status == fiber.StatusServiceUnavailable {
		// It may have been counted or not: the same ballot again settles it.
		s.log.Warn("vote form unanswered", slog.String("request", s.requestID(c)), slog.String("code", p.code), slog.Any("error", err))
		return s.failPage(c, p, message{Again: &again{action, f.sent}})
	}
	if err != nil {
		return err
	}
	for name, values := range kept(c) {
		query[name] = values
	}
	switch outcome.Refused {
	case "":
		if !f.known {
			s.setPassCookie(c, stored.Contest.ID, f.token, f.pass.Expires)
		}
		query.Set("receipt", s.receipt(stored, outcome.Cast))
		query.Set("left", strconv.Itoa(outcome.Remaining))
	case voting.NoSuchEntry:
		return errNoEntry
	case voting.ChallengeRequest:
		return s.challengePage(c, stored, f, s.refusal(stored, f.pass.Voter, outcome).challenge, action)
	case voting.Rejected:
		var m message
		if slices.Equal(outcome.Reasons, []string{antifraud.ReasonKnownFarm}) && s.provable(stored) == nil {
			m.Proof = emailHref(c, stored.Contest, "/email", errandFor(c, stored.Contest, f))
		}
		return s.failPage(c, s.refusal(stored, f.pass.Voter, outcome), m)
	default:
		query.Set("refused", string(outcome.Refused))
	}
	return c.Redirect(to+"?"+query.Encode()+"#status", fiber.StatusSeeOther)
}

// fromOwnPage says that the form was on a page of ours. Unlike the API's calls,
// which carry their pass, this one comes with a cookie: no page of another
// site may send it, not even one that may embed. Programs send neither header.
func (s *Server) fromOwnPage(c *fiber.Ctx) bool {
	if site := c.Get(headerFetchSite); site != "" && site != "same-origin" {
		return false
	}
	origin := header(c, fiber.HeaderOrigin)
	return origin == "" || s.ownOrigin(c, origin)
}

// ownForm is the form of a call that only pages of ours may make.
func (s *Server) ownForm(c *fiber.Ctx) (*fasthttp.Args, error) {
	if !s.fromOwnPage(c) {
		return nil, errForbidden
	}
	if err := checkType(c, "application/x-www-form-urlencoded"); err != nil {
		return nil, err
	}
	return c.Request().PostArgs(), nil
}

// formPass is who votes: the browser's pass, else the one made with the form,
// else a new one. known says that the browser has it already.
func (s *Server) formPass(stored *registry.Stored, cookie, made string) (token string, pass voting.Pass, known bool, err error) {
	now := time.Now()
	for _, token := range []string{cookie, made} {
		if token == "" {
			continue
		}
		pass, err := s.cfg.Passes.Check(stored.Contest, token, now)
		if err == nil {
			return token, pass, token != made, nil
		}
		if !errors.Is(err, voting.ErrPass) {
			return "", voting.Pass{}, false, err
		}
	}
	token, pass, err = s.cfg.Passes.IssueDevice(stored.Contest, now)
	return token, pass, false, err
}
