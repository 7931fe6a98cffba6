package ballotbox

import (
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// clusterCycles is how often a cluster is hurt in one test.
func clusterCycles() int {
	if os.Getenv("JOUTE_FAULTS") == "long" {
		return 10
	}
	return 1
}

// again is how soon a hurt cluster must take ballots again.
const again = 10 * time.Second

func TestCluster_BoxesOfAContestAreOnDifferentMasters(t *testing.T) {
	t.Parallel()
	c := redistest.SharedCluster(t)
	b, s := New(openStore(t, c.URL())), newContest(t, "boxes: 6")
	if err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	masters := map[*redistest.Server]bool{}
	for box := range s.Contest.Boxes {
		keys := keysOf(s.Contest.ID, box)
		master := c.MasterOf(keys.meta)
		masters[master] = true
		v := voterNamed("ada")
		for _, key := range keys.common(keys.voters(v), keys.ballots(uuid.New()), keys.evidence, keys.held, keys.appeals, keys.solved([16]byte{1})) {
			if c.MasterOf(key) != master {
				t.Errorf("%s is on another master than its box", key)
			}
		}
	}
	if len(masters) != 3 {
		t.Fatalf("six boxes are on %d masters of three", len(masters))
	}
}

// boxOn is a contest of one box, which is on the given master.
func boxOn(t *testing.T, c *redistest.Cluster, master *redistest.Server) *registry.Stored {
	t.Helper()
	for range 1000 {
		if s := newContest(t); c.MasterOf(keysOf(s.Contest.ID, 0).meta) == master {
			return s
		}
	}
	t.Fatal("no contest falls on the master")
	return nil
}

// more waits until so many more ballots are acknowledged.
func (c *crash) more(t *testing.T, n int) {
	t.Helper()
	acked := func() int { c.mu.Lock(); defer c.mu.Unlock(); return len(c.acked) }
	before := acked()
	for deadline := time.Now().Add(30 * time.Second); acked() < before+n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d more ballots acknowledged, want %d", acked()-before, n)
		}
	}
}

// taking waits until a ballot is acknowledged after an instant.
func (c *crash) taking(t *testing.T, since time.Time) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		newest := c.newest
		c.mu.Unlock()
		if newest.After(since) {
			return
		}
	}
	t.Fatal("no ballot is acknowledged any more")
}

func TestFault_ClusterMasterKilled(t *testing.T) {
	c := redistest.StartCluster(t, 3, 1)
	st := openStore(t, c.URL())
	b, s := New(st), newContest(t)
	if err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	told := &crash{acked: map[uuid.UUID]voting.Position{}}
	stop := make(chan struct{})
	var casting sync.WaitGroup
	for w := range writers {
		casting.Go(func() { told.vote(b, s, w, stop) })
	}
	var slowest time.Duration
	for range clusterCycles() {
		told.more(t, 500)
		master := c.MasterOf(keysOf(s.Contest.ID, 0).meta)
		master.Kill()
		died := time.Now()
		c.Wait("a failover", func() bool { return c.MasterOf(keysOf(s.Contest.ID, 0).meta) != master })
		master.Restart() // as what watches over it would; it is the new master's replica now
		told.taking(t, time.Now())
		took := time.Since(died)
		if slowest = max(slowest, took); took > again {
			t.Errorf("casting again took %s", took)
		}
		c.WaitHealthy()
	}
	close(stop)
	casting.Wait()
	if lost := told.survey(t, b, s); lost > 0 {
		t.Fatalf("%d of %d acknowledged ballots lost", lost, len(told.acked))
	}
	for _, what := range told.conflict {
		t.Error(what)
	}
	t.Logf("%d masters killed: %d ballots acknowledged, 0 lost; %d asked again, of them %d had been counted, %d answers pending; casting again within %s",
		clusterCycles(), len(told.acked), told.unknown, told.stored, told.pending, slowest.Round(10*time.Millisecond))
}

// merge adds what other writers were told.
func (c *crash) merge(other *crash) {
	maps.Copy(c.acked, other.acked)
	c.unknown, c.stored, c.pending = c.unknown+other.unknown, c.stored+other.stored, c.pending+other.pending
	c.conflict = append(c.conflict, other.conflict...)
}

// openCluster opens a cluster's store; unconfirmed is the setting that loses ballots.
func openCluster(t testing.TB, url string, unconfirmed bool) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: url, Unconfirmed: unconfirmed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}
