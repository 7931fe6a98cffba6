package web

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// receiptView is what receipt.html shows. It names no entry and no instant, by
// which the ledger would name it: a receipt may be shown to others.
type receiptView struct {
	layout
	Contest, Path string
	Standing      voting.Standing
	Reasons       []string
	Next          string
	Links         contest.Links
	Contact       string
	What          *whatToDo // nil where there is nothing to do
}

// whatToDo are the ways out of being held, or void.
type whatToDo struct {
	Email     string // address of the page that takes a proof; empty: it would not help, or is not offered
	Elsewhere bool   // it would, in the browser that voted: this one is not known to be its voter's
	Hall      bool   // the code in the hall would help, scanned with this browser
	HallOther bool   // it would, with the browser that voted
	Appealed  bool   // a message is with the organizers
	Answered  bool   // they have decided on it
	Action    string // where a message goes
	Text      string // of a message that was refused
	Fault     string // and why
	Most      int
}

// refusedAppeal is a text as it was sent, and the message that says what is wrong.
type refusedAppeal struct{ text, say string }

// reasonsTold are the reasons of a standing that have a sentence of their own.
var reasonsTold = []string{antifraud.ReasonKnownFarm, antifraud.ReasonLockstep, antifraud.ReasonSameVoter, antifraud.ReasonUnproven}

// receiptHref is the page of a receipt.
func receiptHref(receipt, lang string) string { return "/r/" + receipt + "?lang=" + lang }

// opened is a receipt with what it is of.
type opened struct {
	text   string
	stored *registry.Stored
	cast   voting.Cast
}

// openReceipt finds the ballot of the address's receipt.
func (s *Server) openReceipt(c *fiber.Ctx) (opened, error) {
	text := param(c, "receipt")
	receipt, err := s.cfg.Receipts.Open(text)
	if err != nil {
		return opened{}, errNoReceipt
	}
	stored, ok := s.cfg.Registry.Get(receipt.Contest)
	if !ok {
		return opened{}, errNoReceipt
	}
	cast, err := within(s.base, func(ctx context.Context) (voting.Cast, error) {
		return s.cfg.Boxes.Find(ctx, stored, receipt.Voter, receipt.Ballot)
	})
	if errors.Is(err, ballotbox.ErrNoSuchBallot) {
		err = errNoReceipt
	}
	return opened{text, stored, cast}, err
}

// receiptPage tells whoever has the address where a ballot stands, and what can be
// done about it.
func (s *Server) receiptPage(c *fiber.Ctx) error {
	r, err := s.openReceipt(c)
	if err != nil {
		return err
	}
	return s.showReceipt(c, r, nil)
}

// showReceipt answers with the page; refused is a message that was not taken.
func (s *Server) showReceipt(c *fiber.Ctx, r opened, refused *refusedAppeal) error {
	d, cast, status := r.stored.Contest, r.cast, fiber.StatusOK
	lang := s.pageLang(c, d.Locale)
	v := receiptView{layout: s.layout(c, lang, s.texts.say(lang, "receipt.title", nil)), Standing: cast.Standing, Links: d.Links, Contact: contactHref(d.Links.Contact)}
	v.Other = strings.TrimSuffix(c.Path(), "/appeal") + "?lang=" + v.OtherLang
	v.Contest, v.Path, v.Brand, v.Theme = v.In(d.Title, d), "/c/"+d.ID+chosen(c), d.Brand, themeHref(d)
	v.Next = v.Say("receipt.next." + string(cast.Standing))
	if cast.Standing == voting.Withdrawn && r.stored.Phase(time.Now()) != contest.PhaseVoting {
		v.Next = ""
	}
	if cast.Standing == voting.Held || cast.Standing == voting.Void {
		v.Reasons = v.reasons(cast.Reasons)
		var err error
		if v.What, err = s.whatToDo(c, r); err != nil {
			return err
		}
		if refused != nil {
			status, v.What.Text, v.What.Fault = fiber.StatusBadRequest, refused.text, v.Say(refused.say, "Most", voting.MaxAppeal)
		}
	}
	if err := s.render(c, status, "receipt.html", lang, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return nil
}

// whatToDo puts together the steps that release the ballot. A void one was judged:
// only a person takes that back. Once a contest is forgotten nothing releases any.
func (s *Server) whatToDo(c *fiber.Ctx, r opened) (*whatToDo, error) {
	if r.stored.Forgotten() {
		return nil, nil
	}
	what, err := within(s.base, func(ctx context.Context) (*whatToDo, error) {
		appeal, answered, err := s.cfg.Boxes.AppealOf(ctx, r.stored, r.cast.Voter, r.cast.Ballot)
		return &whatToDo{Appealed: appeal != nil, Answered: answered, Action: "/r/" + r.text + "/appeal" + chosen(c) + "#what", Most: voting.MaxAppeal}, err
	})
	if err != nil {
		return nil, err
	}
	if r.cast.Standing != voting.Held {
		return what, nil
	}
	own, err := s.isOwn(r.stored, s.voterHere(c, r.stored, query(c, "own")), r.cast.Voter)
	if err != nil {
		return nil, err
	}
	levels, err := within(s.base, func(ctx context.Context) ([]string, error) {
		return s.cfg.Boxes.Levels(ctx, r.stored, []voting.Cast{r.cast})
	})
	if err != nil {
		return nil, err
	}
	for _, step := range antifraud.Steps(r.cast.Reasons) {
		switch {
		case provenBefore(r.cast, levels[0], step): // again it releases nothing
		case step == antifraud.StepEmail && s.provable(r.stored) == nil:
			if what.Elsewhere = !own; own {
				what.Email = emailProof(c, r)
			}
		case step == antifraud.StepPresence:
			// The code is scanned with what the browser's own cookies say: not with an own key.
			open := r.stored.Phase(time.Now()) == contest.PhaseVoting
			what.Hall, what.HallOther = open && own && s.visitor(c, r.stored) != nil, open && !own
		}
	}
	return what, nil
}

// emailProof is the page that takes the proof of an address and leads back here.
func emailProof(c *fiber.Ctx, r opened) string {
	more := []field(nil)
	if own := query(c, "own"); own != "" {
		more = []field{{"own", own}}
	}
	return emailHref(c, r.stored.Contest, "/email", errand{back: "r/" + r.text}, more...)
}

// reasons are the sentences for codes, each once. What nobody has written a
// sentence for is a decision of the organizers'.
func (w words) reasons(codes []string) (sentences []string) {
	for _, code := range codes {
		id := "receipt.reason"
		if slices.Contains(reasonsTold, code) {
			id += "." + code
		}
		if text := w.Say(id); !slices.Contains(sentences, text) {
			sentences = append(sentences, text)
		}
	}
	return sentences
}
