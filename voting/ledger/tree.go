package ledger

import (
	"crypto/sha256"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// tree is an RFC 6962 tree that grows: its size and the roots of the whole
// subtrees it is made of, from the largest (left) to the smallest. The zero tree
// is empty.
type tree struct {
	size  int64
	peaks []tlog.Hash
}

// add appends a leaf, and appends to stored the nodes it completes, in tlog's
// order of stored hashes.
func (t *tree) add(leaf tlog.Hash, stored []byte) []byte {
	stored = append(stored, leaf[:]...)
	node := leaf
	// Each trailing 1 of the size is a subtree as large as the one just completed.
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.peaks) - 1
		node = tlog.NodeHash(t.peaks[last], node)
		t.peaks = t.peaks[:last]
		stored = append(stored, node[:]...)
	}
	t.peaks = append(t.peaks, node)
	t.size++
	return stored
}

// emptyTree has no leaf; RFC 6962 says what its root is.
var emptyTree = tlog.Tree{Hash: sha256.Sum256(nil)}

// root is the tree's size and root hash.
func (t *tree) root() tlog.Tree {
	if t.size == 0 {
		return emptyTree
	}
	last := len(t.peaks) - 1
	hash := t.peaks[last]
	for i := last - 1; i >= 0; i-- {
		hash = tlog.NodeHash(t.peaks[i], hash)
	}
	return tlog.Tree{N: t.size, Hash: hash}
}

// readTree reads the tree of that size from stored hashes.
func readTree(size int64, stored io.ReaderAt) (tree, error) {
	t := tree{size: size}
	var at int64
	for level := 62; level >= 0; level-- {
		if size>>level&1 == 0 {
			continue
		}
		var hash tlog.Hash
		if err := readHash(stored, tlog.StoredHashIndex(level, at>>level), &hash); err != nil {
			return tree{}, err
		}
		t.peaks = append(t.peaks, hash)
		at += 1 << level
	}
	return t, nil
}

func readHash(stored io.ReaderAt, index int64, hash *tlog.Hash) error {
	if n, err := stored.ReadAt(hash[:], index*tlog.HashSize); n < tlog.HashSize {
		return fmt.Errorf("hash %d: %w", index, err)
	}
	return nil
}
