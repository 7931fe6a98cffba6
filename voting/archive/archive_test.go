package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/watchtest"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

func TestArchive_WhatIsMovedLeavesTheStoreAndIsReadAsBefore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "boxes: 3")
		metrics := prometheus.NewRegistry()
		w := h.worker(h.archive(Options{Registerer: metrics}))
		for range 3 {
			h.vote(200)
			h.visit(w)
			h.check()
		}
		if moved := metric(t, metrics, "joute_ledger_archived_records_total"); moved != 603 {
			t.Errorf("%v records were counted as moved", moved)
		}
		if behind := metric(t, metrics, "joute_ledger_behind"); behind != 0 {
			t.Errorf("%v are said to be behind", behind)
		}
		if ok, faults, notes := w.a.Status(); !ok || len(notes) != 0 {
			t.Errorf("%q, %q", faults, notes)
		}
		err := filepath.Walk(h.data, func(path string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().Perm()&0o077 != 0 && path != h.data {
				t.Errorf("%s is open to others: %v", path, info.Mode())
			}
			return err
		})
		must(t, err)
	})
}

// While it runs votes come and readers read; when it stops nothing is left.
func TestArchive_RunsBesideVotersAndStopsWithNothingLeft(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "boxes: 2")
		a := h.archive(Options{})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx, func() []*registry.Stored { return []*registry.Stored{h.s} }) })
		for range 4 {
			h.vote(200)
			h.check()
		}
		stop()
		running.Wait()
		if left := h.left(); left != 0 {
			t.Errorf("%d are left in the store", left)
		}
		h.check()
	})
}

// After an error the ledger is closed for a while. A server that stops in it moves what
// is left all the same.
func TestArchive_StopsAfterAnErrorWithNothingLeft(t *testing.T) {
	h := newHall(t, openStore(t, ""), "boxes: 2")
	w := h.worker(h.archive(Options{Every: time.Minute})) // it would be tried again in five seconds
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	failed := false
	w.step = func(what string) error {
		if what != "commit" || failed {
			return nil
		}
		failed = true
		return errors.New("for a moment")
	}
	w.stored = func() *registry.Stored {
		if failed { // it is about to wait
			stop()
		}
		return h.s
	}
	h.vote(100)
	w.run(ctx)
	if left := h.left(); left != 0 {
		t.Errorf("%d are left in the store", left)
	}
	h.check()
}

// Crashes between any two steps: the next server goes on, loses nothing, and has
// nothing twice.
func TestArchive_ACrashBetweenAnyTwoSteps(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	for _, step := range []string{"write evidence", "append", "sync evidence", "commit", "trim"} {
		for _, nth := range []int{1, 3} { // in the first box, and after some pages
			if nth > 1 && (step == "sync evidence" || step == "commit") {
				continue // once a round
			}
			t.Run(fmt.Sprint(step, " ", nth), func(t *testing.T) {
				h := newHall(t, st, "boxes: 2")
				a := h.archive(Options{})
				h.vote(400)
				h.oneByOne(250) // sheets, not records, make pages
				w, crash, met := h.worker(a), errors.New("crash"), 0
				w.step = func(what string) error {
					if what == step {
						met++
					}
					if met == nth {
						return crash
					}
					return nil
				}
				if _, err := w.visit(t.Context(), h.s); !errors.Is(err, crash) {
					t.Fatalf("the step was met %d times: %v", met, err)
				}
				w.close()
				h.vote(50)
				h.check()
				next := h.worker(a)
				h.visit(next)
				h.check()
				h.vote(50)
				h.visit(next)
				h.check()
				if ok, faults, _ := a.Status(); !ok {
					t.Error(faults)
				}
			})
		}
	}
}

// Of several servers one moves the records; when it is gone another does.
func TestArchive_OneServerAtATime(t *testing.T) {
	h := newHall(t, openStore(t, ""))
	here, there := h.worker(h.archive(Options{})), h.worker(h.archive(Options{}))
	h.vote(100)
	h.visit(here)
	h.vote(10)
	if _, err := there.visit(t.Context(), h.s); err != nil || there.disk != nil || h.left() == 0 {
		t.Fatalf("the second server: %v, %d left", err, h.left())
	}
	waiting := int64(0)
	there.a.states.each(func(_ string, one state) { waiting = one.waiting })
	if waiting != 10 {
		t.Errorf("the second server knows of %d records that wait", waiting)
	}
	here.close()
	h.visit(there)
	h.check()
}

// A disk that takes nothing stops neither votes nor, once it does again, anything
// else; it shows at once, and is red after a while.
func TestArchive_ADiskThatTakesNothing(t *testing.T) {
	h := newHall(t, openStore(t, ""), "boxes: 2")
	metrics := prometheus.NewRegistry()
	w := h.worker(h.archive(Options{Registerer: metrics}))
	h.vote(50)
	h.visit(w)
	full := true
	w.step = func(what string) error {
		if full && what == "commit" {
			return fmt.Errorf("%s/box-0: %w", h.data, syscall.ENOSPC)
		}
		return nil
	}
	h.vote(50)
	for range 2 {
		if _, err := w.visit(t.Context(), h.s); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	left := 0
	for box := range h.s.Contest.Boxes {
		u, err := h.boxes.Unmoved(t.Context(), h.s, box, voting.Position{}, false)
		must(t, err)
		left += len(u.Records)
	}
	if left != 50 {
		t.Errorf("%d records are left in the store", left)
	}
	ok, faults, notes := w.a.Status()
	if !ok || len(notes) != 1 || !strings.Contains(notes[0], "no space left on device") || strings.Contains(notes[0], h.data) {
		t.Errorf("at once: %v %q %q", ok, faults, notes)
	}
	if ok, faults, _ := w.a.states.status(time.Now().Add(redAfter + time.Second)); ok || len(faults) != 1 {
		t.Errorf("after a while: %v %q", ok, faults)
	}
	if err := w.a.Err(); err != nil {
		t.Errorf("casting was stopped: %v", err)
	}
	h.vote(50)
	full = false
	h.visit(w)
	h.check()
	if ok, faults, notes := w.a.Status(); !ok || len(notes) != 0 {
		t.Errorf("after it: %q %q", faults, notes)
	}
	if age := metric(t, metrics, "joute_ledger_checkpoint_age_seconds"); age != 0 {
		t.Errorf("age %v", age)
	}
}

// With a record goes the only other place of what was seen: it stays until that is on disk.
func TestArchive_EvidenceIsSyncedBeforeAnythingIsTrimmed(t *testing.T) {
	h := newHall(t, openStore(t, ""))
	w := h.worker(h.archive(Options{}))
	h.vote(20)
	before := h.left()
	w.step = func(what string) error {
		if what == "sync evidence" {
			return w.seen[0].f.Close() // so that a sync of it fails
		}
		return nil
	}
	if _, err := w.visit(t.Context(), h.s); !errors.Is(err, os.ErrClosed) {
		t.Errorf("evidence is not synced: %v", err)
	}
	if left := h.left(); left != before || left == 0 {
		t.Errorf("%d of %d sheets are left in the store", left, before)
	}
	w.step = nil
	h.visit(w)
	h.check()
}

// A folder that is not what was signed is red at once, and stops no vote: the store has it all.
func TestArchive_ADamagedFolderIsRed(t *testing.T) {
	h := newHall(t, openStore(t, ""))
	w := h.worker(h.archive(Options{}))
	h.vote(20)
	h.visit(w)
	w.close()
	must(t, os.Truncate(filepath.Join(h.data, "ledger", h.s.Contest.ID, "box-0", "000000000001.ndjson"), 100))
	h.vote(1)
	if _, err := w.visit(t.Context(), h.s); !errors.Is(err, ledger.ErrDamaged) {
		t.Fatal(err)
	}
	if ok, faults, _ := w.a.Status(); ok || len(faults) != 1 || !strings.Contains(faults[0], "what is on disk is damaged") || strings.Contains(faults[0], h.data) {
		t.Errorf("%v %q", ok, faults)
	}
	if err := w.a.Err(); err != nil {
		t.Errorf("casting was stopped: %v", err)
	}
}

// Where another server has a contest's ledger and moves nothing, that is seen after a while.
func TestArchive_AServerThatIsStuckIsSeenByTheOthers(t *testing.T) {
	h := newHall(t, openStore(t, ""))
	stuck, err := ledger.Open(filepath.Join(h.data, "ledger"), h.s.Contest.ID, testSigner)
	must(t, err)
	w := h.worker(h.archive(Options{}))
	h.vote(20)
	for range 2 {
		_, err := w.visit(t.Context(), h.s)
		must(t, err)
	}
	if ok, faults, notes := w.a.Status(); !ok || len(notes) > 0 {
		t.Errorf("at once: %q %q", faults, notes)
	}
	if ok, faults, _ := w.a.states.status(time.Now().Add(redAfter + time.Second)); ok || len(faults) != 1 || !strings.Contains(faults[0], "the server that does it is stuck") {
		t.Errorf("after a while: %v %q", ok, faults)
	}
	must(t, stuck.Close())
	h.visit(w)
	if ok, faults, _ := w.a.states.status(time.Now().Add(redAfter + time.Second)); !ok {
		t.Errorf("once it has ended: %q", faults)
	}
}

// Where store and folder do not belong together, nothing is written over, and no
// ballot is taken.
func TestArchive_AStoreAndAFolderThatDoNotFit(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(h *hall)
		want  string
		seen  bool // by the other servers too
	}{
		"the store was emptied": {func(h *hall) {
			must(h.t, h.st.Client().Del(h.t.Context(), h.key(0, "meta"), h.key(0, "tally"), h.key(0, "ledger")).Err())
		}, "the store knows of 0 records, the data folder has 101", true},
		"the store was set back": {func(h *hall) {
			must(h.t, h.st.Client().HSet(h.t.Context(), h.key(0, "meta"), "place", "open|0|90|0|90", "trimmed", "90|90").Err())
		}, "the store knows of 90 records, the data folder has 101", true},
		"set back and voted on": {func(h *hall) {
			h.vote(1)
			w := h.worker(h.archive(Options{}))
			w.step = func(what string) error {
				if what == "trim" {
					return errors.New("crash")
				}
				return nil
			}
			_, _ = w.visit(h.t.Context(), h.s)
			w.close()
			u, err := h.boxes.Unmoved(h.t.Context(), h.s, 0, voting.Position{}, false)
			if err != nil || len(u.Records) != 1 {
				h.t.Fatalf("%+v, %v", u, err)
			}
			other := ballotFor("somebody else", "n-2")
			at := u.Records[0].Position
			must(h.t, h.st.Client().Del(h.t.Context(), h.key(0, "ledger")).Err())
			must(h.t, h.st.Client().Do(h.t.Context(), "XADD", h.key(0, "ledger"), fmt.Sprintf("%d-%d", at.Millis, at.Offset), "cast",
				"voter|||counted|n-2|north||||"+string(other.ID[:])+string(other.Voter[:])).Err())
		}, "record 102 is one in the store and another in the data folder", false},
		"another folder": {func(h *hall) {
			must(h.t, os.RemoveAll(h.data))
		}, "the store has given away 101 records, the data folder has 0", true},
		"a record was deleted": {func(h *hall) {
			h.vote(2)
			first, err := h.st.Client().XRangeN(h.t.Context(), h.key(0, "ledger"), "-", "+", 1).Result()
			must(h.t, err)
			must(h.t, h.st.Client().XDel(h.t.Context(), h.key(0, "ledger"), first[0].ID).Err())
		}, "the store lacks record 102", false},
		"all records were deleted": {func(h *hall) {
			h.vote(2)
			must(h.t, h.st.Client().XTrimMaxLen(h.t.Context(), h.key(0, "ledger"), 0).Err())
		}, "the store lacks record 102", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t, openStore(t, ""))
			var told watchtest.Log
			w := h.worker(h.archive(Options{Log: slog.New(slog.NewTextHandler(&told, nil))}))
			h.vote(100)
			h.visit(w)
			w.close()
			test.spoil(h)
			before := files(t, h.data)
			for range 2 {
				_, err := w.visit(t.Context(), h.s)
				var wrong *mismatch
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("got %v", err)
				}
			}
			if text := told.String(); strings.Count(text, test.want) != 1 {
				t.Errorf("the log does not say it once: %s", text)
			}
			if err := w.a.Err(); !errors.Is(err, store.ErrUnsafe) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the interlock is told %v", err)
			}
			if ok, faults, _ := w.a.Status(); ok || len(faults) != 1 {
				t.Errorf("%q", faults)
			}
			for path, text := range before {
				if after := files(t, h.data); after[path] != text {
					t.Errorf("%s was written over", path)
				}
			}
			other := h.worker(h.archive(Options{}))
			moving, err := ledger.Open(filepath.Join(h.data, "ledger"), h.s.Contest.ID, testSigner)
			must(t, err)
			defer moving.Close()
			if _, err := other.visit(t.Context(), h.s); (err != nil) != test.seen {
				t.Errorf("another server, while one moves: %v", err)
			}
		})
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			all[path] = string(text)
			return err
		}
		return err
	}))
	return all
}
