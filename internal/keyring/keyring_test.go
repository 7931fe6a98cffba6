package keyring_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/joute/joute/internal/keyring"
)

func open(t *testing.T, dir string) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestRing_ServersSharingAFolderAgreeWhoeverComesFirst(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	keys := make([][]byte, 32)
	for i := range keys {
		wg.Go(func() {
			ring, err := keyring.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			key, err := ring.Contest("one")
			if err != nil {
				t.Error(err)
			}
			signs, err := ring.Ledger()
			if err != nil {
				t.Error(err)
			}
			keys[i] = slices.Concat(ring.Derive("pass"), key, signs)
		})
	}
	wg.Wait()
	for i, key := range keys {
		if !bytes.Equal(key, keys[0]) || len(key) != 128 {
			t.Fatalf("server %d has other keys", i)
		}
	}
	files, err := os.ReadDir(filepath.Join(dir, "keys"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files left: %v, %v", files, err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

func TestRing_KeysDifferByContestPurposeAndFolder(t *testing.T) {
	ring, other := open(t, t.TempDir()), open(t, t.TempDir())
	one, err1 := ring.Contest("one")
	two, err2 := ring.Contest("two")
	foreign, err3 := other.Contest("one")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, two) || bytes.Equal(one, foreign) || bytes.Equal(ring.Derive("a"), ring.Derive("b")) {
		t.Fatal("keys repeat")
	}
}

func TestRing_RefusesAKeyFileOthersMayReadOrThatIsDamaged(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"readable by others": func(path string) error { return os.Chmod(path, 0o644) },
		"cut short":          func(path string) error { return os.Truncate(path, 10) },
		"empty":              func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open(t, dir)
			path := filepath.Join(dir, "keys", "server.key")
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			if _, err := keyring.Open(dir); !errors.Is(err, keyring.ErrKeyFile) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestCheckUsed_TellsOfAKeyThatIsMissingAndMakesNone(t *testing.T) {
	used := func() string {
		dir := t.TempDir()
		ring := open(t, dir)
		if _, err := ring.Ledger(); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"one", "two", "gone"} {
			if _, err := ring.Contest(id); err != nil {
				t.Fatal(err)
			}
		}
		if err := ring.Forget("gone"); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, tc := range []struct {
		lost []string
		says string // the end of the fault's place; empty: no fault
	}{
		{nil, ""},
		{[]string{"contest-three"}, ""}, // nobody voted in it
		{[]string{"server"}, "server.key is missing: "},
		{[]string{"ledger"}, "ledger.key is missing: "},
		{[]string{"contest-two"}, "contest-two.key is missing: "},
		{[]string{"ledger", "contest-one", "contest-two"}, "ledger.key is missing, and 2 more: "},
	} {
		dir := used()
		for _, name := range tc.lost {
			os.Remove(filepath.Join(dir, "keys", name+".key"))
		}
		err := keyring.CheckUsed(dir, true, []string{"one", "two", "gone"})
		if (err == nil) != (tc.says == "") || err != nil && (!errors.Is(err, keyring.ErrKeyFile) || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("without %v: %v", tc.lost, err)
		}
		for _, name := range tc.lost {
			if _, err := os.Stat(filepath.Join(dir, "keys", name+".key")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s was made: %v", name, err)
			}
		}
	}
	if err := keyring.CheckUsed(t.TempDir(), false, nil); !errors.Is(err, keyring.ErrKeyFile) {
		t.Errorf("no keys at all: %v", err)
	}
}

func TestRing_SealedOpensForItsPurposeAndKeyOnly(t *testing.T) {
	ring := open(t, t.TempDir())
	sealed, err := ring.Seal([]byte("secret"), "partner of one")
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Fatalf("%q, %v", sealed, err)
	}
	if plain, err := ring.Open(sealed, "partner of one"); err != nil || string(plain) != "secret" {
		t.Fatalf("%q, %v", plain, err)
	}
	if _, err := ring.Open(sealed, "partner of two"); err == nil {
		t.Error("opened for another purpose")
	}
	if _, err := open(t, "").Open(sealed, "partner of one"); err == nil {
		t.Error("opened with another key")
	}
	if _, err := ring.Open(sealed[:5], "partner of one"); err == nil {
		t.Error("opened when cut")
	}
}
