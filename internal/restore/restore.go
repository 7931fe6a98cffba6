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
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

// ErrFolder is a folder from which nothing can be restored, or not everything.
var ErrFolder = errors.New("the data folder cannot be restored from")

// Keys says which contests were forgotten, and which had voters: [keyring.Ring].
type Keys interface {
	Forgotten(contestID string) (bool, error)
	Used(contestID string) (bool, error)
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

// Check reads the folder: every contest's file, and every record, hash and signature
// of every ledger. It returns ErrFolder with what is wrong. It writes nothing but the
// first checkpoint of a ledger whose server was killed before it: without one its
// records would be damage, and keep all contests from being restored.
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
		id := dir.Name()
		known := slices.ContainsFunc(kept, func(k registry.Kept) bool { return k.Contest == id })
		if dir.IsDir() && !known {
			return nil, fmt.Errorf("%w: it has the ledger of contest %s, and not contests/%s.json", ErrFolder, id, id)
		}
		if _, err := ledger.ReadCheckpoint(p.ledgers(), id); known && errors.Is(err, ledger.ErrNoLedger) {
			if err := p.settle(ctx, id); err != nil {
				return nil, err
			}
		}
	}
	for _, k := range kept {
		if err := p.hasLedger(k); err != nil {
			return nil, err
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

// hasLedger tells of a contest that must have one, and has not: of a copy that is not whole,
// or of a disk that is not there. Restored without, it would be as if nobody had voted, and
// all could vote again. A contest has its ledger's folder before anybody is given a pass.
func (p Parts) hasLedger(k registry.Kept) error {
	_, err := os.Stat(filepath.Join(p.ledgers(), k.Contest))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	used, err := p.Keys.Used(k.Contest)
	if err != nil {
		return err
	}
	if used || k.ClosedAt != 0 || k.PublishedAt != 0 || k.ForgottenAt != 0 {
		return fmt.Errorf("%w: contest %s had voters, and its ledger is not there: bring back ledger/%s from where it is", ErrFolder, k.Contest, k.Contest)
	}
	return nil
}

// Settle signs what a killed server has left of whole records behind the newest
// checkpoints. It is for the folder of an embedded store, which nobody else has.
func (p Parts) Settle() error {
	kept, err := p.Registry.ReadKept()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	for _, k := range kept {
		if err := p.settle(context.Background(), k.Contest); err != nil {
			return err
		}
	}
	return nil
}

func (p Parts) settle(ctx context.Context, id string) error {
	_, free, err := p.take(ctx, id)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	free()
	return nil
}

// Contests restores every contest of the folder into a store that has none. Nobody
// may use the store meanwhile; servers are kept from the ledgers. After an error it is half done:
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
	checkpoint, free, err := p.take(ctx, k.Contest)
	if err != nil {
		return Contest{}, err
	}
	defer free()
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

// letGo is how long a server may take to let go of a ledger once its store is refused:
// a visit that fails, and the pause after it.
const letGo = 15 * time.Second

// take opens a contest's ledger until free is called, so that no server adds to it what
// the restored store does not have. It signs what whole records a crash has left behind
// the newest checkpoint, and returns that. Where there is no ledger the checkpoint is zero.
func (p Parts) take(ctx context.Context, id string) (_ ledger.Checkpoint, free func(), err error) {
	free = func() {}
	if _, err := os.Stat(filepath.Join(p.ledgers(), id)); errors.Is(err, fs.ErrNotExist) {
		return ledger.Checkpoint{}, free, nil
	}
	w, err := ledger.Open(p.ledgers(), id, p.Signer)
	for deadline := time.Now().Add(letGo); errors.Is(err, ledger.ErrBusy) && ctx.Err() == nil; {
		if time.Now().After(deadline) {
			return ledger.Checkpoint{}, free, fmt.Errorf("%w: a server has the ledger open and does not let go of it: end that server", err)
		}
		time.Sleep(50 * time.Millisecond)
		w, err = ledger.Open(p.ledgers(), id, p.Signer)
	}
	if err != nil {
		return ledger.Checkpoint{}, free, err
	}
	checkpoint, err := w.Commit()
	if err != nil {
		return ledger.Checkpoint{}, free, errors.Join(err, w.Close())
	}
	return checkpoint, func() { _ = w.Close() }, nil // all of it is signed
}
