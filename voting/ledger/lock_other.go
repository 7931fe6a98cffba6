//go:build !unix || solaris || aix

package ledger

import (
	"errors"
	"os"
)

// lock refuses: without a lock two servers could write one ledger.
func lock(string) (*os.File, error) {
	return nil, errors.New("ledgers cannot be written on this system: it has no flock")
}
