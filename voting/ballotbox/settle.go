package ballotbox

import (
	"context"
	"fmt"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// settleAll finds, for each entry whose newest counted ballot left the count,
// the one before it, and writes it down in the hash that has the mark. Records behind
// an offset are not looked at; 0: all are. An offset, and not an instant: where the freeze
// is moved to an instant that is over, the tally is kept from when the box was told.
//
// It reads the ledger backwards once for all of them and stops at the last one
// found: the newest record of a ballot says where the ballot stands, so the
// first cast met that still stands as counted is the entry's newest.
func (b *Boxes) settleAll(ctx context.Context, s *registry.Stored, box int, hash string, upTo int64, unsettled map[string]string) error {
	if len(unsettled) == 0 {
		return nil
	}
	standings := map[ballotKey]voting.Standing{}
	newest := map[string]int64{}
	missing := len(unsettled)
	err := b.backwards(ctx, s, box, upTo, func(r voting.Record) bool {
		if !r.NamesBallot() {
			return false
		}
		key := ballotKey{r.Voter, r.Ballot}
		if _, known := standings[key]; !known {
			standings[key] = r.Standing
		}
		if r.Kind != voting.KindCast || standings[key] != voting.Counted {
			return false
		}
		if _, wanted := unsettled[r.Entry]; wanted && newest[r.Entry] == 0 {
			newest[r.Entry] = r.Position.Millis
			missing--
		}
		return missing == 0
	})
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	keys := keysOf(s.Contest.ID, box)
	for entry, mark := range unsettled {
		if err := b.settle.Run(ctx, keys.common(hash), entry, mark, newest[entry]).Err(); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
	}
	return nil
}
