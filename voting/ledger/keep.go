package ledger

import (
	"errors"
	"io"
	"os"
)

// keep goes through what is behind the promised records, hashes the lines that
// continue them and cuts the rest. What it keeps it writes once more in place: a
// sync that failed before may have dropped it from memory's list of what is not
// on disk, and the next sync must cover it.
func (b *boxWriter) keep(size int64, t tail) error {
	from := t.from
	for i, s := range t.segments {
		if i > 0 || size == 0 {
			if s.first != b.tree.size+1 { // behind a cut, or after it
				if err := os.Remove(s.path); err != nil {
					return err
				}
				continue
			}
			from = 0
		}
		end, err := b.keepLines(s.path, from)
		if err != nil {
			return err
		}
		if b.segment != nil {
			if err := errors.Join(b.segment.Sync(), b.segment.Close()); err != nil {
				return err
			}
		}
		if b.segment, err = os.OpenFile(s.path, os.O_RDWR, 0o600); err != nil {
			return err
		}
		b.bytes = end
		if err := errors.Join(b.segment.Truncate(end), writeAgain(b.segment, from, end)); err != nil {
			return err
		}
	}
	return nil
}

// keepLines hashes the lines of a segment from there on, and returns where the
// first one begins that does not continue the ledger.
func (b *boxWriter) keepLines(path string, from int64) (end int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	in := newLines(io.NewSectionReader(f, from, 1<<62))
	end = from
	b.nodes = b.nodes[:0]
	for {
		line, err := in.next()
		if err != nil && err != io.EOF && !errors.Is(err, errTorn) {
			return 0, err
		}
		if err != nil {
			break
		}
		r, err := recordOf(line)
		if err != nil || !continues(b.last, r.Position, b.box) {
			break
		}
		b.last = r.Position
		b.nodes = b.tree.add(b.leaf(line), b.nodes)
		end += int64(len(line)) + 1
	}
	_, err = b.hashes.WriteAt(b.nodes, b.stored)
	b.stored += int64(len(b.nodes))
	return end, err
}

// writeAgain writes the bytes of a file between two places over themselves.
func writeAgain(f *os.File, from, end int64) error {
	page := make([]byte, min(1<<20, end-from))
	for from < end {
		n, err := f.ReadAt(page[:min(int64(len(page)), end-from)], from)
		if err != nil && err != io.EOF || n == 0 {
			return errors.Join(err, io.ErrUnexpectedEOF)
		}
		if _, err := f.WriteAt(page[:n], from); err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}
