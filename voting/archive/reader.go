package archive

import (
	"context"
	"path/filepath"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

const (
	ledgerFolder = "ledger"
	seenFolder   = "evidence"
)

// Reader reads what was moved, without a lock, on any server of the folder. It is a
// [ballotbox.Archive].
type Reader struct {
	ledgers string
	seen    evidenceFolder
}

// NewReader opens nothing yet.
func NewReader(data string) *Reader {
	return &Reader{filepath.Join(data, ledgerFolder), evidenceFolder(filepath.Join(data, seenFolder))}
}

// Records gives a box's records behind a position, up to the newest checkpoint.
func (r *Reader) Records(ctx context.Context, contestID string, box int, after voting.Position, yield func(voting.Record) error) error {
	return ledger.Records(ctx, r.ledgers, contestID, box, after, func(_ []byte, record voting.Record) error { return yield(record) })
}

// Evidence gives what was seen of the casts behind a position of the box.
func (r *Reader) Evidence(ctx context.Context, contestID string, box int, after voting.Position, yield func(at voting.Position, seen []byte) error) error {
	return r.seen.read(ctx, contestID, box, after.Offset, yield)
}
