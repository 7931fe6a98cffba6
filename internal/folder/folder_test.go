package folder_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/internal/folder"
)

// has is what is in a folder, by name.
func has(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name()] = string(text)
	}
	return all
}

func TestWrite_AllOrAsItWas(t *testing.T) {
	dir := t.TempDir()
	path, failed := filepath.Join(dir, "one"), errors.New("half of it")
	for _, want := range []string{"first", "second, longer", ""} {
		if err := folder.Write(path, []byte(want)); err != nil || len(has(t, dir)) != 1 || has(t, dir)["one"] != want {
			t.Fatalf("%v, %q", err, has(t, dir))
		}
		err := folder.Fill(path, func(w *bufio.Writer) error {
			w.WriteString(strings.Repeat("x", 1<<20)) // more than is buffered
			return failed
		})
		if !errors.Is(err, failed) || !strings.Contains(err.Error(), path) || len(has(t, dir)) != 1 || has(t, dir)["one"] != want {
			t.Fatalf("%v, %q", err, has(t, dir))
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := folder.Write(filepath.Join(dir, "absent", "one"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// What a process has left that was killed while it wrote does not outlive the next call.
func TestWrite_LeavesNothingOfACrash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "one")
	err := folder.Fill(path, func(*bufio.Writer) error { // the names that there are while it writes are a crash's
		for name := range has(t, dir) {
			if err := os.Link(filepath.Join(dir, name), filepath.Join(dir, "kept-"+name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range has(t, dir) {
		if was, ok := strings.CutPrefix(name, "kept-"); ok {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("somebody's, and longer than what comes"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, was)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(has(t, dir)) != 2 {
		t.Fatalf("%q: the test leaves nothing", has(t, dir))
	}
	if err := folder.Write(path, []byte("new")); err != nil || len(has(t, dir)) != 1 || has(t, dir)["one"] != "new" {
		t.Errorf("%v, %q", err, has(t, dir))
	}
}

func TestLock_IsOneHolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := folder.Lock(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Lock(path, false); !errors.Is(err, folder.ErrBusy) {
		t.Fatalf("it is taken twice: %v", err)
	}
	waited := make(chan error, 1)
	go func() {
		unlock, err := folder.Lock(path, true)
		if err == nil {
			err = unlock()
		}
		waited <- err
	}()
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}
}
