package ballotbox

import (
	"context"
	"strings"
	"testing"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// What boxes are asked at once is asked on goroutines of their own, where a panic would
// end the server and not the one call.
func TestEach_APanicIsAnErrorOfTheCall(t *testing.T) {
	var b Boxes
	err := b.each(t.Context(), &contest.Contest{ID: "panics", Boxes: 3}, func(_ context.Context, box int, _ boxKeys) error {
		if box == 1 {
			panic("a box")
		}
		return nil
	})
	if err == nil || !strings.HasPrefix(err.Error(), "panic: a box") {
		t.Errorf("%v, want the panic", err)
	}
	if _, err := b.ChangeAll(t.Context(), nil, []Change{{Standing: voting.Void}}); err == nil || !strings.HasPrefix(err.Error(), "panic: ") {
		t.Errorf("%v, want the panic", err)
	}
}
