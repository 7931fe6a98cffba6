package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/joute/joute/voting"
)

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
	if err == nil && several {
		folders = append(folders, missing(dir, folders)...)
	}
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
	found := false
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		found = found || isLedger(path) || hasBox(path)
		if isLedger(path) || holdsAny(path) {
			folders = append(folders, path)
		}
	}
	if !found {
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

// hasBox is true also of a folder that cannot be read: that must be told, and not passed over.
func hasBox(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return !errors.Is(err, syscall.ENOTDIR)
	}
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "box-") })
}

// holdsAny is true of a folder with anything in it: what is left of a ledger must be told. An empty
// one is what a server leaves that dies as it makes a ledger.
func holdsAny(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return !errors.Is(err, syscall.ENOTDIR)
	}
	return len(entries) > 0
}

// missing are the ledgers that are not in a data folder, of contests that had voters: these
// have a key, or had one. A server makes a contest's ledger before anybody can have a pass.
func missing(dir string, folders []string) (paths []string) {
	keys, _ := os.ReadDir(filepath.Join(dir, "keys")) // a copy for others has none
	for _, e := range keys {
		name, isContest := strings.CutPrefix(e.Name(), "contest-")
		id := strings.TrimSuffix(strings.TrimSuffix(name, ".key"), ".forgotten")
		path := filepath.Join(dir, "ledger", id)
		if isContest && id != name && !slices.Contains(folders, path) {
			paths = append(paths, path)
		}
	}
	return paths
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
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && named {
		p.fault(path, errors.New("it is missing, and its contest had voters"))
		return p
	}
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
	text, err := readPlain(filepath.Join(p.Folder, publicKeyName))
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
	signed, err := readPlain(filepath.Join(p.Folder, checkpointName))
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
