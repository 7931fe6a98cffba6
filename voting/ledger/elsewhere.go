package ledger

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
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
