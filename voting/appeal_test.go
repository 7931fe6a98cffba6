package voting_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/joute/joute/voting"
)

func TestParseAppeal(t *testing.T) {
	for _, row := range []struct {
		text, want string
		err        error
	}{
		{" C'était moi.\r\nVraiment !\n", "C'était moi.\nVraiment !", nil},
		{strings.Repeat("é", 500), strings.Repeat("é", 500), nil},
		{strings.Repeat("🙂", 500), strings.Repeat("🙂", 500), nil},
		{strings.Repeat("é", 501), "", voting.ErrAppealLong},
		{strings.Repeat("x", 10<<10), "", voting.ErrAppealLong},
		{"", "", voting.ErrAppealEmpty},
		{" \r\n\t\u00a0 ", "", voting.ErrAppealEmpty},
		{"a\x00b", "", voting.ErrAppealText},
		{"a\rb", "", voting.ErrAppealText},
		{"a\tb", "", voting.ErrAppealText},
		{"a\x1b[31mb", "", voting.ErrAppealText},
		{"a\u202eb", "", voting.ErrAppealText},
		{"a\u2067b", "", voting.ErrAppealText},
		{"a\u2028b", "", voting.ErrAppealText},
		{"a\xffb", "", voting.ErrAppealText},
		{"<script>alert(1)</script>", "<script>alert(1)</script>", nil}, // plain text: whoever shows it escapes it
	} {
		got, err := voting.ParseAppeal(row.text)
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%.20q: %.20q, %v; want %.20q, %v", row.text, got, err, row.want, row.err)
		}
	}
}

func FuzzParseAppeal(f *testing.F) {
	for _, text := range []string{"", "a", "a\r\nb", "\xff", "\u202e", strings.Repeat("é", 501)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept, err := voting.ParseAppeal(text)
		if err != nil {
			if kept != "" {
				t.Errorf("%q is refused and kept as %q", text, kept)
			}
			return
		}
		if again, err := voting.ParseAppeal(kept); again != kept || err != nil {
			t.Errorf("%q is kept as %q, and that as %q, %v", text, kept, again, err)
		}
		if n := utf8.RuneCountInString(kept); n == 0 || n > voting.MaxAppeal || len(kept) > 2<<10 || strings.ContainsAny(kept, "\r\x00\t") {
			t.Errorf("%q", kept)
		}
	})
}
