package web

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

//go:embed widget/loader.js
var loaderScript []byte

var loaderTag = `"` + fingerprint(loaderScript) + `"`

// loader is the script that other sites' pages load. Its address stays, so it
// is asked for again after an hour, and shown from a cache meanwhile.
func (s *Server) loader(c *fiber.Ctx) error {
	shared(c)
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600, stale-while-revalidate=86400")
	c.Set(fiber.HeaderETag, loaderTag)
	if matches(header(c, fiber.HeaderIfNoneMatch), loaderTag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	return c.Send(loaderScript)
}

// noLoader answers for versions there are not, to who looks why nothing happens.
func (s *Server) noLoader(c *fiber.Ctx) error {
	shared(c)
	return c.Status(fiber.StatusNotFound).SendString("// There is no loader of this version. Use /embed/v1/loader.js\n")
}

// shared lets pages of any site load a script, also under COEP and with SRI.
func shared(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	c.Set(fiber.HeaderContentType, "text/javascript; charset=utf-8")
}
