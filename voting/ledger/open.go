package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// openBox opens a box's files to write, or makes them. floor is what the
// contest's checkpoint says of the box: it is there, or [ErrDamaged].
func openBox(dir, contest string, box int, floor tlog.Tree, signer *Signer) (_ *boxWriter, err error) {
	b := &boxWriter{contest: contest, box: box, dir: filepath.Join(dir, boxName(box)), unnamed: true}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	// The box's own checkpoint is written first, so it may be ahead of the contest's.
	own, err := b.readOwn(signer)
	if err != nil {
		return nil, err
	}
	b.signed = own.N
	promised := []tlog.Tree{floor, own}
	size := max(floor.N, own.N)

	tail, err := b.openSegments(size)
	if err != nil {
		return nil, err
	}
	if err := b.openHashes(size, promised); err != nil {
		return nil, err
	}
	if err := b.keep(size, tail); err != nil {
		return nil, err
	}
	return b, clearAside(b.dir)
}

// readOwn reads the box's own checkpoint.
func (b *boxWriter) readOwn(signer *Signer) (tlog.Tree, error) {
	path := filepath.Join(b.dir, checkpointName)
	signed, err := readSmall(path)
	if errors.Is(err, os.ErrNotExist) {
		return tlog.Tree{}, nil
	}
	if err != nil {
		return tlog.Tree{}, err
	}
	text, err := openNote(signed, signer.verifier)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	contest, box, tree, err := parseBoxCheckpoint(text)
	if err == nil && (contest != b.contest || box != b.box) {
		err = fmt.Errorf("it is of %s of %s", boxName(box), contest)
	}
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	return tree, nil
}

// tail is where what no checkpoint covers begins.
type tail struct {
	segments []segment // the first holds the newest promised record, at its beginning up to from
	from     int64
}

// openSegments finds the end of the first size records. It reads one segment and
// changes nothing.
func (b *boxWriter) openSegments(size int64) (tail, error) {
	all, err := segments(b.dir)
	if err != nil {
		return tail{}, err
	}
	if size == 0 {
		return tail{segments: all}, nil
	}
	at := -1
	for i, s := range all {
		if s.first <= size {
			at = i
		}
	}
	if at < 0 || all[0].first != 1 {
		return tail{}, fmt.Errorf("%w: the segment with record 1 is missing", ErrDamaged)
	}
	f, err := os.Open(all[at].path)
	if err != nil {
		return tail{}, err
	}
	defer f.Close()
	found := tail{segments: all[at:]}
	in := newLines(f)
	for n := all[at].first; n <= size; n++ {
		line, err := in.next()
		if err != nil {
			return tail{}, fmt.Errorf("%w: %s ends before record %d, and record %d is promised: %w", ErrDamaged, all[at].path, n, size, err)
		}
		found.from += int64(len(line)) + 1
		if n == size {
			if b.last, err = positionOf(line); err != nil || b.last.Offset != size || b.last.Box != b.box {
				return tail{}, fmt.Errorf("%w: %s: record %d is not where it should be", ErrDamaged, all[at].path, size)
			}
		}
	}
	return found, nil
}

// openHashes opens the hashes and reads the tree of the first size records. Where
// the file does not give the promised roots it is made again from the lines; when
// these do not give them either, the ledger is damaged.
func (b *boxWriter) openHashes(size int64, promised []tlog.Tree) (err error) {
	path := filepath.Join(b.dir, hashesName)
	if size > 0 {
		if err := b.checkHashes(path, size, promised); err != nil {
			return err
		}
	}
	if b.hashes, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if b.tree, err = readTree(size, b.hashes); err != nil {
		return err
	}
	b.stored = tlog.StoredHashCount(size) * tlog.HashSize
	return b.hashes.Truncate(b.stored)
}

func (b *boxWriter) checkHashes(path string, size int64, promised []tlog.Tree) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return b.hashAgain(path, size, promised)
	}
	if err != nil {
		return err
	}
	good := gives(f, promised)
	if err := f.Close(); err != nil || good {
		return err
	}
	return b.hashAgain(path, size, promised)
}

// gives tells whether stored hashes have the promised roots.
func gives(stored io.ReaderAt, promised []tlog.Tree) bool {
	for _, want := range promised {
		if want.N == 0 {
			continue
		}
		if t, err := readTree(want.N, stored); err != nil || t.root() != want {
			return false
		}
	}
	return true
}

// hashAgain makes the hashes of the first size records from their lines.
func (b *boxWriter) hashAgain(path string, size int64, promised []tlog.Tree) (err error) {
	aside := filepath.Join(b.dir, asidePrefix+hashesName)
	f, err := os.OpenFile(aside, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if f != nil {
			err = errors.Join(err, f.Close(), os.Remove(aside))
		}
	}()
	all, err := segments(b.dir)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	var t tree
	for _, s := range all {
		err := eachLine(s.path, func(line []byte) error {
			if t.size == size {
				return io.EOF
			}
			b.nodes = t.add(b.leaf(line), b.nodes[:0])
			_, err := out.Write(b.nodes)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := errors.Join(out.Flush(), f.Sync()); err != nil {
		return err
	}
	if t.size != size || !gives(f, promised) {
		return fmt.Errorf("%w: the lines do not have the root of the checkpoint", ErrDamaged)
	}
	if err := f.Close(); err != nil {
		return err
	}
	f = nil
	return os.Rename(aside, path)
}

// eachLine calls yield with every line; its io.EOF ends the reading.
func eachLine(path string, yield func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := newLines(f)
	for err == nil {
		var line []byte
		if line, err = in.next(); err == nil {
			err = yield(line)
		}
	}
	if err == io.EOF {
		return nil
	}
	return err
}
