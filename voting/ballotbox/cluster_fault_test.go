package ballotbox

import (
	"testing"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

// clusterCycles is how often a cluster is hurt in one test.
func clusterCycles() int {
	if faulttest.Long() {
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
		for _, key := range keys.common(keys.voters(v), keys.evidence, keys.held, keys.appeals, keys.solved([16]byte{1})) {
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

func TestFault_ClusterMasterKilled(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	st := openStore(t, c.URL())
	b, s := New(st), newContest(t)
	if err := b.Configure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	voters := faulttest.Start(writers, casting(b, s))
	var slowest time.Duration
	for range clusterCycles() {
		voters.More(t, 500)
		master := c.MasterOf(keysOf(s.Contest.ID, 0).meta)
		master.Kill()
		died := time.Now()
		c.Wait("a failover", func() bool { return c.MasterOf(keysOf(s.Contest.ID, 0).meta) != master })
		master.Restart() // as what watches over it would; it is the new master's replica now
		voters.Taking(t, time.Now())
		took := time.Since(died)
		if slowest = max(slowest, took); took > again {
			t.Errorf("casting again took %s", took)
		}
		c.WaitHealthy()
	}
	told := voters.Stop()
	told.Check(t)
	survey := surveyOf(t, b, s, told)
	if survey.Lost > 0 || survey.Twice > 0 {
		t.Fatalf("%d of %d acknowledged ballots lost, %d twice", survey.Lost, len(told.Ballots), survey.Twice)
	}
	t.Logf("%d masters killed: %v; casting again within %s", clusterCycles(), told, slowest.Round(10*time.Millisecond))
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
