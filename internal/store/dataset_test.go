package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

func TestDataset_StartersTogetherAgree(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "appendfsync no") // many rounds; durability is not the point here
	stores := make([]*Store, 8)
	for i := range stores {
		stores[i] = open(t, Options{URL: srv.URL()})
	}
	for range 40 {
		dir := filepath.Join(t.TempDir(), "data")
		srv.Client().FlushAll(t.Context())
		var together sync.WaitGroup
		for _, s := range stores {
			together.Go(func() {
				if _, err := OpenDataset(t.Context(), s, dir); err != nil {
					t.Error(err)
				}
			})
		}
		together.Wait()
		id, err := os.ReadFile(filepath.Join(dir, "dataset"))
		if kept := srv.Client().Get(t.Context(), "joute:dataset").Val(); err != nil || kept == "" || keptAs(strings.TrimSpace(string(id))) != kept {
			t.Fatalf("folder %q, %v; store %q", id, err, kept)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Fatalf("left behind: %v", left)
		}
	}
}

func TestDataset_FolderAndStoreMustBelongTogether(t *testing.T) {
	t.Parallel()
	first, second := redistest.Start(t), redistest.Start(t)
	a, b := open(t, Options{URL: first.URL()}), open(t, Options{URL: second.URL()})
	dirA, dirB := t.TempDir(), t.TempDir()

	belongs := func(s *Store, dir string) {
		t.Helper()
		if _, err := OpenDataset(t.Context(), s, dir); err != nil {
			t.Fatal(err)
		}
	}
	foreign := func(s *Store, dir, says string) {
		t.Helper()
		for range 2 { // a refusal changes nothing
			_, err := OpenDataset(t.Context(), s, dir)
			if !errors.Is(err, ErrForeignDataset) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("err = %v, want ErrForeignDataset: %s", err, says)
			}
		}
	}
	belongs(a, dirA)
	foreign(b, dirA, "which is empty")
	foreign(a, dirB, "whose keys are not in")
	belongs(b, dirB)
	foreign(a, dirB, "two different datasets")
	foreign(b, dirA, "two different datasets")
	belongs(a, dirA)
	belongs(b, dirB)

	first.Client().FlushAll(t.Context())
	foreign(a, dirA, "which is empty")
}

// A store of another version is refused in one sentence, and says how to go on.
func TestDataset_AnotherVersionsStoreIsRefused(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s, dir := open(t, Options{URL: srv.URL()}), t.TempDir()
	if _, err := OpenDataset(t.Context(), s, dir); err != nil {
		t.Fatal(err)
	}
	kept := srv.Client().Get(t.Context(), datasetKey).Val()
	bare := strings.TrimPrefix(kept, formMark)
	for _, other := range []string{bare, "form-1-" + bare, "form-99-" + bare} {
		srv.Client().Set(t.Context(), datasetKey, other, 0)
		_, err := OpenDataset(t.Context(), s, dir)
		if !errors.Is(err, ErrForeignDataset) || !strings.Contains(err.Error(), "another version") || !strings.Contains(err.Error(), "joute restore") {
			t.Errorf("%s: %v", other, err)
		}
		if now := srv.Client().Get(t.Context(), datasetKey).Val(); now != other {
			t.Errorf("%s became %s", other, now)
		}
	}
	srv.Client().Set(t.Context(), datasetKey, kept, 0)
	if _, err := OpenDataset(t.Context(), s, dir); err != nil {
		t.Error(err)
	}
}

func TestDataset_FileIsPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := OpenDataset(t.Context(), open(t, Options{URL: redistest.Start(t).URL()}), dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "dataset"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v; want 0600", info.Mode(), err)
	}
}

// A start cut off between its steps must not lock the next one out.
func TestDataset_GoesOnAfterAStartCutOff(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL()})
	for name, stored := range map[string]string{"before the key": "", "after the key": keptAs("PENDING")} {
		srv.Client().FlushAll(t.Context())
		if stored != "" {
			srv.Client().Set(t.Context(), datasetKey, stored, 0)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, datasetPending), []byte("PENDING\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDataset(t.Context(), s, dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if id := srv.Client().Get(t.Context(), datasetKey).Val(); id != keptAs("PENDING") {
			t.Errorf("%s: the store has %q", name, id)
		}
	}
}

func TestDataset_EmptiedFileIsAnErrorNotANewDataset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, datasetFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDataset(t.Context(), open(t, Options{URL: redistest.Start(t).URL()}), dir); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Fatalf("err = %v", err)
	}
}

func TestDataset_AnEmbeddedStoreHasItsFolderForItself(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	redis, dir := open(t, Options{URL: srv.URL()}), t.TempDir()
	first, err := OpenDataset(t.Context(), open(t, Options{}), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDataset(t.Context(), open(t, Options{}), dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server of the folder: %v", err)
	}
	if _, err := OpenDataset(t.Context(), redis, dir); !errors.Is(err, ErrForeignDataset) || srv.Client().Exists(t.Context(), datasetKey).Val() != 0 {
		t.Errorf("a Redis on the folder: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	// A redis-server that another test has just begun to start has the lock's file until
	// it is one.
	wait(t, "the next server to have the folder", func() bool {
		again, err := OpenDataset(t.Context(), open(t, Options{}), dir)
		if err == nil {
			again.Close()
		} else if !strings.Contains(err.Error(), "in use") {
			t.Fatal(err)
		}
		return err == nil
	})
	other := t.TempDir()
	if _, err := OpenDataset(t.Context(), redis, other); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDataset(t.Context(), open(t, Options{}), other); !errors.Is(err, ErrForeignDataset) {
		t.Errorf("a Redis' folder: %v", err)
	}
	if d, err := OpenDataset(t.Context(), open(t, Options{}), ""); err != nil || d.Check(t.Context()) != nil {
		t.Errorf("no folder: %v", err)
	}
}
