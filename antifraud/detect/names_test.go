package detect

import (
	"fmt"
	"hash/maphash"
	"testing"
)

func TestNames_EachTextHasItsCodeHoweverManyThereAre(t *testing.T) {
	var n names
	if got := n.code(""); got != unseen || n.count() != 0 {
		t.Fatalf("no text has code %d, of %d", got, n.count())
	}
	const many = 100_000
	for again := range 2 {
		for i := range int32(many) {
			if got := n.code(fmt.Sprint(i)); got != i {
				t.Fatalf("text %d has code %d, time %d", i, got, again)
			}
		}
	}
	for i := range int32(many) {
		if got := n.text(i); got != fmt.Sprint(i) {
			t.Fatalf("code %d is of %q", i, got)
		}
	}
	if n.count() != many {
		t.Errorf("%d texts, want %d", n.count(), many)
	}
}

func TestNames_TextsOfOneHashAreTwo(t *testing.T) {
	var n names
	n.code("the seed is made with the first")
	seen := map[uint32]string{}
	for i := 0; ; i++ { // two of some 80,000
		text := fmt.Sprint(i)
		hash := uint32(maphash.String(n.seed, text))
		other, twice := seen[hash]
		if seen[hash] = text; !twice {
			continue
		}
		first, second := n.code(other), n.code(text)
		if first == second || n.text(first) != other || n.text(second) != text || n.code(other) != first || n.code(text) != second {
			t.Errorf("%q has code %d and %q %d", other, first, text, second)
		}
		return
	}
}

// BenchmarkNames is a voter's, who nearly always shows what nobody else does.
func BenchmarkNames(b *testing.B) {
	texts := make([]string, b.N)
	for i := range texts {
		texts[i] = fmt.Sprintf("%026d", i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var n names
	for _, text := range texts {
		n.code(text)
	}
}
