package card

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"
)

func samplePoster() Poster {
	return Poster{
		Lang: "fr", Accent: teal, Brand: "Tremplin", Above: "Le pire CV vidéo", Call: "Votez pour", Heading: "Azur School of Management", Below: "Nice",
		Scan: "Scannez", Foot: "Votez jusqu'au 26 novembre", Link: "https://vote.example.org/s/abcdefghjkmn-p", Shown: "vote.example.org/s/abcdefghjkmn-p",
	}
}

// paths are the paths and frames of a poster, by their attributes. The file is
// well-formed XML, or the test ends.
func paths(t testing.TB, body []byte) (all []map[string]string, title string) {
	t.Helper()
	reader := xml.NewDecoder(strings.NewReader(string(body)))
	within := ""
	for {
		token, err := reader.Token()
		if errors.Is(err, io.EOF) {
			return all, title
		}
		if err != nil {
			t.Fatalf("%v in %.200s", err, body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			within = token.Name.Local
			attributes := map[string]string{"": within}
			for _, a := range token.Attr {
				attributes[a.Name.Local] = a.Value
			}
			all = append(all, attributes)
		case xml.CharData:
			if within == "title" {
				title += string(token)
			}
		case xml.EndElement:
			within = ""
		}
	}
}

var (
	outlineShape = regexp.MustCompile(`^[MLQC][-0-9.]`)
	numberShape  = regexp.MustCompile(`-?[0-9.]+`)
)

// Whatever the texts: one sheet, nothing near its edges, no text that needs a
// font, nothing that is loaded or runs, and the code whole and large.
func TestPoster_AnyTextStaysOnTheSheet(t *testing.T) {
	for name, text := range hostile {
		p := Poster{Lang: "fr", Accent: teal, Brand: text, Above: text, Call: text, Heading: text, Instead: "azur-1", Below: text, Scan: text, Foot: text, Link: samplePoster().Link, Shown: samplePoster().Shown}
		body, err := p.SVG()
		if err != nil {
			t.Fatal(err)
		}
		all, title := paths(t, body)
		if len(body) > 400<<10 || strings.Contains(title, "\x1b") || !strings.Contains(title, p.Shown) {
			t.Errorf("%s: %d bytes, title %q", name, len(body), title)
		}
		for _, one := range all {
			switch one[""] {
			case "svg", "title", "style", "path", "rect":
			default:
				t.Errorf("%s: an element %s", name, one[""])
			}
			if !outlineShape.MatchString(one["d"]) || one["transform"] != "" || one["fill"] == "#fff" || strings.ContainsAny(one["d"], "lh") {
				continue
			}
			for i, number := range numberShape.FindAllString(one["d"], -1) {
				at, _ := strconv.ParseFloat(number, 64)
				if i%2 == 0 && (at < posterMargin-3 || at > sheetWidth-posterMargin+3) || i%2 == 1 && (at < 20 || at > sheetHeight-12) {
					t.Fatalf("%s: an outline at %v: %.80s", name, at, one["d"])
				}
			}
		}
	}
}

func TestPoster_TheCodeIsTheLinks(t *testing.T) {
	p := samplePoster()
	body, err := p.SVG()
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(p.Link, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := paths(t, body)
	run := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1H\d+z`)
	found := false
	for _, one := range all {
		if one["transform"] == "" {
			continue
		}
		found = true
		dark := map[[2]int]bool{}
		for _, m := range run.FindAllStringSubmatch(one["d"], -1) {
			x, _ := strconv.Atoi(m[1])
			y, _ := strconv.Atoi(m[2])
			wide, _ := strconv.Atoi(m[3])
			for i := range wide {
				dark[[2]int{x + i - codeQuiet, y - codeQuiet}] = true
			}
		}
		for y := -codeQuiet; y < code.Size+codeQuiet; y++ {
			for x := -codeQuiet; x < code.Size+codeQuiet; x++ {
				if dark[[2]int{x, y}] != code.Black(x, y) {
					t.Fatalf("module %d, %d", x, y)
				}
			}
		}
		scale, _ := strconv.ParseFloat(regexp.MustCompile(`scale\(([0-9.]+)\)`).FindStringSubmatch(one["transform"])[1], 64)
		if side := scale * float64(code.Size); side < 60 {
			t.Errorf("a code of %.1f mm", side)
		}
	}
	if !found {
		t.Error("no code")
	}
	for member, change := range map[string]func(*Poster){
		"brand": func(p *Poster) { p.Brand = "X" }, "above": func(p *Poster) { p.Above = "X" }, "call": func(p *Poster) { p.Call = "X" }, "heading": func(p *Poster) { p.Heading = "X" },
		"below": func(p *Poster) { p.Below = "X" }, "scan": func(p *Poster) { p.Scan = "X" }, "foot": func(p *Poster) { p.Foot = "X" }, "link": func(p *Poster) { p.Link = "x" },
		"shown": func(p *Poster) { p.Shown = "x" }, "lang": func(p *Poster) { p.Lang = "en" }, "accent": func(p *Poster) { p.Accent = black },
	} {
		other := samplePoster()
		change(&other)
		if changed, err := other.SVG(); err != nil || string(changed) == string(body) {
			t.Errorf("%s is not on it", member)
		}
	}
}
