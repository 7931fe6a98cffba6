package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// param, query and header copy: fiber's strings are views into buffers that the
// connection's next request overwrites, and what we read here goes into ballots,
// batches under way to the store, and caches.

func param(c *fiber.Ctx, name string) string  { return strings.Clone(c.Params(name)) }
func query(c *fiber.Ctx, name string) string  { return strings.Clone(c.Query(name)) }
func header(c *fiber.Ctx, name string) string { return strings.Clone(c.Get(name)) }
