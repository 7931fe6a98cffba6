package web

import (
	"fmt"
	"testing"
	"unicode/utf8"
)

func TestWords_NounsAgreeWithTheirNumber(t *testing.T) {
	texts, err := newCatalogue()
	must(t, err)
	for _, c := range []struct {
		n      int64
		fr, en string
	}{
		{0, "0 vote", "0 votes"}, {1, "1 vote", "1 vote"}, {2, "2 votes", "2 votes"},
		// French would say un million de votes in words; in digits it is a number like any other.
		{999_999, "999\u202f999 votes", "999,999 votes"}, {1_000_000, "1\u202f000\u202f000 votes", "1,000,000 votes"}, {3_000_000, "3\u202f000\u202f000 votes", "3,000,000 votes"},
	} {
		for lang, want := range map[string]string{"fr": c.fr, "en": c.en} {
			w := words{texts, lang}
			if got := w.Count("frame.votes", c.n); got != want {
				t.Errorf("%s %d: %q, not %q", lang, c.n, got, want)
			}
			if got := w.Number(c.n) + " " + w.Count("page.votes", c.n); got != want {
				t.Errorf("%s %d, noun apart: %q, not %q", lang, c.n, got, want)
			}
		}
	}
}

// A frame has two lines for it, of some 40 letters on a phone. The page has the room
// to say since when and until when.
func TestFrame_WhyNumbersAreUnseenFitsTwoLines(t *testing.T) {
	e := start(t)
	for more, want := range map[string]string{
		`,"results":{"visibility":"after_close"}`:  "hidden.after_close",
		`,"results":{"visibility":"after_ballot"}`: "hidden.after_ballot",
		`,"results":{"freeze":"24h30m"}`:           "frozen",
	} {
		id, _ := e.contest(more)
		for _, lang := range []string{"fr", "en"} {
			text := words{e.server.texts, lang}.Say("frame." + want)
			if n := utf8.RuneCountInString(text); n > 72 {
				t.Errorf("%s: %d letters: %s", lang, n, text)
			}
			e.browser().get(fmt.Sprintf("/embed/%s?lang=%s", id, lang)).shows(text)
		}
	}
}
