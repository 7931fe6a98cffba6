package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// proofOffer is shown by the template after-proof.
type proofOffer struct {
	words
	Held bool // the proof releases the ballot
	Href string
}

// offerProof offers the voter of a device to prove an address: where that releases
// a held ballot, or makes the voter one person on every device.
func (s *Server) offerProof(c *fiber.Ctx, v accepted) *proofOffer {
	if v.pass.Level != contest.LevelDevice || s.provable(v.stored) != nil {
		return nil
	}
	held := v.cast.Standing == voting.Held && antifraud.Releases(v.cast.Reasons, antifraud.StepEmail)
	if !held && v.cast.Standing != voting.Counted {
		return nil
	}
	query := url.Values{"lang": {v.Lang}}
	if back := backOf(c); back != "" {
		query.Set("back", back)
	}
	return &proofOffer{words: v.words, Held: held, Href: "/c/" + v.stored.Contest.ID + "/email?" + query.Encode()}
}

// backOf is how a page of a contest is named by the forms that lead back to it:
// see returnTo.
func backOf(c *fiber.Ctx) string {
	if entry := param(c, "entry"); entry != "" {
		return "e/" + entry
	}
	if school := param(c, "school"); school != "" {
		return "s/" + school
	}
	return ""
}
