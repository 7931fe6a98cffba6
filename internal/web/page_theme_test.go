package web

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/colornames"

	"github.com/joute/joute/contest"
)

func TestTheme_TextIsReadableOnEveryAccent(t *testing.T) {
	accents := []string{"", "#fff", "#000", "#0b7a75", "#ff0", "#777", "#767676", "#8f8", "#12345678", "#abcd", "rebeccapurple"}
	accents = append(accents, colornames.Names...)
	for _, accent := range accents {
		sheet := string(themeOf(&contest.Contest{Accent: accent}))
		var ground, on, light, dark string
		if _, err := fmt.Sscanf(sheet, ":root{--accent:%7s;--on-accent:%7s;--accent-text:%7s}\n@media(prefers-color-scheme:dark){:root{--accent-text:%7s}}\n", &ground, &on, &light, &dark); err != nil {
			t.Fatalf("%s: %v in %s", accent, err, sheet)
		}
		for _, pair := range []struct {
			what       string
			text, back color.RGBA
		}{
			{"on the accent", parseColour(on), parseColour(ground)},
			{"on light", parseColour(light), paper},
			{"on dark", parseColour(dark), night},
		} {
			if got := contrast(pair.text, pair.back); got < 4.5 {
				t.Errorf("%s: contrast %s is %.2f", accent, pair.what, got)
			}
		}
	}
}

// Every name that a document may use is a colour here too.
func TestTheme_KnowsTheNamesDocumentsMayUse(t *testing.T) {
	for _, name := range append([]string{"rebeccapurple"}, colornames.Names...) {
		document := `{"id":"c","title":"T","accent":"` + name + `","phases":{"voting":{"opens":"2026-01-01T00:00:00Z","closes":"2026-01-02T00:00:00Z"}},"schools":[{"id":"s","name":"S"}]}`
		c, err := contest.Parse([]byte(document))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := parseColour(c.Accent); got == (color.RGBA{}) {
			t.Errorf("%s is no colour", name)
		}
	}
}

func TestContrast_AsWCAGHasIt(t *testing.T) {
	white, black, grey := color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 255}, color.RGBA{0x76, 0x76, 0x76, 255}
	for _, pair := range []struct {
		a, b color.RGBA
		want float64
	}{{white, black, 21}, {black, white, 21}, {white, white, 1}, {grey, white, 4.54}} {
		if got := contrast(pair.a, pair.b); math.Abs(got-pair.want) > 0.01 {
			t.Errorf("contrast of %v and %v is %.3f, want %.2f", pair.a, pair.b, got, pair.want)
		}
	}
}

func TestWords_NumbersAndInstants(t *testing.T) {
	texts, err := newCatalogue()
	must(t, err)
	fr, en := words{texts, "fr"}, words{texts, "en"}
	for n, want := range map[int64][2]string{
		0: {"0", "0"}, 999: {"999", "999"}, 1000: {"1_000", "1,000"}, 12482: {"12_482", "12,482"}, -1234567: {"-1_234_567", "-1,234,567"},
	} {
		if got := fr.Number(n); got != strings.ReplaceAll(want[0], "_", "\u202f") {
			t.Errorf("%d in French: %s", n, got)
		}
		if got := en.Number(n); got != want[1] {
			t.Errorf("%d in English: %s", n, got)
		}
	}
	if got := fr.Decimal(1234.5); got != "1\u202f234,50" {
		t.Errorf("French: %s", got)
	}
	if got := en.Decimal(0.999); got != "1.00" {
		t.Errorf("English: %s", got)
	}
}

func TestWords_FrenchHoursAsFrenchWritesThem(t *testing.T) {
	texts, err := newCatalogue()
	must(t, err)
	paris, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	for at, want := range map[string]string{
		"2026-11-01T03:08:00Z": "dimanche 1er novembre 2026 à 4_h_08 (Europe/Paris)",
		"2026-11-02T19:00:00Z": "lundi 2 novembre 2026 à 20_h (Europe/Paris)",
	} {
		instant, err := time.Parse(time.RFC3339, at)
		must(t, err)
		if got := (words{texts, "fr"}).When(instant, paris); got != strings.ReplaceAll(want, "_", "\u00a0") {
			t.Errorf("%s: %s", at, got)
		}
	}
}
