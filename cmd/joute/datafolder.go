package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/voting/ledger"
)

// checkKeys tells what is wrong with the keys of a data folder, one fault a line,
// and touches nothing. A key that is missing where it was used is a fault: with a new
// one everybody would be a stranger who has not voted yet, and a ledger that another
// has signed could not go on. An empty dir has no keys.
func checkKeys(ctx context.Context, dir string) error {
	if dir == "" {
		return nil
	}
	ledgers := filepath.Join(dir, "ledger")
	signed, err := ledger.PublicKeys(ledgers)
	if err != nil {
		return err
	}
	kept, err := filepath.Glob(filepath.Join(contestsDir(dir), "*.json"))
	if err != nil {
		return err
	}
	if len(signed) == 0 && len(kept) == 0 {
		return keyring.Check(dir) // nobody was told anything by a key
	}
	var voted []string
	for _, id := range slices.Sorted(maps.Keys(signed)) {
		// A ledger that cannot be read is told where it is opened.
		if has, err := ledger.HasVoters(ctx, ledgers, id); err == nil && has {
			voted = append(voted, id)
		}
	}
	if err := keyring.CheckUsed(dir, len(signed) > 0, voted); err != nil {
		return err
	}
	return checkLedgerKey(dir, signed)
}

// checkLedgerKey tells when the folder's key has signed none of its ledgers. Where it
// has signed some, the others are damaged, which is told where they are opened.
func checkLedgerKey(dir string, signed map[string]string) error {
	if len(signed) == 0 {
		return nil
	}
	keys, err := keyring.Open(dir) // all that it opens is there: nothing is made
	if err != nil {
		return err
	}
	signer, err := ledgerSigner(keys)
	if err != nil {
		return err
	}
	for _, key := range signed {
		if key == signer.Public() {
			return nil
		}
	}
	return fmt.Errorf("%w: %s is another one than has signed the ledgers in %s: bring it back from a backup of the folder",
		keyring.ErrKeyFile, filepath.Join(dir, "keys", "ledger.key"), filepath.Join(dir, "ledger"))
}

// checkDataFolder tells whether a folder was a store's, with its keys, before
// anything opens it that would make them.
func checkDataFolder(ctx context.Context, dir string) error {
	for _, name := range []string{"dataset", "keys/server.key"} {
		if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is no data folder of a store: it has no %s", dir, name)
		} else if err != nil {
			return err
		}
	}
	if err := checkKeys(ctx, dir); err != nil {
		return err
	}
	return checkFolder(dir)
}

// trialBytes is the least room there must be: keys, a contest and its first records.
const trialBytes = 64 << 10

// checkFolder tells whether files can be kept in dir, or dir can be made where
// it is not yet. It tries, since permission bits do not tell of read-only
// disks, and leaves nothing behind.
func checkFolder(dir string) error {
	if dir == "" {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
			continue // its parent must let it be made
		}
		if err != nil {
			return fmt.Errorf("the folder cannot be used: %w", err)
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder", at)
		}
		trial, err := os.CreateTemp(at, ".joute-trial-*")
		if err != nil {
			return fmt.Errorf("%s cannot be written in: %w", at, errors.Unwrap(err))
		}
		_, err = trial.Write(make([]byte, trialBytes)) // a full disk still takes empty files
		if err = errors.Join(err, trial.Sync(), trial.Close(), os.Remove(trial.Name())); err != nil {
			return fmt.Errorf("%s cannot be written in: %w", at, err)
		}
		return nil
	}
}

// contestsDir is where the data folder has contests; nowhere without a folder.
func contestsDir(data string) string {
	if data == "" {
		return ""
	}
	return filepath.Join(data, "contests")
}
