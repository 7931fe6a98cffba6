package web

import "github.com/gofiber/fiber/v2"

// communityOffer is shown by the template after-community.
type communityOffer struct{ words }

func (s *Server) offerCommunity(_ *fiber.Ctx, _ accepted) *communityOffer { return nil }
