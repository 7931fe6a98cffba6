package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/joute/joute/internal/folder"
)

// ErrForgotten is returned for the key of a contest that was forgotten. There
// will never be one again under that id.
var ErrForgotten = errors.New("the contest's key was deleted")

// Forget deletes a contest's key, from memory and from the folder, and makes sure
// that no server of the folder makes another. After a nil error the key is in no
// file; servers that have it in memory must be told to forget it too. After an
// error, or a crash, call it again. Copies of the folder are nobody's here.
func (r *Ring) Forget(id string) error {
	r.files.Lock()
	defer r.files.Unlock()
	r.gone(id)
	if r.dir == "" {
		return nil
	}
	if err := r.forget(id); err != nil {
		return fmt.Errorf("forget key: %w", err)
	}
	return nil
}

// gone drops the key from memory. r.files is held.
func (r *Ring) gone(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.contests, id)
	r.forgotten[id] = true
}

// forget writes down that the contest is forgotten, before the key goes: with the
// key alone gone, any server would make a new one.
func (r *Ring) forget(id string) error {
	mark, err := os.OpenFile(r.forgottenFile(id), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(mark.Sync(), mark.Close(), folder.Sync(r.dir)); err != nil {
		return err
	}
	if err := r.forgetAside(id); err != nil {
		return err
	}
	if err := os.Remove(r.keyFile(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return folder.Sync(r.dir)
}

// forgetAside deletes what a server has left that died while it made the contest's key:
// the same key under the name that it was written aside.
func (r *Ring) forgetAside(id string) error {
	key, err := os.ReadFile(r.keyFile(id))
	if errors.Is(err, fs.ErrNotExist) { // it goes last
		return nil
	}
	if err != nil {
		return err
	}
	files, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), asidePrefix) {
			continue
		}
		path := filepath.Join(r.dir, f.Name())
		same, err := os.ReadFile(path)
		if err == nil && bytes.Equal(same, key) {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another server's is there for a moment only
			return err
		}
	}
	return nil
}

// Forgotten tells whether a contest of that id was forgotten, as far as this
// server or its folder knows. It makes no key.
func (r *Ring) Forgotten(id string) (bool, error) {
	r.files.Lock()
	defer r.files.Unlock()
	return r.isForgotten(id)
}

// living reads or makes the key of a contest that was not forgotten. r.files is held.
func (r *Ring) living(id string) ([]byte, error) {
	gone, err := r.isForgotten(id)
	if err != nil {
		return nil, err
	}
	if gone {
		return nil, ErrForgotten
	}
	key, err := r.key("contest-" + id)
	if err != nil {
		return nil, err
	}
	// Another server may have forgotten the contest between the look and a key that
	// was made since: the mark is there before a key goes, so it is seen now.
	if gone, err = r.isForgotten(id); err != nil {
		return nil, err
	}
	if gone {
		if err := r.forget(id); err != nil {
			return nil, fmt.Errorf("forget key: %w", err)
		}
		return nil, ErrForgotten
	}
	return key, nil
}

// isForgotten looks into the folder, and remembers a yes. r.files is held.
func (r *Ring) isForgotten(id string) (bool, error) {
	if _, gone := r.known(id); gone || r.dir == "" {
		return gone, nil
	}
	_, err := os.Stat(r.forgottenFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read keys: %w", err)
	}
	r.gone(id)
	return true, nil
}

// No contest's id has a dot, so no key's name ends like a mark's.
func (r *Ring) forgottenFile(id string) string {
	return filepath.Join(r.dir, "contest-"+id+".forgotten")
}

func (r *Ring) keyFile(id string) string { return filepath.Join(r.dir, "contest-"+id+".key") }
