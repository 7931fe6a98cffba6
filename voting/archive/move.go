package archive

import (
	"context"
	"slices"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// move brings the disk up to the store, a round, and tells whether there is more.
func (w *worker) move(ctx context.Context, stored *registry.Stored) (more bool, err error) {
	var waiting int64
	trims := make([][]ballotbox.Sheet, stored.Contest.Boxes)
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
	for box, sheets := range trims {
		for page := range slices.Chunk(sheets, ballotbox.MovePage) {
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
// records the store has beyond it, and in trim the sheets whose records are, or will be,
// on disk.
func (w *worker) moveBox(ctx context.Context, stored *registry.Stored, box int, compare bool, trim *[]ballotbox.Sheet) (left int64, err error) {
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
		w.drift.frozen(box, u)
		if err := w.append(ctx, box, u); err != nil {
			return 0, err
		}
		*trim = append(*trim, u.Sheets...)
		if len(u.Records) > 0 {
			at = u.Records[len(u.Records)-1].Position
		}
		if left = u.Offset - w.disk.Size(box); left > 0 && len(u.Records) > 0 {
			continue
		}
		if compare {
			w.drift.compare(box, u)
		}
		w.expires = max(w.expires, u.Expires)
		return left, nil
	}
	return left, nil
}

// append writes the records of a page that the disk does not have.
func (w *worker) append(ctx context.Context, box int, u ballotbox.Unmoved) error {
	news := u.Records
	for len(news) > 0 && news[0].Position.Offset <= w.disk.Size(box) {
		news = news[1:]
	}
	w.text, w.lines = w.text[:0], w.lines[:0]
	for i := range news {
		begin := len(w.text)
		w.text = news[i].AppendJSON(w.text)
		w.lines = append(w.lines, w.text[begin:len(w.text):len(w.text)]) // text that outgrows its place leaves what was written there
	}
	if err := w.at("write evidence"); err != nil {
		return err
	}
	if err := w.keepSeen(box, u); err != nil {
		return err
	}
	if len(news) == 0 {
		return nil
	}
	if err := w.at("append"); err != nil {
		return err
	}
	if err := w.disk.Append(box, w.lines); err != nil {
		return err
	}
	w.appended += len(news)
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
		if w.seen[box], err = openSeen(w.a.seen.box(w.id, box), box, u.Trimmed); err != nil {
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
