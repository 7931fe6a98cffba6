package web

import "github.com/gofiber/fiber/v2"

// postForget ends the personal data of a contest that is over. When it answers
// without an error, none is left; after any other answer but 409 the servers go on
// by themselves, and the same call tells when it is done.
func (s *Server) postForget(c *fiber.Ctx) error {
	stored, err := s.contest(c)
	if err != nil {
		return err
	}
	if err := decodeOptional(c, &struct{}{}); err != nil {
		return err
	}
	ctx, cancel := s.organizerContext()
	defer cancel()
	if err := s.cfg.Forget.Forget(ctx, stored); err != nil {
		return err
	}
	return s.sendContest(c)
}
