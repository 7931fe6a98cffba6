package card

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"
)

var (
	teal   = color.RGBA{0x0b, 0x7a, 0x75, 0xff}
	yellow = color.RGBA{0xff, 0xd6, 0x00, 0xff}
	white  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	black  = color.RGBA{0x00, 0x00, 0x00, 0xff}
)

func sample() Card {
	return Card{
		Ground: teal, Ink: white, Brand: "Tremplin", Above: "Le pire CV vidéo", Heading: "Motivé par la cafétéria", Below: "Azur School of Management",
		Foot: "Votez jusqu'au 26 novembre à 18 h (Europe/Paris)", Figure: "3", Suffix: "e", Lines: []string{"sur 9", "plus de 1 200 votes"},
	}
}

// hostile are texts of strangers, to stand in every place of a card.
var hostile = map[string]string{
	"emoji":      strings.Repeat("🎓👩🏽‍🎓🇫🇷", 75),
	"bidi":       "\u202eABC\u202c \u2066def\u2069 \u200f\u061c",
	"control":    "a\x00b\x07c\x1b[31m\r\n\td",
	"invalid":    "\xff\xfe\xc3(",
	"one word":   strings.Repeat("Anticonstitutionnellement", 20),
	"wide":       strings.Repeat("W", 300),
	"dense":      strings.Repeat("Bœuf @%&#§Ŵ ", 60),
	"marks":      "Z" + strings.Repeat("\u0301\u0338", 150),
	"glued":      strings.Repeat("a\u00a0", 150),
	"empty":      "",
	"spaces":     " \u00a0\u2003\u3000 ",
	"arabic":     "أسوأ سيرة ذاتية مصورة",
	"chinese":    strings.Repeat("最差视频简历", 30),
	"markup":     `</title><script>alert("x")</script>&amp;`,
	"long":       strings.Repeat("Le plus long titre qui soit, œuvre de l'été à 3 € ", 10),
	"newlines":   strings.Repeat("a\n", 200),
	"huge":       strings.Repeat("x y ", 1<<18),
	"fullwidth":  "ＣＶ　ﬁnal ①",
	"decomposed": "Motive\u0301 a\u0300 l'e\u0301te\u0301",
}

// sheets are all the shapes a card has, with one text everywhere.
func sheets(text string) map[string]Card {
	all := sample()
	all.Brand, all.Above, all.Heading, all.Instead, all.Below, all.Foot = text, text, text, text, text, text
	figure, rows, wide := all, all, all
	figure.Figure, figure.Suffix, figure.Lines = "10 000", "e", []string{text, text, text}
	rows.Figure, rows.Suffix, rows.Lines = "", "", nil
	rows.Rows = []Row{{"1", text}, {"10 000", text}, {"3", text}}
	wide.Figure, wide.Suffix, wide.Lines = "", "", nil
	return map[string]Card{"figure": figure, "rows": rows, "wide": wide}
}

func decode(t testing.TB, c Card) (*image.Paletted, int) {
	t.Helper()
	body, err := c.PNG()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	paletted, ok := picture.(*image.Paletted)
	if !ok {
		t.Fatalf("%T, want a palette", picture)
	}
	return paletted, len(body)
}

// stray finds the first pixel of an area that is neither of two colours.
func stray(m *image.Paletted, area image.Rectangle, allowed ...color.RGBA) (image.Point, bool) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
	next:
		for x := area.Min.X; x < area.Max.X; x++ {
			for _, c := range allowed {
				if m.At(x, y) == c {
					continue next
				}
			}
			return image.Pt(x, y), true
		}
	}
	return image.Point{}, false
}

// Whatever the texts: a card of the right size, light enough for every chat,
// with nothing in its margins and no text over the edge of the panel.
func TestCard_AnyTextStaysInsideTheMargins(t *testing.T) {
	for name, text := range hostile {
		for shape, c := range sheets(text) {
			picture, size := decode(t, c)
			if picture.Rect != image.Rect(0, 0, 1200, 630) || size > 60<<10 || len(picture.Palette) > tones {
				t.Errorf("%s, %s: %v, %d bytes, %d colours", name, shape, picture.Rect, size, len(picture.Palette))
			}
			areas := map[string]image.Rectangle{"left": image.Rect(0, 0, 48, 630), "top": image.Rect(0, 0, 700, 36), "foot": image.Rect(0, 600, 680, 630)}
			allowed := []color.RGBA{teal}
			if shape == "wide" {
				areas["top"], areas["foot"] = image.Rect(0, 0, 640, 36), image.Rect(0, 600, 640, 630)
			}
			for side, area := range areas {
				if at, found := stray(picture, area, allowed...); found {
					t.Errorf("%s, %s: something in the %s margin, at %v", name, shape, side, at)
				}
			}
			if shape == "wide" {
				continue
			}
			if at, found := stray(picture, image.Rect(1180, 0, 1200, 630), white); found {
				t.Errorf("%s, %s: something in the right margin, at %v", name, shape, at)
			}
			for y := range Height {
				edge := panelTop + (panelFoot-panelTop)*(float64(y)+0.5)/Height
				if at, found := stray(picture, image.Rect(int(edge)-20, y, int(edge)-2, y+1), teal); found {
					t.Fatalf("%s, %s: a text reaches the panel, at %v", name, shape, at)
				}
				if at, found := stray(picture, image.Rect(int(edge)+3, y, int(edge)+13, y+1), white); found {
					t.Fatalf("%s, %s: the panel's text reaches its edge, at %v", name, shape, at)
				}
			}
		}
	}
}

// What is on a card shows, and its version says so.
func TestCard_EveryMemberShowsAndIsInTheVersion(t *testing.T) {
	plain, _ := decode(t, sample())
	base := sample()
	for name, change := range map[string]func(*Card){
		"ground": func(c *Card) { c.Ground = yellow }, "ink": func(c *Card) { c.Ink = black },
		"brand": func(c *Card) { c.Brand = "Autre" }, "above": func(c *Card) { c.Above = "" }, "heading": func(c *Card) { c.Heading = "Motivée" },
		"below": func(c *Card) { c.Below = "Beffroi" }, "foot": func(c *Card) { c.Foot = "Résultat" }, "figure": func(c *Card) { c.Figure = "2" },
		"suffix": func(c *Card) { c.Suffix = "nd" }, "lines": func(c *Card) { c.Lines = c.Lines[:1] }, "rows": func(c *Card) { c.Rows = []Row{{"1", "Azur"}} },
	} {
		other := sample()
		change(&other)
		picture, _ := decode(t, other)
		if bytes.Equal(picture.Pix, plain.Pix) && picture.Palette[0] == plain.Palette[0] && picture.Palette[tones-1] == plain.Palette[tones-1] {
			t.Errorf("%s: the picture is the same", name)
		}
		if other.Version() == base.Version() {
			t.Errorf("%s: the version is the same", name)
		}
	}
	again := sample()
	if picture, _ := decode(t, again); again.Version() != base.Version() || !bytes.Equal(picture.Pix, plain.Pix) {
		t.Error("the same card twice is two cards")
	}
}

func TestCard_AHeadingOfEmojiAloneHasAnother(t *testing.T) {
	c, named := sample(), sample()
	c.Heading, c.Instead, named.Heading = hostile["emoji"], "azur-1", "azur-1"
	got, _ := decode(t, c)
	if want, _ := decode(t, named); !bytes.Equal(got.Pix, want.Pix) {
		t.Error("the other text is not shown")
	}
}

// A crowd of link previews must cost little: the budget is 150 ms for the first
// card of a process, and the processor of a test run is shared.
func TestCard_IsDrawnInTime(t *testing.T) {
	best := time.Hour
	for range 5 {
		start := time.Now()
		decode(t, sheets(hostile["dense"])["figure"])
		best = min(best, time.Since(start))
	}
	if best > slowdown*150*time.Millisecond {
		t.Errorf("a card takes %v", best)
	}
}

func BenchmarkCard(b *testing.B) {
	for name, text := range map[string]string{"usual": "Motivé par la cafétéria", "long": hostile["long"], "dense": hostile["dense"]} {
		c := sheets(text)["figure"]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				body, err := c.PNG()
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(body)), "bytes")
			}
		})
	}
}
