package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// seenRecords are casts with every second offset, each seen as its own.
func seenRecords(from, to int64) (records []ballotbox.MovedRecord) {
	for offset := from; offset <= to; offset++ {
		r := ballotbox.MovedRecord{Record: voting.Record{Position: voting.Position{Box: 3, Millis: 1000 + offset/4, Offset: offset}}}
		if offset%2 == 0 {
			r.Seen = fmt.Appendf(nil, `{"level":"device","evidence":{"via":"%d-%s"}}`, offset, strings.Repeat("x", int(offset%97)))
		}
		records = append(records, r)
	}
	return records
}

func seenOffsets(t *testing.T, d evidenceFolder, after int64, most int) (offsets []int64) {
	t.Helper()
	enough := errors.New("enough")
	err := d.read(t.Context(), "one", 3, after, func(at voting.Position, seen []byte) error {
		if at.Box != 3 || at.Millis != 1000+at.Offset/4 || !strings.Contains(string(seen), fmt.Sprintf(`"%d-`, at.Offset)) {
			t.Fatalf("%v was seen as %s", at, seen)
		}
		if offsets = append(offsets, at.Offset); len(offsets) == most {
			return enough
		}
		return nil
	})
	if err != nil && err != enough {
		t.Fatal(err)
	}
	return offsets
}

func TestEvidence_IsFoundByPosition(t *testing.T) {
	d := evidenceFolder(t.TempDir())
	w, err := openSeen(d.box("one", 3), 3, 0)
	must(t, err)
	for from := int64(1); from < 4000; from += 100 {
		if from == 2001 { // as after 64 MB
			must(t, w.close())
		}
		must(t, w.append(seenRecords(from, from+99)))
		must(t, w.append(seenRecords(from, from+99))) // again, as after a crash
	}
	must(t, w.close())
	if names, _, _ := seenFiles(d.box("one", 3)); len(names) != 2 {
		t.Fatalf("files %v", names)
	}
	for after := range int64(4002) {
		want := (after/2 + 1) * 2
		got := seenOffsets(t, d, after, 2)
		if want > 4000 && len(got) == 0 {
			continue
		}
		if len(got) == 0 || got[0] != want || len(got) > 1 && got[1] != want+2 {
			t.Fatalf("behind %d: %v", after, got)
		}
	}
	if all := seenOffsets(t, d, 0, 0); len(all) != 2000 || !slices.IsSorted(all) {
		t.Errorf("%d casts were seen", len(all))
	}
}

// A crash tears the last line anywhere: it is cut, and written again.
func TestEvidence_ATornLineIsWrittenAgain(t *testing.T) {
	d := evidenceFolder(t.TempDir())
	dir := d.box("one", 3)
	w, err := openSeen(dir, 3, 0)
	must(t, err)
	must(t, w.append(seenRecords(1, 6)))
	must(t, w.close())
	paths, _, err := seenFiles(dir)
	must(t, err)
	whole, err := os.ReadFile(paths[0])
	must(t, err)
	for cut := range len(whole) {
		for name, end := range map[string]string{"cut": "", "zeros": strings.Repeat("\x00", 50), "a line of nothing": "\x00\x00\n"} {
			must(t, os.WriteFile(paths[0], append(slices.Clone(whole[:cut]), end...), 0o600))
			w, err := openSeen(dir, 3, 0)
			must(t, err)
			must(t, w.append(seenRecords(1, 8)))
			must(t, w.close())
			if got := seenOffsets(t, d, 0, 0); fmt.Sprint(got) != "[2 4 6 8]" {
				t.Fatalf("%s after %d of %d bytes: %v", name, cut, len(whole), got)
			}
		}
	}
}

// Nobody knows what a power cut, or a sync that failed, has left of what the store still
// has: it is written again, whatever is there.
func TestEvidence_WhatTheStoreStillHasIsWrittenAgain(t *testing.T) {
	for name, spoil := range map[string]func(whole []byte, kept int) []byte{
		"nothing is lost":    func(whole []byte, _ int) []byte { return whole },
		"zeros before lines": func(whole []byte, kept int) []byte { clear(whole[kept : kept+60]); return whole },
		"another store's":    func(whole []byte, kept int) []byte { return append(whole[:kept], otherSeen(21, 40)...) },
		"zeros for long":     func(whole []byte, kept int) []byte { return append(whole[:kept], make([]byte, 3*maxSeen)...) },
	} {
		for _, trimmed := range []int64{0, 2, 19, 20} {
			t.Run(fmt.Sprint(name, " behind ", trimmed), func(t *testing.T) {
				d := evidenceFolder(t.TempDir())
				dir := d.box("one", 3)
				w, err := openSeen(dir, 3, 0)
				must(t, err)
				must(t, w.append(seenRecords(1, trimmed)))
				kept := int(w.bytes)
				must(t, w.append(seenRecords(trimmed+1, 40)))
				must(t, w.close())
				must(t, w.append(seenRecords(41, 44))) // as after 64 MB
				must(t, w.close())
				paths, _, err := seenFiles(dir)
				must(t, err)
				whole, err := os.ReadFile(paths[0])
				must(t, err)
				must(t, os.WriteFile(paths[0], spoil(whole, kept), 0o600))

				w, err = openSeen(dir, 3, trimmed)
				must(t, err)
				must(t, w.append(seenRecords(1, 30)))
				must(t, w.close())
				if got := seenOffsets(t, d, 0, 0); len(got) != 15 || got[0] != 2 || got[14] != 30 {
					t.Errorf("%v", got)
				}
			})
		}
	}
}

// otherSeen are lines that the store knows nothing of.
func otherSeen(from, to int64) (lines []byte) {
	for offset := from; offset <= to; offset++ {
		lines = seenLine(lines, voting.Position{Millis: 1, Offset: offset}, []byte(`{"level":"device","evidence":{"via":"another"}}`))
	}
	return lines
}

// What was synced and is damaged is in no store any more: it is told, and not cut.
func TestEvidence_DamageBeforeWhatWasGivenAwayIsTold(t *testing.T) {
	d := evidenceFolder(t.TempDir())
	dir := d.box("one", 3)
	w, err := openSeen(dir, 3, 0)
	must(t, err)
	must(t, w.append(seenRecords(1, 1000)))
	must(t, w.close())
	paths, _, err := seenFiles(dir)
	must(t, err)
	whole, err := os.ReadFile(paths[0])
	must(t, err)
	for _, at := range []int{0, len(whole) / 2, len(whole) - 300} {
		spoilt := slices.Clone(whole)
		line := at + bytes.IndexByte(whole[at:], '\n') + 1
		clear(spoilt[line : line+20])
		must(t, os.WriteFile(paths[0], spoilt, 0o600))
		w, err := openSeen(dir, 3, 1000)
		if err == nil { // found behind it: who reads as far is told
			must(t, w.close())
			err = d.read(t.Context(), "one", 3, 0, func(voting.Position, []byte) error { return nil })
		}
		if !errors.Is(err, errEvidence) {
			t.Errorf("zeros at %d: %v", at, err)
		}
		if left, err := os.ReadFile(paths[0]); err != nil || string(left) != string(spoilt) {
			t.Errorf("zeros at %d: the file was changed: %v", at, err)
		}
	}
}

// A store is lost that had records of which the folder has what was seen, and no line
// yet. In the one that is restored, what was seen before those is there, and those that
// have their offsets are others, and seen as such.
func TestEvidence_IsOfTheStoreThatIsThere(t *testing.T) {
	h := newHall(t, openStore(t, ""))
	w, crash := h.worker(h.archive(Options{})), errors.New("crash")
	h.vote(20)
	h.visit(w)
	kept := maps.Clone(h.cast)
	w.step = func(what string) error {
		if what == "append" {
			return crash
		}
		return nil
	}
	h.vote(60)
	if _, err := w.visit(t.Context(), h.s); !errors.Is(err, crash) {
		t.Fatal(err)
	}
	w.close()

	h.st = openStore(t, "")
	h.boxes, h.cast = ballotbox.New(h.st).WithArchive(NewReader(h.data)), kept
	restored := *h.s
	restored.Epochs = h.s.NextEpoch(time.Now(), []int64{21}) // and the opening
	restored.Epoch = restored.Epochs[1].Number
	h.s = &restored
	must(t, h.boxes.Restore(t.Context(), h.s, func(ctx context.Context, box int, yield func(voting.Record) error) error {
		return NewReader(h.data).Records(ctx, h.s.Contest.ID, box, voting.Position{}, yield)
	}))
	h.vote(50)
	h.visit(h.worker(h.archive(Options{})))
	h.check()
}

func FuzzParseSeenLine(f *testing.F) {
	f.Add([]byte(`{"id":"1700000000000-12","seen":{"level":"device"}}`))
	f.Add([]byte(`{"id":"-1-2","seen":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		at, seen, err := parseSeenLine(line, 1)
		if err != nil {
			return
		}
		again, text, err := parseSeenLine(seenLine(nil, at, seen)[:len(seenLine(nil, at, seen))-1], 1)
		if err != nil || again != at || string(text) != string(seen) {
			t.Fatalf("%q comes back as %v %q, %v", line, again, text, err)
		}
	})
}

// What was seen goes when its time is over, by the store's clock, and not before; of a
// contest that is forgotten at once, and what another server wrote meanwhile with it.
func TestEvidence_Expires(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "boxes: 2")
		w := h.worker(h.archive(Options{Every: time.Nanosecond}))
		h.vote(20)
		h.visit(w)
		there := func() bool {
			_, err := os.Stat(w.a.seen.contest(h.s.Contest.ID))
			return err == nil
		}
		over := *h.s
		over.ClosedAt = time.Now().Add(-ballotbox.EvidenceLifetime).Add(time.Minute)
		h.s = &over
		_, err := w.visit(t.Context(), h.s)
		must(t, err)
		if !there() {
			t.Fatal("gone before its time")
		}
		for box := range 2 {
			rules := st.Client().HGet(t.Context(), h.key(box, "meta"), "rules").Val()
			rules = rules[:strings.LastIndex(rules, "|")+1] + strconv.FormatInt(time.Now().Add(-time.Second).UnixMilli(), 10)
			must(t, st.Client().HSet(t.Context(), h.key(box, "meta"), "rules", rules).Err())
		}
		w.expires = 0 // as a server that starts now
		_, err = w.visit(t.Context(), h.s)
		must(t, err)
		if there() {
			t.Fatal("it is still there")
		}
		lines := 0
		must(t, h.boxes.Evidence(t.Context(), h.s, func(l ballotbox.LogLine) error {
			if lines++; l.Evidence != nil {
				return errors.New("there is evidence")
			}
			return nil
		}))
		if lines != 20 {
			t.Errorf("%d lines", lines)
		}
	})
}

func TestEvidence_OfAForgottenContestIsGoneForGood(t *testing.T) {
	h := newHall(t, openStore(t, ""))
	a := h.archive(Options{Every: time.Nanosecond})
	w := h.worker(a)
	h.vote(20)
	h.visit(w)
	_, err := h.boxes.Close(t.Context(), h.s, "ended-early")
	must(t, err)
	must(t, h.boxes.Forget(t.Context(), h.s))
	must(t, a.Forget(t.Context(), h.s.Contest.ID))
	must(t, a.Forget(t.Context(), h.s.Contest.ID))
	// Another server had read a page before, and writes it now.
	must(t, os.MkdirAll(a.seen.box(h.s.Contest.ID, 0), 0o700))
	must(t, os.WriteFile(filepath.Join(a.seen.box(h.s.Contest.ID, 0), "000000000001.ndjson"), []byte("late\n"), 0o600))
	gone := *h.s
	gone.ForgottenAt = time.Now()
	h.s = &gone
	_, err = w.visit(t.Context(), h.s)
	must(t, err)
	if _, err := os.Stat(a.seen.contest(h.s.Contest.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("evidence is there: %v", err)
	}
	if h.left() != 0 {
		t.Errorf("%d are left in the store", h.left())
	}
}
