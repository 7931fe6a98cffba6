package ledger_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/voting/ledger"
)

// copied copies a ledger that is written to meanwhile, a file after the other, each
// that one of the patterns names and is not in the copy yet: what docs/OPERATIONS.md
// says of backups.
func copied(t *testing.T, dir string, w *ledger.Writer, random *rand.Rand, patterns ...string) (to string) {
	t.Helper()
	to = inMemory(t)
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %q, %v", pattern, paths, err)
		}
		random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || info.IsDir() {
				continue
			}
			there := filepath.Join(to, strings.TrimPrefix(path, dir))
			if _, err := os.Stat(there); !errors.Is(err, fs.ErrNotExist) {
				continue
			}
			text, err := os.ReadFile(path)
			if err := errors.Join(err, os.MkdirAll(filepath.Dir(there), 0o700), os.WriteFile(there, text, 0o600)); err != nil {
				t.Fatal(err)
			}
			for box := range 2 {
				appendTo(t, w, box, w.Size(box)+1+random.Int64N(4))
			}
			commit(t, w)
		}
	}
	return to
}

// A copy proves what it promises when checkpoints are copied before what they are of. In
// another order it mostly does not: that is the control.
func TestVerify_ACopyThatWasTakenWhileVotesCame(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	failed := 0
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		dir := committed(t)
		w := open(t, dir)
		good := copied(t, dir, w, random, "*/checkpoint", "*/box-*/checkpoint", "*/*", "*/box-*/*")
		if report, err := ledger.Verify(good, ledger.Options{}); err != nil || report.Contests[0].Boxes[0].Size < 30 {
			t.Errorf("seed %d: %+v, %v", seed, report, err)
		}
		again, err := ledger.Open(good, contest, signerOf(t, 1))
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		} else {
			again.Close()
		}
		if _, err := ledger.Verify(copied(t, dir, w, random, "*/box-*/*", "*/*"), ledger.Options{}); err != nil {
			failed++
		}
		w.Close()
	}
	if failed < 15 {
		t.Errorf("of copies in another order only %d are refused: the test sees nothing", failed)
	}
}
