package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// param, query and header copy: fiber's strings are views into buffers that the
// connection's next request overwrites, and what we read here goes into ballots,
// batches under way to the store, and caches. What is only looked at, and kept by nobody,
// is not copied: the name of a contest that is looked up, a token that is read.

func param(c *fiber.Ctx, name string) string  { return strings.Clone(c.Params(name)) }
func query(c *fiber.Ctx, name string) string  { return strings.Clone(c.Query(name)) }
func header(c *fiber.Ctx, name string) string { return strings.Clone(c.Get(name)) }
