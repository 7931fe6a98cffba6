package web

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/card"
	"github.com/joute/joute/internal/live"
)

// cardKind is what a card is of, as addresses spell it.
type cardKind string

const (
	cardContest cardKind = ""
	cardEntry   cardKind = "e"
	cardSchool  cardKind = "s"
)

// path is where a contest, an entry or a school is, under /c or /card.
func (k cardKind) path(contest, id string) string {
	if k == cardContest {
		return contest
	}
	return contest + "/" + string(k) + "/" + id
}

// pictures registers what chats and other sites' pages show of us as an image.
func (s *Server) pictures(r fiber.Router) {
	r.Get("/card/:contest.png", anySite(s.cardOf(cardContest)))
	r.Get("/card/:contest/e/:id.png", anySite(s.cardOf(cardEntry)))
	r.Get("/card/:contest/s/:id.png", anySite(s.cardOf(cardSchool)))
	r.Get("/badge/:contest/:entry.svg", anySite(s.pageOr(s.badgeOf, s.failBadge)))
}

// anySite lets pages of any site show a picture, also those that isolate themselves.
func anySite(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set("Cross-Origin-Resource-Policy", "cross-origin")
		return next(c)
	}
}

// cardOf answers with a card as anybody may see it now, whatever version the
// address names: an old address shows no old number.
func (s *Server) cardOf(kind cardKind) fiber.Handler {
	return func(c *fiber.Ctx) error {
		stored, board, err := s.publicBoard(c)
		if err != nil {
			return err
		}
		id, lang := param(c, "id"), s.choose(c.Query("lang"), "", stored.Contest.Locale)
		picture, ok := newCard(words{s.texts, lang}, stored, board, kind, id)
		switch {
		case !ok && kind == cardEntry:
			return errNoEntry
		case !ok:
			return errNotFound
		}
		// Only numbers may be a minute old: what else is on a card is in its key.
		key := fmt.Sprint(kind.path(stored.Contest.ID, id), " ", lang, " ", stored.Epoch, stored.Version, board.Phase, board.Hidden, board.Frozen)
		shown, err := s.cards.get(key, picture.Version(), picture.PNG)
		if err != nil {
			return err
		}
		etag := `"` + shown.version + `"`
		c.Set(fiber.HeaderETag, etag)
		c.Set(fiber.HeaderCacheControl, "public, max-age=10")
		if query(c, "v") == shown.version {
			// Not for longer: an entry may be taken off.
			c.Set(fiber.HeaderCacheControl, "public, max-age=60")
		}
		if matches(header(c, fiber.HeaderIfNoneMatch), etag) {
			return c.SendStatus(fiber.StatusNotModified)
		}
		c.Set(fiber.HeaderContentType, "image/png")
		return c.Send(shown.body)
	}
}

// share is what a page tells chats and networks about itself.
type share struct {
	Site, Title, Description string
	Locale, Alternate        string
	Image, Alt               string
	Width, Height            int
}

// graphLocales are the languages as Open Graph spells them.
var graphLocales = map[string]string{"fr": "fr_FR", "en": "en_GB"}

// shareCard gives the page of a contest, an entry or a school its canonical
// address and its card, in the language of v. Call it once v.Description is set,
// with the board of live.Public whoever looks: what it says is copied into chats.
// It leaves v alone when there is no such entry or school.
//
// The image's address changes when the card would, and not before: chats never
// ask twice for the same one.
func (s *Server) shareCard(v *layout, c *fiber.Ctx, stored *registry.Stored, board *live.Board, kind cardKind, id string) {
	picture, ok := newCard(v.words, stored, board, kind, id)
	if !ok {
		return
	}
	site, path := s.site(c), kind.path(stored.Contest.ID, id)
	v.Canonical = site + "/c/" + path
	about := picture.Heading
	for _, more := range []string{picture.Below, picture.Above} {
		if kind != cardContest && more != "" {
			about += " · " + more
			break
		}
	}
	told := placeTold(picture)
	v.Share = &share{
		Site: "Joute", Title: about, Description: v.Description, Locale: graphLocales[v.Lang], Alternate: graphLocales[v.OtherLang],
		Image: fmt.Sprintf("%s/card/%s.png?lang=%s&v=%s", site, path, v.Lang, picture.Version()),
		Alt:   sentences(about, told, picture.Foot), Width: card.Width, Height: card.Height,
	}
	if told != "" {
		v.Share.Description = sentences(told, picture.Foot)
	} else {
		v.Share.Description = sentences(v.Description, picture.Foot)
	}
}

// placeTold is the panel of a card in words; empty when it has none.
func placeTold(c card.Card) string {
	var parts []string
	for _, row := range c.Rows {
		parts = append(parts, row.Place+". "+row.Name)
	}
	if c.Figure != "" && c.Figure != secret {
		parts = append(parts, c.Figure+c.Suffix+" "+c.Lines[0])
		parts = append(parts, c.Lines[1:]...)
	} else {
		parts = append(parts, c.Lines...)
	}
	return strings.Join(parts, ", ")
}

// sentences joins texts with full stops.
func sentences(texts ...string) string {
	var out []string
	for _, text := range texts {
		if text != "" {
			out = append(out, strings.TrimSuffix(text, ".")+".")
		}
	}
	return strings.Join(out, " ")
}
