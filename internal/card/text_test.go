package card

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/font/sfnt"
)

func TestDrawable_WhatIsLeftOfAText(t *testing.T) {
	for text, want := range map[string]string{
		"École « Œuvre » à 3 €, l’été ÿ Ÿ æ": "École « Œuvre » à 3 €, l’été ÿ Ÿ æ",
		"  deux \t mots\n":                          "deux mots",
		"Motive\u0301":                              "Motivé",
		"1\u202f204\u00a0votes":                     "1\u00a0204\u00a0votes",
		"CV 🎬 vidéo 👩🏽‍🎓":                           "CV vidéo",
		"🎓🎓🎓":                                       "",
		"\u202eABC\u202c\u200f":                     "ABC",
		"a\x00b\x1b[31m":                            "ab[31m",
		"ＣＶ ﬁnal":                                   "CV ﬁnal",
		"Χρόνος и время":                            "Χρόνος и время",
		"最差视频 CV":                                   "",
		"La philosophie du 道 expliquée aux mutants": "La philosophie du expliquée aux mutants",
		"G \u1fc1 :":                                "G :", // a mark that falls apart into a space and more marks
		"\xff\xfe":                                  "",
	} {
		if got := drawable(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// The font has what French and its neighbours write.
func TestFont_HasEveryLetterOfOurLanguages(t *testing.T) {
	var buf sfnt.Buffer
	for _, s := range []style{title, plain} {
		for _, r := range "ÀÂÄÆÇÉÈÊËÎÏÔŒÙÛÜŸàâæçéèêëîïôœùûüÿ«»‹›“”‘’…–—·•€£№°ªº²³ñÑßßŁłŠšŽžŐőĞğİıĄą?!;:%&@#0123456789" {
			if glyph, err := s.font().GlyphIndex(&buf, r); err != nil || glyph == 0 {
				t.Errorf("%q is missing", r)
			}
		}
	}
}

func TestSet_ShrinksThenCuts(t *testing.T) {
	short := title.set("Oui", 128, 42, 1.06, 600, 300)
	if short.size != 128 || len(short.lines) != 1 {
		t.Errorf("a short text is set at %.0f in %d lines", short.size, len(short.lines))
	}
	longer := title.set(strings.Repeat("un titre moyen ", 5), 128, 42, 1.06, 600, 300)
	if longer.size >= 128 || longer.size <= 42 || strings.Contains(strings.Join(longer.lines, " "), "…") {
		t.Errorf("a longer text is set at %.0f as %q", longer.size, longer.lines)
	}
	endless := title.set(strings.Repeat("un titre sans fin ", 40), 128, 42, 1.06, 600, 300)
	if last := endless.lines[len(endless.lines)-1]; endless.size != 42 || !strings.HasSuffix(last, "…") {
		t.Errorf("an endless text is set at %.0f and ends in %q", endless.size, last)
	}
	if got := title.set("Prix : 1\u00a0200\u00a0€ à gagner", 60, 42, 1.06, 250, 900); !strings.Contains(strings.Join(got.lines, "|"), "1\u00a0200\u00a0€") {
		t.Errorf("a number is broken: %q", got.lines)
	}
}

func FuzzText(f *testing.F) {
	for _, text := range hostile {
		f.Add(text[:min(len(text), 2000)], 652.0)
	}
	f.Fuzz(func(t *testing.T, text string, width float64) {
		if !(width >= 120 && width <= 2000) {
			t.Skip("no box of a card")
		}
		shown := drawable(text)
		if !utf8.ValidString(shown) || strings.ContainsFunc(shown, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Fatalf("%q becomes %q", text, shown)
		}
		if again := drawable(shown); again != shown {
			t.Fatalf("%q becomes %q and then %q", text, shown, again)
		}
		b := title.set(shown, 128, 42, 1.06, width, 300)
		if b.height() > 300 || b.size < 42 || b.size > 128 {
			t.Fatalf("%q is %.0f high at %.0f", shown, b.height(), b.size)
		}
		whole := strings.Join(b.lines, "")
		for _, line := range b.lines {
			if wide := b.width(line, b.size); wide > width+0.001 {
				t.Fatalf("%q is %.1f wide, of %.1f", line, wide, width)
			}
		}
		squeeze := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), "\u00a0", "") }
		if got, all := squeeze(strings.TrimSuffix(whole, "…")), squeeze(shown); got != all && (!strings.HasPrefix(all, got) || !strings.HasSuffix(whole, "…")) {
			t.Fatalf("%q is set as %q", shown, b.lines)
		}
	})
}
