// Package ledger is the ledger on disk: for every contest a folder of plain
// files that anybody can read, prove and count again without us.
//
//	DATA/ledger/{contest}/public-key           verifies the signatures beside it
//	DATA/ledger/{contest}/checkpoint           signed: size and root of every box
//	DATA/ledger/{contest}/box-N/{first}.ndjson segments: one record a line, from record {first} on
//	DATA/ledger/{contest}/box-N/hashes         the nodes of the box's RFC 6962 tree
//	DATA/ledger/{contest}/box-N/checkpoint     signed: size and root of this box
//
// Leaf n of a box's tree is the line, without its end, of the record with offset
// n+1. Nothing else may be kept in these folders: [Verify] refuses what it does
// not know, as it could hide records.
//
// What a checkpoint covers was synced before it was signed, and never changes
// again. What is behind it is kept as far as it is whole, and proves nothing yet.
//
// The package is pure: it knows files, and no store.
package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/joute/joute/voting"
)

var (
	// ErrBusy is returned when another process, or another Writer, has the ledger open to write.
	ErrBusy = errors.New("the ledger is being written by another server")
	// ErrDamaged is returned for a ledger that is not what its checkpoint says. It
	// is not written to any more: what is there is evidence.
	ErrDamaged = errors.New("the ledger is damaged")
	// ErrOrder is returned for lines that do not continue the ledger.
	ErrOrder = errors.New("the line does not continue the ledger")
	// ErrNoLedger is returned where no checkpoint was signed yet.
	ErrNoLedger = errors.New("there is no ledger yet")
)

const (
	checkpointName = "checkpoint"
	publicKeyName  = "public-key"
	hashesName     = "hashes"

	// maxBoxes is how many boxes a contest may have.
	maxBoxes = 64
	// maxLine is how many bytes a line may have: far above any record, and a bound
	// for what a damaged file takes of memory.
	maxLine = 1 << 20
)

// segmentBytes is where a segment ends and the next begins: small enough to be
// copied and looked at, large enough that a million voters are a few files.
var segmentBytes int64 = 64 << 20 // tests make it smaller

// folder is a contest's folder.
func folder(dir, contest string) string { return filepath.Join(dir, contest) }

func boxName(box int) string { return "box-" + strconv.Itoa(box) }

var boxPattern = regexp.MustCompile(`^box-(0|[1-9][0-9]?)$`)

// boxNumber reads what boxName wrote.
func boxNumber(name string) (int, bool) {
	m := boxPattern.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil && n < maxBoxes
}

// segmentName is of a segment whose first record has that offset.
func segmentName(first int64) string { return fmt.Sprintf("%012d.ndjson", first) }

var segmentPattern = regexp.MustCompile(`^([0-9]{12,18})\.ndjson$`)

// segmentFirst reads what segmentName wrote.
func segmentFirst(name string) (int64, bool) {
	m := segmentPattern.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	first, err := strconv.ParseInt(m[1], 10, 64)
	return first, err == nil && first > 0 && segmentName(first) == name
}

// continues tells whether a record at next may follow one at last in their box:
// offsets without a hole, and a clock that does not go back.
func continues(last, next voting.Position, box int) bool {
	return next.Box == box && next.Offset == last.Offset+1 && next.Millis >= last.Millis
}
