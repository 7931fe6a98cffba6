package ledger_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// inMemory is a folder whose syncs cost nothing, where the machine has one.
func inMemory(t testing.TB) string {
	t.Helper()
	parent := ""
	if _, err := os.Stat("/dev/shm"); err == nil {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "joute-ledger-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

var errCrash = errors.New("the process ends here")

// disk knows what a power cut leaves: it is told of each step on the files.
type disk struct {
	mu      sync.Mutex
	left    int    // steps until the crash
	what    string // the last step
	written string // the file that it wrote
	before  int64  // of it, in bytes

	synced   map[string]int64  // bytes of each file that are on disk
	named    map[string]bool   // files and folders whose names are
	aside    map[string]bool   // files that were synced before they get their name
	hollow   map[string]bool   // files that have got theirs before they were
	replaced map[string][]byte // what a file was before its new name; nil: it was not
	current  map[string][]byte // of checkpoints, as far as their folder is synced
	sizes    map[string]int64
}

func newDisk(left int) *disk {
	return &disk{left: left, synced: map[string]int64{}, named: map[string]bool{}, aside: map[string]bool{}, hollow: map[string]bool{}, replaced: map[string][]byte{}, current: map[string][]byte{}, sizes: map[string]int64{}}
}

func (d *disk) step(what, path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left < 0 {
		return errCrash
	}
	d.what, d.written = what, ""
	switch {
	case strings.HasPrefix(what, "write") && strings.HasSuffix(what, "checkpoint"):
		if _, ok := d.replaced[path]; !ok {
			d.replaced[path] = d.current[path]
		}
		aside := filepath.Join(filepath.Dir(path), ".new-checkpoint")
		d.hollow[path] = !d.aside[aside]
		delete(d.aside, aside)
	case strings.HasPrefix(what, "write"), what == "create segment":
		d.written, d.before = path, d.sizes[path]
		d.sizes[path] = size(path)
	case what == "sync lines", what == "sync hashes":
		d.synced[path] = size(path)
	case what == "sync aside":
		d.aside[path] = true
	default: // a folder
		d.syncFolder(path)
	}
	if d.left--; d.left < 0 {
		return errCrash
	}
	return nil
}

func (d *disk) syncFolder(path string) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		d.named[name] = true
		delete(d.replaced, name)
		if e.Name() == "checkpoint" {
			d.current[name], _ = os.ReadFile(name)
		}
	}
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// tear leaves of the last write a part.
func (d *disk) tear(t *testing.T, random *rand.Rand) {
	if d.written == "" {
		return
	}
	grown := size(d.written) - d.before
	if err := os.Truncate(d.written, d.before+random.Int64N(grown+1)); err != nil && grown > 0 {
		t.Fatal(err)
	}
}

// powerCut leaves of what was not synced something between all and nothing, in any
// order: names without their files, lengths without their bytes.
func (d *disk) powerCut(t *testing.T, dir string, random *rand.Rand) {
	t.Helper()
	must := func(err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(d.replaced)) {
		if before := d.replaced[path]; random.IntN(2) == 0 {
			if before == nil {
				must(os.Remove(path))
			} else {
				must(os.WriteFile(path, before, 0o600))
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(d.hollow)) {
		if d.hollow[path] && size(path) > 0 && random.IntN(2) == 0 {
			must(os.Truncate(path, random.Int64N(size(path))))
		}
	}
	var paths []string
	must(filepath.WalkDir(filepath.Join(dir, contest), func(path string, e fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	}))
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			continue // its folder is gone
		}
		lost := !d.named[path] && random.IntN(2) == 0
		switch {
		case info.IsDir() && lost && strings.HasPrefix(info.Name(), "box-"):
			must(os.RemoveAll(path))
		case info.IsDir(), info.Name() == "checkpoint", info.Name() == "public-key":
		case lost:
			must(os.Remove(path))
		default:
			kept := d.synced[path] + random.Int64N(info.Size()-d.synced[path]+1)
			if random.IntN(3) == 0 {
				kept = d.synced[path]
			}
			must(os.Truncate(path, kept))
			if random.IntN(3) == 0 && kept > d.synced[path] { // the length, and not all bytes
				hole := d.synced[path] + random.Int64N(kept-d.synced[path])
				must(os.Truncate(path, hole))
				must(os.Truncate(path, kept))
			}
		}
	}
}

// play is a session of a server: what a server does over and over, until it ends
// or crashes. It returns what was acknowledged.
func play(w *ledger.Writer) (acknowledged, appended [2]int64, crashed bool) {
	for _, last := range [][2]int64{{4, 0}, {9, 2}, {20, 3}, {21, 30}, {40, 30}} {
		for box, last := range last {
			if last <= w.Size(box) {
				continue
			}
			for _, last := range []int64{(w.Size(box) + last + 1) / 2, last} { // a segment may be full between two commits
				if err := w.Append(box, linesOf(box, w.Size(box)+1, last)); err != nil {
					return acknowledged, appended, true
				}
				appended[box] = last
			}
		}
		c, err := w.Commit()
		if err != nil {
			return acknowledged, appended, true
		}
		acknowledged = [2]int64{c.Size(0), c.Size(1)}
	}
	return acknowledged, appended, false
}

// crashed plays until that step, spoils the files, and tells what is wrong with
// the ledger that is opened from them.
func crashed(t *testing.T, steps int, spoil func(*testing.T, *disk, string, *rand.Rand), random *rand.Rand, keepsAll bool) (what string, ended bool, wrong error) {
	dir := inMemory(t)
	w := open(t, dir)
	d := newDisk(steps)
	d.syncFolder(filepath.Join(dir, contest))
	w.OnStep(d.step)
	acknowledged, appended, crash := play(w)
	w.Close()
	if !crash {
		return d.what, true, nil
	}
	spoil(t, d, dir, random)
	if acknowledged[0] > 0 { // whoever verifies what a crash has left needs no server to mend it first
		if _, err := ledger.Verify(dir, ledger.Options{}); err != nil {
			return d.what, false, err
		}
	}

	w, err := ledger.Open(dir, contest, signerOf(t, 1))
	if err != nil {
		return d.what, false, err
	}
	defer w.Close()
	for box := range 2 {
		if w.Checkpoint().Size(box) < acknowledged[box] {
			return d.what, false, fmt.Errorf("a checkpoint that was shown is gone: box %d has %d records in the newest, and %d were acknowledged", box, w.Checkpoint().Size(box), acknowledged[box])
		}
		if w.Size(box) < acknowledged[box] {
			return d.what, false, fmt.Errorf("box %d has %d records, and %d were acknowledged", box, w.Size(box), acknowledged[box])
		}
		if keepsAll && w.Size(box) < appended[box] {
			return d.what, false, fmt.Errorf("box %d has %d records, and %d were whole", box, w.Size(box), appended[box])
		}
	}
	return d.what, false, goesOn(t, dir, w)
}

// goesOn appends up to 50 records to both boxes: the ledger is the one that never
// crashed.
func goesOn(t *testing.T, dir string, w *ledger.Writer) error {
	const size = 50
	for box := range 2 {
		if err := w.Append(box, linesOf(box, w.Size(box)+1, size)); err != nil {
			return err
		}
	}
	c, err := w.Commit()
	if err != nil {
		return err
	}
	for box := range 2 {
		if want := rootOf(linesOf(box, 1, size)); c.Boxes[box].Hash != want {
			return fmt.Errorf("box %d has another root than without a crash", box)
		}
		if got := read(t, dir, box, voting.Position{}); len(got) != size {
			return fmt.Errorf("box %d has the records %v", box, got)
		}
	}
	_, err = ledger.Verify(dir, ledger.Options{})
	return err
}

// The table of failures: after every step of a session the process is killed, is
// killed in the middle of the step, or loses its power.
func TestCrash_AfterEveryStep(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	cuts := 6
	if os.Getenv("JOUTE_FAULTS") == "long" {
		cuts = 60
	}
	steps := 0
	for ended := false; !ended; steps++ {
		for _, failure := range []struct {
			name  string
			times int
			whole bool // what was appended is kept
			spoil func(*testing.T, *disk, string, *rand.Rand)
		}{
			{"killed", 1, true, func(*testing.T, *disk, string, *rand.Rand) {}},
			{"killed in the middle", 3, false, func(t *testing.T, d *disk, _ string, r *rand.Rand) { d.tear(t, r) }},
			{"power cut", cuts, false, func(t *testing.T, d *disk, dir string, r *rand.Rand) { d.powerCut(t, dir, r) }},
		} {
			for seed := range failure.times {
				var what string
				var wrong error
				what, ended, wrong = crashed(t, steps, failure.spoil, rand.New(rand.NewPCG(uint64(steps), uint64(seed))), failure.whole)
				if wrong != nil {
					t.Errorf("%s at step %d, %s, seed %d: %v", failure.name, steps, what, seed, wrong)
				}
			}
		}
	}
	if steps < 50 {
		t.Errorf("the session has %d steps only", steps)
	}
}

// The control: on a disk that says it has synced and has not, the same test fails.
func TestCrash_ADiskThatLiesLosesRecords(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	failed := 0
	for steps := 0; ; steps++ {
		_, ended, wrong := crashed(t, steps, func(t *testing.T, d *disk, dir string, r *rand.Rand) {
			clear(d.synced)
			d.powerCut(t, dir, r)
		}, rand.New(rand.NewPCG(uint64(steps), 1)), false)
		if wrong != nil {
			failed++
		}
		if ended {
			break
		}
	}
	if failed < 10 {
		t.Errorf("only %d failures are seen: the test sees nothing", failed)
	}
}

// That the ledger does sync: a device that cannot is refused.
func TestSync_IsDone(t *testing.T) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Sync() == nil {
		t.Skip("a sync of " + os.DevNull + " goes well here")
	}
	if err := ledger.Sync(f); err == nil {
		t.Error("a file is not synced")
	}
	if err := ledger.SyncFolder(os.DevNull); err == nil {
		t.Error("a folder is not synced")
	}
}
