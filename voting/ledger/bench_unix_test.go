//go:build unix

package ledger_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/voting/ledger"
)

// What a record costs to append and hash, a thousand at a time, without syncs: in
// processor time, which a busy machine does not change much.
func BenchmarkAppend(b *testing.B) {
	w, err := ledger.Open(inMemory(b), contest, signerOf(b, 1))
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	const page = 1000
	pages := make([][][]byte, 0, b.N/page+1)
	for n := int64(0); n < int64(b.N); n += page {
		pages = append(pages, linesOf(0, n+1, n+page))
	}
	b.ResetTimer()
	before := processorTime(b)
	for _, lines := range pages {
		if err := w.Append(0, lines); err != nil {
			b.Fatal(err)
		}
	}
	spent := processorTime(b) - before
	b.ReportMetric(float64(len(pages)*page)/spent.Seconds(), "records/core-s")
}

func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What a record costs to verify, in four boxes.
func BenchmarkVerify(b *testing.B) {
	dir := inMemory(b)
	w, err := ledger.Open(dir, contest, signerOf(b, 1))
	if err != nil {
		b.Fatal(err)
	}
	const boxes, page = 4, 1000
	pages := b.N/page + 1
	for range pages {
		for box := range boxes {
			appendTo(b, w, box, w.Size(box)+page/boxes)
		}
	}
	if _, err := w.Commit(); err != nil {
		b.Fatal(err)
	}
	w.Close()
	b.ResetTimer()
	before := processorTime(b)
	if _, err := ledger.Verify(dir, ledger.Options{}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric((processorTime(b)-before).Seconds()/float64(pages*page)*1e6, "core-s/million")
}
