package main

import (
	"context"
	"fmt"
	"maps"
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
