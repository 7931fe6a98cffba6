// Package restore makes a store again from a data folder: contests, ballot boxes
// and standings from contest files and ledgers, all that counts. What a store has
// beside that is in [Rest], for the store that has no file of its own.
package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

// ErrFolder is a folder from which nothing can be restored, or not everything.
var ErrFolder = errors.New("the data folder cannot be restored from")

// Keys says which contests were forgotten: [keyring.Ring].
type Keys interface {
	Forgotten(contestID string) (bool, error)
}

// Parts are what a restore is made of.
type Parts struct {
	Dir      string // the data folder
	Store    *store.Store
	Registry *registry.Registry // of the store, keeping contests in the folder
	Boxes    *ballotbox.Boxes
	Signer   *ledger.Signer
	Keys     Keys
}

// Contest is what was restored of one.
type Contest struct {
	ID      string
	Records int64
	Tally   *voting.Tally
}

// ledgers is where the folder has them.
func (p Parts) ledgers() string { return filepath.Join(p.Dir, "ledger") }

// Check reads the folder and does not touch it: every contest's file, and every
// record, hash and signature of every ledger. It returns ErrFolder with what is wrong.
func (p Parts) Check(ctx context.Context) ([]registry.Kept, error) {
	kept, err := p.Registry.ReadKept()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	with, err := os.ReadDir(p.ledgers())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	for _, dir := range with {
		known := slices.ContainsFunc(kept, func(k registry.Kept) bool { return k.Contest == dir.Name() })
		if dir.IsDir() && !known {
			return nil, fmt.Errorf("%w: it has the ledger of contest %s, and not contests/%s.json", ErrFolder, dir.Name(), dir.Name())
		}
	}
	if len(with) == 0 {
		return kept, nil
	}
	_, err = ledger.Verify(p.ledgers(), ledger.Options{PublicKey: p.Signer.Public()})
	if err == nil {
		return kept, nil
	}
	first, _, more := strings.Cut(err.Error(), "\n")
	if more {
		first += ", and more"
	}
	return nil, fmt.Errorf("%w: a ledger is damaged, see joute verify %s: %s", ErrFolder, p.Dir, first)
}

// Settle signs what a killed server has left of whole records behind the newest
// checkpoints. It is for the folder of an embedded store, which nobody else has.
func (p Parts) Settle() error {
	kept, err := p.Registry.ReadKept()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	for _, k := range kept {
		if _, err := p.settle(k.Contest); err != nil {
			return fmt.Errorf("%w: %w", ErrFolder, err)
		}
	}
	return nil
}

// Contests restores every contest of the folder into a store that has none. Nobody
// may use the store or write the folder meanwhile. After an error it is half done:
// begin anew with an empty store.
func (p Parts) Contests(ctx context.Context, kept []registry.Kept) ([]Contest, error) {
	var done []Contest
	for _, k := range kept {
		one, err := p.contest(ctx, k)
		if err != nil {
			return done, fmt.Errorf("restore contest %s: %w", k.Contest, err)
		}
		done = append(done, one)
	}
	return done, nil
}

func (p Parts) contest(ctx context.Context, k registry.Kept) (Contest, error) {
	before, err := p.Registry.Stored(k)
	if err != nil {
		return Contest{}, err
	}
	checkpoint, err := p.settle(k.Contest)
	if err != nil {
		return Contest{}, err
	}
	records := make([]int64, before.Contest.Boxes)
	for box := range records {
		records[box] = checkpoint.Size(box)
	}
	now, err := p.Store.Client().Time(ctx).Result()
	if err != nil {
		return Contest{}, store.Classify(err)
	}
	k.Epochs = before.NextEpoch(now, records)
	k.Epoch = k.Epochs[len(k.Epochs)-1].Number
	k.Revision++
	if k.ConfiguredAt == 0 {
		k.ConfiguredAt = now.UnixMilli() // all boxes are set up below
	}
	gone, err := p.Keys.Forgotten(k.Contest)
	if err != nil {
		return Contest{}, err
	}
	if gone && k.ForgottenAt == 0 { // the key went, and the server died before it said so here
		k.ForgottenAt = now.UnixMilli()
	}
	stored, err := p.Registry.Stored(k)
	if err != nil {
		return Contest{}, err
	}
	if err := p.boxes(ctx, stored, records); err != nil {
		return Contest{}, err
	}
	again, err := ledger.ReadCheckpoint(p.ledgers(), k.Contest)
	if err != nil && !errors.Is(err, ledger.ErrNoLedger) {
		return Contest{}, err
	}
	for box := range records {
		if again.Size(box) != records[box] {
			return Contest{}, fmt.Errorf("%w: a server wrote its ledger meanwhile; do it again", ErrFolder)
		}
	}
	count, err := p.Boxes.Tally(ctx, stored)
	if err != nil {
		return Contest{}, err
	}
	// Last: without it no server knows of the contest.
	if err := p.Registry.Restore(ctx, k); err != nil {
		return Contest{}, err
	}
	return Contest{ID: k.Contest, Records: count.Live.Offset, Tally: count.Live}, nil
}

// boxes restores the boxes of a contest from its ledger.
func (p Parts) boxes(ctx context.Context, s *registry.Stored, records []int64) error {
	read := make([]int64, len(records))
	err := p.Boxes.Restore(ctx, s, func(ctx context.Context, box int, yield func(voting.Record) error) error {
		return ledger.Records(ctx, p.ledgers(), s.Contest.ID, box, voting.Position{}, func(_ []byte, r voting.Record) error {
			if want := s.EpochAt(box, r.Position.Offset); r.Position.Epoch != want {
				return fmt.Errorf("%w: record %s is of an epoch that its contest did not have then", ErrFolder, r.Position)
			}
			read[box]++
			return yield(r)
		})
	})
	if err == nil && !slices.Equal(read, records) {
		err = fmt.Errorf("%w: its ledger changed while it was read", ErrFolder)
	}
	return err
}

// settle signs what whole records a crash has left behind the newest checkpoint, so
// that whoever writes the ledger next begins where the restored boxes do. A ledger
// that a server has open is its own to settle.
func (p Parts) settle(id string) (ledger.Checkpoint, error) {
	if _, err := os.Stat(filepath.Join(p.ledgers(), id)); errors.Is(err, fs.ErrNotExist) {
		return ledger.Checkpoint{}, nil
	}
	w, err := ledger.Open(p.ledgers(), id, p.Signer)
	if err == nil {
		_, err = w.Commit()
		err = errors.Join(err, w.Close())
	}
	if err != nil && !errors.Is(err, ledger.ErrBusy) {
		return ledger.Checkpoint{}, err
	}
	checkpoint, err := ledger.ReadCheckpoint(p.ledgers(), id)
	if errors.Is(err, ledger.ErrNoLedger) {
		return ledger.Checkpoint{}, nil
	}
	return checkpoint, err
}
