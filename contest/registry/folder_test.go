package registry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/folder"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/watchtest"
)

func TestFolder_HasEveryContestBeforeThePutIsAnswered(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		r := New(st, ring, Options{Dir: dir})
		id := name(t)
		c := parse(t, document(id, -2*time.Hour, -time.Hour, "identity: partner\npartner: {secret: "+secret+"}"))
		put(t, r, c)
		look := func(what string) Kept {
			t.Helper()
			k, err := readKept(filepath.Join(dir, id+".json"))
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			stored, err := r.Stored(k)
			known, _ := r.Get(id)
			if err != nil || !reflect.DeepEqual(stored, known) {
				t.Fatalf("%s: the folder has %+v, %v, the server %+v", what, stored, err, known)
			}
			return k
		}
		look("a new contest")
		put(t, r, retitled(c, "Another"))
		look("another version")
		at := time.Now().UTC().Truncate(time.Millisecond)
		for what, mark := range map[string]func(context.Context, string, time.Time) error{"closed": r.MarkClosed, "published": r.MarkPublished, "forgotten": r.MarkForgotten} {
			if err := mark(t.Context(), id, at); err != nil {
				t.Fatal(err)
			}
			look(what)
		}
		newest := look("all of it")
		text, err := os.ReadFile(filepath.Join(dir, id+".json"))
		if err != nil || strings.Contains(string(text), secret) {
			t.Errorf("the secret is in the folder in clear: %v", err)
		}
		// Never back: a server that was away writes nothing older.
		old := newest
		old.Revision, old.Version = 1, 1
		if err := old.write(dir); err != nil {
			t.Fatal(err)
		}
		look("after an older server")
		// What is missing is written by whoever looks.
		if err := os.Remove(filepath.Join(dir, id+".json")); err != nil {
			t.Fatal(err)
		}
		if err := r.repair(); err != nil {
			t.Fatal(err)
		}
		look("repaired")
	})
}

func TestPut_IsNotAnsweredWithoutTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // no folder can be made there
		t.Fatal(err)
	}
	r := New(open(t, ""), ring, Options{Dir: dir})
	c := parse(t, document("one", time.Hour, 2*time.Hour, ""))
	for range 2 { // stored, and found identical by the same put
		if _, _, _, err := r.Put(t.Context(), c); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("put: %v", err)
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if s := put(t, r, c); s.Version != 1 {
		t.Errorf("version %d", s.Version)
	}
}

func TestRestore_GivesBackWhatTheFolderHas(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		r := New(st, ring, Options{Dir: dir})
		id := name(t)
		was := put(t, r, parse(t, document(id, time.Hour, 2*time.Hour, "identity: partner\npartner: {secret: "+secret+"}")))
		st.Client().Del(t.Context(), contestKey(id))
		st.Client().HDel(t.Context(), indexKey, id)
		kept, err := New(st, ring, Options{Dir: dir}).ReadKept()
		if err != nil || len(kept) != 1 {
			t.Fatalf("%v %v", kept, err)
		}
		k := kept[0]
		k.Epochs = was.NextEpoch(time.Unix(was.Epoch+5, 0), []int64{41})
		k.Epoch, k.Revision = was.Epoch+5, k.Revision+1
		fresh := New(st, ring, Options{Dir: dir})
		for range 2 {
			if err := fresh.Restore(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		other := New(st, ring, Options{})
		if err := errors.Join(other.Refresh(t.Context()), r.Refresh(t.Context())); err != nil {
			t.Fatal(err)
		}
		for _, server := range []*Registry{other, r} { // one that is new, and one that had the old one in memory
			s, ok := server.Get(id)
			if !ok || s.Epoch != was.Epoch+5 || s.Version != was.Version || s.Contest.Partner.Secret != secret {
				t.Fatalf("restored: %+v", s)
			}
			if before, after := s.EpochAt(0, 41), s.EpochAt(0, 42); before != was.Epoch || after != s.Epoch {
				t.Errorf("record 41 is of epoch %d, 42 of %d", before, after)
			}
		}
		if again, err := readKept(filepath.Join(dir, id+".json")); err != nil || again.Epoch != k.Epoch {
			t.Errorf("the folder has epoch %d, %v", again.Epoch, err)
		}
		if next := put(t, other, retitled(was.Contest, "After")); next.Version != 2 || next.Epoch != k.Epoch || len(next.Epochs) != 2 {
			t.Errorf("a put after it: %+v", next)
		}
	})
}

// A server that is frozen while it writes a contest's file keeps nobody from seeing changes.
func TestRun_SeesChangesWhileTheFolderIsLocked(t *testing.T) {
	st, dir := open(t, ""), t.TempDir()
	put(t, New(st, ring, Options{}), parse(t, document("one", time.Hour, 2*time.Hour, "")))
	unlock, err := folder.Lock(filepath.Join(dir, lockFile), false)
	if err != nil {
		t.Fatal(err)
	}
	r := New(st, ring, Options{Dir: dir})
	if err := r.Refresh(t.Context()); err != nil { // it knows a contest that the folder has not
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	sees := func(id string) {
		t.Helper()
		put(t, New(st, ring, Options{}), parse(t, document(id, time.Hour, 2*time.Hour, "")))
		watchtest.Until(t, 20*time.Second, id+" is seen", func() bool { _, seen := r.Get(id); return seen })
	}
	sees("two")
	sees("three")
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	watchtest.Until(t, 20*time.Second, "it is kept, once that is possible", func() bool {
		_, err := readKept(filepath.Join(dir, "one.json"))
		return err == nil
	})
	stop()
	<-done
}

// A part of the store is gone that had contests, as when a master of a cluster loses
// its data: the dataset's name may be on another.
func TestRefresh_AContestThatTheFolderHasIsNotGoneButLost(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		r := New(st, ring, Options{Dir: dir})
		s := put(t, r, parse(t, document(name(t), time.Hour, 2*time.Hour, "")))
		id := s.Contest.ID
		others := func() { // of other tests in this store
			t.Helper()
			for _, one := range r.List() {
				if err := r.keep(one.Contest.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		others()
		if err := r.Refresh(t.Context()); err != nil || r.Lost() != nil {
			t.Fatalf("a store that has it: %v, %v", err, r.Lost())
		}
		kept := st.Client().HGetAll(t.Context(), contestKey(id)).Val()
		stamp := st.Client().HGet(t.Context(), indexKey, id).Val()
		st.Client().Del(t.Context(), contestKey(id))
		st.Client().HDel(t.Context(), indexKey, id)
		fresh := New(st, ring, Options{Dir: dir}) // a server that starts now
		for which, one := range map[string]*Registry{"one that knew it": r, "one that starts": fresh} {
			if err := one.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := one.Lost(); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), id) {
				t.Errorf("%s says %v", which, err)
			}
			if _, _, _, err := one.Put(t.Context(), s.Contest); !errors.Is(err, ErrLost) {
				t.Errorf("%s puts another in its place: %v", which, err)
			}
		}
		if _, there := r.Get(id); !there {
			t.Error("the contest is forgotten")
		}
		st.Client().HSet(t.Context(), contestKey(id), kept)
		st.Client().HSet(t.Context(), indexKey, id, stamp)
		if err := r.Refresh(t.Context()); err != nil || r.Lost() != nil {
			t.Errorf("a store that has it again: %v, %v", err, r.Lost())
		}
	})
}

// A box that was there once is not made anew, whoever asks and whatever it knows.
func TestCreate_TellsANewBoxFromALostOne(t *testing.T) {
	st := open(t, redistest.Shared(t).URL())
	foreign := errors.New("another store")
	var dataset error
	r := New(st, ring, Options{Dataset: func(context.Context) error { return dataset }})
	s := put(t, r, parse(t, document(name(t), time.Hour, 2*time.Hour, "")))
	created, missing := 0, true
	create := func() error {
		return r.Create(t.Context(), &s, func(context.Context) (bool, error) { return missing, nil }, func(context.Context) error { created++; missing = false; return nil })
	}
	dataset = foreign
	if err := create(); !errors.Is(err, foreign) || created != 0 {
		t.Errorf("in another store: %v, created %d", err, created)
	}
	dataset = nil
	if err := create(); err != nil || created != 1 {
		t.Errorf("a new one: %v, created %d", err, created)
	}
	if now, _ := r.Get(s.Contest.ID); now.ConfiguredAt.IsZero() {
		t.Error("nobody remembers that it was set up")
	}
	missing = true // s is as it was read before
	if err := create(); !errors.Is(err, ErrLost) || !errors.Is(err, store.ErrUnsafe) || created != 1 {
		t.Errorf("one that was lost: %v, created %d", err, created)
	}
	if err := r.Lost(); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), s.Contest.ID) || !r.Lacks(s.Contest.ID) {
		t.Errorf("a server that met it says %v", err)
	}
	missing = false
	if err := create(); err != nil || created != 1 || r.Lost() != nil {
		t.Errorf("one that is back: %v, created %d, %v", err, created, r.Lost())
	}
}
