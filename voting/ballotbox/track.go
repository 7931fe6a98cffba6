package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// track reads one box's records in order, wherever they are: first those that were
// moved to the archive, then the stream.
//
// Records move while it reads. Whenever it reads the stream it asks in the same step
// how many records were trimmed: if that is more than it has passed, some may be
// missing between what it gave and what it reads, and it goes to the archive again,
// which has them all.
type track struct {
	boxes    *Boxes
	stored   *registry.Stored
	box      int
	evidence bool  // each cast with what was seen of it
	end      int64 // instant in ms before which it ends; 0: as far as there is

	start  voting.Position // of the contest, behind which it begins
	at     place           // of the last record read, or where the stream's part begins
	exact  bool            // at is a record's, or the beginning: its offset says how many are before
	passed int64           // of the trimmed records, how many the archive was read up to
	moved  bool            // the archive is being read

	page []tracked
	done bool
}

// tracked is a record, and what was seen of it, JSON; empty when nothing.
type tracked struct {
	voting.Record
	seen []byte
}

// after is what is read next is behind.
func (t *track) after() voting.Position {
	if t.exact {
		return voting.Position{Box: t.box, Millis: t.at.millis, Offset: t.at.offset}
	}
	return t.start
}

// fill reads the next page when the last one is used up. With an empty page and no
// error it is done.
func (t *track) fill(ctx context.Context) error {
	for !t.done && len(t.page) == 0 {
		var err error
		if t.moved {
			err = t.fromArchive(ctx)
		} else {
			err = t.fromStream(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *track) take(r voting.Record) {
	t.page = append(t.page, tracked{Record: r})
	t.at, t.exact = placeOfRecord(r), true
}

func (t *track) fromArchive(ctx context.Context) error {
	before := t.after()
	more, err := t.boxes.archived(ctx, t.stored.Contest.ID, t.box, before, func(r voting.Record) bool {
		if t.end > 0 && r.Position.Millis >= t.end {
			t.done = true
			return true
		}
		t.take(r)
		return len(t.page) == ledgerPage
	})
	if err != nil {
		return err
	}
	if t.moved = more; !more {
		if err := t.whole(ctx); err != nil {
			return err
		}
	}
	if len(t.page) > 0 && t.evidence {
		return t.seenOfPage(ctx, before)
	}
	return nil
}

// whole makes sure that the archive had what it was read for: a folder that lost
// records must not look like a ledger that never had them.
func (t *track) whole(ctx context.Context) error {
	if t.exact && t.at.offset >= t.passed {
		return nil
	}
	there := false
	if !t.exact {
		last := voting.Position{Box: t.box, Offset: t.passed - 1}
		var err error
		if there, err = t.boxes.archived(ctx, t.stored.Contest.ID, t.box, last, func(voting.Record) bool { return true }); err != nil {
			return err
		}
	}
	if !there {
		return fmt.Errorf("%w: box %d of %s, up to record %d", ErrNoArchive, t.box, t.stored.Contest.ID, t.passed)
	}
	return nil
}

// seenOfPage adds to a page of the archive what was seen of its casts.
func (t *track) seenOfPage(ctx context.Context, before voting.Position) error {
	page := t.page
	err := t.boxes.archive.Evidence(ctx, t.stored.Contest.ID, t.box, before, func(at voting.Position, seen []byte) error {
		of := place{at.Millis, at.Offset}
		for len(page) > 0 && of.behind(placeOfRecord(page[0].Record)) {
			page = page[1:]
		}
		if len(page) == 0 {
			return errNoMore
		}
		if of == placeOfRecord(page[0].Record) {
			page[0].seen = seen
		}
		return nil
	})
	if errors.Is(err, errNoMore) {
		return nil
	}
	return err
}

func (t *track) fromStream(ctx context.Context) error {
	to := "+"
	if t.end > 0 {
		to = beforeMillis(t.end)
	}
	keys, from := keysOf(t.stored.Contest.ID, t.box), t.at.next()
	sheets, moved, err := t.inStream(ctx, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
		return pipe.XRangeN(ctx, keys.ledger, from, to, sheetPage)
	})
	if err != nil || moved {
		return err
	}
	page := t.page
	for _, m := range sheets {
		sheet, err := parseSheet(m, t.stored.Epoch, t.box)
		if err != nil {
			return err
		}
		page = slices.Grow(page, len(sheet.records))
		for _, r := range sheet.records {
			if placeOfRecord(r).behind(t.at) {
				page = append(page, tracked{Record: r})
			}
		}
	}
	if t.evidence && len(page) > 0 {
		last := page[len(page)-1].Position.Millis
		of, moved, err := t.inStream(ctx, func(pipe redis.Pipeliner) *redis.XMessageSliceCmd {
			return pipe.XRange(ctx, keys.evidence, from, beforeMillis(last+1))
		})
		if err != nil || moved {
			return err
		}
		seen := seenEntries{entries: of}
		for i, r := range page {
			if page[i].seen, err = seen.of(placeOfRecord(r.Record)); err != nil {
				return err
			}
		}
	}
	t.done = len(sheets) < sheetPage
	if t.page = page; len(page) > 0 {
		t.at, t.exact = placeOfRecord(page[len(page)-1].Record), true
	}
	return nil
}

// inStream reads a part of a stream, and in the same step whether records that are not
// passed have moved: then the archive is read next.
func (t *track) inStream(ctx context.Context, part func(redis.Pipeliner) *redis.XMessageSliceCmd) (entries []redis.XMessage, moved bool, err error) {
	pipe := t.boxes.store.Client().TxPipeline()
	meta := pipe.HMGet(ctx, keysOf(t.stored.Contest.ID, t.box).meta, "trimmed")
	read := part(pipe)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, false, store.Classify(err)
	}
	gone, err := parseTrimmed(meta.Val()[0])
	if err != nil {
		return nil, false, err
	}
	if gone.records > t.passed && !(t.exact && t.at.offset >= gone.records) {
		t.moved, t.passed = true, gone.records
		return nil, true, nil
	}
	return read.Val(), false, nil
}
