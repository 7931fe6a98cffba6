package ballotbox

import (
	"context"
	"strings"
	"testing"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// What panics in a goroutine of ours would end the server, and all votes under way.
func TestBoxes_APanicIsTheCallsErrorAndNoMore(t *testing.T) {
	boxless := &registry.Stored{Contest: &contest.Contest{ID: "boxless"}} // a voter is in none of no boxes
	boxes := New(openStore(t, ""))
	real := newContest(t, "boxes: 3")
	for what, call := range map[string]func(ctx context.Context) error{
		"each": func(ctx context.Context) error {
			return boxes.each(ctx, real.Contest, func(_ context.Context, box int, _ boxKeys) error {
				if box == 1 {
					panic("of box 1")
				}
				return nil
			})
		},
		"ChangeAll": func(ctx context.Context) error {
			_, err := boxes.ChangeAll(ctx, boxless, []Change{{Standing: voting.Void}})
			return err
		},
		"AnswerAppeals": func(ctx context.Context) error {
			return boxes.AnswerAppeals(ctx, boxless, []ActedBallot{{}}, true)
		},
		"Restore": func(ctx context.Context) error {
			return boxes.Restore(ctx, real, func(context.Context, int, func(voting.Record) error) error { panic("of the records") })
		},
	} {
		if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "panic: ") || !strings.Contains(err.Error(), ".go:") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
