package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"github.com/joute/joute/voting"
)

// Records gives a box's records behind a position of the contest, in order, up to
// the newest checkpoint when it was called; yield's error ends it and is returned.
// The line is as on disk, without its end, and good until yield returns. A ledger
// that has no checkpoint has no records.
//
// Of a position in another box it takes what the order of the whole ledger puts
// behind it: (millisecond, box, offset). It takes no lock: what a checkpoint
// covers never changes.
func Records(ctx context.Context, dir, contest string, box int, after voting.Position, yield func(line []byte, r voting.Record) error) error {
	newest, err := ReadCheckpoint(dir, contest)
	if errors.Is(err, ErrNoLedger) || err == nil && newest.Size(box) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	err = readBox(ctx, filepath.Join(folder(dir, contest), boxName(box)), box, newest.Size(box), after, yield)
	if err != nil {
		return fmt.Errorf("ledger of %s: %s: %w", contest, boxName(box), err)
	}
	return nil
}

// behind tells whether a record of a box comes after a position of the contest.
func behind(after, record voting.Position) bool {
	switch {
	case after == voting.Position{}:
		return true
	case record.Box == after.Box:
		return record.Offset > after.Offset
	case record.Box < after.Box: // its records of that millisecond come before
		return record.Millis > after.Millis
	default:
		return record.Millis >= after.Millis
	}
}

func readBox(ctx context.Context, dir string, box int, size int64, after voting.Position, yield func([]byte, voting.Record) error) error {
	all, err := segments(dir)
	if err != nil {
		return err
	}
	all = all[:sort.Search(len(all), func(i int) bool { return all[i].first > size })]
	start, err := firstSegment(all, after)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("%w: %d records are promised and there is no segment", ErrDamaged, size)
	}
	next := int64(0) // offset of the next record; 0: whichever the search finds
	if after == (voting.Position{}) {
		next = 1
	}
	for _, s := range all[start:] {
		if next != 0 && s.first != next {
			return fmt.Errorf("%w: %s comes after record %d", ErrDamaged, s.path, next-1)
		}
		if next, err = readSegment(ctx, s, box, size, after, next, yield); err != nil {
			return err
		}
	}
	if next != size+1 {
		return fmt.Errorf("%w: it ends after record %d, and record %d is promised", ErrDamaged, next-1, size)
	}
	return nil
}

// firstSegment is the one in which the first record behind after may be.
func firstSegment(all []segment, after voting.Position) (int, error) {
	var failed error
	i := sort.Search(len(all), func(i int) bool {
		at, err := firstPosition(all[i].path)
		if err != nil {
			failed = errors.Join(failed, err)
			return true
		}
		return behind(after, at)
	})
	return max(i-1, 0), failed
}

func firstPosition(path string) (voting.Position, error) {
	f, err := os.Open(path)
	if err != nil {
		return voting.Position{}, err
	}
	defer f.Close()
	line, err := firstLine(f, 0)
	if err != nil {
		return voting.Position{}, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	return positionOf(line)
}

// readSegment gives what of a segment is behind after and promised, and returns
// the offset that comes next. next is the offset it should begin with; 0: any.
func readSegment(ctx context.Context, s segment, box int, size int64, after voting.Position, next int64, yield func([]byte, voting.Record) error) (int64, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	from := int64(0)
	if next == 0 {
		if from, err = findLine(f, after); err != nil {
			return 0, fmt.Errorf("%w: %s: %w", ErrDamaged, s.path, err)
		}
	}
	in := newLines(io.NewSectionReader(f, from, 1<<62))
	for next <= size {
		if next%1024 == 0 && ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		line, err := in.next()
		if err == io.EOF {
			break // the next segment goes on
		}
		if err != nil {
			return 0, fmt.Errorf("%w: %s: after record %d: %w", ErrDamaged, s.path, next-1, err)
		}
		r, err := recordOf(line)
		if err == nil && (r.Position.Box != box || next != 0 && r.Position.Offset != next) {
			err = fmt.Errorf("%s is not where it should be", r.Position)
		}
		if err != nil {
			return 0, fmt.Errorf("%w: %s: after record %d: %w", ErrDamaged, s.path, next-1, err)
		}
		if next = r.Position.Offset + 1; next > size+1 {
			return size + 1, nil
		}
		if !behind(after, r.Position) {
			continue // the last one before them, where there is none behind in this segment
		}
		if err := yield(line, r); err != nil {
			return 0, err
		}
	}
	return next, nil
}

// findLine is where the last line begins that is not behind after, by halving;
// 0 when the first one is behind it already. With that line the reader knows where
// it stands.
func findLine(f *os.File, after voting.Position) (int64, error) {
	if after == (voting.Position{}) {
		return 0, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	// The line at low begins not behind after, or is the first; what begins at or
	// after high is behind it, or is no whole line.
	low, high := int64(0), info.Size()
	for high-low > 1 {
		middle := low + (high-low)/2
		start, line, err := lineFrom(f, middle)
		if err != nil && err != io.EOF && !errors.Is(err, errTorn) {
			return 0, err
		}
		var at voting.Position
		if err == nil && start < high {
			at, err = positionOf(line)
		}
		// What is no line is behind the promised ones, where a power cut may leave
		// anything; where it is not, whoever reads on from low is told.
		if err != nil || start >= high || behind(after, at) {
			high = middle
		} else {
			low = start
		}
	}
	return low, nil
}

// lineFrom is the first whole line that begins at a place or after it.
func lineFrom(f io.ReaderAt, place int64) (start int64, line []byte, err error) {
	if place > 0 { // its beginning is behind the end of the line that has the byte before
		rest, err := firstLine(f, place-1)
		if err != nil {
			return 0, nil, err
		}
		place += int64(len(rest))
	}
	line, err = firstLine(f, place)
	return place, line, err
}

// firstLine reads from a place to the end of the line; io.EOF where there is none.
func firstLine(f io.ReaderAt, place int64) ([]byte, error) {
	for size := 1 << 10; ; size *= 8 {
		page := make([]byte, size)
		n, err := f.ReadAt(page, place)
		for i, c := range page[:n] {
			if c == '\n' {
				return page[:i], nil
			}
		}
		if err != nil { // io.EOF as well: what is there is torn
			return nil, err
		}
		if size > maxLine {
			return nil, errTorn
		}
	}
}
