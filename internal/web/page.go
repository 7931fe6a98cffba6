package web

import "github.com/gofiber/fiber/v2"

// pages registers the pages.
func (s *Server) pages(r fiber.Router) {}
