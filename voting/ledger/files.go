package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// asidePrefix begins the names of files that are not whole yet. A crash may leave
// one; whoever opens the ledger to write removes it.
const asidePrefix = ".new-"

// readSmall reads a file that has no reason to be large.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCheckpoint+1))
	if err == nil && len(text) > maxCheckpoint {
		err = fmt.Errorf("%s: longer than %d bytes", path, maxCheckpoint)
	}
	return text, err
}

// readPlain is readSmall for a folder that may be anybody's: a pipe in the place of a file
// would be waited for for ever, a link leads elsewhere.
func readPlain(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), errForeign)
	}
	return readSmall(path)
}

// steps is told of each step on files once it is done; its error is a crash there. What makes
// files survive a power cut is done here and nowhere else, so that none is told that was not done.
type steps func(what, path string) error

// sync makes what was written to a file survive a power cut.
func (s steps) sync(what string, f *os.File) error {
	if err := f.Sync(); err != nil {
		return err
	}
	return s(what, f.Name())
}

// syncFolder makes names in a folder survive a power cut.
func (s steps) syncFolder(what, dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(s.sync(what, f), f.Close())
}

// replace puts text at path, whole or not at all, and returns once it is on disk
// under a name of its own. Its new name is on disk after syncFolder.
func (s steps) replace(what, path string, text []byte) error {
	aside := filepath.Join(filepath.Dir(path), asidePrefix+filepath.Base(path))
	f, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = s.sync("sync aside", f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	return s(what, path)
}

// clearAside removes what a crash left half written.
func clearAside(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), asidePrefix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
