package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

const (
	// challengeLife is as long as a form's: the page of an address makes the
	// challenge before the address is typed.
	challengeLife = formLife

	// mailsPerBlock is how many codes, and how many mails of a community, the devices of one network ask for within an
	// hour before the next ones need a challenge. A campus is one network of ours: an
	// amphitheatre that votes by e-mail stays below, and whoever is seen in the hall
	// is not counted.
	mailsPerBlock = 200
)

// What a challenge is bound to. Contest ids hold no NUL.

func castBind(contestID string, voter voting.Voter) string {
	return "cast\x00" + contestID + "\x00" + voter.String()
}

// mailBind names no address: on a page the challenge is there before one is.
func mailBind(contestID string) string { return "mail\x00" + contestID }

// newChallenge makes what a refused act needs to be accepted: the harder, the more
// of the contest's attempts are suspect.
func (s *Server) newChallenge(contestID, bind string) *antifraud.Challenge {
	made := s.challenges.New(bind, time.Now().Add(challengeLife), s.cfg.Pressure.Of(contestID).Cost())
	return &made
}

// solved reads the solution that came with a ballot. Whether it came with another
// one before, the box says.
func (s *Server) solved(contestID string, voter voting.Voter, solution string) (*voting.Solved, voting.Code) {
	id, err := s.challenges.Check(solution, castBind(contestID, voter), time.Now())
	if err != nil {
		return nil, voting.ChallengeRequest
	}
	return &voting.Solved{ID: id, Life: challengeLife + formSkew}, ""
}

// payMail takes a solution for one mail; act is to whom it goes. The same act may be
// asked for again with the same solution, as its answer may have been lost.
func (s *Server) payMail(ctx context.Context, contestID, solution string, act [16]byte) (paid bool, err error) {
	id, err := s.challenges.Check(solution, mailBind(contestID), time.Now())
	if err != nil {
		return false, nil
	}
	err = s.cfg.Counters.Use(ctx, gate.Uses{
		Contest: contestID, Kind: "challenge", Name: hex.EncodeToString(id[:]), Limit: 1, Life: challengeLife + formSkew,
	}, act)
	if errors.Is(err, gate.ErrSpent) {
		return false, nil
	}
	return err == nil, err
}

// What the devices of a network have a budget of, each of its own.
const (
	codeMails = "mails-block"
	fanMails  = "fans-block"
)

// blockRate is the budget of the network that an address is of.
func (s *Server) blockRate(stored *registry.Stored, kind string, from netip.Addr) (gate.Rate, error) {
	key, err := s.cfg.Passes.EvidenceKey(stored.Contest.ID)
	return gate.Rate{Contest: stored.Contest.ID, Kind: kind, Name: key.Block(from), Limit: mailsPerBlock, Span: time.Hour}, err
}

// affordMail refuses a mail beyond the budget of a network that comes without a
// solved challenge; act is to whom it goes. The budget alone refuses nobody: it
// lets mailsPerBlock an hour through without one.
func (s *Server) affordMail(ctx context.Context, stored *registry.Stored, kind string, from netip.Addr, solution string, act [16]byte) error {
	rate, err := s.blockRate(stored, kind, from)
	if err != nil {
		return err
	}
	if solution != "" { // first, as it leaves the budget to who can solve none
		if paid, err := s.payMail(ctx, stored.Contest.ID, solution, act); err != nil || paid {
			return err
		}
	}
	free, err := s.cfg.Counters.Allow(ctx, rate, rand.Text())
	if err != nil || free {
		return err
	}
	// Also to who comes with one that was used: for another address, mistyped.
	return &problem{status: fiber.StatusForbidden, code: string(voting.ChallengeRequest), say: "mail", challenge: s.newChallenge(stored.Contest.ID, mailBind(stored.Contest.ID))}
}

// mailChallenge is the challenge of the form for an address: the one that it was
// refused for, else one to be solved while the address is typed, where the network
// has used its budget up. What cannot be read now is none: the form is told when it
// is sent.
func (s *Server) mailChallenge(c *fiber.Ctx, stored *registry.Stored, v *emailView, e errand) (*challengeView, error) {
	made, plain := v.made, v.Say("challenge.mail.plain")
	if made == nil {
		if me := s.voterHere(c, stored, e.own); me != nil && me.Present {
			return nil, nil
		}
		full, err := within(s.base, func(ctx context.Context) (bool, error) {
			rate, err := s.blockRate(stored, codeMails, s.address(c))
			if err != nil {
				return false, err
			}
			return s.cfg.Counters.Full(ctx, rate)
		})
		if err != nil {
			s.log.Warn("budget of a network unread", slog.String("request", s.requestID(c)), slog.Any("error", err))
		}
		if !full {
			return nil, nil
		}
		made = s.newChallenge(stored.Contest.ID, mailBind(stored.Contest.ID))
	}
	return newChallengeView(v.words, made, v.made != nil, plain)
}

// challengeView is a challenge in a form: the template "challenge".
type challengeView struct {
	words
	Puzzle string // the challenge, for static/challenge.js
	Auto   bool   // the form was sent already: it goes by itself once the challenge is solved
	Plain  string // what to do where no script runs
}

func newChallengeView(w words, made *antifraud.Challenge, auto bool, plain string) (*challengeView, error) {
	puzzle, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("challenge: %w", err)
	}
	return &challengeView{w, string(puzzle), auto, plain}, nil
}

// challengePageView is what challenge.html shows: a vote that waits for a challenge.
type challengePageView struct {
	layout
	Path      string
	Entry     string
	Challenge *challengeView
	Again     again
	Proof     string // address of the page that takes a proof instead; empty: it would not help, or is not offered
}

// challengePage asks a vote form for a challenge, and sends the same form again.
func (s *Server) challengePage(c *fiber.Ctx, stored *registry.Stored, f voteForm, made *antifraud.Challenge, action string) error {
	d := stored.Contest
	lang := s.pageLang(c, d.Locale)
	v := challengePageView{layout: s.layout(c, lang, s.texts.say(lang, "challenge.title", nil)), Path: "/c/" + d.ID + chosen(c)}
	v.Other = "" // the address is where the form was sent: asked for, it is another page
	v.Brand, v.Theme = d.Brand, themeHref(d)
	entry, _ := d.Entry(f.entry)
	v.Entry = v.In(entry.Title, d)
	v.Again.Action = action
	for _, sent := range f.sent {
		if sent.Name != "challenge" { // which was none, or is of before
			v.Again.Fields = append(v.Again.Fields, sent)
		}
	}
	k := newCasting(stored)
	defer k.done()
	k.entry, k.pass, k.attempt = f.entry, f.pass, s.formAttempt(c, stored, &f)
	k.attempt.Level = string(contest.LevelEmail)
	if _, err := s.judge(k); err != nil {
		return err
	}
	var err error
	if v.Challenge, err = newChallengeView(v.words, made, true, v.Say("challenge.plain")); err != nil {
		return err
	}
	if s.provable(stored) == nil && !k.screened.priced {
		v.Proof = emailHref(c, d, "/email", errandFor(c, d, f))
	}
	return s.render(c, fiber.StatusForbidden, "challenge.html", lang, v)
}
