package redistest

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestClusterServesAndFailsOver(t *testing.T) {
	ctx := context.Background()
	c := StartCluster(t, 3, 1)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Nodes[0].Addr()}})
	defer client.Close()
	seen := map[*Server]bool{}
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if err := client.Set(ctx, key, "v", 0).Err(); err != nil {
			t.Fatal(err)
		}
		seen[c.MasterOf(key)] = true
	}
	if len(seen) != 3 {
		t.Fatalf("eight keys are on %d masters", len(seen))
	}
	master := c.MasterOf("a")
	if replica := c.ReplicaOf(master); replica == nil || replica == master {
		t.Fatal("the master has no replica")
	}
	master.Kill()
	c.Wait("a failover", func() bool { return c.MasterOf("a") != master })
	master.Restart()
	c.WaitHealthy()
}
