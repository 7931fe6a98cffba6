package web

import "github.com/gofiber/fiber/v2"

// proofOffer is shown by the template after-proof.
type proofOffer struct{ words }

func (s *Server) offerProof(_ *fiber.Ctx, _ accepted) *proofOffer { return nil }
