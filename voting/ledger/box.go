package ledger

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/joute/joute/voting"
)

// boxWriter appends to one box's files.
type boxWriter struct {
	contest string
	box     int
	dir     string
	step    steps

	segment *os.File // the newest; nil: there is none yet
	bytes   int64    // of the newest segment
	hashes  *os.File
	stored  int64 // bytes of hashes

	tree    tree
	last    voting.Position // of the newest record
	signed  int64           // size in the box's own checkpoint
	unnamed bool            // the folder has a name that may not be on disk

	line, lines, nodes []byte // reused
}

// append writes lines behind the newest record. Everything is checked first: on
// [ErrOrder] nothing is written. After any other error the files may have a part
// of the lines, and the box must be opened again.
func (b *boxWriter) append(lines [][]byte) error {
	last := b.last
	b.lines = b.lines[:0]
	for _, line := range lines {
		at, err := positionOf(line)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrOrder, err)
		case !continues(last, at, b.box):
			return fmt.Errorf("%w: %s of box %d comes after %s", ErrOrder, at, b.box, last)
		case len(line) >= maxLine || bytes.IndexByte(line, '\n') >= 0:
			return fmt.Errorf("%w: %s is no line", ErrOrder, at)
		}
		last = at
		b.lines = append(append(b.lines, line...), '\n')
	}
	if len(lines) == 0 {
		return nil
	}
	if err := b.room(); err != nil {
		return err
	}
	if _, err := b.segment.WriteAt(b.lines, b.bytes); err != nil {
		return err
	}
	if err := b.step("write lines", b.segment.Name()); err != nil {
		return err
	}
	b.bytes += int64(len(b.lines))
	b.nodes = b.nodes[:0]
	for _, line := range lines {
		b.nodes = b.tree.add(b.leaf(line), b.nodes)
	}
	if _, err := b.hashes.WriteAt(b.nodes, b.stored); err != nil {
		return err
	}
	b.stored += int64(len(b.nodes))
	b.last = last
	return b.step("write hashes", b.hashes.Name())
}

// leaf is tlog.RecordHash in memory that is reused.
func (b *boxWriter) leaf(line []byte) tlog.Hash {
	b.line = append(append(b.line[:0], 0), line...)
	return sha256.Sum256(b.line)
}

// room begins a new segment where the newest is full. A full one is synced here,
// once, and never written to again.
func (b *boxWriter) room() error {
	if b.segment != nil && b.bytes < segmentBytes {
		return nil
	}
	if b.segment != nil {
		full := b.segment
		b.segment = nil
		if err := errors.Join(b.step.sync("sync lines", full), full.Close()); err != nil {
			return err
		}
	}
	path := filepath.Join(b.dir, segmentName(b.tree.size+1))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	b.segment, b.bytes, b.unnamed = f, 0, true
	return b.step("create segment", path)
}

// commit makes what was appended survive a power cut, then signs it.
func (b *boxWriter) commit(signer *Signer) error {
	if b.tree.size == b.signed && !b.unnamed {
		return nil
	}
	if err := b.sync(); err != nil {
		return err
	}
	if b.tree.size == b.signed {
		return nil
	}
	signed, err := signer.sign(boxText(b.contest, b.box, b.tree.root()))
	if err != nil {
		return err
	}
	if err := b.step.replace("write box checkpoint", filepath.Join(b.dir, checkpointName), signed); err != nil {
		return err
	}
	if err := b.step.syncFolder("sync box folder", b.dir); err != nil {
		return err
	}
	b.signed = b.tree.size
	return nil
}

func (b *boxWriter) sync() error {
	if b.segment != nil {
		if err := b.step.sync("sync lines", b.segment); err != nil {
			return err
		}
	}
	if err := b.step.sync("sync hashes", b.hashes); err != nil {
		return err
	}
	if !b.unnamed {
		return nil
	}
	if err := b.step.syncFolder("sync box folder", b.dir); err != nil {
		return err
	}
	b.unnamed = false
	return nil
}

func (b *boxWriter) close() error {
	var err error
	for _, f := range []*os.File{b.segment, b.hashes} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}
