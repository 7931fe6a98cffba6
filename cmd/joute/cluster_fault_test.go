package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
)

// againWithin is how soon a hurt cluster must take ballots again.
const againWithin = 10 * time.Second

// spread is a contest whose three boxes are on three masters.
func spread(t *testing.T, c *redistest.Cluster) (id, document string) {
	t.Helper()
	for n := range 1000 {
		id = fmt.Sprint("spread-", n)
		masters := map[*redistest.Server]bool{}
		for box := range 3 {
			masters[c.MasterOf(metaOf(id, box))] = true
		}
		if len(masters) == 3 {
			return id, smallDocument(id, "identity: partner\npartner: {secret: "+partnerSecret+"}\nboxes: 3\n")
		}
	}
	t.Fatal("no contest has its boxes on three masters")
	return "", ""
}

// metaOf is a key of a box: all are on one master.
func metaOf(contest string, box int) string { return fmt.Sprintf("joute:{%s/%d}:meta", contest, box) }

// serveUnconfirmed is `joute serve` that takes a cluster's masters at their word.
func serveUnconfirmed(t *testing.T, redis, data string) (url string) {
	t.Helper()
	cmd := serveCmd{Listen: "127.0.0.1:0", Redis: redis, Data: data, MailFrom: "joute@localhost", SweepEvery: time.Minute}
	cfg, err := cmd.validate(t.Context(), adminKey)
	if err != nil {
		t.Fatal(err)
	}
	cfg.unconfirmed, cfg.log = true, slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.run(ctx, func(url string) { ready <- url }) }()
	t.Cleanup(func() {
		stop()
		<-ended // what it could not do at the end is no matter here
	})
	select {
	case url = <-ready:
		return url
	case err := <-ended:
		ended <- err
		t.Fatal(err)
		return ""
	}
}

// A cluster's master is killed under `joute serve`, once its replica has been deaf for a
// moment: what was answered with 201 is in the ledger of the replica that takes over,
// what was pending is settled by asking again.
func TestFault_AClusterMasterKilledUnderServe(t *testing.T) {
	t.Parallel()
	c, data := redistest.StartCluster(t, 3, 1), t.TempDir()
	p := launch(t, "--redis", c.URL(), "--data", data)
	kills := 1
	if faulttest.Long() {
		kills = 10
	}
	told, id := masterKilled(t, c, p.url, kills, true)
	one := &running{t: t, url: p.url}
	settled(t, one, id, told)
	if told.Pending == 0 {
		t.Error("no answer was pending: the deaf replica met no cast")
	}
	p.stop() // moves what is left
	if code, out, errs := run(t, nil, "", "verify", data); code != 0 {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
}

// Control: a server that does not wait for replicas loses ballots in it.
func TestFault_AClusterMasterKilledUnderServeWithoutWAIT(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	url := serveUnconfirmed(t, c.URL(), t.TempDir())
	told, id := masterKilled(t, c, url, 1, false) // after it the archive has more than the store, and no ballot is taken
	lost := survey(t, &running{t: t, url: url}, id, told).Lost
	if lost == 0 {
		t.Errorf("none of %d acknowledged ballots is lost: the test cannot see a loss", len(told.Ballots))
	}
	t.Logf("%d of %d acknowledged ballots lost", lost, len(told.Ballots))
}

// masterKilled kills one master after another. A server that sees at once that its master
// has no replica may refuse all that second: where it waits for them, it goes on until an
// answer was pending, up to three times.
func masterKilled(t *testing.T, c *redistest.Cluster, url string, kills int, waits bool) (told faulttest.Told, id string) {
	t.Helper()
	id, document := spread(t, c)
	one := &running{t: t, url: url}
	one.joute("apply", write(t, "c.yaml", document))
	voters := faulttest.Start(faultVoters, overHTTP(t, id, func() string { return url }))
	var slowest time.Duration
	for kill := 0; kill < kills || waits && voters.Pending() == 0 && kill < kills+3; kill++ {
		voters.More(t, 500)
		box := kill % 3
		master := c.MasterOf(metaOf(id, box))
		replica := c.ReplicaOf(master)
		replica.Freeze()
		// What is on its way to it would be read once it thaws: from here on nothing is.
		if err := master.Client().Do(t.Context(), "CLIENT", "KILL", "TYPE", "REPLICA").Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(redistest.NodeTimeout / 2) // longer than a batch waits for it, and it is not given up for dead
		master.Kill()
		died := time.Now()
		replica.Thaw()
		c.Wait("a failover", func() bool { return c.MasterOf(metaOf(id, box)) != master })
		master.Restart() // as what watches over it would; it is the new master's replica now
		voters.Taking(t, time.Now())
		took := time.Since(died)
		if slowest = max(slowest, took); took > againWithin {
			t.Errorf("casting again in every box took %s", took)
		}
		c.WaitHealthy()
	}
	told = voters.Stop()
	t.Logf("%d masters killed: %v; casting again in every box within %s", kills, told, slowest.Round(10*time.Millisecond))
	return told, id
}
