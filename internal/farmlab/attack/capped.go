package attack

import (
	"context"
	"time"

	"github.com/joute/joute/antifraud"
)

// Capped is the ground of a contest that has nothing against farms but a cap: so many
// ballots a day from one address. It is what a price is held against.
type Capped struct {
	cap   int
	used  map[string]int // by day and address
	fates map[string]Fate
}

// DailyCap is the cap that prices are held against.
const DailyCap = 10

// NewCapped has seen nobody.
func NewCapped(most int) *Capped { return &Capped{most, map[string]int{}, map[string]Fate{}} }

// Cast counts ballots up to the cap.
func (c *Capped) Cast(_ context.Context, acts []Act) ([]Answer, error) {
	told := make([]Answer, len(acts))
	for i, act := range acts {
		day := act.At.UTC().Format(time.DateOnly) + " " + act.Evidence.Net
		if c.used[day]++; c.used[day] > c.cap {
			told[i] = Answer{Standing: Rejected, Reasons: []antifraud.Reason{"cap"}}
			continue
		}
		told[i] = Answer{Standing: Counted}
		c.fates[act.ID] = Fate{Standing: Counted, Cast: act.At, Since: act.At}
	}
	return told, nil
}

// Rest does nothing: nobody looks back.
func (*Capped) Rest(context.Context, time.Time) error { return nil }

// Close does nothing.
func (*Capped) Close(context.Context) error { return nil }

// Prove does nothing: nothing is held.
func (*Capped) Prove(context.Context, []string) error { return nil }

// Ask tells which ballots are there.
func (c *Capped) Ask(_ context.Context, ids []string) (map[string]Fate, error) {
	known := map[string]Fate{}
	for _, id := range ids {
		if fate, there := c.fates[id]; there {
			known[id] = fate
		}
	}
	return known, nil
}
