package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

// mismatch is a store and a folder that do not belong together. The text says what
// is, and what to do.
type mismatch struct{ text string }

func (m *mismatch) Error() string { return m.text }

func mismatched(format string, args ...any) error { return &mismatch{fmt.Sprintf(format, args...)} }

// fits holds a page of the store against what the disk has.
func (w *worker) fits(ctx context.Context, box int, at voting.Position, u ballotbox.Unmoved) error {
	size := w.disk.Size(box)
	if err := compareSizes(w.id, box, u.Offset, u.Trimmed, size, size); err != nil {
		return err
	}
	next := max(at.Offset, u.Trimmed) + 1
	for _, r := range u.Records {
		if r.Position.Offset != next {
			return mismatched("%s, box %d: the store lacks record %d, which is not in the data folder: somebody has deleted it; stop casting and compare with joute verify and joute recount", w.id, box, next)
		}
		next++
	}
	if len(u.Records) == 0 && next <= u.Offset {
		return mismatched("%s, box %d: the store lacks record %d, which is not in the data folder: somebody has deleted it; stop casting and compare with joute verify and joute recount", w.id, box, next)
	}
	return w.same(ctx, box, u.Records, size)
}

// compareSizes holds how many records the store ever had, and has given away, against
// the data folder: least is what that had before the store was asked, most after.
func compareSizes(id string, box int, offset, trimmed, least, most int64) error {
	switch {
	case offset < least:
		return mismatched("%s, box %d: the store knows of %d records, the data folder has %d: the store is another one, or was set back; give --redis and --data that belong together, or rebuild the store with joute restore", id, box, offset, least)
	case trimmed > most:
		return mismatched("%s, box %d: the store has given away %d records, the data folder has %d: it is another folder, or an old copy; give --data the folder that all servers of the store share", id, box, trimmed, most)
	}
	return nil
}

// same compares records that the disk has already, after a trim that failed, with
// what it has.
func (w *worker) same(ctx context.Context, box int, records []ballotbox.MovedRecord, size int64) error {
	n := 0
	for n < len(records) && records[n].Position.Offset <= size {
		n++
	}
	if n == 0 {
		return nil
	}
	first := records[0].Position.Offset
	stop := errors.New("compared")
	err := ledger.Records(ctx, w.a.ledgers, w.id, box, voting.Position{Box: box, Offset: first - 1}, func(line []byte, r voting.Record) error {
		i := int(r.Position.Offset - first)
		if i >= n {
			return stop
		}
		theirs, err := records[i].MarshalJSON()
		if err == nil && !bytes.Equal(line, theirs) {
			err = mismatched("%s, box %d: record %d is one in the store and another in the data folder: the store was set back and voted on since; stop casting, keep both, and rebuild the store with joute restore", w.id, box, r.Position.Offset)
		}
		return err
	})
	if errors.Is(err, stop) {
		return nil
	}
	return err
}

// watch holds the store against the folder while another server moves the records.
func (w *worker) watch(ctx context.Context, stored *registry.Stored) error {
	w.drift = drift{}
	before, err1 := checkpointOf(w.a.ledgers, w.id)
	moved, err2 := w.a.boxes.Moved(ctx, stored)
	after, err3 := checkpointOf(w.a.ledgers, w.id)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	var waiting int64
	for box, m := range moved {
		if err := compareSizes(w.id, box, m.Offset, m.Trimmed, before.Size(box), after.Size(box)); err != nil {
			return err
		}
		waiting += max(m.Offset-after.Size(box), 0)
	}
	w.a.states.wait(w.id, waiting, sizeOf(after), time.Now())
	return nil
}

// checkpointOf is the newest, or the zero one.
func checkpointOf(dir, id string) (ledger.Checkpoint, error) {
	c, err := ledger.ReadCheckpoint(dir, id)
	if errors.Is(err, ledger.ErrNoLedger) {
		return ledger.Checkpoint{}, nil
	}
	return c, err
}

func sizeOf(c ledger.Checkpoint) (records int64) {
	for box := range c.Boxes {
		records += c.Size(box)
	}
	return records
}
