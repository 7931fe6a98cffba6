//go:build unix && !solaris && !aix

package ledger

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the folder for this process until the file is closed, by whoever or
// the process' end. A process that is paused keeps it: nobody else writes behind
// its back, to be overwritten when it goes on.
func lock(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrBusy
		}
		return nil, os.NewSyscallError("flock", err)
	}
	return f, nil
}
