package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/joute/joute/voting"
)

// Shelf is a folder of ledgers (DATA/ledger) as a server shows it.
type Shelf struct {
	dir    string
	signer *Signer
}

// NewShelf shows the ledgers under dir, which signer signs.
func NewShelf(dir string, signer *Signer) *Shelf { return &Shelf{filepath.Clean(dir), signer} }

// Key verifies the checkpoints.
func (s *Shelf) Key() string { return s.signer.Public() }

// Checkpoint is the newest of a contest as it is signed, or [ErrNoLedger].
func (s *Shelf) Checkpoint(contest string) ([]byte, error) {
	c, err := ReadCheckpoint(s.dir, contest)
	return c.Note, err
}

// Signed reads a checkpoint that came from elsewhere, a contest's or a box's, and
// verifies that key has signed it. It gives the trees by box.
func Signed(signed []byte, key string) (contest string, boxes map[int]tlog.Tree, err error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return "", nil, fmt.Errorf("the public key is none: expected name+hash+key: %w", err)
	}
	text, err := openNote(signed, verifier)
	if err != nil {
		return "", nil, err
	}
	return parseAny(text)
}

// Leaf is the hash of a line, without its end, in the tree of its box.
func Leaf(line []byte) tlog.Hash {
	return sha256.Sum256(append(append(make([]byte, 0, 1+len(line)), 0), line...))
}

// Trees builds the trees of boxes from lines that come from elsewhere than the
// folder, and compares them with checkpoints. The zero Trees wants nothing.
type Trees struct {
	boxes [maxBoxes]tree
	wants [maxBoxes][]want
	sizes [maxBoxes]int64
}

// Want has the trees compared with those of a checkpoint of that name. It comes
// before the first Add.
func (t *Trees) Want(name string, boxes map[int]tlog.Tree) error {
	for box, tree := range boxes {
		if box < 0 || box >= maxBoxes {
			return fmt.Errorf("%s: there is no box %d", name, box)
		}
		if tree.N == 0 {
			continue
		}
		t.wants[box] = append(t.wants[box], want{file: name, tree: tree})
		t.sizes[box] = max(t.sizes[box], tree.N)
	}
	return nil
}

// Size is how many records of a box the checkpoints speak of.
func (t *Trees) Size(box int) int64 { return t.sizes[box] }

// Add takes the next record's leaf of a box. The error tells the checkpoint that
// the records so far are not those of.
func (t *Trees) Add(box int, leaf tlog.Hash) error {
	grown := &t.boxes[box]
	if grown.size == t.sizes[box] {
		return nil // nobody asks further
	}
	grown.add(leaf, nil)
	for _, w := range t.wants[box] {
		if w.tree.N == grown.size && grown.root() != w.tree {
			return Fault{File: w.file, What: fmt.Sprintf("the first %d records of %s are not those it was signed for", w.tree.N, boxName(box))}
		}
	}
	return nil
}

// PublicKeys is the key that lies beside each contest's ledger in a folder of ledgers,
// by contest, as it is there; no ledger is read. Of a folder that is not there it is empty.
func PublicKeys(dir string) (map[string]string, error) {
	contests, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("ledgers: %w", err)
	}
	keys := map[string]string{}
	for _, c := range contests {
		text, err := readSmall(filepath.Join(dir, c.Name(), publicKeyName))
		switch {
		case err == nil:
			keys[c.Name()] = strings.TrimSpace(string(text))
		case !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
			return nil, fmt.Errorf("ledgers: %w", err)
		}
	}
	return keys, nil
}

// HasVoters tells whether a contest's ledger names a voter, as far as its checkpoint
// goes. dir is DATA/ledger. It reads up to the first one, which is near the beginning.
func HasVoters(ctx context.Context, dir, contest string) (bool, error) {
	newest, err := ReadCheckpoint(dir, contest)
	if errors.Is(err, ErrNoLedger) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	found := errors.New("found")
	for box := range newest.Boxes {
		err := Records(ctx, dir, contest, box, voting.Position{}, func(_ []byte, r voting.Record) error {
			if r.Voter != (voting.Voter{}) {
				return found
			}
			return nil
		})
		if errors.Is(err, found) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
