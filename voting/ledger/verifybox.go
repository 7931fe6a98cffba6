package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/voting"
)

// boxCheck verifies one box.
type boxCheck struct {
	contest string
	box     int
	dir     string
	there   bool // the folder is
	key     note.Verifier

	proved int64  // records that the contest's checkpoint covers
	limit  int64  // records that some checkpoint covers
	wants  []want // roots that the lines must have
	behind int64  // whole records beyond proved
	torn   bool   // beyond limit is what is no record

	tree   tree
	root   tlog.Tree // at proved
	last   voting.Position
	fold   *voting.Fold
	odd    *Fault // the first line whose hash is not the stored one
	stored *bufio.Reader
	leaf   boxWriter // for its memory
	again  []byte    // of oneReading, likewise
	faults []Fault
}

// want is a root that the box had at a size.
type want struct {
	file string
	tree tlog.Tree
	seen bool // elsewhere
}

func (c *boxCheck) want(file string, tree tlog.Tree) {
	c.wants = append(c.wants, want{file, tree, false})
	c.limit = max(c.limit, tree.N)
}

func (c *boxCheck) wantSeen(name string, tree tlog.Tree) {
	c.wants = append(c.wants, want{name, tree, true})
}

func (c *boxCheck) fault(f Fault) { c.faults = append(c.faults, f) }

// runAll verifies the boxes, as many at once as there are processors.
func runAll(checks []*boxCheck) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range checks {
		group.Go(func() error { c.run(); return nil })
	}
	_ = group.Wait() // faults are in the checks
}

func (c *boxCheck) run() {
	c.root = emptyTree
	if !c.there {
		if c.limit > 0 {
			c.fault(Fault{File: c.dir, Record: 1, What: fmt.Sprintf("the box is missing, and it has %d records", c.limit)})
		}
		c.rolledBack()
		return
	}
	c.own()
	c.listing()
	c.rolledBack()
	if len(c.faults) > 0 {
		return
	}
	hashes, err := os.Open(filepath.Join(c.dir, hashesName))
	switch {
	case err == nil:
		defer hashes.Close()
		c.stored = bufio.NewReaderSize(hashes, 64<<10)
	case errors.Is(err, os.ErrNotExist) && c.limit == 0: // nothing was promised yet
		c.stored = bufio.NewReader(strings.NewReader(""))
	default:
		c.fault(Fault{File: filepath.Join(c.dir, hashesName), What: err.Error()})
		return
	}
	c.lines()
}

// own reads the box's own checkpoint. It is written before the contest's, and so
// never behind it.
func (c *boxCheck) own() {
	path := filepath.Join(c.dir, checkpointName)
	signed, err := readPlain(path)
	if errors.Is(err, os.ErrNotExist) && c.proved == 0 {
		return
	}
	var text string
	if err == nil {
		text, err = openOurs(signed, c.key)
	}
	var contest string
	var box int
	var tree tlog.Tree
	if err == nil {
		contest, box, tree, err = parseBoxCheckpoint(text)
	}
	switch {
	case err != nil:
	case contest != c.contest || box != c.box:
		err = fmt.Errorf("it is of %s of %s", boxName(box), contest)
	case tree.N < c.proved:
		err = fmt.Errorf("it covers %d records, and the contest's checkpoint %d: it was rolled back", tree.N, c.proved)
	}
	if err != nil {
		c.fault(Fault{File: path, What: err.Error()})
		return
	}
	c.want(path, tree)
}

func (c *boxCheck) listing() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		c.fault(Fault{File: c.dir, What: err.Error()})
	}
	for _, e := range entries {
		_, isSegment := segmentFirst(e.Name())
		known := isSegment || e.Name() == checkpointName || e.Name() == hashesName || strings.HasPrefix(e.Name(), asidePrefix)
		if !known || !e.Type().IsRegular() {
			c.fault(Fault{File: filepath.Join(c.dir, e.Name()), What: errForeign.Error()})
		}
	}
}

// rolledBack looks for checkpoints that were seen elsewhere and go further than
// those here.
func (c *boxCheck) rolledBack() {
	for _, w := range c.wants {
		if w.seen && w.tree.N > c.limit {
			c.fault(Fault{File: w.file, What: fmt.Sprintf("it has %d records of %s, and here are %d: the ledger was rolled back", w.tree.N, boxName(c.box), c.limit)})
		}
	}
}

// lines goes through the segments.
func (c *boxCheck) lines() {
	all, err := segments(c.dir)
	if err != nil {
		c.fault(Fault{File: c.dir, What: err.Error()})
		return
	}
	c.roots() // of no record
	for _, s := range all {
		if next := c.tree.size + 1; s.first != next {
			if c.tree.size >= c.limit {
				c.torn = true
				return
			}
			what := fmt.Sprintf("the segment begins with record %d, and record %d should come next", s.first, next)
			c.fault(Fault{File: s.path, Record: next, What: what})
			return
		}
		if !c.segment(s) {
			return
		}
	}
	if c.tree.size < c.limit {
		file := c.dir
		if len(all) > 0 {
			file = all[len(all)-1].path
		}
		c.fault(Fault{File: file, Record: c.tree.size + 1, What: fmt.Sprintf("the ledger ends before it, and %d records are promised", c.limit)})
	}
}

// segment verifies the lines of one file; false ends the box.
func (c *boxCheck) segment(s segment) bool {
	f, err := os.Open(s.path)
	if err != nil {
		c.fault(Fault{File: s.path, What: err.Error()})
		return false
	}
	defer f.Close()
	in := newLines(f)
	for number := int64(1); ; number++ {
		line, err := in.next()
		if err == io.EOF {
			return true
		}
		var r voting.Record
		if err == nil {
			r, err = recordOf(line)
		}
		if err == nil {
			err = c.oneReading(line, r)
		}
		if err == nil && !continues(c.last, r.Position, c.box) {
			err = fmt.Errorf("its position is %s, which does not follow record %d of %s", r.Position, c.tree.size, boxName(c.box))
		}
		if err != nil {
			if c.torn = c.tree.size >= c.limit; !c.torn {
				c.fault(Fault{File: s.path, Line: number, Record: c.tree.size + 1, What: err.Error()})
			}
			return false
		}
		c.last = r.Position
		nodes := c.leaf.nodes[:0]
		nodes = c.tree.add(c.leaf.leaf(line), nodes)
		c.leaf.nodes = nodes
		if c.tree.size <= c.limit && c.odd == nil && !c.isStored(nodes) {
			c.odd = &Fault{File: s.path, Line: number, Record: c.tree.size, What: "the line is not the one that was hashed"}
		}
		if c.tree.size <= c.proved {
			c.fold.Add(r)
		} else {
			c.behind++
		}
		if !c.roots() {
			return false
		}
	}
}

// oneReading is an error for a line, signed as it may be, that others read in another way than
// we do: whoever signs could have everybody count what pleases them. Members of later versions
// are nobody's concern, but not where some readers take one for a member that is known.
func (c *boxCheck) oneReading(line []byte, r voting.Record) error {
	if c.fold.Moves(r) {
		return fmt.Errorf("it has the ballot %s of %s, which was cast for another entry, for %q", r.Ballot, r.Voter, r.Entry)
	}
	if c.again = r.AppendJSON(c.again[:0]); string(c.again) == string(line) {
		return nil // as it is written
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(line, &members); err != nil {
		return err
	}
	for name, value := range members {
		for known := range knownMembers {
			if name != known && strings.EqualFold(name, known) {
				return fmt.Errorf("its member %q is %q to some readers", name, known)
			}
		}
		var at string
		if name == "at" && (json.Unmarshal(value, &at) != nil || at != voting.FormatTime(r.Position.At())) {
			return fmt.Errorf("its instant %s is not that of its position %s", value, r.Position)
		}
	}
	return nil
}

// knownMembers are all that a record may have.
var knownMembers = func() map[string]jsontext.Value {
	full := voting.Record{
		Position: voting.Position{Offset: 1}, Kind: voting.KindJoin, Ballot: uuid.Max, Entry: "x", School: "x", Voter: voting.Voter{1}, Standing: voting.Counted,
		Reasons: []string{"x"}, Actor: voting.ActorVoter, Present: true, Into: voting.Voter{1}, Version: 1, Policy: "x", Model: "x",
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(full.AppendJSON(nil), &members); err != nil {
		panic(err) // it is what AppendJSON writes
	}
	return members
}()

// isStored compares nodes with the next ones in the box's hashes.
func (c *boxCheck) isStored(nodes []byte) bool {
	stored, err := c.stored.Peek(len(nodes)) // fewer than 64 hashes: less than its memory
	if err != nil || string(stored) != string(nodes) {
		return false
	}
	_, err = c.stored.Discard(len(nodes))
	return err == nil
}

// roots compares the tree with the checkpoints of its size.
func (c *boxCheck) roots() bool {
	if c.tree.size == c.proved {
		c.root = c.tree.root()
	}
	good := true
	for _, w := range c.wants {
		if w.tree.N != c.tree.size || c.tree.root() == w.tree {
			continue
		}
		good = false
		switch {
		case c.odd != nil:
			c.fault(*c.odd)
			return false
		case w.seen:
			c.fault(Fault{File: w.file, What: fmt.Sprintf("the first %d records of %s are not those it was signed for: the ledger was forked or rewritten", w.tree.N, boxName(c.box))})
		default:
			c.fault(Fault{File: w.file, What: fmt.Sprintf("the first %d records of %s are not those it was signed for: lines and hashes were changed together", w.tree.N, boxName(c.box))})
		}
	}
	// Lines that have the root are good: then it is the stored hashes that are not.
	if good && c.odd != nil && c.tree.size == c.limit {
		c.fault(Fault{File: filepath.Join(c.dir, hashesName), Record: c.odd.Record, What: "the stored hashes are not those of the line"})
		good = false
	}
	return good
}
