package ballotbox

import (
	"context"
	"fmt"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// settlePage is how many ledger records one step backwards reads.
const settlePage = 1000

// settleAll finds, for each entry whose newest counted ballot left the count,
// the one before it, and writes it down in the hash that has the mark. Records
// newer than upTo are not looked at.
//
// It reads the ledger backwards once for all of them and stops at the last one
// found: the newest record of a ballot says where the ballot stands, so the
// first cast met that still stands as counted is the entry's newest.
func (b *Boxes) settleAll(ctx context.Context, keys boxKeys, hash, upTo string, unsettled map[string]string) error {
	if len(unsettled) == 0 {
		return nil
	}
	standings := map[ballotKey]voting.Standing{}
	newest := map[string]int64{}
	missing := len(unsettled)
	for missing > 0 {
		page, err := b.store.Client().XRevRangeN(ctx, keys.ledger, upTo, "-", settlePage).Result()
		if err != nil {
			return fmt.Errorf("settle: %w", store.Classify(err))
		}
		if len(page) == 0 {
			break
		}
		for _, message := range page {
			r, err := parseRecord(message, 0, 0)
			if err != nil {
				return fmt.Errorf("settle: %w", err)
			}
			if !r.NamesBallot() {
				continue
			}
			key := ballotKey{r.Voter, r.Ballot}
			if _, known := standings[key]; !known {
				standings[key] = r.Standing
			}
			if r.Kind != voting.KindCast || standings[key] != voting.Counted {
				continue
			}
			if _, wanted := unsettled[r.Entry]; wanted && newest[r.Entry] == 0 {
				newest[r.Entry] = r.Position.Millis
				missing--
			}
		}
		upTo = "(" + page[len(page)-1].ID
	}
	for entry, mark := range unsettled {
		if err := b.settle.Run(ctx, keys.common(hash), entry, mark, newest[entry]).Err(); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
	}
	return nil
}
