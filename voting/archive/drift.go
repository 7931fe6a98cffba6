package archive

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

// drift compares the tallies of a contest's boxes with the folds of their records. It
// follows the records as they are moved; what was on disk before is folded a little
// at each visit, so that moving does not wait for it.
type drift struct {
	folds []*fold // by box; nil: not begun
	off   off
	at    time.Time    // of the last comparison
	until time.Time    // when this visit's reading of old records ends
	told  []string     // what the log was told
	done  map[int]bool // boxes compared since the last visit that was due
}

// oldTime is how much of a visit may go into folding what was on disk before.
const oldTime = 300 * time.Millisecond

// due tells whether tallies are to be compared at this visit, which begins.
func (d *drift) due(every time.Duration) bool {
	d.until = time.Now().Add(oldTime)
	return time.Since(d.at) >= every
}

// compared ends a visit that was due. Boxes that were not compared, because they are
// not folded yet or too much came in, make the next one due as well.
func (d *drift) compared() {
	if len(d.done) == len(d.folds) {
		d.at = time.Now()
	}
	d.done = nil
}

// quiet tells whether every tally was compared, and none is off.
func (d *drift) quiet() bool { return !d.at.IsZero() && len(d.off.boxes()) == 0 }

func (d *drift) fold(box int) *fold {
	for len(d.folds) <= box {
		d.folds = append(d.folds, nil)
	}
	if d.folds[box] == nil {
		d.folds[box] = newFold()
	}
	return d.folds[box]
}

// follow folds what the disk has of a box up to size, as long as there is time.
func (d *drift) follow(ctx context.Context, dir, id string, box int, size int64) error {
	f := d.fold(box)
	if f.offset >= size {
		return nil
	}
	late := errors.New("late")
	err := ledger.Records(ctx, dir, id, box, voting.Position{Box: box, Offset: f.offset}, func(_ []byte, r voting.Record) error {
		f.add(r)
		if f.offset%256 == 0 && time.Now().After(d.until) {
			return late
		}
		return nil
	})
	if errors.Is(err, late) {
		return nil
	}
	return err
}

// add folds records that are being moved.
func (d *drift) add(box int, records []ballotbox.MovedRecord) {
	fold := d.fold(box)
	for i := range records {
		fold.add(records[i].Record)
	}
}

// frozen tells the fold of a box, before it goes on, at which offset the tally of the
// freezing instant was taken. One that is past it begins anew: at a start, and where
// the freeze was moved.
func (d *drift) frozen(box int, u ballotbox.Unmoved) {
	cut := int64(-1)
	if u.Frozen {
		cut = u.Cut
	}
	if !d.fold(box).keepAt(cut) {
		d.folds[box] = newFold()
		d.folds[box].keepAt(cut)
	}
}

// compare holds what a box keeps at an offset against the fold, where that is as far.
func (d *drift) compare(box int, u ballotbox.Unmoved) {
	f := d.fold(box)
	if f.offset != u.Offset {
		return
	}
	if d.done == nil {
		d.done = map[int]bool{}
	}
	d.done[box] = true
	d.off.set(offCounts, box, u.Tally == nil || !sameCounts(u.Tally.Tally, f.tally(false)))
	d.off.set(offNewest, box, u.Tally != nil && u.Tally.Newest && !sameNewest(u.Tally, f.tally(true)))
	d.off.set(offFrozen, box, u.Frozen && (u.Then == nil || f.then == nil || !sameCounts(u.Then.Tally, f.then) || !sameNewest(u.Then, f.then)))
}

// tell writes into the log what has changed since it was told.
func (d *drift) tell(log *slog.Logger, id string) {
	off := d.off.says(id)
	switch {
	case slices.Equal(off, d.told):
		return
	case len(off) > 0:
		for _, fault := range off {
			log.Error("drift", "contest", id, "fault", fault)
		}
	default:
		log.Info("drift: what the store counts and the ledger agree again", "contest", id)
	}
	d.told = off
}
