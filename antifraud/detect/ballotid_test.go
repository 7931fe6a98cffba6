package detect

import (
	"cmp"
	"testing"
)

func TestLog_IdsAreTheirTextsAndInTheirOrder(t *testing.T) {
	texts := []string{
		"", "b-1", "b-10", "b-2", "01a21cd5-6133-7a35-b8d4-4c59e36a4944", "01A21CD5-6133-7A35-B8D4-4C59E36A4944", "01a21cd561337a35b8d44c59e36a4944",
		"{01a21cd5-6133-7a35-b8d4-4c59e36a4944}", "f1a21cd5-6133-7a35-b8d4-4c59e36a4944", "9fffffff-ffff-ffff-ffff-ffffffffffff",
		"ffffffff-ffff-ffff-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000", "zoé",
	}
	l := &log{}
	for _, a := range texts {
		x := l.idOf(a)
		if got := l.text(x); got != a {
			t.Errorf("%q is %q", a, got)
		}
		for _, b := range texts {
			if got, want := l.compare(x, l.idOf(b)), cmp.Compare(a, b); got != want {
				t.Errorf("%q and %q compare as %d, want %d", a, b, got, want)
			}
		}
	}
	if odd := l.odd; len(odd) == 0 || len(odd) >= len(texts)*(len(texts)+1) {
		t.Errorf("%d of %d are odd", len(odd), len(texts)*(len(texts)+1))
	}
}
