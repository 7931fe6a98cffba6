// Package folder writes small files of the data folder so that a crash leaves
// the old one or the new one, and lets one process at a time do so.
package folder

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrBusy is returned for a lock that somebody else holds.
var ErrBusy = errors.New("another process has it")

// Write puts content at path, mode 0600. A nil error means that it is on disk
// whole; after any other the file is as it was, or was not.
func Write(path string, content []byte) error {
	return Fill(path, func(w *bufio.Writer) error { _, err := w.Write(content); return err })
}

// Fill is [Write] for what is made while it is written.
//
// It is written aside under a name that is always the same: what a crash leaves
// there, perhaps of people who are forgotten since, goes with the next call. So one
// caller at a time, see [Lock].
func Fill(path string, fill func(*bufio.Writer) error) (err error) {
	dir := filepath.Dir(path)
	aside, err := os.OpenFile(filepath.Join(dir, ".new-"+filepath.Base(path)), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Unwrap(err))
	}
	defer os.Remove(aside.Name()) // gone already when all went well
	w := bufio.NewWriter(aside)
	err = fill(w)
	if err = errors.Join(err, w.Flush(), aside.Sync(), aside.Close()); err == nil {
		err = os.Rename(aside.Name(), path)
	}
	if err == nil {
		err = Sync(dir)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Sync makes names in a folder survive a power cut.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lock takes the lock of the file at path, which is made where it is not. It
// waits for whoever has it, or returns [ErrBusy]. The lock goes with the process,
// however that ends.
func Lock(path string, wait bool) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrBusy
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return func() error {
		// Closing alone leaves it with a child that was forked meanwhile, until that executes its program.
		return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
	}, nil
}
