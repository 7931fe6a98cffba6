package ballotbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// backwards gives a box's records up to an offset (0: all there are), the newest
// first, until yield has enough: first those of the stream, then, from where it
// begins, those that were moved to the archive.
func (b *Boxes) backwards(ctx context.Context, s *registry.Stored, box int, upTo int64, yield func(voting.Record) (enough bool)) error {
	keys, end := keysOf(s.Contest.ID, box), "+"
	left := int64(-1) // records before the last one given; -1: none was given
	for left != 0 {
		pipe := b.store.Client().TxPipeline()
		meta := pipe.HMGet(ctx, keys.meta, "trimmed")
		page := pipe.XRevRangeN(ctx, keys.ledger, end, "-", sheetPage)
		if _, err := pipe.Exec(ctx); err != nil {
			return store.Classify(err)
		}
		gone, err := parseTrimmed(meta.Val()[0])
		if err != nil {
			return err
		}
		if left >= 0 && left <= gone.records || len(page.Val()) == 0 {
			if left < 0 || left > gone.records {
				left = gone.records
			}
			if upTo > 0 {
				left = min(left, upTo)
			}
			return b.archivedBackwards(ctx, s, box, left, yield)
		}
		for _, m := range page.Val() {
			sheet, err := parseSheet(m, s.Epoch, box)
			if err != nil {
				return err
			}
			for _, r := range slices.Backward(sheet.records) {
				if (upTo == 0 || r.Position.Offset <= upTo) && yield(r) {
					return nil
				}
			}
			left, end = sheet.first().offset-1, "("+m.ID
		}
	}
	return nil
}

// archivedBackwards gives the first records of a box, up to an offset, newest first.
// An archive is read forwards: a page is read and turned round.
func (b *Boxes) archivedBackwards(ctx context.Context, s *registry.Stored, box int, upTo int64, yield func(voting.Record) (enough bool)) error {
	for ; upTo > 0; upTo = max(upTo-ledgerPage, 0) {
		var page []voting.Record
		after := voting.Position{Box: box, Offset: max(upTo-ledgerPage, 0)}
		if _, err := b.archived(ctx, s.Contest.ID, box, after, func(r voting.Record) bool {
			if r.Position.Offset <= upTo {
				page = append(page, r)
			}
			return r.Position.Offset >= upTo
		}); err != nil {
			return err
		}
		if int64(len(page)) != upTo-after.Offset {
			return fmt.Errorf("%w: box %d of %s, up to record %d", ErrNoArchive, box, s.Contest.ID, upTo)
		}
		for _, r := range slices.Backward(page) {
			if yield(r) {
				return nil
			}
		}
	}
	return nil
}
