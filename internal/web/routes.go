package web

import "github.com/gofiber/fiber/v2"

// route registers the API.
func (s *Server) route(r fiber.Router) {
	r.Get("/livez", s.livez)
}
