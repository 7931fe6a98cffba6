package ledger_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// committed makes a ledger of two boxes with 30 records each, the first in several
// segments, and closes it.
func committed(t testing.TB) (dir string) {
	t.Helper()
	dir = inMemory(t)
	w := open(t, dir)
	for last := int64(3); last <= 30; last += 3 {
		appendTo(t, w, 0, last)
	}
	appendTo(t, w, 1, 30)
	commit(t, w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edit changes a file of the contest's folder.
func edit(t testing.TB, dir, name string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(dir, contest, name)
	before, err := os.ReadFile(path)
	fresh := errors.Is(err, os.ErrNotExist)
	if err != nil && !fresh {
		t.Fatal(err)
	}
	after := change(append([]byte{}, before...))
	if !fresh && after != nil && bytes.Equal(after, before) {
		t.Fatalf("%s is not edited", name)
	}
	if after == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, after, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func cutBy(n int) func([]byte) []byte      { return func(b []byte) []byte { return b[:len(b)-n] } }
func gone([]byte) []byte                   { return nil }
func addText(s string) func([]byte) []byte { return func(b []byte) []byte { return append(b, s...) } }
func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
}

// flipIn flips a bit so far behind a text, of which the last is taken.
func flipIn(text string, behind int) func([]byte) []byte {
	return func(b []byte) []byte { return flip(bytes.LastIndex(b, []byte(text)) + len(text) + behind)(b) }
}

// forked is what committed makes, and the same key has signed, but for one vote.
func forked(t *testing.T) files {
	t.Helper()
	dir := inMemory(t)
	w := open(t, dir)
	lines := linesOf(0, 1, 30)
	lines[9] = bytes.Replace(lines[9], []byte(`"entry":"entry-0"`), []byte(`"entry":"entry-1"`), 1)
	if err := w.Append(0, lines); err != nil {
		t.Fatal(err)
	}
	appendTo(t, w, 1, 30)
	commit(t, w)
	w.Close()
	return load(t, dir)
}

// Another key than has signed does not go on, also where nothing is signed yet.
func TestOpen_RefusesAnotherKey(t *testing.T) {
	for name, last := range map[string]int64{"signed": 3, "not signed yet": 0} {
		dir := inMemory(t)
		w := open(t, dir)
		appendTo(t, w, 0, last)
		commit(t, w)
		w.Close()
		before := contentOf(t, dir)
		if w, err := ledger.Open(dir, contest, signerOf(t, 2)); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: %v, %v", name, w, err)
		}
		if after := contentOf(t, dir); after != before {
			t.Errorf("%s: it was changed from\n%s\nto\n%s", name, before, after)
		}
	}
}

// What the disk has refused once is not tried again by the same Writer: a sync that failed says
// nothing of the next one. Opened again, it goes on.
func TestWriter_DoesNothingMoreAfterAnError(t *testing.T) {
	for _, at := range []string{"write lines", "write hashes", "sync lines", "sync hashes", "write box checkpoint", "sync aside", "write checkpoint"} {
		dir := committed(t)
		w := open(t, dir)
		w.OnStep(func(what, _ string) error {
			if what == at {
				return errCrash
			}
			return nil
		})
		err := w.Append(0, linesOf(0, 31, 33))
		if err == nil {
			_, err = w.Commit()
		}
		if !errors.Is(err, errCrash) {
			t.Fatalf("%s: %v", at, err)
		}
		w.OnStep(func(string, string) error { return nil })
		if err := w.Append(0, linesOf(0, 34, 34)); !errors.Is(err, errCrash) {
			t.Errorf("%s: the next lines: %v", at, err)
		}
		if c, err := w.Commit(); !errors.Is(err, errCrash) {
			t.Errorf("%s: the next commit: %+v, %v", at, c, err)
		}
		w.Close()
		if err := goesOn(t, dir, open(t, dir)); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// What a crash may leave, and what can be made again, is mended.
func TestOpen_Mends(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	last := "box-0/000000000028.ndjson"
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"a torn line":                   func(t *testing.T, dir string) { edit(t, dir, last, addText(string(lineOf(0, 31))[:90])) },
		"a torn line of zeros":          func(t *testing.T, dir string) { edit(t, dir, last, addText("\x00\x00\x00")) },
		"a whole line of zeros":         func(t *testing.T, dir string) { edit(t, dir, last, addText("\x00\x00\x00\n")) },
		"an empty line":                 func(t *testing.T, dir string) { edit(t, dir, last, addText("\n")) },
		"a line that does not continue": func(t *testing.T, dir string) { edit(t, dir, last, addText(string(lineOf(0, 33))+"\n")) },
		"a record twice":                func(t *testing.T, dir string) { edit(t, dir, last, addText(string(lineOf(0, 30))+"\n")) },
		"a line with another line's position": func(t *testing.T, dir string) {
			edit(t, dir, last, addText(`{"position":"7-0-1800000000010-31","kind":"cast","position":"7-0-1800000000010-32"}`+"\n"))
		},
		"a segment that is empty": func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000031.ndjson", addText("")) },
		"a segment behind a hole": func(t *testing.T, dir string) {
			edit(t, dir, "box-0/000000000033.ndjson", addText(string(lineOf(0, 33))+"\n"))
		},
		"a segment behind a torn line": func(t *testing.T, dir string) {
			edit(t, dir, last, addText(`{"position":"7-0-18`))
			edit(t, dir, "box-0/000000000032.ndjson", addText(string(lineOf(0, 32))+"\n"))
		},
		"hashes gone":              func(t *testing.T, dir string) { edit(t, dir, "box-0/hashes", gone) },
		"hashes empty":             func(t *testing.T, dir string) { edit(t, dir, "box-0/hashes", func([]byte) []byte { return []byte{} }) },
		"hashes torn":              func(t *testing.T, dir string) { edit(t, dir, "box-0/hashes", cutBy(7)) },
		"hashes short":             func(t *testing.T, dir string) { edit(t, dir, "box-0/hashes", cutBy(10*32)) },
		"a bit of the root's hash": func(t *testing.T, dir string) { edit(t, dir, "box-0/hashes", flip(-1)) },
		"hashes of a future": func(t *testing.T, dir string) {
			edit(t, dir, "box-0/hashes", addText("more than 32 bytes that nobody has promised"))
		},
		"a box's checkpoint gone":    func(t *testing.T, dir string) { edit(t, dir, "box-0/checkpoint", gone) },
		"a file that was not whole":  func(t *testing.T, dir string) { edit(t, dir, ".new-checkpoint", addText("joute-led")) },
		"hashes that were not whole": func(t *testing.T, dir string) { edit(t, dir, "box-0/.new-hashes", addText("half")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := committed(t)
			spoil(t, dir)
			w := open(t, dir)
			if w.Size(0) != 30 || w.Size(1) != 30 {
				t.Fatalf("it has %d and %d records", w.Size(0), w.Size(1))
			}
			if err := goesOn(t, dir, w); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, contest, "*", ".new-*")); len(left) > 0 {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

// Until the next writer cuts it, readers pass over what a power cut has left behind the
// checkpoint. What is damaged before it they are told.
func TestRecords_WhateverIsBehindTheCheckpoint(t *testing.T) {
	for name, left := range map[string]string{
		"a torn line":           string(lineOf(1, 31))[:90],
		"a whole line of zeros": "\x00\x00\x00\n",
		"zeros before a line":   strings.Repeat("\x00", 20_000) + string(lineOf(1, 50)) + "\n",
		"zeros for long":        strings.Repeat("\x00", 3<<20),
		"lines of nobody":       strings.Repeat("no record\n", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			dir := committed(t)
			edit(t, dir, "box-1/000000000001.ndjson", addText(left))
			for n := int64(0); n <= 31; n++ {
				after := voting.Position{}
				if n > 0 {
					after = voting.Position{Epoch: 7, Box: 1, Millis: 1_800_000_000_000 + n/3, Offset: n}
				}
				if got := read(t, dir, 1, after); len(got) != int(max(30-n, 0)) {
					t.Fatalf("behind record %d: %v", n, got)
				}
			}
		})
	}
	dir := committed(t)
	edit(t, dir, "box-1/000000000033.ndjson", addText(string(lineOf(1, 33))+"\n")) // a segment behind one whose name is lost
	if got := read(t, dir, 1, voting.Position{}); len(got) != 30 {
		t.Errorf("with a segment behind a hole: %v", got)
	}
	dir = committed(t)
	edit(t, dir, "box-1/000000000001.ndjson", func(b []byte) []byte { b[len(b)/2] = '\n'; return b })
	for n := int64(1); n < 10; n++ {
		after := voting.Position{Epoch: 7, Box: 1, Millis: 1_800_000_000_000 + n/3, Offset: n}
		err := ledger.Records(t.Context(), dir, contest, 1, after, func([]byte, voting.Record) error { return nil })
		if !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("behind record %d of a damaged segment: %v", n, err)
		}
	}
}

// A whole line behind the checkpoint is kept: an embedded store has it nowhere else.
func TestOpen_KeepsWhatIsWholeBehindTheCheckpoint(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	dir := committed(t)
	w := open(t, dir)
	appendTo(t, w, 0, 44)
	appendTo(t, w, 1, 33)
	w.Close()
	w = open(t, dir)
	if w.Size(0) != 44 || w.Size(1) != 33 {
		t.Fatalf("it has %d and %d records", w.Size(0), w.Size(1))
	}
	if err := goesOn(t, dir, w); err != nil {
		t.Fatal(err)
	}
}

// What is promised and not there is not written over: it is evidence.
func TestOpen_RefusesADamagedLedger(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	fork := forked(t)
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"the last promised line cut": func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000028.ndjson", cutBy(5)) },
		"the last segment gone":      func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000028.ndjson", gone) },
		"the first segment gone":     func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000001.ndjson", gone) },
		"a line and the hashes gone": func(t *testing.T, dir string) {
			edit(t, dir, "box-0/000000000001.ndjson", flip(200))
			edit(t, dir, "box-0/hashes", gone)
		},
		"the contest's checkpoint": func(t *testing.T, dir string) { edit(t, dir, "checkpoint", flip(30)) },
		"the checkpoint of a box":  func(t *testing.T, dir string) { edit(t, dir, "box-0/checkpoint", flip(30)) },
		"the checkpoint of the other": func(t *testing.T, dir string) {
			other, err := os.ReadFile(filepath.Join(dir, contest, "box-1", "checkpoint"))
			if err != nil {
				t.Fatal(err)
			}
			edit(t, dir, "box-0/checkpoint", func([]byte) []byte { return other })
		},
		"the signature of the contest's checkpoint": func(t *testing.T, dir string) { edit(t, dir, "checkpoint", flipIn("joute-ledger ", 30)) },
		"the signature of a box's checkpoint":       func(t *testing.T, dir string) { edit(t, dir, "box-0/checkpoint", flipIn("joute-ledger ", 30)) },
		"a checkpoint of another history": func(t *testing.T, dir string) {
			edit(t, dir, "checkpoint", func([]byte) []byte { return fork["checkpoint"] })
		},
		"a box's checkpoint of another history": func(t *testing.T, dir string) {
			edit(t, dir, "box-0/checkpoint", func([]byte) []byte { return fork["box-0/checkpoint"] })
		},
		"a box gone": func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, contest, "box-1")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := committed(t)
			spoil(t, dir)
			before := contentOf(t, dir)
			if w, err := ledger.Open(dir, contest, signerOf(t, 1)); !errors.Is(err, ledger.ErrDamaged) {
				t.Fatalf("%v, %v", w, err)
			}
			if after := contentOf(t, dir); after != before {
				t.Errorf("it was changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

// contentOf is all files of the contest, as one text.
func contentOf(t *testing.T, dir string) string {
	t.Helper()
	var all bytes.Buffer
	for _, pattern := range []string{"*", "*/*"} {
		paths, err := filepath.Glob(filepath.Join(dir, contest, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if text, err := os.ReadFile(path); err == nil {
				all.WriteString(path + "\n")
				all.Write(text)
			}
		}
	}
	return all.String()
}

// A reader meets the same damage, and says so instead of giving less.
func TestRecords_OfADamagedLedger(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"the last line cut":      func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000028.ndjson", cutBy(5)) },
		"the last segment gone":  func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000028.ndjson", gone) },
		"a segment gone":         func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000019.ndjson", gone) },
		"the first segment gone": func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000001.ndjson", gone) },
		"a segment empty": func(t *testing.T, dir string) {
			edit(t, dir, "box-0/000000000019.ndjson", func([]byte) []byte { return []byte{} })
		},
		"a line that is no record": func(t *testing.T, dir string) { edit(t, dir, "box-0/000000000019.ndjson", flip(0)) },
		"a text as checkpoint":     func(t *testing.T, dir string) { edit(t, dir, "checkpoint", func([]byte) []byte { return []byte("x") }) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := committed(t)
			spoil(t, dir)
			err := ledger.Records(t.Context(), dir, contest, 0, voting.Position{}, func([]byte, voting.Record) error { return nil })
			if err == nil {
				t.Error("it says nothing")
			}
		})
	}
}
