package web

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest"
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
}

// reasonsTold are the reasons of a standing that have a sentence of their own.
var reasonsTold = []string{"known-farm", "lockstep", "same-voter"}

// receiptHref is the page of a receipt.
func receiptHref(receipt, lang string) string { return "/r/" + receipt + "?lang=" + lang }

// receiptPage tells whoever has the address where a ballot stands.
func (s *Server) receiptPage(c *fiber.Ctx) error {
	receipt, err := s.cfg.Receipts.Open(param(c, "receipt"))
	if err != nil {
		return errNoReceipt
	}
	stored, ok := s.cfg.Registry.Get(receipt.Contest)
	if !ok {
		return errNoReceipt
	}
	cast, err := within(s.base, func(ctx context.Context) (voting.Cast, error) {
		return s.cfg.Boxes.Find(ctx, stored, receipt.Voter, receipt.Ballot)
	})
	if errors.Is(err, ballotbox.ErrNoSuchBallot) {
		return errNoReceipt
	}
	if err != nil {
		return err
	}
	d := stored.Contest
	lang := s.pageLang(c, d.Locale)
	v := receiptView{layout: s.frame(c, lang, s.texts.say(lang, "receipt.title", nil)), Standing: cast.Standing, Links: d.Links, Contact: contactHref(d.Links.Contact)}
	v.Contest, v.Path, v.Brand, v.Theme = v.In(d.Title, d), "/c/"+d.ID+chosen(c), d.Brand, themeHref(d)
	if cast.Standing == voting.Held || cast.Standing == voting.Void {
		v.Reasons = v.reasons(cast.Reasons)
	}
	v.Next = v.Say("receipt.next." + string(cast.Standing))
	if cast.Standing == voting.Withdrawn && stored.Phase(time.Now()) != contest.PhaseVoting {
		v.Next = ""
	}
	if err := s.render(c, fiber.StatusOK, "receipt.html", lang, v); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return nil
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
