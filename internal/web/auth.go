package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// bearer is the token of an Authorization header, or empty.
func bearer(header string) string {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// isOrganizer compares hashes in constant time: how long it takes says nothing
// about the key, not even its length.
func (s *Server) isOrganizer(header string) bool {
	return s.isOrganizerKey(bearer(header))
}

func (s *Server) isOrganizerKey(key string) bool {
	sum := sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(sum[:], s.adminKey[:]) == 1
}

// organizer lets only the organizer through.
func (s *Server) organizer(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !s.isOrganizer(c.Get(fiber.HeaderAuthorization)) {
			return errUnauthorized
		}
		return next(c)
	}
}
