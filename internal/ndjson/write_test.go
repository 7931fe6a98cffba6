package ndjson_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/internal/ndjson"
)

func text(s string) func(*bufio.Writer) error {
	return func(w *bufio.Writer) error { _, err := w.WriteString(s); return err }
}

// folder is what is in a folder, by name.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		has[f.Name()] = string(content)
	}
	return has
}

func TestWriteWhole_AllOrAsItWas(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	failed := errors.New("half of it")
	fail := func(w *bufio.Writer) error {
		w.WriteString(strings.Repeat("x", 1<<20)) // more than is buffered
		return failed
	}
	if err := ndjson.WriteWhole(out, fail); !errors.Is(err, failed) || len(folder(t, dir)) != 0 {
		t.Fatalf("%v, left %v", err, len(folder(t, dir)))
	}
	for _, s := range []string{"first", "second, longer", ""} {
		if err := ndjson.WriteWhole(out, text(s)); err != nil || folder(t, dir)["out"] != s || len(folder(t, dir)) != 1 {
			t.Fatalf("%v, %q", err, folder(t, dir))
		}
	}
	ndjson.WriteWhole(out, text("kept"))
	if err := ndjson.WriteWhole(out, fail); !errors.Is(err, failed) || folder(t, dir)["out"] != "kept" || len(folder(t, dir)) != 1 {
		t.Fatalf("%v, %q", err, folder(t, dir))
	}
}

func TestWriteWhole_KeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	out, link := filepath.Join(dir, "out"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(out, nil, 0o640), os.Symlink(out, link)); err != nil {
		t.Fatal(err)
	}
	if err := ndjson.WriteWhole(link, text("through")); err != nil {
		t.Fatal(err)
	}
	at, err := os.Lstat(out)
	if err != nil || at.Mode() != 0o640 || folder(t, dir)["out"] != "through" {
		t.Errorf("%v, %v", at.Mode(), err)
	}
	if at, err := os.Lstat(link); err != nil || at.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", at, err)
	}
}

func TestWriteWhole_RefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, os.DevNull, filepath.Join(dir, "absent", "out")} {
		called := false
		err := ndjson.WriteWhole(path, func(*bufio.Writer) error { called = true; return nil })
		if err == nil || called || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, filled %v", path, err, called)
		}
	}
	if at, err := os.Stat(os.DevNull); err != nil || at.Mode().IsRegular() {
		t.Fatalf("%s was replaced: %v, %v", os.DevNull, at, err)
	}
}
