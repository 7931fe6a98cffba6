package live

import (
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
)

// A board that cannot be read spoils the answers that wait for it, and a feed that cannot
// be sent that feed: not the server.
func TestPanic_OfOneContestIsNotOfTheServer(t *testing.T) {
	boards := New(nil, quiet()) // there are no boxes: every reading panics
	stored := &registry.Stored{Contest: &contest.Contest{ID: "panics", Boxes: 1}}
	if _, err := boards.Board(t.Context(), stored, Public); err == nil || !strings.Contains(err.Error(), "panic: ") {
		t.Errorf("%v, want the panic", err)
	}
	if boards.Kept(stored) != nil {
		t.Error("a board of nothing")
	}
	for boards.desk("panics").refreshing.Load() {
		runtime.Gosched()
	}
	feeds := NewFeeds(boards, func(string) (*registry.Stored, bool) { panic("the feed") }, quiet(), FeedOptions{})
	defer feeds.Close()
	reader := join(feeds, "panics", netip.MustParseAddr("192.0.2.1"), "")
	defer reader.Leave()
	<-reader.Ended()
}
