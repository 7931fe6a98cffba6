package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// files are a ledger's, by name below the contest's folder.
type files map[string][]byte

// sample is a ledger of three boxes in several segments, all of it promised.
func sample(t testing.TB) files {
	t.Helper()
	dir := inMemory(t)
	w := open(t, dir)
	for last := int64(3); last <= 36; last += 3 {
		appendTo(t, w, 0, last)
		appendTo(t, w, 2, last)
	}
	appendTo(t, w, 1, 20)
	commit(t, w)
	w.Close()
	return load(t, dir)
}

func load(t testing.TB, dir string) files {
	t.Helper()
	f := files{}
	root := filepath.Join(dir, contest)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(root, path)
		f[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// store writes the files into a new folder and returns it.
func (f files) store(t testing.TB) string {
	t.Helper()
	dir := inMemory(t)
	for name, text := range f {
		path := filepath.Join(dir, contest, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestVerify_ProvesTheTally(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	dir := sample(t).store(t)
	fold := voting.NewFold()
	for box, size := range map[int]int64{0: 36, 1: 20, 2: 36} {
		for offset := range size {
			fold.Add(recordOf(t, lineOf(box, offset+1)))
		}
	}
	want := fold.Tally()
	for _, at := range []string{dir, filepath.Join(dir, contest)} {
		report, err := ledger.Verify(at, ledger.Options{PublicKey: signerOf(t, 1).Public()})
		if err != nil || len(report.Contests) != 1 {
			t.Fatalf("%s: %+v, %v", at, report, err)
		}
		p := report.Contests[0]
		if p.Contest != contest || p.Key != signerOf(t, 1).Public() || len(p.Boxes) != 3 || p.Boxes[2].Size != 36 || p.Boxes[2].Behind != 0 ||
			p.Boxes[1].Root != rootOf(linesOf(1, 1, 20)).String() {
			t.Errorf("%+v", p)
		}
		if p.Tally.Counted != want.Counted || p.Tally.Held != want.Held || !maps.Equal(p.Tally.Entries, want.Votes) || want.Held == 0 {
			t.Errorf("%+v, want %+v", p.Tally, want)
		}
	}
}

func TestVerify_TellsWhatIsBehindTheCheckpoint(t *testing.T) {
	dir := inMemory(t)
	w := open(t, dir)
	appendTo(t, w, 0, 5)
	commit(t, w)
	appendTo(t, w, 0, 8)
	appendTo(t, w, 3, 2)
	report, err := ledger.Verify(dir, ledger.Options{}) // while it is being written
	if err != nil {
		t.Fatal(err)
	}
	boxes := report.Contests[0].Boxes
	if len(boxes) != 2 || boxes[0].Size != 5 || boxes[0].Behind != 3 || boxes[1].Box != 3 || boxes[1].Size != 0 || boxes[1].Behind != 2 {
		t.Errorf("%+v", boxes)
	}
}

// edits change a ledger below its newest checkpoint, each in one way of many, and
// tell where: a name that the fault's file begins with.
var edits = map[string]func(f files, r *rand.Rand) (place string){
	"a bit of a line":             func(f files, r *rand.Rand) string { return f.bit(r, f.segment(r)) },
	"a bit of a hash":             func(f files, r *rand.Rand) string { f.bit(r, "box-2/hashes"); return "box-2" },
	"a bit of a checkpoint":       func(f files, r *rand.Rand) string { return f.bit(r, "checkpoint") },
	"a bit of a box's checkpoint": func(f files, r *rand.Rand) string { return f.bit(r, "box-1/checkpoint") },
	"a bit of the key":            func(f files, r *rand.Rand) string { f.bit(r, "public-key"); return "checkpoint" },
	"a byte more": func(f files, r *rand.Rand) string {
		return f.insert(r, pick(r, f.segment(r), "checkpoint", "box-0/checkpoint"))
	},
	"a byte less": func(f files, r *rand.Rand) string {
		return f.drop(r, pick(r, f.segment(r), "checkpoint", "box-0/checkpoint", "box-1/hashes"))
	},
	"a line dropped": func(f files, r *rand.Rand) string {
		return f.lines(f.segment(r), func(l [][]byte) [][]byte { i := r.IntN(len(l)); return slices.Delete(l, i, i+1) })
	},
	"a line twice": func(f files, r *rand.Rand) string {
		return f.lines(f.segment(r), func(l [][]byte) [][]byte {
			i := r.IntN(len(l) - 1) // the last one twice is behind the checkpoint
			return slices.Insert(l, i, l[i])
		})
	},
	"two lines exchanged": func(f files, r *rand.Rand) string {
		return f.lines("box-0/000000000001.ndjson", func(l [][]byte) [][]byte {
			i := r.IntN(len(l) - 1)
			l[i], l[i+1] = l[i+1], l[i]
			return l
		})
	},
	"a line of another box": func(f files, r *rand.Rand) string {
		other := bytes.SplitAfter(f["box-1/000000000001.ndjson"], []byte("\n"))
		return f.lines("box-0/000000000001.ndjson", func(l [][]byte) [][]byte { i := r.IntN(len(l)); l[i] = other[i]; return l })
	},
	"another entry": func(f files, r *rand.Rand) string {
		return f.lines(f.segment(r), func(l [][]byte) [][]byte {
			i := r.IntN(len(l))
			l[i] = bytes.Replace(l[i], []byte(`"entry":"entry-`), []byte(`"entry":"entrx-`), 1)
			return l
		})
	},
	"the same record in another form": func(f files, r *rand.Rand) string {
		return f.lines(f.segment(r), func(l [][]byte) [][]byte {
			i := r.IntN(len(l))
			l[i] = bytes.Replace(l[i], []byte(`,"kind"`), []byte(`, "kind"`), 1)
			return l
		})
	},
	"a segment cut": func(f files, r *rand.Rand) string {
		name := f.segment(r)
		f[name] = f[name][:r.IntN(len(f[name]))]
		return boxOf(name)
	},
	"a segment gone": func(f files, r *rand.Rand) string { name := f.segment(r); delete(f, name); return boxOf(name) },
	"a segment under another name": func(f files, r *rand.Rand) string {
		name := f.segment(r)
		f[boxOf(name)+"/000000000017.ndjson"] = f[name]
		delete(f, name)
		return boxOf(name)
	},
	"a segment twice": func(f files, r *rand.Rand) string {
		f["box-0/"+fmt.Sprintf("%012d.ndjson", 2+r.IntN(8))] = f["box-0/000000000001.ndjson"]
		return "box-0"
	},
	"an empty segment between": func(f files, r *rand.Rand) string {
		name := "box-0/" + fmt.Sprintf("%012d.ndjson", 2+r.IntN(8))
		f[name] = nil
		return name
	},
	"a file of nobody": func(f files, r *rand.Rand) string {
		name := pick(r, "", "box-0/", "box-1/") + pick(r, "1.ndjson", "0000000000001.ndjson", "notes.txt", "checkpoint.old", "hashes~")
		f[name] = []byte("x")
		return name
	},
	"the hashes cut": func(f files, r *rand.Rand) string {
		f["box-0/hashes"] = f["box-0/hashes"][:r.IntN(len(f["box-0/hashes"]))]
		return "box-0"
	},
	"two hashes exchanged": func(f files, r *rand.Rand) string {
		h := f["box-0/hashes"]
		i := 32 * r.IntN(len(h)/32-1)
		copy(h[i:], slices.Concat(h[i+32:i+64], h[i:i+32]))
		return "box-0"
	},
	"a line and its hashes": func(f files, r *rand.Rand) string {
		name := f.segment(r)
		f.lines(name, func(l [][]byte) [][]byte {
			i := r.IntN(len(l))
			l[i] = bytes.Replace(l[i], []byte(`"entry":"entry-`), []byte(`"entry":"entrx-`), 1)
			return l
		})
		f.rehash(boxOf(name))
		return "" // nothing tells which: the checkpoint that is not kept is named
	},
	"a box's files gone, one by one": func(f files, r *rand.Rand) string {
		name := pick(r, "box-1/hashes", "box-1/checkpoint", "box-1/000000000001.ndjson")
		delete(f, name)
		return "box-1"
	},
	"the checkpoint or the key gone": func(f files, r *rand.Rand) string {
		delete(f, pick(r, "checkpoint", "public-key"))
		return "checkpoint"
	},
	"a box gone": func(f files, r *rand.Rand) string {
		box := pick(r, "box-0/", "box-1/", "box-2/")
		maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, box) })
		return strings.TrimSuffix(box, "/")
	},
	"two boxes exchanged": func(f files, r *rand.Rand) string {
		for name, text := range maps.Clone(f) {
			if rest, ok := strings.CutPrefix(name, "box-0/"); ok {
				delete(f, name)
				f["box-x/"+rest] = text
			}
		}
		for name, text := range maps.Clone(f) {
			if rest, ok := strings.CutPrefix(name, "box-2/"); ok {
				delete(f, name)
				f["box-0/"+rest] = text
			}
		}
		for name, text := range maps.Clone(f) {
			if rest, ok := strings.CutPrefix(name, "box-x/"); ok {
				delete(f, name)
				f["box-2/"+rest] = text
			}
		}
		return "box-"
	},
	"one kind of file of two boxes exchanged": func(f files, r *rand.Rand) string {
		kind := pick(r, "hashes", "checkpoint", "000000000001.ndjson")
		f["box-0/"+kind], f["box-2/"+kind] = f["box-2/"+kind], f["box-0/"+kind]
		return "box-"
	},
}

func pick(r *rand.Rand, names ...string) string { return names[r.IntN(len(names))] }

func boxOf(name string) string { box, _, _ := strings.Cut(name, "/"); return box }

func (f files) segment(r *rand.Rand) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if strings.HasSuffix(name, ".ndjson") {
			names = append(names, name)
		}
	}
	return pick(r, names...)
}

func (f files) bit(r *rand.Rand, name string) string {
	f[name][r.IntN(len(f[name]))] ^= 1 << r.IntN(8)
	return f.placeOf(name)
}

func (f files) insert(r *rand.Rand, name string) string {
	f[name] = slices.Insert(f[name], r.IntN(len(f[name])), byte(r.IntN(256)))
	return f.placeOf(name)
}

func (f files) drop(r *rand.Rand, name string) string {
	i := r.IntN(len(f[name]))
	f[name] = slices.Delete(f[name], i, i+1)
	return f.placeOf(name)
}

// placeOf is where an edit of a file shows: a line that ends later may be found in
// the next file of the box.
func (f files) placeOf(name string) string {
	if boxOf(name) != name {
		return boxOf(name)
	}
	return name
}

func (f files) lines(name string, change func([][]byte) [][]byte) string {
	lines := bytes.SplitAfter(f[name], []byte("\n"))
	f[name] = bytes.Join(change(lines[:len(lines)-1]), nil)
	return boxOf(name)
}

// rehash makes a box's hashes those of its lines, as who changes lines would.
func (f files) rehash(box string) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) (hashes []tlog.Hash, _ error) {
		for _, i := range indexes {
			hashes = append(hashes, stored[i])
		}
		return hashes, nil
	})
	n := int64(0)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if boxOf(name) != box || !strings.HasSuffix(name, ".ndjson") {
			continue
		}
		for line := range bytes.Lines(f[name]) {
			hashes, err := tlog.StoredHashes(n, bytes.TrimSuffix(line, []byte("\n")), reader)
			if err != nil {
				panic(err)
			}
			stored = append(stored, hashes...)
			n++
		}
	}
	f[box+"/hashes"] = nil
	for _, hash := range stored {
		f[box+"/hashes"] = append(f[box+"/hashes"], hash[:]...)
	}
}

func same(a, b files) bool { return maps.EqualFunc(a, b, bytes.Equal) }

// Of 1,000 edits below the checkpoint every one is found, and its place named.
func TestVerify_FindsEveryEdit(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	whole := sample(t)
	names := slices.Sorted(maps.Keys(edits))
	for done, seed := 0, uint64(0); done < 1000; seed++ {
		r := rand.New(rand.NewPCG(seed, 6))
		name := names[seed%uint64(len(names))]
		edited := files{}
		for file, text := range whole {
			edited[file] = bytes.Clone(text)
		}
		place := edits[name](edited, r)
		if same(edited, whole) {
			continue // two lines that are the same, a byte doubled in place
		}
		done++
		dir := edited.store(t)
		report, err := ledger.Verify(filepath.Join(dir, contest), ledger.Options{})
		if err == nil {
			t.Errorf("seed %d, %s: not found", seed, name)
			continue
		}
		var at []string
		for _, p := range report.Contests {
			for _, fault := range p.Faults {
				at = append(at, strings.TrimPrefix(fault.File, filepath.Join(dir, contest)+"/"))
			}
		}
		if !slices.ContainsFunc(at, func(file string) bool { return strings.HasPrefix(file, place) }) {
			t.Errorf("seed %d, %s: the places are %q, want %q: %v", seed, name, at, place, err)
		}
		os.RemoveAll(dir)
	}
}

// The control of the edits: nothing changed, nothing found, in the very same way.
func TestVerify_FindsNothingInAWholeLedger(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	if _, err := ledger.Verify(sample(t).store(t), ledger.Options{}); err != nil {
		t.Fatal(err)
	}
}

func TestVerify_NamesTheLine(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	f := sample(t)
	f.lines("box-0/000000000010.ndjson", func(l [][]byte) [][]byte {
		l[3] = bytes.Replace(l[3], []byte(`"entry":"entry-3"`), []byte(`"entry":"entry-4"`), 1)
		return l
	})
	_, err := ledger.Verify(f.store(t), ledger.Options{})
	var fault ledger.Fault
	if !errors.As(err, &fault) || fault.Line != 4 || fault.Record != 13 || !strings.HasSuffix(fault.File, "box-0/000000000010.ndjson") {
		t.Errorf("%+v: %v", fault, err)
	}
}

func recordOf(t testing.TB, line []byte) voting.Record {
	t.Helper()
	var r voting.Record
	if err := r.UnmarshalJSON(line); err != nil {
		t.Fatal(err)
	}
	return r
}

// A contest whose folder cannot be read is told, and not passed over.
func TestVerify_AFolderThatIsNotThere(t *testing.T) {
	dir := filepath.Join(inMemory(t), "ledgers[of") // no pattern
	if err := os.Rename(sample(t).store(t), dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := ledger.Verify(dir, ledger.Options{}); err != nil || len(report.Contests) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if err := os.Symlink(filepath.Join(dir, "of a disk that is away"), filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	report, err := ledger.Verify(dir, ledger.Options{})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "moved")) || len(report.Contests) != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}
