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

// replace puts text at path, whole or not at all, and returns once it is on disk
// under a name of its own. Its new name is on disk after syncFolder.
func replace(path string, text []byte) error {
	aside := filepath.Join(filepath.Dir(path), asidePrefix+filepath.Base(path))
	f, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(aside, path)
}

// syncFolder makes names in a folder survive a power cut.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
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
