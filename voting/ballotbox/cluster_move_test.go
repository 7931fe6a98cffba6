package ballotbox

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// A box moves from one master to another while voters vote in it. In the middle of that neither master
// runs a script that names a key that is not there yet, as a new voter's: casts are told to come
// again. Each ballot counts once, and everybody has an answer in the end.
func TestCluster_ABoxThatMovesCountsEachBallotOnce(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 2, 1)
	st := openStore(t, c.URL())
	b, s := New(st), newContest(t)
	key := keysOf(s.Contest.ID, 0).meta
	mustCast(t, b, s, ballotFor("first", "n-1"))
	from := c.MasterOf(key)
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	slot := int(from.Client().ClusterKeySlot(t.Context(), key).Val())

	var counted, again atomic.Int64
	stop := make(chan struct{})
	var voters sync.WaitGroup
	for i := range 24 {
		voters.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				ballot := ballotFor(fmt.Sprint(i, "/", n), "n-1")
				for end := time.Now().Add(60 * time.Second); ; again.Add(1) {
					o, err := b.Cast(t.Context(), s, ballot)
					if err == nil && o.Refused == "" && !o.Pending {
						break
					}
					if err != nil && !errors.Is(err, store.ErrUnavailable) || o.Refused != "" || time.Now().After(end) {
						t.Errorf("%+v, %v", o, err)
						return
					}
				}
				counted.Add(1)
			}
		})
	}
	progress := func() {
		t.Helper()
		before := counted.Load()
		c.Wait("votes to go on", func() bool { return counted.Load() > before+200 || t.Failed() })
	}
	do := func(on *redistest.Server, args ...any) {
		t.Helper()
		if err := on.Client().Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(args, err)
		}
	}
	progress()
	fromID, toID := from.Client().ClusterMyID(t.Context()).Val(), to.Client().ClusterMyID(t.Context()).Val()
	do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	do(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	host, port, _ := strings.Cut(to.Addr(), ":")
	moved := 0
	for {
		keys := from.Client().ClusterGetKeysInSlot(t.Context(), slot, 5).Val()
		if len(keys) == 0 {
			break
		}
		for _, key := range keys {
			do(from, "MIGRATE", host, port, key, 0, 5000)
			moved++
		}
	}
	before := again.Load()
	c.Wait("casts to be told to come again", func() bool { return again.Load() > before || t.Failed() })
	for _, node := range []*redistest.Server{to, from} {
		do(node, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	}
	progress()
	close(stop)
	voters.Wait()
	count, err := b.Tally(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(moved, "keys moved,", counted.Load(), "counted,", again.Load(), "asked again")
	if want := counted.Load() + 1; count.Live.Votes["n-1"] != want {
		t.Errorf("%d counted, %d answered so", count.Live.Votes["n-1"], want)
	}
	sameTally(t, count.Live, fold(ledgerOf(t, b, s, voting.Position{})))
}
