package store

import (
	"strings"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

// takeOut takes a node out of a cluster, as an operator does. It goes on by itself.
func takeOut(t *testing.T, c *redistest.Cluster, node *redistest.Server) {
	t.Helper()
	id := node.Client().ClusterMyID(t.Context()).Val()
	for _, other := range c.Nodes {
		if other == node {
			continue
		}
		if err := other.Client().ClusterForget(t.Context(), id).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"CLUSTER RESET HARD", "FLUSHALL"} {
		if err := node.Client().Do(t.Context(), fields(command)...).Err(); err != nil {
			t.Fatal(command, err)
		}
	}
}

// notThe is another master than one.
func notThe(c *redistest.Cluster, one *redistest.Server) *redistest.Server {
	if c.Nodes[0] == one {
		return c.Nodes[1]
	}
	return c.Nodes[0]
}

func fields(command string) (parts []any) {
	for _, part := range strings.Fields(command) {
		parts = append(parts, part)
	}
	return parts
}

func (c *cluster) knows(addr string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[addr] != nil
}

func TestCluster_ANodeThatWasTakenOutIsForgotten(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, Options{URL: "redis-cluster://" + c.Nodes[0].Addr()})
	out := c.ReplicaOf(notThe(c, c.MasterOf("{c}n")))
	wait(t, "all nodes to be known", func() bool {
		s.cluster.doubt()
		for _, node := range c.Nodes {
			if !s.cluster.knows(node.Addr()) {
				return false
			}
		}
		return true
	})
	s.cluster.mu.Lock()
	s.cluster.forgetAfter = 1
	s.cluster.mu.Unlock()
	takeOut(t, c, out)
	wait(t, "the node to be forgotten", func() bool {
		s.cluster.doubt()
		return !s.cluster.knows(out.Addr())
	})
	wait(t, "the node to be left", func() bool {
		return !strings.Contains(out.Client().ClientList(t.Context()).Val(), "name=joute")
	})
	// The others stay, or are back once the cluster names them again: on a busy machine it may take one for
	// failed for a moment, which a minute is meant to bridge and this test's nanosecond is not.
	for _, node := range c.Nodes {
		wait(t, node.Addr()+", which is in the cluster, to be known", func() bool {
			s.cluster.doubt()
			return node == out || s.cluster.knows(node.Addr())
		})
	}
	if s.cluster.knows(out.Addr()) {
		t.Error("a node that was taken out is back")
	}
	sc := s.Script("count", countOnce, false)
	if _, err := count(t, sc, "c", "anna"); err != nil {
		t.Fatal(err)
	}
	// One that is only just closed is not the end of a call that was on its way to it.
	gone := s.cluster.at(out.Addr())
	gone.scripts.close()
	s.cluster.slots[slotOf("c")].Store(gone)
	s.cluster.doubt()
	if got, err := count(t, sc, "c", "bob"); err != nil || got[0] != "2" {
		t.Fatalf("%q, %v", got, err)
	}
}

// A node that is taken out and made a cluster of its own has failed over more often: its word on
// where slots are is of no interest.
func TestCluster_ANodeOfAnotherClusterIsNotBelieved(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, Options{URL: c.URL()})
	sc := s.Script("count", countOnce, false)
	if _, err := count(t, sc, "c", "anna"); err != nil {
		t.Fatal(err)
	}
	out := c.ReplicaOf(notThe(c, c.MasterOf("{c}n")))
	takeOut(t, c, out)
	for _, command := range []string{"CLUSTER SET-CONFIG-EPOCH 1000", "CLUSTER ADDSLOTSRANGE 0 16383"} {
		if err := out.Client().Do(t.Context(), fields(command)...).Err(); err != nil {
			t.Fatal(command, err)
		}
	}
	wait(t, "the other cluster", func() bool {
		return strings.Contains(out.Client().ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	for range 3 {
		if err := s.cluster.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := count(t, sc, "c", "anna"); err != nil || got[0] != "1" || got[1] == "" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if n := out.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were written to another cluster", n)
	}
}
