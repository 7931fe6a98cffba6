package ledger

import "testing"

// FuzzParseCheckpoint: what is read as a checkpoint is written as it was read.
func FuzzParseCheckpoint(f *testing.F) {
	c := Checkpoint{Contest: "essai"}
	c.Boxes = append(c.Boxes, emptyTree, emptyTree)
	f.Add(c.text())
	f.Add(boxText("essai", 3, emptyTree))
	f.Add("joute-ledger/essai\nboxes 1\n00 AAAA\n")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCheckpoint(text); err == nil {
			if again := c.text(); len(text) < len(again) || text[:len(again)] != again {
				t.Errorf("%q is read as %q", text, again)
			}
		}
		if contest, box, tree, err := parseBoxCheckpoint(text); err == nil {
			if again := boxText(contest, box, tree); len(text) < len(again) || text[:len(again)] != again {
				t.Errorf("%q is read as %q", text, again)
			}
		}
	})
}

// FuzzRecordOf: a line has one position, the one in front.
func FuzzRecordOf(f *testing.F) {
	f.Add([]byte(`{"position":"7-0-5-1","kind":"cast"}`))
	f.Add([]byte(`{"position":"7-0-5-1","kind":"cast","position":"7-0-5-2"}`))
	f.Add([]byte(`{"position":"","kind":"cast"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := recordOf(line)
		if err != nil {
			return
		}
		if at, err := positionOf(line); err != nil || at != r.Position {
			t.Errorf("%q: %v and %v", line, at, r.Position)
		}
	})
}
