package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// What an organizer can do with what waits.
const (
	doKeep  = "keep"  // it counts
	doVoid  = "void"  // it does not
	doLeave = "leave" // it stays void; the appeal is answered
	doUndo  = "undo"
)

// keptReason is in the ledger with what an organizer counts after a look at it.
const keptReason = "reviewed"

// decision is what a form of the queue asks for, checked.
type decision struct {
	do             string
	group, entry   string // the key of a group, and its entry
	newest, oldest ballotbox.HeldPlace
	ballot         *ballotbox.HeldPlace // one ballot, where no group is meant
	reason         string
	expected       int // how many were told before; 0: nobody was asked
}

// decision reads a form of the queue, sent by POST, or by GET to be asked first.
func (s *Server) decision(c *fiber.Ctx, stored *registry.Stored) (decision, error) {
	form := c.Context().QueryArgs()
	if c.Method() == fiber.MethodPost {
		form = c.Request().PostArgs()
	}
	field := func(name string) string { return string(form.Peek(name)) }
	d := decision{do: field("do"), group: field("group"), reason: keptReason, expected: form.GetUintOrZero("expected")}
	var check checks
	check.expect(d.do == doKeep || d.do == doVoid || d.do == doLeave && d.group == "", "do", "keep, void or leave")
	if d.do == doVoid {
		d.reason = reasonCode(field("reason"))
		check.expect(d.reason != "", "reason", "a code of 1 to 64 of a-z 0-9 -")
	}
	if d.group == "" {
		place, err := ballotbox.ParseHeldPlace(field("ballot"))
		check.expect(err == nil, "ballot", "a ballot of the queue")
		d.ballot = &place
		return d, check.err()
	}
	var err1, err2 error
	d.newest, err1 = ballotbox.ParseHeldPlace(field("newest"))
	d.oldest, err2 = ballotbox.ParseHeldPlace(field("oldest"))
	check.expect(err1 == nil, "newest", "a place in the queue")
	check.expect(err2 == nil, "oldest", "a place in the queue")
	entry, _, _ := strings.Cut(d.group, " ")
	_, known := stored.Contest.Entry(entry)
	check.expect(known, "group", "a group of the queue")
	d.entry = entry
	return d, check.err()
}

// ballotsOf are the ballots that a decision is about, as they are now. Of a group
// they are those that are still held, cast no later than the newest and no earlier
// than the oldest that was shown.
func (s *Server) ballotsOf(ctx context.Context, stored *registry.Stored, d decision) ([]ballotbox.ActedBallot, error) {
	if d.ballot != nil {
		cast, err := s.cfg.Boxes.Find(ctx, stored, d.ballot.Voter, d.ballot.Ballot)
		if err != nil {
			return nil, err
		}
		if cast.Standing == voting.Held && d.do != doLeave || cast.Standing == voting.Void && d.do != doVoid {
			return []ballotbox.ActedBallot{actedOf(cast)}, nil
		}
		return nil, nil // somebody was faster
	}
	// The place before every ballot of the newest one's instant.
	held, err := s.cfg.Boxes.Held(ctx, stored, ballotbox.HeldPlace{Millis: d.newest.Millis + 1}, 2*heldShown)
	if err != nil {
		return nil, err
	}
	var ballots []ballotbox.ActedBallot
	for _, g := range antifraud.Cluster(suspects(held)) {
		if g.Key() != d.group {
			continue
		}
		for _, i := range g.Members {
			if place := held[i].Place(); d.newest.Compare(place) <= 0 && place.Compare(d.oldest) <= 0 {
				ballots = append(ballots, actedOf(held[i].Cast))
			}
		}
	}
	return ballots, nil
}

// announcedAct tells the feeds that an act may have changed something.
func (s *Server) announcedAct(c *fiber.Ctx, who session) error {
	return s.announced(func(c *fiber.Ctx) error { return s.act(c, who) })(c)
}

// act does what a form of the queue asks for and leads back to the queue, which
// says what was done. Every change is a record of the ledger.
func (s *Server) act(c *fiber.Ctx, who session) error {
	stored, form, err := s.organizerForm(c, who)
	if err != nil {
		return err
	}
	if err := s.cfg.Interlock.Err(); err != nil {
		return err
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	if string(form.Peek("do")) == doUndo {
		return s.undoAct(ctx, c, stored, string(form.Peek("act")))
	}
	d, err := s.decision(c, stored)
	if err != nil {
		return err
	}
	ballots, err := s.ballotsOf(ctx, stored, d)
	if err != nil {
		return err
	}
	if d.do == doVoid && d.group != "" && len(ballots) > max(d.expected, 1) {
		return c.Redirect(s.confirmHref(c, stored, d), fiber.StatusSeeOther) // more than whoever pressed was told
	}
	to := voting.Void
	if d.do == doKeep {
		to = voting.Counted
	}
	// Before the first change: what is half done can be undone too.
	name := s.actName(who, stored, d)
	if err := s.rememberAct(ctx, stored, name, ballotbox.Act{Standing: to, Ballots: ballots}); err != nil {
		return err
	}
	changes := make([]ballotbox.Change, 0, len(ballots))
	for _, one := range ballots {
		changes = append(changes, ballotbox.Change{Voter: one.Voter, Ballot: one.Ballot, Standing: to, Actor: voting.ActorOrganizer, Reasons: []string{d.reason}})
	}
	changed, err := s.cfg.Boxes.ChangeAll(ctx, stored, changes)
	if err != nil {
		return err
	}
	if err := s.cfg.Boxes.AnswerAppeals(ctx, stored, ballots, true); err != nil {
		return err
	}
	s.log.Info("held ballots decided", slog.String("request", s.requestID(c)), slog.String("contest", stored.Contest.ID), slog.String("do", d.do),
		slog.String("reason", d.reason), slog.Int("ballots", len(ballots)), slog.Int("changed", changed))
	return c.Redirect(s.heldHref(c, stored, "did", name), fiber.StatusSeeOther)
}

// actName is the same for one decision of one session however often it is sent, and nobody else's.
func (s *Server) actName(who session, stored *registry.Stored, d decision) string {
	ballot := ""
	if d.ballot != nil {
		ballot = d.ballot.String()
	}
	facts, _ := json.Marshal([]string{who.id, stored.Contest.ID, d.do, d.group, d.newest.String(), d.oldest.String(), ballot, d.reason}) // never fails
	return tokenText.EncodeToString(s.sessions.mac("act", facts))
}

// rememberAct keeps an act with what it has changed before: a decision that is sent again, as its
// answer was lost, finds less to change, and is undone whole.
func (s *Server) rememberAct(ctx context.Context, stored *registry.Stored, name string, act ballotbox.Act) error {
	before, err := s.cfg.Boxes.RecallAct(ctx, stored, name)
	if err != nil && !errors.Is(err, ballotbox.ErrNoAct) {
		return err
	}
	held := act.Ballots
	for _, one := range before.Ballots {
		if !slices.ContainsFunc(held, func(b ballotbox.ActedBallot) bool { return b.Ballot == one.Ballot && b.Voter == one.Voter }) {
			act.Ballots = append(act.Ballots, one)
		}
	}
	return s.cfg.Boxes.RememberAct(ctx, stored, name, act)
}

func (s *Server) undoAct(ctx context.Context, c *fiber.Ctx, stored *registry.Stored, name string) error {
	act, err := s.cfg.Boxes.RecallAct(ctx, stored, name)
	if errors.Is(err, ballotbox.ErrNoAct) {
		return c.Redirect(s.heldHref(c, stored, "undone", "late"), fiber.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	n, err := s.cfg.Boxes.UndoAct(ctx, stored, act)
	if err != nil {
		return err
	}
	s.log.Info("decision on held ballots undone", slog.String("request", s.requestID(c)), slog.String("contest", stored.Contest.ID), slog.Int("changed", n))
	return c.Redirect(s.heldHref(c, stored, "undone", "yes"), fiber.StatusSeeOther)
}

// confirmHref is where a decision is asked about first.
func (s *Server) confirmHref(c *fiber.Ctx, stored *registry.Stored, d decision) string {
	asked := url.Values{"confirm": {"1"}, "do": {d.do}, "group": {d.group}, "reason": {d.reason}, "newest": {d.newest.String()}, "oldest": {d.oldest.String()}}
	if lang := c.Query("lang"); lang == "fr" || lang == "en" {
		asked.Set("lang", lang)
	}
	return "/organize/" + stored.Contest.ID + "/held?" + asked.Encode()
}

// done says what the address says was done, of what is known of it.
func (s *Server) done(ctx context.Context, c *fiber.Ctx, stored *registry.Stored, w words) (*doneView, error) {
	switch query(c, "undone") {
	case "yes":
		return &doneView{Text: w.Say("held.undone")}, nil
	case "late":
		return &doneView{Text: w.Say("held.undone.late")}, nil
	}
	name := query(c, "did")
	if name == "" {
		return nil, nil
	}
	act, err := s.cfg.Boxes.RecallAct(ctx, stored, name)
	if errors.Is(err, ballotbox.ErrNoAct) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(act.Ballots) == 0 {
		return &doneView{Text: w.Say("held.did.nothing")}, nil
	}
	return &doneView{Text: w.Count("held.did."+string(act.Standing), int64(len(act.Ballots))), Act: name}, nil
}
