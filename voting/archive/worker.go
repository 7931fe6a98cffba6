package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting/ledger"
)

// worker moves one contest's records. It is for one goroutine.
type worker struct {
	a      *Archive
	id     string
	stored func() *registry.Stored // the newest version; nil: it is gone

	disk  *ledger.Writer // nil: another server's, or to be opened
	seen  []*seenWriter  // by box; nil: not opened yet
	drift drift
	swept time.Time // when expired evidence was looked for

	appended int // records that are not committed yet

	text  []byte // of a page's records, and where each one is in it: used again
	lines [][]byte

	expires int64 // when evidence does, in ms of the store's clock; 0: not known yet

	step func(what string) error // told before each step that a crash may come between; nil but in tests
}

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
	if stored := w.stored(); stored != nil {
		if err := w.moveLast(context.WithoutCancel(ctx), stored); err != nil && !errors.Is(err, ledger.ErrBusy) {
			w.a.log.Warn("some records stay in the store until a server moves them", "contest", w.id, "error", err)
		}
	}
}

// moveLast moves what is left before the server stops. The ledger may be closed, as it
// is after an error: the store was away for a moment, say, and is back. It returns
// [ledger.ErrBusy] when another server moves the contest's records.
func (w *worker) moveLast(ctx context.Context, stored *registry.Stored) error {
	ctx, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	if w.disk == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	for {
		if more, err := w.move(ctx, stored); err != nil || !more {
			return err
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
	_, err = w.disk.Commit()
	return err
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
	switch news := w.a.states.report(w.id, f, w.drift.off, time.Now()); {
	case news && f.kind == faultMismatch: // its error is the sentence
		w.a.log.Error("ledger on disk", "contest", w.id, "fault", f.text)
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
