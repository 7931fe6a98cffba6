package ledger

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/joute/joute/voting"
)

// segment is one file of a box's lines.
type segment struct {
	first int64 // offset of its first record
	path  string
}

// segments are a box's segments in order. Other files are passed over.
func segments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []segment
	for _, e := range entries {
		if first, ok := segmentFirst(e.Name()); ok {
			found = append(found, segment{first, filepath.Join(dir, e.Name())})
		}
	}
	slices.SortFunc(found, func(a, b segment) int { return cmp.Compare(a.first, b.first) })
	return found, nil
}

// errTorn is the end of a file that does not end with the end of a line, or a
// line that is longer than any.
var errTorn = errors.New("the line is torn")

// lines reads a file line by line. next returns io.EOF behind the last one. The
// line is good until the next call, and without its end.
type lines struct {
	in   *bufio.Reader
	long []byte // a line that does not fit into in
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, 64<<10)} }

func (l *lines) next() ([]byte, error) {
	line, err := l.in.ReadSlice('\n')
	l.long = l.long[:0]
	for errors.Is(err, bufio.ErrBufferFull) && len(l.long) < maxLine {
		l.long = append(l.long, line...)
		line, err = l.in.ReadSlice('\n')
	}
	if len(l.long) > 0 {
		l.long = append(l.long, line...)
		line = l.long
	}
	switch {
	case err == nil && len(line) <= maxLine:
		return line[:len(line)-1], nil
	case err == nil, errors.Is(err, bufio.ErrBufferFull), err == io.EOF && len(line) > 0:
		return nil, errTorn
	default:
		return nil, err
	}
}

var positionPrefix = []byte(`{"position":"`)

// positionOf reads a line's position without reading the rest: it is the first
// member of every line.
func positionOf(line []byte) (voting.Position, error) {
	rest, ok := bytes.CutPrefix(line, positionPrefix)
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 1 {
		return voting.Position{}, errors.New("the line does not begin with a position")
	}
	return voting.ParsePosition(string(rest[:end]))
}

// recordOf reads a whole line.
func recordOf(line []byte) (voting.Record, error) {
	var r voting.Record
	at, err := positionOf(line)
	if err != nil {
		return r, err
	}
	if err := r.UnmarshalJSON(line); err != nil {
		return r, err
	}
	if r.Position != at {
		return r, fmt.Errorf("the line has two positions: %s and %s", at, r.Position)
	}
	return r, nil
}
