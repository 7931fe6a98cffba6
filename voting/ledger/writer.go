package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"
)

// Writer appends to a contest's ledger. It is for one goroutine at a time, and the
// only one of the contest: the folder is locked until Close.
type Writer struct {
	dir     string // of the contest
	contest string
	signer  *Signer
	lock    *os.File
	step    steps

	boxes  []*boxWriter // by number; nil: has no folder yet
	newest Checkpoint
	failed error // what the disk refused: the files and this Writer may differ since
}

// Open opens or makes the ledger of a contest to write, under dir (DATA/ledger).
// It returns [ErrBusy] when another has it open, and [ErrDamaged] when it is not
// what its checkpoint says, or is signed with another key; then nothing was changed.
//
// Behind the newest checkpoint it keeps the lines that are whole and continue the
// ledger, and cuts what a crash has torn.
func Open(dir, contest string, signer *Signer) (*Writer, error) {
	w := &Writer{dir: folder(dir, contest), contest: contest, signer: signer, step: func(string, string) error { return nil }}
	if err := w.open(dir); err != nil {
		return nil, fmt.Errorf("ledger of %s: %w", contest, errors.Join(err, w.Close()))
	}
	return w, nil
}

func (w *Writer) open(dir string) (err error) {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	if w.lock, err = lock(w.dir); err != nil {
		return err
	}
	if err := w.checkKey(); err != nil {
		return err
	}
	if w.newest, err = w.readNewest(); err != nil {
		return err
	}
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	w.grow(len(w.newest.Boxes) - 1)
	for _, e := range entries {
		if box, ok := boxNumber(e.Name()); ok {
			w.grow(box)
			if err := w.openBox(box); err != nil {
				return fmt.Errorf("%s: %w", boxName(box), err)
			}
		}
	}
	for box, tree := range w.newest.Boxes {
		if tree.N > 0 && w.boxes[box] == nil {
			return fmt.Errorf("%w: %s is missing", ErrDamaged, boxName(box))
		}
	}
	if err := clearAside(w.dir); err != nil {
		return err
	}
	// The folder's own name, and those in it, may be new.
	return errors.Join(w.step.syncFolder("sync folder", w.dir), w.step.syncFolder("sync folder", dir))
}

// checkKey leaves the key beside what it signs, for whoever verifies it.
func (w *Writer) checkKey() error {
	path := filepath.Join(w.dir, publicKeyName)
	text, err := readSmall(path)
	if errors.Is(err, os.ErrNotExist) {
		return w.step.replace("write key", path, []byte(w.signer.Public()+"\n"))
	}
	if err != nil {
		return err
	}
	if key := strings.TrimSpace(string(text)); key != w.signer.Public() {
		return fmt.Errorf("%w: %s is %q, and this server signs with %q", ErrDamaged, path, key, w.signer.Public())
	}
	return nil
}

// readNewest reads the contest's checkpoint and verifies it.
func (w *Writer) readNewest() (Checkpoint, error) {
	path := filepath.Join(w.dir, checkpointName)
	signed, err := readSmall(path)
	if errors.Is(err, os.ErrNotExist) {
		return Checkpoint{Contest: w.contest}, nil
	}
	if err != nil {
		return Checkpoint{}, err
	}
	text, err := openNote(signed, w.signer.verifier)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	c, err := parseCheckpoint(text)
	if err == nil && c.Contest != w.contest {
		err = fmt.Errorf("it is of %s", c.Contest)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	c.Note = signed
	return c, nil
}

func (w *Writer) grow(box int) {
	for len(w.boxes) <= box {
		w.boxes = append(w.boxes, nil)
	}
}

func (w *Writer) openBox(box int) error {
	var floor tlog.Tree
	if box < len(w.newest.Boxes) {
		floor = w.newest.Boxes[box]
	}
	opened, err := openBox(w.dir, w.contest, box, floor, w.signer)
	if err != nil {
		return err
	}
	opened.step = w.step
	w.boxes[box] = opened
	return nil
}

// Size is how many records of a box the ledger has, appended ones included.
func (w *Writer) Size(box int) int64 {
	if box < len(w.boxes) && w.boxes[box] != nil {
		return w.boxes[box].tree.size
	}
	return 0
}

// Checkpoint is the newest that was committed: what it covers is on disk.
func (w *Writer) Checkpoint() Checkpoint { return w.newest }

// Append puts lines behind the newest record of a box: the very bytes of
// voting.Record's MarshalJSON. They are in the files, and not yet on disk: see
// Commit. On [ErrOrder] nothing was written. After any other error the Writer
// does nothing more; open the ledger again, and see by Size what it kept.
func (w *Writer) Append(box int, lines [][]byte) error {
	if w.failed != nil {
		return w.failed
	}
	if box < 0 || box >= maxBoxes {
		return fmt.Errorf("ledger: there is no box %d", box)
	}
	w.grow(box)
	err := error(nil)
	if w.boxes[box] == nil {
		err = w.openBox(box)
	}
	if err == nil {
		err = w.boxes[box].append(lines)
	}
	return w.fail(err)
}

// Commit returns once everything that was appended is on disk and signed. The
// caller may then forget it elsewhere, as far as the checkpoint goes. Without
// anything new it returns the newest checkpoint again. After an error the Writer
// does nothing more: nothing may be forgotten, and the ledger is opened again.
func (w *Writer) Commit() (Checkpoint, error) {
	if w.failed != nil {
		return Checkpoint{}, w.failed
	}
	next, err := w.commit()
	if err != nil {
		return Checkpoint{}, w.fail(err)
	}
	w.newest = next
	return next, nil
}

func (w *Writer) commit() (Checkpoint, error) {
	next := Checkpoint{Contest: w.contest}
	grown := false
	var group errgroup.Group // a sync each waits for the disk: better all at once
	for number, box := range w.boxes {
		tree := emptyTree
		if box != nil {
			tree = box.tree.root()
			group.Go(func() error { return box.commit(w.signer) })
		}
		grown = grown || tree.N != w.newest.Size(number)
		next.Boxes = append(next.Boxes, tree)
	}
	if err := group.Wait(); err != nil {
		return Checkpoint{}, err
	}
	if !grown {
		return w.newest, nil
	}
	if err := w.step.syncFolder("sync folder", w.dir); err != nil { // boxes may be new
		return Checkpoint{}, err
	}
	var err error
	if next.Note, err = w.signer.sign(next.text()); err != nil {
		return Checkpoint{}, err
	}
	if err := w.step.replace("write checkpoint", filepath.Join(w.dir, checkpointName), next.Note); err != nil {
		return Checkpoint{}, err
	}
	return next, w.step.syncFolder("sync folder", w.dir)
}

// fail remembers an error after which files and memory may differ.
func (w *Writer) fail(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("ledger of %s: %w", w.contest, err)
	if !errors.Is(err, ErrOrder) {
		w.failed = err
	}
	return err
}

// Close lets others write. What was appended and not committed stays as far as a
// crash would leave it.
func (w *Writer) Close() error {
	var err error
	for _, box := range w.boxes {
		if box != nil {
			err = errors.Join(err, box.close())
		}
	}
	w.boxes = nil
	if w.lock != nil {
		err = errors.Join(err, w.lock.Close())
		w.lock = nil
	}
	if w.failed == nil {
		w.failed = errors.New("the ledger is closed")
	}
	return err
}

func (s *Signer) sign(text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, s)
}
