package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// after is what voters are offered once their ballot is in, each apart from the
// vote: to share it, to join the community, to prove who they are. A nil part is
// not offered.
type after struct {
	Sharing   *sharingOffer
	Community *communityOffer
	Proof     *proofOffer
}

// accepted is a ballot of the visitor's own that was accepted, and where it leads.
type accepted struct {
	stored  *registry.Stored
	pass    voting.Pass
	cast    voting.Cast
	receipt string
	words
}

// afterVote puts together what is offered. None of it may stand in the way: what
// cannot be read now is not offered.
func (s *Server) afterVote(ctx context.Context, c *fiber.Ctx, v accepted) *after {
	return &after{Sharing: s.offerSharing(ctx, c, v), Community: s.offerCommunity(c, v), Proof: s.offerProof(c, v)}
}
