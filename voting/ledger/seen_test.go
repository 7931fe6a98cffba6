package ledger_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/voting/ledger"
)

// A ledger that its own signer has rolled back or forked is whole in itself: who
// kept a checkpoint finds it, who did not cannot.
func TestVerify_RollbackAndForkNeedACheckpointSeenElsewhere(t *testing.T) {
	dir := inMemory(t)
	w := open(t, dir)
	appendTo(t, w, 0, 20)
	appendTo(t, w, 1, 20)
	early := commit(t, w)
	older := load(t, dir)
	appendTo(t, w, 0, 30)
	late := commit(t, w)
	w.Close()
	now := load(t, dir)
	ofBox := now["box-0/checkpoint"]

	forked := inMemory(t)
	w = open(t, forked)
	appendTo(t, w, 0, 9)
	line := strings.Replace(string(lineOf(0, 10)), `"entry":"entry-0"`, `"entry":"entry-1"`, 1) // one vote moved
	if err := w.Append(0, [][]byte{[]byte(line)}); err != nil {
		t.Fatal(err)
	}
	appendTo(t, w, 0, 35)
	appendTo(t, w, 1, 25)
	commit(t, w)
	w.Close()
	fork := load(t, forked)

	other, err := ledger.Open(inMemory(t), contest, signerOf(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Append(0, linesOf(0, 1, 5)); err != nil {
		t.Fatal(err)
	}
	foreign := commit(t, other)

	for _, row := range []struct {
		name string
		now  files
		seen []byte
		want string // of the error; empty: it is proved
	}{
		{"goes on from an earlier one", now, early.Note, ""},
		{"its own", now, late.Note, ""},
		{"its own of a box", now, ofBox, ""},
		{"rolled back, and nothing was kept", older, nil, ""},
		{"rolled back, and the earlier one was kept", older, early.Note, ""},
		{"rolled back", older, late.Note, "rolled back"},
		{"rolled back, by a box's checkpoint", older, ofBox, "rolled back"},
		{"forked, and nothing was kept", fork, nil, ""},
		{"forked before", fork, early.Note, "forked or rewritten"},
		{"forked", fork, late.Note, "forked or rewritten"},
		{"forked, by a box's checkpoint", fork, ofBox, "forked or rewritten"},
		{"of another key", now, foreign.Note, "not of the key"},
		{"of another contest", now, []byte(strings.Replace(string(early.Note), contest, "autre", 1)), "has no ledger here"},
		{"no checkpoint", now, []byte("hello\n"), "no checkpoint"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var o ledger.Options
			if row.seen != nil {
				o.Checkpoints = []ledger.Seen{{Name: "kept.txt", Note: row.seen}}
			}
			report, err := ledger.Verify(row.now.store(t), o)
			if row.want == "" {
				if err != nil || (len(report.Contests[0].Seen) == 1) != (row.seen != nil) {
					t.Errorf("%+v, %v", report, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "kept.txt") {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

// Who can write the folder can sign it anew with a key of their own: a key that
// is known from elsewhere tells.
func TestVerify_AnotherKeyNeedsThePinnedOne(t *testing.T) {
	dir := inMemory(t)
	w, err := ledger.Open(dir, contest, signerOf(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, w, 0, 5)
	commit(t, w)
	w.Close()
	if _, err := ledger.Verify(dir, ledger.Options{}); err != nil {
		t.Errorf("with the key found there: %v", err)
	}
	if _, err := ledger.Verify(dir, ledger.Options{PublicKey: signerOf(t, 1).Public()}); err == nil {
		t.Error("with another key: nothing is found")
	}
	if err := os.Remove(filepath.Join(dir, contest, "public-key")); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Verify(dir, ledger.Options{PublicKey: signerOf(t, 2).Public()}); err != nil {
		t.Errorf("the pinned key alone: %v", err)
	}
	if _, err := ledger.Verify(dir, ledger.Options{PublicKey: "no key"}); err == nil {
		t.Error("a key that is none")
	}
}

// Contests may be called like our files and folders.
func TestVerify_ContestsWithNamesOfOurs(t *testing.T) {
	data := inMemory(t)
	names := []string{"ledger", "checkpoint", "public-key", "box-0"}
	for _, name := range names {
		w, err := ledger.Open(filepath.Join(data, "ledger"), name, signerOf(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		appendTo(t, w, 0, 5)
		commit(t, w)
		w.Close()
	}
	for _, dir := range []string{data, filepath.Join(data, "ledger")} {
		report, err := ledger.Verify(dir, ledger.Options{})
		if err != nil || len(report.Contests) != len(names) {
			t.Errorf("%+v, %v", report, err)
		}
	}
	renamed := filepath.Join(data, "ledger", "renamed")
	if err := os.Rename(filepath.Join(data, "ledger", "box-0"), renamed); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Verify(data, ledger.Options{}); err == nil || !strings.Contains(err.Error(), "it is of box-0") {
		t.Errorf("a contest under another's name: %v", err)
	}
	if _, err := ledger.Verify(inMemory(t), ledger.Options{}); err == nil {
		t.Error("an empty folder is proved")
	}
}

// FuzzVerify damages a ledger's files in any way: a verifier, a reader and a
// writer may refuse them, and never panic.
func FuzzVerify(f *testing.F) {
	ledger.SegmentsOf(f, 1500)
	whole := sample(f)
	for i, name := range []string{"box-0/000000000001.ndjson", "box-0/hashes", "box-0/checkpoint", "checkpoint", "public-key"} {
		f.Add(uint8(i), whole[name])
		f.Add(uint8(i), whole[name][:len(whole[name])/2])
	}
	f.Add(uint8(3), []byte("joute-ledger/essai\nboxes 64\n\n— joute-ledger AAAA\n"))
	f.Add(uint8(2), []byte(fmt.Sprintf("joute-ledger/essai/box-0\n%d\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n", int64(1)<<62)))
	names := []string{"box-0/000000000001.ndjson", "box-0/hashes", "box-0/checkpoint", "checkpoint", "public-key"}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		name := names[int(which)%len(names)]
		edited := files{}
		for file, before := range whole {
			edited[file] = before
		}
		edited[name] = text
		if same(edited, whole) {
			return
		}
		dir := edited.store(t)
		if _, err := ledger.Verify(dir, ledger.Options{}); err == nil && string(text) != string(whole[name]) && name != "public-key" {
			// What is behind the promised lines and hashes is not promised.
			if !strings.HasPrefix(string(text), string(whole[name])) || name == "checkpoint" || name == "box-0/checkpoint" {
				t.Errorf("%s is proved as %q", name, text)
			}
		}
		_ = readAll(dir) // what it says of damage is its business
		w, err := ledger.Open(dir, contest, signerOf(t, 1))
		if err != nil {
			return
		}
		defer w.Close()
		appendTo(t, w, 0, max(w.Size(0), 40))
		commit(t, w)
	})
}
