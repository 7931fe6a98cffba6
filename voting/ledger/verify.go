package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/joute/joute/voting"
)

// Options is what a verifier knows from elsewhere than the folder.
type Options struct {
	PublicKey   string // the key that must have signed; empty: the one found beside the ledger
	Checkpoints []Seen
}

// Seen is a checkpoint that somebody kept: a contest's or a box's.
type Seen struct {
	Name string // of the file, for faults
	Note []byte
}

// Report is what [Verify] found of each contest.
type Report struct {
	Contests []Proof `json:"contests"`
}

// Proof is of one contest. Where it has faults, it proves nothing.
type Proof struct {
	Contest string     `json:"contest"`
	Folder  string     `json:"folder"`
	Key     string     `json:"key"` // that has signed
	Boxes   []BoxProof `json:"boxes"`
	Seen    []string   `json:"contains,omitempty"` // checkpoints of Options that it goes on from
	Tally   Count      `json:"tally"`
	Faults  []Fault    `json:"faults,omitempty"`
}

// BoxProof is the part of a box that the newest checkpoint covers.
type BoxProof struct {
	Box    int    `json:"box"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Behind int64  `json:"behind"` // records behind the checkpoint: whole, and not proved
	Torn   bool   `json:"torn"`   // behind those is more, that is no record: a crash leaves it, and the next start cuts it
}

// Count is the tally of the records that are proved.
type Count struct {
	Counted   int64            `json:"counted"`
	Held      int64            `json:"held"`
	Void      int64            `json:"void"`
	Withdrawn int64            `json:"withdrawn"`
	Entries   map[string]int64 `json:"entries"` // counted, by entry
}

// Fault is one thing that is not as it was signed, and where.
type Fault struct {
	File   string `json:"file"`
	Line   int64  `json:"line,omitempty"`
	Record int64  `json:"record,omitempty"` // offset of the record that is, or should be, there
	What   string `json:"what"`
}

func (f Fault) Error() string {
	switch {
	case f.Line > 0:
		return fmt.Sprintf("%s:%d: record %d: %s", f.File, f.Line, f.Record, f.What)
	case f.Record > 0:
		return fmt.Sprintf("%s: record %d: %s", f.File, f.Record, f.What)
	default:
		return fmt.Sprintf("%s: %s", f.File, f.What)
	}
}

// Verify proves that ledgers are what was signed: every line, hash, root and
// signature, and that no file is there that should not be. dir is a data folder,
// its folder of ledgers, or one contest's ledger. It reads files and nothing else.
//
// A nil error says that every record up to the newest checkpoints is as it was
// when they were signed, and that the ledger contains the checkpoints in o. It
// does not say that the operator shows everybody this ledger: that takes
// checkpoints seen elsewhere. Otherwise the error is of all Faults, one a line,
// or tells why nothing could be looked at.
func Verify(dir string, o Options) (Report, error) {
	v := verifier{seen: o.Checkpoints, met: make([]bool, len(o.Checkpoints))}
	if o.PublicKey != "" {
		key, err := note.NewVerifier(strings.TrimSpace(o.PublicKey))
		if err != nil {
			return Report{}, fmt.Errorf("the public key is none: expected name+hash+key: %w", err)
		}
		v.pinned, v.key = strings.TrimSpace(o.PublicKey), key
	}
	folders, several, err := ledgersOf(dir)
	if err != nil {
		return Report{}, err
	}
	var report Report
	var faults []error
	for _, path := range folders {
		proof := v.contest(path, several)
		for _, f := range proof.Faults {
			faults = append(faults, f)
		}
		report.Contests = append(report.Contests, proof)
	}
	for i, seen := range v.seen {
		if !v.met[i] {
			faults = append(faults, Fault{File: seen.Name, What: "it is of a contest that has no ledger here, or it is no checkpoint"})
		}
	}
	return report, errors.Join(faults...)
}

// ledgersOf finds the contests' folders in dir. A contest may be called ledger, or
// like a file of ours: what tells is which of them are files.
func ledgersOf(dir string) (folders []string, several bool, err error) {
	if isLedger(dir) {
		return []string{dir}, false, nil
	}
	inside := filepath.Join(dir, "ledger")
	if info, err := os.Stat(inside); err == nil && info.IsDir() && !isLedger(inside) {
		dir = inside
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		boxes, err := filepath.Glob(filepath.Join(path, "box-*"))
		if err != nil {
			return nil, false, err
		}
		if isLedger(path) || len(boxes) > 0 {
			folders = append(folders, path)
		}
	}
	if len(folders) == 0 {
		return nil, false, fmt.Errorf("%s: there is no ledger: expected a data folder, or a contest's folder with its public-key and checkpoint", dir)
	}
	return folders, true, nil
}

func isLedger(dir string) bool {
	for _, name := range []string{publicKeyName, checkpointName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

type verifier struct {
	pinned string
	key    note.Verifier // pinned; nil: none
	seen   []Seen
	met    []bool // of seen: a ledger of its contest was looked at
}

// contest verifies one contest's folder. named: the folder has the contest's name.
func (v *verifier) contest(path string, named bool) Proof {
	p := Proof{Folder: path, Contest: filepath.Base(path), Boxes: []BoxProof{}, Tally: Count{Entries: map[string]int64{}}}
	newest, key, err := v.newest(&p)
	if err != nil {
		p.fault(filepath.Join(path, checkpointName), err)
		return p
	}
	if newest.Contest != "" {
		if named && newest.Contest != p.Contest {
			p.fault(filepath.Join(path, checkpointName), fmt.Errorf("it is of %s", newest.Contest))
		}
		p.Contest = newest.Contest
	}
	boxes := p.listing(len(newest.Boxes))
	checks := make([]*boxCheck, len(boxes))
	for box, there := range boxes {
		checks[box] = &boxCheck{contest: p.Contest, box: box, dir: filepath.Join(path, boxName(box)), there: there, key: key, fold: voting.NewFold()}
		if box < len(newest.Boxes) {
			checks[box].want(filepath.Join(path, checkpointName), newest.Boxes[box])
		}
		checks[box].proved = newest.Size(box)
	}
	v.wantSeen(&p, key, checks)
	runAll(checks)
	for _, c := range checks {
		p.Faults = append(p.Faults, c.faults...)
		if c.proved > 0 || c.behind > 0 || c.torn {
			p.Boxes = append(p.Boxes, BoxProof{Box: c.box, Size: c.proved, Root: c.root.Hash.String(), Behind: c.behind, Torn: c.torn})
		}
		tally := c.fold.Tally()
		p.Tally.Counted += tally.Counted
		p.Tally.Held += tally.Held
		p.Tally.Void += tally.Void
		p.Tally.Withdrawn += tally.Withdrawn
		for entry, votes := range tally.Votes {
			p.Tally.Entries[entry] += votes
		}
	}
	if newest.Contest == "" && (len(p.Boxes) > 0 || len(p.Seen) > 0) && len(p.Faults) == 0 {
		p.fault(filepath.Join(path, checkpointName), errors.New("it is missing, and there are records"))
	}
	if len(p.Faults) > 0 {
		p.Tally, p.Seen = Count{Entries: map[string]int64{}}, nil // they prove nothing
	}
	return p
}

func (p *Proof) fault(file string, err error) {
	p.Faults = append(p.Faults, Fault{File: file, What: err.Error()})
}

// newest reads the contest's checkpoint and the key that must have signed it. A
// ledger without any record has none, and the zero Checkpoint.
func (v *verifier) newest(p *Proof) (Checkpoint, note.Verifier, error) {
	key := v.key
	p.Key = v.pinned
	text, err := readSmall(filepath.Join(p.Folder, publicKeyName))
	found := strings.TrimSuffix(string(text), "\n")
	switch {
	case key != nil && errors.Is(err, os.ErrNotExist): // the pinned one is enough
	case err != nil:
		return Checkpoint{}, nil, fmt.Errorf("the public key: %w", err)
	case key != nil && found != v.pinned:
		return Checkpoint{}, nil, fmt.Errorf("beside it is the public key %q, and not the one that was given", found)
	case key == nil:
		if key, err = note.NewVerifier(found); err != nil {
			return Checkpoint{}, nil, fmt.Errorf("beside it is no public key: %w", err)
		}
		p.Key = found
	}
	signed, err := readSmall(filepath.Join(p.Folder, checkpointName))
	if errors.Is(err, os.ErrNotExist) {
		return Checkpoint{}, key, nil
	}
	if err != nil {
		return Checkpoint{}, nil, err
	}
	opened, err := openOurs(signed, key)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c, err := parseCheckpoint(opened)
	return c, key, err
}

// listing names what is in the contest's folder and should not be, and tells of
// each box that is there or promised whether it is there.
func (p *Proof) listing(promised int) []bool {
	boxes := make([]bool, promised)
	entries, err := os.ReadDir(p.Folder)
	if err != nil {
		p.fault(p.Folder, err)
	}
	for _, e := range entries {
		box, isBox := boxNumber(e.Name())
		switch {
		case isBox && e.IsDir():
			for len(boxes) <= box {
				boxes = append(boxes, false)
			}
			boxes[box] = true
		case e.Type().IsRegular() && (e.Name() == checkpointName || e.Name() == publicKeyName || strings.HasPrefix(e.Name(), asidePrefix)):
		default:
			p.fault(filepath.Join(p.Folder, e.Name()), errForeign)
		}
	}
	return boxes
}

var errForeign = errors.New("it does not belong into a ledger")

// wantSeen has the boxes look for the checkpoints that were seen elsewhere.
func (v *verifier) wantSeen(p *Proof, key note.Verifier, checks []*boxCheck) {
	for i, seen := range v.seen {
		text, err := noteText(seen.Note)
		if err != nil {
			continue
		}
		contest, trees, err := parseAny(text)
		if err != nil || contest != p.Contest {
			continue
		}
		v.met[i] = true
		if _, err := openNote(seen.Note, key); err != nil {
			p.fault(seen.Name, err)
			continue
		}
		p.Seen = append(p.Seen, seen.Name)
		for box, tree := range trees {
			if box < len(checks) {
				checks[box].wantSeen(seen.Name, tree)
			} else if tree.N > 0 {
				p.fault(seen.Name, fmt.Errorf("it has %d records of %s, and here is none: the ledger was rolled back", tree.N, boxName(box)))
			}
		}
	}
}

// parseAny reads a contest's checkpoint or a box's.
func parseAny(text string) (contest string, trees map[int]tlog.Tree, err error) {
	if c, err := parseCheckpoint(text); err == nil {
		trees = map[int]tlog.Tree{}
		for box, tree := range c.Boxes {
			trees[box] = tree
		}
		return c.Contest, trees, nil
	}
	contest, box, tree, err := parseBoxCheckpoint(text)
	return contest, map[int]tlog.Tree{box: tree}, err
}
