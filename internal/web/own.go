package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// ownLife is how long the page of a receipt, opened from a frame, acts for its voter.
const ownLife = 30 * time.Minute

// ownFacts carry a pass from a frame on another site's page, whose cookies no
// other page gets, to a page of ours that its voter opens from there.
type ownFacts struct {
	Contest string `json:"c"`
	Pass    string `json:"p"`
	Made    int64  `json:"t"`
}

// ownKey seals a pass for the address of a page. Whoever is shown that address
// within ownLife may prove who the voter is, and nothing else.
func (s *Server) ownKey(contestID, token string, at time.Time) (string, error) {
	return s.seal("own pass", ownFacts{contestID, token, at.Unix()})
}

// voterHere is who looks at a page: the browser's pass, else the one of own, an
// ownKey or empty; nil where neither is good.
func (s *Server) voterHere(c *fiber.Ctx, stored *registry.Stored, own string) *voting.Pass {
	if me := s.visitor(c, stored); me != nil {
		return me
	}
	var facts ownFacts
	now := time.Now()
	if own == "" || s.unseal("own pass", own, &facts) != nil || facts.Contest != stored.Contest.ID ||
		checkAge(time.Unix(facts.Made, 0), now, ownLife) != nil {
		return nil
	}
	pass, err := s.cfg.Passes.Check(stored.Contest, facts.Pass, now)
	if err != nil {
		return nil
	}
	return &pass
}

// isOwn tells whether a ballot is the one of who looks, cast on whichever of their
// devices.
func (s *Server) isOwn(stored *registry.Stored, me *voting.Pass, voter voting.Voter) (bool, error) {
	if me == nil {
		return false, nil
	}
	return within(s.base, func(ctx context.Context) (bool, error) { return s.cfg.Boxes.Same(ctx, stored, me.Voter, voter) })
}
