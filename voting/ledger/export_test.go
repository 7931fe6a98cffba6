package ledger

import (
	"os"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// SegmentsOf makes segments end there, until the test ends.
func SegmentsOf(t testing.TB, bytes int64) {
	before := segmentBytes
	segmentBytes = bytes
	t.Cleanup(func() { segmentBytes = before })
}

// Root is of all that was appended to a box.
func (w *Writer) Root(box int) tlog.Tree { return w.boxes[box].tree.root() }

// OnStep has step told of each step on files once it is done; its error is a
// crash there.
func (w *Writer) OnStep(step func(what, path string) error) {
	w.step = step
	for _, box := range w.boxes {
		if box != nil {
			box.step = step
		}
	}
}

// Sync and SyncFolder are how the ledger syncs, told to nobody.
func Sync(f *os.File) error { return steps(toldNobody).sync("", f) }

func SyncFolder(dir string) error { return steps(toldNobody).syncFolder("", dir) }

func toldNobody(string, string) error { return nil }
