package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/joute/joute/voting"
)

// Archive has what was moved out of the store: see package archive. Readers of a box
// read it first and the stream after it, and never see a difference.
//
// A record is behind a position of its box by its offset alone, and behind one of
// another box in the order of the whole ledger: (millisecond, box). Errors of yield end
// the reading and come back.
type Archive interface {
	// Records gives a box's records behind a position, in order, as far as they are
	// archived. What was trimmed is.
	Records(ctx context.Context, contestID string, box int, after voting.Position, yield func(voting.Record) error) error

	// Evidence gives what was seen of the casts behind a position, in order, as far as it
	// is archived and has not expired. seen is JSON of a [Seen], the caller's to keep.
	Evidence(ctx context.Context, contestID string, box int, after voting.Position, yield func(at voting.Position, seen []byte) error) error
}

// ErrNoArchive is returned for records that were moved out of the store to where this
// server does not find them.
var ErrNoArchive = errors.New("records were moved out of the store and are not in this server's data folder")

// WithArchive is the same boxes, read together with what was moved out of them.
func (b *Boxes) WithArchive(a Archive) *Boxes {
	with := *b
	with.archive = a
	return &with
}

// errNoMore ends the reading of an archive; nobody else sees it.
var errNoMore = errors.New("enough")

// archived gives a box's archived records behind a position until enough. It tells
// whether it was enough, and not the end.
func (b *Boxes) archived(ctx context.Context, contestID string, box int, after voting.Position, yield func(voting.Record) (enough bool)) (bool, error) {
	if b.archive == nil {
		return false, ErrNoArchive
	}
	err := b.archive.Records(ctx, contestID, box, after, func(r voting.Record) error {
		if yield(r) {
			return errNoMore
		}
		return nil
	})
	if errors.Is(err, errNoMore) {
		return true, nil
	}
	return false, err
}

// place is where a box was read to: a record's, or an instant's.
type place struct{ millis, offset int64 }

func placeOfRecord(r voting.Record) place { return place{r.Position.Millis, r.Position.Offset} }

func (p place) behind(q place) bool {
	return p.millis > q.millis || p.millis == q.millis && p.offset > q.offset
}

// String is the place as a stream id.
func (p place) String() string { return fmt.Sprintf("%d-%d", p.millis, p.offset) }

// next is where a stream's range behind the place begins.
func (p place) next() string {
	if p == (place{}) {
		return "-"
	}
	return "(" + p.String()
}

// parsePlace reads a stream id.
func parsePlace(id string) (place, error) {
	millis, offset, ok := strings.Cut(id, "-")
	at, err1 := parseCount(millis)
	n, err2 := parseCount(offset)
	if err := errors.Join(err1, err2); err != nil || !ok {
		return place{}, fmt.Errorf("corrupt ballot box: record id %q", id)
	}
	return place{at, n}, nil
}
