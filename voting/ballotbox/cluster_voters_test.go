package ballotbox

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// crash is what writers know after their Redis was killed under them again and
// again: every ballot they were told about.
type crash struct {
	mu       sync.Mutex
	acked    map[uuid.UUID]voting.Position
	unknown  int // outcomes that had to be asked again
	stored   int // of these, ballots that had been counted after all
	conflict []string

	// of a cluster
	pending int       // answers that had to be asked again because no replica had them
	newest  time.Time // when the last ballot was acknowledged
}

// settled notes what the store says of a ballot; asked tells how often it was asked.
func (c *crash) settled(ballot uuid.UUID, o voting.Outcome, asked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if asked > 1 {
		c.unknown++
		if o.Duplicate {
			c.stored++
		}
	}
	if o.Refused != "" {
		c.conflict = append(c.conflict, fmt.Sprintf("%v was refused: %s", ballot, o.Refused))
	}
	c.acked[ballot] = o.Cast.Position
	c.newest = time.Now()
}

// vote casts fresh ballots until stop, each until the store has answered it.
func (c *crash) vote(b *Boxes, s *registry.Stored, writer int, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		ballot := ballotFor(fmt.Sprintf("%d/%d", writer, i), "n-1")
		for asked := 1; ; asked++ {
			o, err := b.Cast(context.Background(), s, ballot)
			if err == nil && !o.Pending {
				c.settled(ballot.ID, o, asked)
				break
			}
			if o.Pending {
				c.mu.Lock()
				c.pending++
				c.mu.Unlock()
			}
			time.Sleep(5 * time.Millisecond) // as a client waits before it asks again
		}
	}
}

// survey compares what the writers were told with the ledger.
func (c *crash) survey(t *testing.T, b *Boxes, s *registry.Stored) (lost int) {
	t.Helper()
	inLedger := map[uuid.UUID]voting.Position{}
	voters := map[voting.Voter]bool{}
	for _, r := range ledgerOf(t, b, s, voting.Position{}) {
		if r.Kind != voting.KindCast {
			continue
		}
		if _, twice := inLedger[r.Ballot]; twice || voters[r.Voter] {
			t.Errorf("ballot %v is in the ledger twice", r.Ballot)
		}
		inLedger[r.Ballot], voters[r.Voter] = r.Position, true
	}
	for ballot, position := range c.acked {
		if inLedger[ballot] != position {
			lost++
		}
	}
	count, err := b.Tally(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if count.Live.Counted != int64(len(inLedger)) {
		t.Errorf("the tally says %d, the ledger %d", count.Live.Counted, len(inLedger))
	}
	return lost
}
