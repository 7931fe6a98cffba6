package web

import (
	"context"

	"github.com/gofiber/fiber/v2"
)

// sharingOffer is shown by the template after-sharing.
type sharingOffer struct{ words }

func (s *Server) offerSharing(_ context.Context, _ *fiber.Ctx, _ accepted) *sharingOffer { return nil }
