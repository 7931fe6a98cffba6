package ndjson

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteWhole puts what fill writes at path. A nil error means that all of it is
// there and on disk; on any other error path is as it was before. A crash may
// leave a file beside it, of path's name with ".part-" and more after it.
//
// A link is followed and a file's mode is kept. What is there and is no regular
// file is refused, as it would be replaced: /dev/stdout among them.
func WriteWhole(path string, fill func(w *bufio.Writer) error) (err error) {
	mode := fs.FileMode(0o666) // less what the process masks
	target := path
	switch at, err := os.Stat(path); {
	case err == nil && !at.Mode().IsRegular():
		return fmt.Errorf("write %s: it is there and is no regular file", path)
	case err == nil:
		mode = at.Mode().Perm()
		if target, err = filepath.EvalSymlinks(path); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("write: %w", err)
	}
	part, err := os.OpenFile(target+".part-"+rand.Text(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	var at *fs.PathError
	if errors.As(err, &at) { // of the part, whose name tells nobody anything
		return fmt.Errorf("write %s: %w", path, at.Err)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	w := bufio.NewWriterSize(part, 64<<10)
	if err := fill(w); err != nil {
		return errors.Join(err, part.Close())
	}
	if err := errors.Join(w.Flush(), part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(part.Name(), target); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
