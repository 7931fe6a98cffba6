package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

func TestWriter_RootsAreThoseOfRFC6962(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	for size := int64(1); size <= 300; size++ {
		appendTo(t, w, 0, size)
		if size%9 == 0 { // the files are read again by another writer
			commit(t, w)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = open(t, dir)
		}
		if got, want := w.Root(0), rootOf(linesOf(0, 1, size)); got.Hash != want || got.N != size {
			t.Fatalf("size %d: %v, want %v", size, got, want)
		}
	}
}

func TestRecords_BehindEveryPosition(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	ledger.SegmentsOf(t, 2000) // bytes: about six records
	const size = 40
	for n := int64(1); n <= size; n++ {
		appendTo(t, w, 2, n)
		appendTo(t, w, 1, n)
	}
	if got := read(t, dir, 1, voting.Position{}); len(got) != 0 {
		t.Fatalf("before the first checkpoint there are %v", got)
	}
	commit(t, w)
	appendTo(t, w, 1, size+10) // promised to nobody
	if files, _ := filepath.Glob(filepath.Join(dir, contest, "box-1", "*.ndjson")); len(files) < 5 {
		t.Fatalf("there are %d segments", len(files))
	}
	if got := read(t, dir, 0, voting.Position{}); len(got) != 0 {
		t.Errorf("a box that has none gives %v", got)
	}
	for n := int64(0); n <= size+5; n++ {
		for box := range 4 {
			after := voting.Position{}
			if n > 0 {
				after = voting.Position{Epoch: 7, Box: box, Millis: 1_800_000_000_000 + n/3, Offset: n}
			}
			first := n + 1
			switch { // three records share a millisecond
			case n > 0 && box < 1: // of that millisecond all come behind
				first = max(n-n%3, 1)
			case n > 0 && box > 1: // none does
				first = n - n%3 + 3
			}
			got := read(t, dir, 1, after)
			want := int(max(size-first+1, 0))
			if len(got) != want || want > 0 && (got[0] != first || got[want-1] != size) {
				t.Errorf("behind record %d of box %d: %v, want %d to %d", n, box, got, first, size)
			}
		}
	}
}

func TestWriter_RefusesWhatDoesNotContinueTheLedger(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	appendTo(t, w, 0, 3)
	earlier := []byte(`{"position":"7-0-1000-4","kind":"cast","at":"1970-01-01T00:00:01.000Z","actor":"voter"}`)
	for name, lines := range map[string][][]byte{
		"a repeat":            linesOf(0, 3, 4),
		"a hole":              linesOf(0, 5, 6),
		"a hole further on":   append(linesOf(0, 4, 5), lineOf(0, 7)),
		"another box":         linesOf(1, 4, 4),
		"an earlier instant":  {earlier},
		"no record":           {[]byte("{}")},
		"two lines in one":    {append(append(lineOf(0, 4), '\n'), lineOf(0, 5)...)},
		"the wrong order":     {lineOf(0, 5), lineOf(0, 4)},
		"nothing but the end": {nil},
	} {
		if err := w.Append(0, lines); !errors.Is(err, ledger.ErrOrder) || w.Size(0) != 3 {
			t.Errorf("%s: %v, size %d", name, err, w.Size(0))
		}
	}
	appendTo(t, w, 0, 6)
	commit(t, w)
	if got := read(t, dir, 0, voting.Position{}); len(got) != 6 {
		t.Errorf("it has %v", got)
	}
}

func TestOpen_OneWriterAContest(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir)
	if _, err := ledger.Open(dir, contest, signerOf(t, 1)); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("a second writer: %v", err)
	}
	other, err := ledger.Open(dir, "autre", signerOf(t, 1))
	if err != nil {
		t.Errorf("another contest: %v", err)
	}
	other.Close()
	first.Close()
	if err := first.Append(0, linesOf(0, 1, 1)); err == nil {
		t.Error("a closed writer appends")
	}
	open(t, dir)
}

func TestOpen_RefusesAnotherKeyAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	appendTo(t, w, 0, 3)
	commit(t, w)
	w.Close()
	if _, err := ledger.Open(dir, contest, signerOf(t, 2)); !errors.Is(err, ledger.ErrDamaged) {
		t.Fatalf("with another key: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, contest, "public-key")); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Open(dir, contest, signerOf(t, 2)); !errors.Is(err, ledger.ErrDamaged) {
		t.Fatalf("with another key, and the old one gone: %v", err)
	}
}

func TestCommit_WithoutAnythingNewIsTheSameCheckpoint(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	if c := commit(t, w); len(c.Boxes) != 0 {
		t.Errorf("of an empty ledger: %+v", c)
	}
	if _, err := ledger.ReadCheckpoint(dir, contest); !errors.Is(err, ledger.ErrNoLedger) {
		t.Errorf("of an empty ledger: %v", err)
	}
	appendTo(t, w, 1, 5)
	first := commit(t, w)
	if second := commit(t, w); string(second.Note) != string(first.Note) || second.Size(1) != 5 || second.Size(0) != 0 || second.Size(9) != 0 {
		t.Errorf("%+v", second)
	}
	w.Close()
	if onDisk, err := ledger.ReadCheckpoint(dir, contest); err != nil || string(onDisk.Note) != string(first.Note) {
		t.Errorf("%+v, %v", onDisk, err)
	}
	if again := commit(t, open(t, dir)); string(again.Note) != string(first.Note) {
		t.Errorf("%+v", again)
	}
}
