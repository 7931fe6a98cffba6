package card

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// style is a font and how tightly it is set.
type style struct {
	bold  bool
	track float64 // added to every letter, in em
}

var (
	title  = style{bold: true, track: -0.03}
	strong = style{bold: true, track: -0.01}
	plain  = style{}
	spaced = style{bold: true, track: 0.08}
)

// A parsed font is read by any number of drawings at once.
var boldFont, plainFont = parsed(gobold.TTF), parsed(gomedium.TTF)

// metric is what is asked of fonts again and again; a letter looks up its width once.
var metric sync.Map // of metricKey to float64: as many as the fonts have glyphs

type metricKey struct {
	bold bool
	r    rune
}

func parsed(data []byte) func() *sfnt.Font {
	return sync.OnceValue(func() *sfnt.Font {
		f, err := sfnt.Parse(data)
		if err != nil {
			panic("card: a font of the binary must parse: " + err.Error())
		}
		return f
	})
}

func (s style) font() *sfnt.Font {
	if s.bold {
		return boldFont()
	}
	return plainFont()
}

// advance is how far a letter moves the pen, in em.
func (s style) advance(r rune) float64 {
	key := metricKey{s.bold, r}
	if kept, ok := metric.Load(key); ok {
		return kept.(float64) + s.track
	}
	var buf sfnt.Buffer
	f := s.font()
	glyph, err := f.GlyphIndex(&buf, r)
	if err != nil || glyph == 0 {
		return 1 + s.track // not of these fonts: as wide as most emoji; not kept, as there is no end of them
	}
	wide, err := f.GlyphAdvance(&buf, glyph, fixed.I(int(f.UnitsPerEm())), 0)
	if err != nil {
		return 1 + s.track
	}
	em := float64(wide) / 64 / float64(f.UnitsPerEm())
	metric.Store(key, em)
	return em + s.track
}

func (s style) width(text string, size float64) float64 {
	em := 0.0
	for _, r := range text {
		em += s.advance(r)
	}
	return em * size
}

// outline walks the letters of a line of text from x on the baseline y: draw gets
// each segment with as many points as it has.
func (s style) outline(buf *sfnt.Buffer, size, x, y float64, text string, draw func(op sfnt.SegmentOp, points [3]point)) {
	f := s.font()
	scale := float32(size) / float32(f.UnitsPerEm()) / 64
	for _, r := range text {
		glyph, err := f.GlyphIndex(buf, r)
		if err != nil {
			continue
		}
		// In the font's own units, so that nothing is rounded.
		segments, err := f.LoadGlyph(buf, glyph, fixed.I(int(f.UnitsPerEm())), nil)
		if err != nil {
			continue
		}
		for _, segment := range segments {
			var points [3]point
			for i, p := range segment.Args {
				points[i] = point{float32(x) + float32(p.X)*scale, float32(y) + float32(p.Y)*scale}
			}
			draw(segment.Op, points)
		}
		x += s.advance(r) * size
	}
}

// longest is how many letters of a text a card shows at most: a title of a
// contest has no more, and ten times as many would be 100 KB.
const longest = 200

// drawable is what a card shows of a text: one line, marks joined to their
// letters, and nothing the font does not have: no emoji, no direction marks, no
// control characters. A text of which most letters would be missing is left out
// whole: what remains of a Greek sentence with one Chinese word is readable,
// what remains of a Chinese one with a Latin word is not what was said.
func drawable(text string) string {
	var out strings.Builder
	kept, lost, written := 0, 0, 0
	space := false
	f := boldFont()
	var buf sfnt.Buffer
	put := func(r rune) bool {
		if glyph, err := f.GlyphIndex(&buf, r); err != nil || glyph == 0 {
			return false
		}
		if space && out.Len() > 0 {
			out.WriteByte(' ')
		}
		space = false
		out.WriteRune(r)
		written++
		return true
	}
	text = strings.ToValidUTF8(text[:min(len(text), 32*longest)], "") // emoji and marks are of many bytes
	for _, r := range norm.NFC.String(text) {
		if written >= longest {
			out.WriteString("…")
			break
		}
		switch {
		case r == '\u202f' || r == '\u2007':
			r = '\u00a0' // the only space of the font that does not break
		case unicode.IsSpace(r) && r != '\u00a0':
			space = true
			continue
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			continue
		}
		if put(r) {
			if unicode.IsLetter(r) {
				kept++
			}
			continue
		}
		parts := false
		for _, part := range norm.NFKD.String(string(r)) { // ﬁ, Ａ, ①
			parts = !unicode.IsSpace(part) && put(part) || parts
		}
		switch {
		case unicode.IsLetter(r) && parts:
			kept++
		case unicode.IsLetter(r):
			lost++
		}
	}
	if lost > kept {
		return ""
	}
	return strings.Trim(out.String(), " \u00a0")
}

// cut shortens a text to a width, with an ellipsis when something is missing.
func (s style) cut(text string, size, width float64) string {
	if s.width(text, size) <= width {
		return text
	}
	left := width - s.advance('…')*size
	end := 0
	for i, r := range text {
		if left -= s.advance(r) * size; left < 0 {
			end = i
			break
		}
	}
	return strings.TrimRight(text[:end], " \u00a0,;:-–—") + "…"
}

// Fit cuts a text to a width, and tells how wide it then is in the font of the
// cards. What the font lacks is not left out: it counts as wide as emoji are.
func Fit(text string, bold bool, size, width float64) (string, float64) {
	s := style{bold: bold}
	text = s.cut(text, size, width)
	return text, s.width(text, size)
}
