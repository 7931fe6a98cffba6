package jsonwrite_test

import (
	"encoding/json"
	"testing"

	"github.com/joute/joute/internal/jsonwrite"
)

func FuzzText(f *testing.F) {
	for _, text := range []string{"", "lumiere-0001", `"\`, "<&>", "é\u2028", "\x00\x1f\x7f", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, _ := json.Marshal(text)
		if got := jsonwrite.Text(nil, text); string(got) != string(want) {
			t.Errorf("%q is written %s, by encoding/json %s", text, got, want)
		}
	})
}
