package keyring_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/internal/keyring"
)

func TestForget_TheKeyIsGoneAndNoServerMakesAnother(t *testing.T) {
	dir := t.TempDir()
	here, there := open(t, dir), open(t, dir)
	for _, ring := range []*keyring.Ring{here, there} {
		if _, err := ring.Contest("one"); err != nil {
			t.Fatal(err)
		}
	}
	other, err := here.Contest("one-two")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice is once
		if err := here.Forget("one"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := here.Contest("one"); !errors.Is(err, keyring.ErrForgotten) {
		t.Errorf("after it was forgotten: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "keys", "contest-one.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	// A server that has it in memory has it until it is told.
	if _, err := there.Contest("one"); err != nil {
		t.Errorf("the other server, not told yet: %v", err)
	}
	for id, want := range map[string]bool{"one": true, "one-two": false, "never": false} {
		if got, err := open(t, dir).Forgotten(id); err != nil || got != want {
			t.Errorf("%s is forgotten: %v, %v", id, got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "keys", "contest-never.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("asking has made a key: %v", err)
	}
	if err := there.Forget("one"); err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*keyring.Ring{"told": there, "started since": open(t, dir)} {
		if _, err := ring.Contest("one"); !errors.Is(err, keyring.ErrForgotten) {
			t.Errorf("a server %s: %v", name, err)
		}
		if key, err := ring.Contest("one-two"); err != nil || !bytes.Equal(key, other) {
			t.Errorf("a server %s has lost another contest's key: %v", name, err)
		}
	}
}

// A crash comes between the mark and the key: the key is read no more, and the
// same call deletes it.
func TestForget_HalfDoneIsFinishedByTheSameCall(t *testing.T) {
	dir := t.TempDir()
	if _, err := open(t, dir).Contest("one"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "keys", "contest-one.key")
	if err := os.WriteFile(filepath.Join(dir, "keys", "contest-one.forgotten"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ring := open(t, dir)
	if _, err := ring.Contest("one"); !errors.Is(err, keyring.ErrForgotten) {
		t.Errorf("half forgotten: %v", err)
	}
	if err := ring.Forget("one"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
}

func TestForget_WithoutAFolderInMemory(t *testing.T) {
	ring := open(t, "")
	if _, err := ring.Contest("one"); err != nil {
		t.Fatal(err)
	}
	if err := ring.Forget("one"); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Contest("one"); !errors.Is(err, keyring.ErrForgotten) {
		t.Errorf("after it was forgotten: %v", err)
	}
}

// Servers that make the key while another forgets it leave no key behind.
func TestForget_AgainstServersThatMakeTheKey(t *testing.T) {
	for range 50 {
		dir := t.TempDir()
		rings := make([]*keyring.Ring, 4)
		for i := range rings {
			rings[i] = open(t, dir)
		}
		forgetting := open(t, dir)
		var running sync.WaitGroup
		for _, ring := range rings {
			running.Go(func() {
				if _, err := ring.Contest("one"); err != nil && !errors.Is(err, keyring.ErrForgotten) && !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
			})
		}
		running.Go(func() {
			if err := forgetting.Forget("one"); err != nil {
				t.Error(err)
			}
		})
		running.Wait()
		if _, err := os.Stat(filepath.Join(dir, "keys", "contest-one.key")); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("a key is left: %v", err)
		}
	}
}

// A server that dies just after it has made a key leaves it under a second name.
func TestForget_TheKeyIsUnderNoOtherName(t *testing.T) {
	dir := t.TempDir()
	ring := open(t, dir)
	for _, id := range []string{"one", "two"} {
		if _, err := ring.Contest(id); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(dir, "keys", "contest-"+id+".key"), filepath.Join(dir, "keys", ".new-"+id)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ring.Forget("one"); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "keys", ".new-*")); err != nil || len(left) != 1 || filepath.Base(left[0]) != ".new-two" {
		t.Errorf("left are %q, %v", left, err)
	}
}

// A disk that is slow to take a mark keeps no other contest's voters waiting.
func TestForget_LetsOthersGoOnWhileItWaitsForTheDisk(t *testing.T) {
	dir := t.TempDir()
	ring := open(t, dir)
	for _, id := range []string{"one", "slow"} {
		if _, err := ring.Contest(id); err != nil {
			t.Fatal(err)
		}
	}
	mark := filepath.Join(dir, "keys", "contest-slow.forgotten") // opened to write, a pipe waits for a reader
	if err := syscall.Mkfifo(mark, 0o600); err != nil {
		t.Fatal(err)
	}
	forgotten := make(chan struct{})
	go func() { defer close(forgotten); _ = ring.Forget("slow") }() // a pipe is no mark: it fails
	asked := make(chan error, 1)
	go func() {
		for { // until it is on its way
			if _, err := ring.Contest("slow"); errors.Is(err, keyring.ErrForgotten) {
				break
			}
		}
		_, err := ring.Contest("one")
		asked <- err
	}()
	select {
	case err := <-asked:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits")
	}
	reader, err := os.OpenFile(mark, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-forgotten
	reader.Close()
}
