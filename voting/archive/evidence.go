package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/joute/joute/internal/folder"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// evidenceFolder is DATA/evidence. It is no part of the ledger: it expires, and is
// deleted when its contest is forgotten.
type evidenceFolder string

// seenBytes is where a file ends and the next begins.
const seenBytes = 64 << 20

// maxSeen bounds a line: what is seen of an attempt is some hundred bytes.
const maxSeen = 64 << 10

// seenProbe is what one step of a search reads: some lines.
const seenProbe = 8 << 10

var errEvidence = errors.New("a file of evidence is damaged")

func (d evidenceFolder) contest(id string) string { return filepath.Join(string(d), id) }

func (d evidenceFolder) box(id string, box int) string {
	return filepath.Join(d.contest(id), "box-"+strconv.Itoa(box))
}

// remove deletes a contest's, for good. A second call changes nothing.
func (d evidenceFolder) remove(id string) error {
	if _, err := os.Stat(d.contest(id)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := errors.Join(os.RemoveAll(d.contest(id)), syncFolder(string(d))); err != nil {
		return fmt.Errorf("delete evidence: %w", err)
	}
	return nil
}

// seenFiles are a box's files in order, each with the offset of its first cast.
func seenFiles(dir string) (paths []string, firsts []int64, err error) {
	entries, err := os.ReadDir(dir) // sorted, and the names are all as long
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".ndjson")
		if first, err := strconv.ParseInt(name, 10, 64); ok && err == nil {
			paths, firsts = append(paths, filepath.Join(dir, e.Name())), append(firsts, first)
		}
	}
	return paths, firsts, err
}

// seenLine is one line: the record's millisecond and offset, and what was seen.
func seenLine(into []byte, at voting.Position, seen []byte) []byte {
	into = strconv.AppendInt(append(into, `{"id":"`...), at.Millis, 10)
	into = strconv.AppendInt(append(into, '-'), at.Offset, 10)
	into = append(append(into, `","seen":`...), seen...)
	return append(into, "}\n"...)
}

// parseSeenLine reads what seenLine wrote. seen is a part of line.
func parseSeenLine(line []byte, box int) (at voting.Position, seen []byte, err error) {
	rest, ok1 := bytes.CutPrefix(line, []byte(`{"id":"`))
	id, rest, ok2 := bytes.Cut(rest, []byte(`","seen":`))
	seen, ok3 := bytes.CutSuffix(rest, []byte("}"))
	millis, offset, ok4 := strings.Cut(string(id), "-")
	at.Box = box
	var err1, err2 error
	at.Millis, err1 = strconv.ParseInt(millis, 10, 64)
	at.Offset, err2 = strconv.ParseInt(offset, 10, 64)
	if !ok1 || !ok2 || !ok3 || !ok4 || err1 != nil || err2 != nil || at.Millis < 0 || at.Offset < 1 {
		return voting.Position{}, nil, errEvidence
	}
	return at, seen, nil
}

// read gives what was seen of a box's casts behind an offset, in order. A line that is
// being written is the end. Without a folder there is nothing.
func (d evidenceFolder) read(ctx context.Context, id string, box int, after int64, yield func(at voting.Position, seen []byte) error) error {
	paths, firsts, err := seenFiles(d.box(id, box))
	if err != nil || len(paths) == 0 {
		return err
	}
	start := max(sort.Search(len(firsts), func(i int) bool { return firsts[i] > after })-1, 0)
	for _, path := range paths[start:] {
		if err := readSeen(ctx, path, box, after, yield); err != nil {
			return err
		}
	}
	return nil
}

func readSeen(ctx context.Context, path string, box int, after int64, yield func(at voting.Position, seen []byte) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted since the folder was read
	}
	if err != nil {
		return err
	}
	defer f.Close()
	from, err := findSeen(f, box, after)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	in := bufio.NewReaderSize(io.NewSectionReader(f, from, 1<<62), maxSeen)
	for {
		line, err := in.ReadSlice('\n')
		if err == io.EOF {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %w", path, errEvidence, err)
		}
		at, seen, err := parseSeenLine(line[:len(line)-1], box)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if at.Offset <= after {
			continue
		}
		if err := yield(at, slices.Clone(seen)); err != nil {
			return err
		}
	}
}

// findSeen is where a line begins that is not far before the first one behind an
// offset, by halving.
func findSeen(f *os.File, box int, after int64) (int64, error) {
	info, err := f.Stat()
	if err != nil || after == 0 {
		return 0, err
	}
	low, high := int64(0), info.Size() // the line at low is not behind after, or the first
	page := make([]byte, seenProbe)
	for high-low > seenProbe {
		middle := low + (high-low)/2
		n, err := f.ReadAt(page, middle)
		if err != nil && err != io.EOF {
			return 0, err
		}
		_, rest, _ := bytes.Cut(page[:n], []byte("\n"))
		line, _, whole := bytes.Cut(rest, []byte("\n"))
		if !whole { // the end, or a long line: then less is skipped than could be
			high = middle
			continue
		}
		at, _, err := parseSeenLine(line, box)
		if err != nil || at.Offset > after { // what is no line is told by who reads as far
			high = middle
		} else {
			low = middle + int64(n-len(rest))
		}
	}
	return low, nil
}

// seenWriter appends to a box's evidence.
type seenWriter struct {
	dir   string
	f     *os.File // nil: none is begun
	bytes int64
	last  int64 // offset of the last cast there is
	news  bool  // not synced yet
	named bool  // a new name is not synced yet
	buf   []byte
}

// openSeen goes on behind the casts that the store has given away, those up to the
// offset trimmed: they were synced before. What is there of later ones the store has
// too, and it is cut and written again: nobody knows that it is on disk, all of it,
// or that it is of the records that have these offsets in a store that was restored.
func openSeen(dir string, box int, trimmed int64) (*seenWriter, error) {
	w := &seenWriter{dir: dir, last: trimmed}
	paths, firsts, err := seenFiles(dir)
	if err != nil {
		return nil, err
	}
	for i := len(paths) - 1; i >= 0 && firsts[i] > trimmed; i-- {
		if err := os.Remove(paths[i]); err != nil {
			return nil, err
		}
		paths = paths[:i]
	}
	if len(paths) == 0 {
		return w, nil
	}
	if w.f, err = os.OpenFile(paths[len(paths)-1], os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if w.bytes, err = endOfSeen(w.f, box, trimmed); err == nil {
		err = w.f.Truncate(w.bytes)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", w.f.Name(), err), w.f.Close())
	}
	return w, nil
}

// endOfSeen is where the last line ends that is not behind an offset. What is no line
// comes after it, or the file is damaged where it was synced.
func endOfSeen(f *os.File, box int, upto int64) (end int64, err error) {
	at, err := findSeen(f, box, upto)
	if err != nil {
		return 0, err
	}
	end = at
	in := bufio.NewReaderSize(io.NewSectionReader(f, at, 1<<62), maxSeen)
	for torn := false; ; {
		line, err := in.ReadSlice('\n')
		switch {
		case err == io.EOF:
			return end, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return 0, err
		}
		at += int64(len(line))
		of, _, err := parseSeenLine(bytes.TrimSuffix(line, []byte("\n")), box)
		switch {
		case err != nil:
			torn = true
		case of.Offset > upto:
			return end, nil
		case torn:
			return 0, errEvidence
		default:
			end = at
		}
	}
}

// append adds what was seen of casts; those it has already are passed over. They are
// not on disk yet: see sync.
func (w *seenWriter) append(records []ballotbox.MovedRecord) error {
	w.buf = w.buf[:0]
	first, last := int64(0), w.last
	for i := range records {
		r := &records[i]
		if len(r.Seen) == 0 || r.Position.Offset <= last {
			continue
		}
		whole := ballotbox.UsualSeen(r.Seen) || json.Valid(r.Seen) // the first takes half the time
		if len(r.Seen) > maxSeen/2 || bytes.IndexByte(r.Seen, '\n') >= 0 || !whole {
			return fmt.Errorf("%w: of record %d the store has no evidence", errEvidence, r.Position.Offset)
		}
		if last = r.Position.Offset; first == 0 {
			first = last
		}
		w.buf = seenLine(w.buf, r.Position, r.Seen)
	}
	if len(w.buf) == 0 {
		return nil
	}
	if w.f == nil || w.bytes >= seenBytes {
		if err := w.begin(first); err != nil {
			return err
		}
	}
	if _, err := w.f.WriteAt(w.buf, w.bytes); err != nil {
		return err
	}
	w.bytes, w.last, w.news = w.bytes+int64(len(w.buf)), last, true
	return nil
}

func (w *seenWriter) begin(first int64) error {
	if err := w.close(); err != nil {
		return err
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(w.dir, fmt.Sprintf("%012d.ndjson", first)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w.f, w.bytes, w.named = f, 0, true
	return nil
}

// sync returns once all that was appended is on disk.
func (w *seenWriter) sync() error {
	if !w.news {
		return nil
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	if w.named { // its folder, that one's, and so on may be new
		contest := filepath.Dir(w.dir)
		if err := errors.Join(syncFolder(w.dir), syncFolder(contest), syncFolder(filepath.Dir(contest)), syncFolder(filepath.Dir(filepath.Dir(contest)))); err != nil {
			return err
		}
	}
	w.news, w.named = false, false
	return nil
}

func (w *seenWriter) close() error {
	if w == nil || w.f == nil {
		return nil
	}
	err := w.sync()
	err = errors.Join(err, w.f.Close())
	w.f = nil
	return err
}

// syncFolder makes names in a folder survive a power cut. A folder that was deleted
// meanwhile has none.
func syncFolder(dir string) error {
	if err := folder.Sync(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
