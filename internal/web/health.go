package web

import "github.com/gofiber/fiber/v2"

// livez says that the process answers, and nothing about the store.
func (s *Server) livez(c *fiber.Ctx) error {
	return c.JSON(map[string]string{"status": "ok"})
}
