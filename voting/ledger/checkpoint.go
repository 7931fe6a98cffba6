package ledger

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a signature says of a contest's ledger: how many records
// each box has, and the root of the tree they make. In text it is a signed note:
//
//	joute-ledger/{contest}
//	boxes {number of boxes}
//	{size} {root}            one line a box, from box 0 on
//
// The zero Checkpoint is of a ledger that has none yet.
type Checkpoint struct {
	Contest string
	Boxes   []tlog.Tree
	Note    []byte // as signed and on disk
}

// Size is how many records of a box it covers.
func (c Checkpoint) Size(box int) int64 {
	if box < len(c.Boxes) {
		return c.Boxes[box].N
	}
	return 0
}

const originPrefix = keyName + "/"

// maxCheckpoint bounds what is read as one: 64 lines and a few signatures.
const maxCheckpoint = 64 << 10

var errCheckpoint = errors.New("not a checkpoint")

func (c Checkpoint) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\nboxes %d\n", originPrefix, c.Contest, len(c.Boxes))
	for _, tree := range c.Boxes {
		fmt.Fprintf(&b, "%d %s\n", tree.N, tree.Hash)
	}
	return b.String()
}

// parseCheckpoint reads a contest's checkpoint, its signatures apart.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	contest, ok := strings.CutPrefix(lines[0], originPrefix)
	if !ok || contest == "" || strings.Contains(contest, "/") || len(lines) < 3 {
		return Checkpoint{}, errCheckpoint
	}
	number, ok := strings.CutPrefix(lines[1], "boxes ")
	boxes, err := parseSize(number)
	// More lines than these are of a later version, and skipped.
	if !ok || err != nil || boxes < 1 || boxes > maxBoxes || int64(len(lines)) < 2+boxes+1 {
		return Checkpoint{}, errCheckpoint
	}
	c := Checkpoint{Contest: contest}
	for _, line := range lines[2 : 2+boxes] {
		size, root, _ := strings.Cut(line, " ")
		tree, err := parseTree(size, root)
		if err != nil {
			return Checkpoint{}, err
		}
		c.Boxes = append(c.Boxes, tree)
	}
	return c, nil
}

// boxText is a box's own checkpoint, in the form of C2SP tlog-checkpoint.
func boxText(contest string, box int, tree tlog.Tree) string {
	return fmt.Sprintf("%s%s/%s\n%d\n%s\n", originPrefix, contest, boxName(box), tree.N, tree.Hash)
}

// parseBoxCheckpoint reads what boxText wrote.
func parseBoxCheckpoint(text string) (contest string, box int, tree tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	origin, ok := strings.CutPrefix(lines[0], originPrefix)
	contest, name, found := strings.Cut(origin, "/")
	box, numbered := boxNumber(name)
	if !ok || !found || !numbered || contest == "" || len(lines) < 4 {
		return "", 0, tlog.Tree{}, errCheckpoint
	}
	tree, err = parseTree(lines[1], lines[2])
	return contest, box, tree, err
}

func parseTree(size, root string) (tlog.Tree, error) {
	n, err1 := parseSize(size)
	hash, err2 := tlog.ParseHash(root)
	if errors.Join(err1, err2) != nil || hash.String() != root {
		return tlog.Tree{}, errCheckpoint
	}
	return tlog.Tree{N: n, Hash: hash}, nil
}

func parseSize(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	// Twice the size is an index of the hashes, and must be a number as well.
	if err != nil || n < 0 || n > 1<<48 || text != strconv.FormatInt(n, 10) {
		return 0, errCheckpoint
	}
	return n, nil
}

// openNote returns the text of a note that key has signed.
func openNote(signed []byte, key note.Verifier) (string, error) {
	opened, err := note.Open(signed, note.VerifierList(key))
	if err != nil {
		return "", fmt.Errorf("the signature is not of the key %s+%08x: %w", key.Name(), key.KeyHash(), err)
	}
	return opened.Text, nil
}

// openOurs is openNote of a file of ours: that text, our signature, and not a byte
// more or in another form.
func openOurs(signed []byte, key note.Verifier) (string, error) {
	text, err := openNote(signed, key)
	if err != nil {
		return "", err
	}
	line := strings.TrimPrefix(string(signed), text)
	encoded := strings.TrimSuffix(strings.TrimPrefix(line, "\n— "+key.Name()+" "), "\n")
	signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || line != "\n— "+key.Name()+" "+base64.StdEncoding.EncodeToString(signature)+"\n" {
		return "", errors.New("beside the signature is what we did not write")
	}
	return text, nil
}

// noteText is the text of a note, whoever signed it.
func noteText(signed []byte) (string, error) {
	text, _, found := bytes.Cut(signed, []byte("\n\n"))
	if !found {
		return "", errCheckpoint
	}
	return string(text) + "\n", nil
}

// ReadCheckpoint is the newest checkpoint of a contest, or [ErrNoLedger]. dir is
// DATA/ledger. The signature is not looked at: the folder is ours.
func ReadCheckpoint(dir, contest string) (Checkpoint, error) {
	signed, err := readSmall(filepath.Join(folder(dir, contest), checkpointName))
	if errors.Is(err, os.ErrNotExist) {
		return Checkpoint{}, ErrNoLedger
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("ledger: %w", err)
	}
	text, err := noteText(signed)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("ledger of %s: %w", contest, err)
	}
	c, err := parseCheckpoint(text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("ledger of %s: %w", contest, err)
	}
	c.Note = signed
	return c, nil
}
