package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

// worker moves one contest's records. It is for one goroutine.
type worker struct {
	a        *Archive
	id       string
	contests func() []*registry.Stored

	disk  *ledger.Writer // nil: another server's, or to be opened
	seen  []*seenWriter  // by box; nil: not opened yet
	drift drift
	swept time.Time // when expired evidence was looked for

	appended int // records that are not committed yet

	expires int64 // when evidence does, in ms of the store's clock; 0: not known yet

	step func(what string) error // told before each step that a crash may come between; nil but in tests
}

// mismatch is a store and a folder that do not belong together. The text says what
// is, and what to do.
type mismatch struct{ text string }

func (m *mismatch) Error() string { return m.text }

func mismatched(format string, args ...any) error { return &mismatch{fmt.Sprintf(format, args...)} }

func (w *worker) at(step string) error {
	if w.step == nil {
		return nil
	}
	return w.step(step)
}

// run visits the contest until ctx ends, and once more for what is left.
func (w *worker) run(ctx context.Context) {
	defer w.close()
	for {
		wait := w.a.opts.Every
		if stored := w.stored(); stored != nil {
			calm, err := w.visit(ctx, stored)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				wait = min(failEvery, 5*w.a.opts.Every)
			case calm:
				wait = calmEvery
			}
		}
		if !w.sleep(ctx, wait) {
			break
		}
	}
	stored := w.stored()
	if stored == nil || w.disk == nil {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
	defer cancel()
	for more := true; more; {
		var err error
		if more, err = w.move(last, stored); err != nil {
			w.a.log.Warn("some records stay in the store until a server moves them", "contest", w.id, "error", err)
			return
		}
	}
}

// sleep waits, and cuts a long wait short when the contest has changed. It tells
// whether to go on.
func (w *worker) sleep(ctx context.Context, wait time.Duration) bool {
	was, end := w.stored(), time.NewTimer(wait)
	defer end.Stop()
	look := time.NewTicker(min(wait, moveEvery))
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-end.C:
			return true
		case <-look.C:
			if w.stored() != was {
				return true
			}
		}
	}
}

func (w *worker) stored() *registry.Stored {
	for _, s := range w.contests() {
		if s.Contest.ID == w.id {
			return s
		}
	}
	return nil
}

// close lets another server move the contest's records.
func (w *worker) close() {
	for _, seen := range w.seen {
		_ = seen.close() // what was not synced was not trimmed
	}
	if w.disk != nil {
		_ = w.disk.Close() // likewise
	}
	w.disk, w.seen, w.appended = nil, nil, 0
}

// visit moves what is new, and tells whether the contest is over and wholly on disk.
func (w *worker) visit(ctx context.Context, stored *registry.Stored) (calm bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	if w.disk == nil {
		switch err = w.open(); {
		case errors.Is(err, ledger.ErrBusy):
			err = w.watch(ctx, stored)
			w.report(ctx, err)
			return false, err
		case err != nil:
			w.close()
			w.report(ctx, err)
			return false, err
		}
	}
	more, err := w.move(ctx, stored)
	if err == nil {
		err = w.expire(ctx, stored)
	}
	w.report(ctx, err)
	over := !stored.PublishedAt.IsZero() || time.Now().After(stored.Closes().Add(time.Hour))
	calm = err == nil && !more && over && w.drift.quiet()
	// After an error lines may be written that no checkpoint has: opened anew, they are
	// signed. Not kept open until then: whoever restores the store needs all there are,
	// and nobody who adds some later.
	if calm || err != nil && ctx.Err() == nil {
		w.close()
	}
	return calm, err
}

// open takes the contest's ledger. What a crash left behind the checkpoint came from
// the store, and is signed now.
func (w *worker) open() (err error) {
	if w.disk, err = ledger.Open(w.a.ledgers, w.id, w.a.signer); err != nil {
		w.disk = nil
		return err
	}
	w.a.states.took(w.id)
	_, err = w.disk.Commit()
	return err
}

// move brings the disk up to the store, a round, and tells whether there is more.
func (w *worker) move(ctx context.Context, stored *registry.Stored) (more bool, err error) {
	var waiting int64
	trims := make([][]voting.Position, stored.Contest.Boxes)
	compare := w.drift.due(w.a.opts.Compare)
	for box := range trims {
		left, err := w.moveBox(ctx, stored, box, compare, &trims[box])
		if err != nil {
			return false, err
		}
		waiting += left
	}
	// What was seen first: with the record goes the only place where it is.
	if err := w.at("sync evidence"); err != nil {
		return false, err
	}
	for _, seen := range w.seen {
		if seen != nil {
			if err := seen.sync(); err != nil {
				return false, err
			}
		}
	}
	if err := w.at("commit"); err != nil {
		return false, err
	}
	if _, err := w.disk.Commit(); err != nil {
		return false, err
	}
	w.a.metrics.archived.Add(float64(w.appended))
	w.appended = 0
	for box, positions := range trims {
		for page := range slices.Chunk(positions, ballotbox.MovePage) {
			if err := w.at("trim"); err != nil {
				return false, err
			}
			if err := w.a.boxes.Trim(ctx, stored, box, page); err != nil {
				return false, err
			}
		}
	}
	w.a.states.wait(w.id, waiting, sizeOf(w.disk.Checkpoint()), time.Now())
	if compare {
		w.drift.compared()
	}
	return waiting > 0, nil
}

// moveBox reads a box page by page and appends what is new. It returns how many
// records the store has beyond it, and in trim the positions of those that are, or
// will be, on disk.
func (w *worker) moveBox(ctx context.Context, stored *registry.Stored, box int, compare bool, trim *[]voting.Position) (left int64, err error) {
	if err := w.drift.follow(ctx, w.a.ledgers, w.id, box, w.disk.Size(box)); err != nil {
		return 0, err
	}
	var at voting.Position
	for range roundPages {
		u, err := w.a.boxes.Unmoved(ctx, stored, box, at, compare)
		if err != nil {
			return 0, err
		}
		if err := w.fits(ctx, box, at, u); err != nil {
			return 0, err
		}
		if err := w.append(ctx, box, u, trim); err != nil {
			return 0, err
		}
		if len(u.Records) > 0 {
			at = u.Records[len(u.Records)-1].Position
		}
		if left = u.Offset - w.disk.Size(box); left > 0 && len(u.Records) > 0 {
			continue
		}
		if compare {
			w.drift.compare(box, u.Offset, u.Tally)
		}
		w.expires = max(w.expires, u.Expires)
		return left, nil
	}
	return left, nil
}

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

// append writes the records of a page that the disk does not have.
func (w *worker) append(ctx context.Context, box int, u ballotbox.Unmoved, trim *[]voting.Position) error {
	size := w.disk.Size(box)
	var lines [][]byte
	var news []ballotbox.MovedRecord
	for _, r := range u.Records {
		*trim = append(*trim, r.Position)
		if r.Position.Offset <= size {
			continue
		}
		line, err := r.MarshalJSON()
		if err != nil {
			return err
		}
		lines, news = append(lines, line), append(news, r)
	}
	if err := w.at("write evidence"); err != nil {
		return err
	}
	if err := w.keepSeen(box, u); err != nil {
		return err
	}
	if len(lines) == 0 {
		return nil
	}
	if err := w.at("append"); err != nil {
		return err
	}
	if err := w.disk.Append(box, lines); err != nil {
		return err
	}
	w.appended += len(lines)
	w.drift.add(box, news)
	return ctx.Err()
}

// keepSeen writes what was seen of a page's casts, of those too whose record is on
// disk: a crash may have come between.
func (w *worker) keepSeen(box int, u ballotbox.Unmoved) (err error) {
	if u.Forgotten {
		return nil
	}
	for len(w.seen) <= box {
		w.seen = append(w.seen, nil)
	}
	if w.seen[box] == nil {
		if w.seen[box], err = openSeen(w.a.seen.box(w.id, box), box); err != nil {
			return err
		}
	}
	return w.seen[box].append(u.Records)
}

// expire deletes evidence whose time is over, by the store's clock, and what was
// written of a contest while it was being forgotten.
func (w *worker) expire(ctx context.Context, stored *registry.Stored) error {
	due := time.Since(stored.Closes()) > ballotbox.EvidenceLifetime-time.Hour
	if !due && !stored.Forgotten() || time.Since(w.swept) < min(calmEvery, 30*w.a.opts.Every) {
		return nil
	}
	gone := stored.Forgotten()
	if !gone {
		clock, err := w.a.boxes.Clock(ctx, stored)
		if err != nil {
			return err
		}
		gone = w.expires > 0 && clock.Now.UnixMilli() >= w.expires
	}
	if gone {
		for _, seen := range w.seen {
			if err := seen.close(); err != nil {
				return err
			}
		}
		w.seen = nil
		if err := w.a.seen.remove(w.id); err != nil {
			return err
		}
	}
	w.swept = time.Now()
	return nil
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
	w.a.states.gave(w.id)
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

// report tells what a visit has found.
func (w *worker) report(ctx context.Context, err error) {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return // stopping: nothing was learnt
	}
	var wrong *mismatch
	var f fault
	switch {
	case err == nil:
	case errors.As(err, &wrong):
		f = fault{kind: faultMismatch, text: wrong.text}
	case errors.Is(err, ledger.ErrDamaged), errors.Is(err, errEvidence):
		f = fault{kind: faultDamaged, text: fmt.Sprintf("%s: what is on disk is damaged, and nothing more is moved there: run joute verify on the data folder, and bring it back from a backup", w.id)}
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrUnsafe):
		f = fault{kind: faultStore, text: fmt.Sprintf("%s: the store does not answer, or is refused", w.id)}
	default:
		f = fault{kind: faultDisk, text: fmt.Sprintf("%s: records are not moved to the data folder (%s): they stay in the store, and casting goes on", w.id, reason(err))}
	}
	switch news := w.a.states.report(w.id, f, w.drift.boxes(), time.Now()); {
	case news && err != nil:
		w.a.log.Error("ledger on disk", "contest", w.id, "fault", f.text, "error", err)
	case news:
		w.a.log.Info("ledger on disk: records are moved again", "contest", w.id)
	case err == nil:
		w.drift.tell(w.a.log, w.id)
	}
}

// reason says what a disk refused, without the paths of this machine.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	if errors.Is(err, fs.ErrPermission) {
		return "permission denied"
	}
	return "see the log"
}
