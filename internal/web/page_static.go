package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

//go:embed static
var staticFiles embed.FS

// forever is for addresses whose content never changes, as they name its hash.
const forever = "public, max-age=31536000, immutable"

type staticFile struct {
	kind string
	body []byte
}

// statics are the files by hashed name, assetNames their hashed names by name.
var statics, assetNames = hashed(staticFiles)

func hashed(files fs.FS) (map[string]staticFile, map[string]string) {
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	byHash, byName := map[string]staticFile{}, map[string]string{}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		panic(err) // the files are part of the binary
	}
	for _, entry := range entries {
		body, err := fs.ReadFile(files, "static/"+entry.Name())
		if err != nil {
			panic(err)
		}
		extension := path.Ext(entry.Name())
		name := strings.TrimSuffix(entry.Name(), extension) + "." + fingerprint(body) + extension
		byHash[name] = staticFile{kinds[extension], body}
		byName[entry.Name()] = name
	}
	return byHash, byName
}

// fingerprint tells versions of a file apart; it proves nothing.
func fingerprint(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:5])
}

// asset is the address of a file of static/.
func asset(name string) string { return "/static/" + assetNames[name] }

func (s *Server) static(c *fiber.Ctx) error {
	file, ok := statics[param(c, "file")]
	if !ok {
		return errNotFound
	}
	c.Set(fiber.HeaderCacheControl, forever)
	c.Set(fiber.HeaderContentType, file.kind)
	return c.Send(file.body)
}
