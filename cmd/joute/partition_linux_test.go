package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
)

// One master, a server and its clients are cut off from the other five nodes, another
// server and its clients. Neither server tells anybody 201 of a ballot that is lost when
// the network is back.
func TestFault_AClusterPartitionUnderServe(t *testing.T) {
	if !faulttest.Long() {
		t.Skip("JOUTE_FAULTS=long; in short voting/ballotbox has a partition, and its control")
	}
	redistest.Partitioned(t, func(p *redistest.Partition) {
		c, alone := p.StartCluster()
		data := t.TempDir()
		here := launch(t, "--redis", c.URL(), "--data", data)
		there := launchIn(t, p.Enter, redistest.IslandAdmin+":0", "--redis", c.URL(), "--data", data)
		id, document := spread(t, c)
		one := &running{t: t, url: here.url}
		one.joute("apply", write(t, "c.yaml", document))
		var cutOff string // the box that is on the island
		for box := range 3 {
			if c.MasterOf(metaOf(id, box)) == alone {
				cutOff = metaOf(id, box)
			}
		}
		wait(t, "the island's server to know the contest", func() (int, bool) {
			answer, err := http.Get(there.url + "/v1/contests/" + id)
			if err != nil {
				return 0, false
			}
			answer.Body.Close()
			return 0, answer.StatusCode == http.StatusOK
		})
		mainland := faulttest.Start(faultVoters/2, overHTTP(t, id, func() string { return here.url }))
		island := faulttest.Start(faultVoters/2, overHTTP(t, id, func() string { return there.url }))
		var slowest time.Duration
		const cuts = 10
		for range cuts {
			p.Return(c, alone, cutOff)
			mainland.More(t, 300)
			island.More(t, 100)
			p.Cut()
			cut := time.Now()
			c.Wait("a failover on the mainland", func() bool { return c.MasterAs(c.Nodes[1], cutOff) != alone })
			time.Sleep(time.Second) // both sides have masters of the box, or just had
			p.Heal()
			healed := time.Now()
			mainland.Taking(t, healed)
			took := time.Since(cut)
			island.Taking(t, healed)
			if slowest = max(slowest, took); took > againWithin || time.Since(healed) > againWithin {
				t.Errorf("casting again took %s from the cut, on the island %s from its end", took, time.Since(healed))
			}
			c.WaitHealthy()
		}
		told := mainland.Stop()
		islanders := island.Stop()
		t.Logf("the island: %v", islanders)
		if islanders.Unknown == 0 || islanders.Pending == 0 {
			t.Error("no answer on the island was pending: the cut met no cast")
		}
		told.Merge(islanders)
		settled(t, one, id, told)
		t.Logf("%d partitions; casting again within %s of the cut", cuts, slowest.Round(10*time.Millisecond))
	})
}
