// Package card draws pictures to share: [Card], which a link shows in a chat, a
// contest, an entry or a school on the contest's colour, with its place beside
// it; [Story], which a phone posts; and [Poster], to print.
//
// It draws what it is given and knows no contest: who may see which number was
// decided before. Any text can be drawn; see [drawable] for what is left of it.
package card

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
)

// Width and Height are what Open Graph readers show without cutting.
const Width, Height = 1200, 630

// design is part of every version: a number to raise when the drawing changes,
// so that chats, which never fetch an address again, fetch the new ones.
const design = 1

// Card is what is on a card. Empty members are left out, and without Figure and
// Rows the text has the whole width.
type Card struct {
	Ground, Ink color.RGBA // Ink is for text on Ground, and Ground on Ink

	Brand   string // whose contest it is
	Above   string // what Heading is part of
	Heading string
	Instead string // when nothing of Heading can be drawn
	Below   string
	Foot    string // until when

	Figure string // the large one: a place
	Suffix string // of the figure, raised: 3 "e", 2 "nd"
	Lines  []string
	Rows   []Row // the first places, instead of a figure
}

// Row is a place and who holds it.
type Row struct{ Place, Name string }

// Version tells cards apart that do not look the same. It proves nothing.
func (c *Card) Version() string { return versionOf(c) }

func versionOf(drawing any) string {
	text, err := json.Marshal(drawing)
	if err != nil {
		panic("card: strings and colours must encode: " + err.Error())
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", design, text))
	return hex.EncodeToString(sum[:6])
}

// PNG draws the card, in a few tens of KB and of milliseconds. The best
// compression would save an eighth of the bytes and take ten times as long.
func (c *Card) PNG() ([]byte, error) {
	var out bytes.Buffer
	if err := png.Encode(&out, c.draw().paletted(c.Ground, c.Ink)); err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	return out.Bytes(), nil
}
