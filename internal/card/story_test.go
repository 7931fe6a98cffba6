package card

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"
)

func sampleStory() Story {
	return Story{
		Ground: teal, Ink: white, Brand: "Tremplin", Above: "Le pire CV vidéo", Call: "Votez pour", Heading: "Motivé par la cafétéria", Below: "Azur School of Management",
		Link: "https://vote.example.org/s/abcdefghjkmn-s", Shown: "vote.example.org/s/abcdefghjkmn-s",
	}
}

func story(t testing.TB, s Story) (*image.Paletted, int) {
	t.Helper()
	body, err := s.PNG()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return picture.(*image.Paletted), len(body)
}

// codeIn finds a link's code in a picture, every module and the quiet zone of it
// black or white as it must be, and says how many pixels its side has.
func codeIn(t testing.TB, m image.Image, link string) (side int) {
	t.Helper()
	code, err := qr.Encode(link, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	is := func(x, y, scale int) bool {
		for v := -codeQuiet; v < code.Size+codeQuiet; v++ {
			for u := -codeQuiet; u < code.Size+codeQuiet; u++ {
				want := white
				if code.Black(u, v) {
					want = black
				}
				if m.At(x+u*scale+scale/2, y+v*scale+scale/2) != want {
					return false
				}
			}
		}
		return true
	}
	// It begins with a dark run of seven modules.
	bounds := m.Bounds()
	for y := range bounds.Dy() {
		for x := 1; x < bounds.Dx(); x++ {
			if m.At(x, y) != black || m.At(x-1, y) != white {
				continue
			}
			wide := 1
			for x+wide < bounds.Dx() && m.At(x+wide, y) == black {
				wide++
			}
			if wide%7 == 0 && is(x, y, wide/7) {
				return code.Size * wide / 7
			}
		}
	}
	t.Fatal("no code")
	return 0
}

// Whatever the texts: right in size and weight, the code whole and large, and
// nothing to read where apps put their own buttons.
func TestStory_AnyTextKeepsTheCodeAndTheEdges(t *testing.T) {
	long := "https://vote.example.org/c/" + strings.Repeat("a", 64) + "/e/" + strings.Repeat("b", 64)
	colours := [][2]color.RGBA{{teal, white}, {yellow, black}, {black, white}, {white, black}}
	for i, name := range slices.Sorted(maps.Keys(hostile)) {
		for k := range 2 * len(colours) { // one text in all of them, the others in one each
			if (name != "long" || slowdown > 1) && k != i%(2*len(colours)) {
				continue
			}
			text, link := hostile[name], []string{sampleStory().Link, long}[k%2]
			s := Story{Ground: colours[k/2][0], Ink: colours[k/2][1], Brand: text, Above: text, Call: text, Heading: text, Instead: "azur-1", Below: text, Link: link, Shown: link[8:]}
			picture, size := story(t, s)
			if picture.Rect != image.Rect(0, 0, 1080, 1920) || size > 300<<10 {
				t.Fatalf("%s: %v, %d bytes", name, picture.Rect, size)
			}
			if side := codeIn(t, picture, link); side < 380 {
				t.Errorf("%s: a code of %d pixels", name, side)
			}
			for part, area := range map[string]image.Rectangle{"top": image.Rect(0, 0, 1080, 250), "left": image.Rect(0, 250, 60, 1560), "right": image.Rect(1020, 250, 1080, 1560), "foot": image.Rect(0, 1770, 1080, 1920)} {
				for y := area.Min.Y; y < area.Max.Y; y++ {
					for x := area.Min.X; x < area.Max.X; x++ {
						if at := picture.ColorIndexAt(x, y); int(at) > shadeSteps && (part != "foot" || at != tones-1) {
							t.Fatalf("%s: something in the %s, at %d, %d", name, part, x, y)
						}
					}
				}
			}
		}
	}
}

func TestStory_EveryMemberShowsAndIsInTheVersion(t *testing.T) {
	base := sampleStory()
	plain, _ := story(t, base)
	for name, change := range map[string]func(*Story){
		"ground": func(s *Story) { s.Ground = yellow }, "ink": func(s *Story) { s.Ink = black }, "brand": func(s *Story) { s.Brand = "Autre" },
		"above": func(s *Story) { s.Above = "" }, "call": func(s *Story) { s.Call = "Vote for" }, "heading": func(s *Story) { s.Heading = "Motivée" },
		"below": func(s *Story) { s.Below = "" }, "link": func(s *Story) { s.Link += "x" }, "shown": func(s *Story) { s.Shown += "x" },
	} {
		other := base
		change(&other)
		picture, _ := story(t, other)
		if bytes.Equal(picture.Pix, plain.Pix) && picture.Palette[0] == plain.Palette[0] && picture.Palette[tones-1] == plain.Palette[tones-1] {
			t.Errorf("%s: the picture is the same", name)
		}
		if other.Version() == base.Version() {
			t.Errorf("%s: the version is the same", name)
		}
	}
	again := base
	if picture, _ := story(t, again); again.Version() != base.Version() || !bytes.Equal(picture.Pix, plain.Pix) {
		t.Error("the same story twice is two")
	}
}

func TestStory_ALinkNoCodeHoldsIsAnError(t *testing.T) {
	s, p := sampleStory(), samplePoster()
	s.Link = strings.Repeat("x", 3000)
	p.Link = s.Link
	if _, err := s.PNG(); err == nil {
		t.Error("a story")
	}
	if _, err := p.SVG(); err == nil {
		t.Error("a poster")
	}
}

// The budget is 400 ms for the first story of a process.
func TestStory_IsDrawnInTime(t *testing.T) {
	best := time.Hour
	s := sampleStory()
	s.Heading, s.Below = hostile["dense"], hostile["dense"]
	for range 3 {
		start := time.Now()
		story(t, s)
		best = min(best, time.Since(start))
	}
	if best > slowdown*400*time.Millisecond {
		t.Errorf("a story takes %v", best)
	}
}

func BenchmarkStory(b *testing.B) {
	s := sampleStory()
	for b.Loop() {
		body, err := s.PNG()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(body)), "bytes")
	}
}
