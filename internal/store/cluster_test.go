package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/joute/joute/internal/redistest"
)

func TestSlotOf_AsTheClusterSays(t *testing.T) {
	t.Parallel()
	node := redistest.SharedCluster(t).Nodes[0].Client()
	for _, key := range []string{"", "a", "joute:{pire-cv/3}:meta", "{}a", "{}{b}", "a{b", "a}b{c}", "é{ü}", confirmKey(0), confirmKey(16383), confirmKey(7000)} {
		if want := node.ClusterKeySlot(t.Context(), key).Val(); int64(slotOf(key)) != want {
			t.Errorf("slotOf(%q) = %d, want %d", key, slotOf(key), want)
		}
	}
	for _, slot := range []int{0, 7000, 16383} {
		if got := slotOf(confirmKey(slot)); got != slot {
			t.Errorf("confirmKey(%d) is in slot %d", slot, got)
		}
	}
}

// count runs countOnce under a tag of its own.
func count(t *testing.T, sc *Script, tag, who string) ([]string, error) {
	return sc.Run(t.Context(), []string{"{" + tag + "}seen", "{" + tag + "}n"}, who).StringSlice()
}

func TestCluster_ScriptsRunOnEveryMaster(t *testing.T) {
	t.Parallel()
	c := redistest.SharedCluster(t)
	s := open(t, Options{URL: c.URL()})
	sc := s.Script("count", countOnce, false)
	for _, master := range c.Nodes[:3] {
		tag := strings.Trim(c.KeyOf(master, ""), "{}")
		for range 2 { // with the script unknown, and known
			if got, err := count(t, sc, tag, "anna"); err != nil || got[0] != "1" {
				t.Fatalf("%s: %q, %v", master.Addr(), got, err)
			}
		}
		if n := master.Client().Get(t.Context(), "{"+tag+"}n").Val(); n != "1" {
			t.Fatalf("%s has %q", master.Addr(), n)
		}
	}
	var refused redis.Error
	if err := sc.Run(t.Context(), []string{"{a}seen", "{b}n"}, "anna").Err(); !errors.As(err, &refused) || errors.Is(err, ErrUnavailable) {
		t.Fatalf("keys of two slots: %v", err)
	}
}

func TestCluster_MovingSlotIsFollowed(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 2, 1)
	s := open(t, Options{URL: c.URL()})
	sc := s.Script("count", countOnce, false)
	from, to := c.Nodes[0], c.Nodes[1]
	key := c.KeyOf(from, "")
	tag, slot := strings.Trim(key, "{}"), slotOf(key)
	if _, err := count(t, sc, tag, "first"); err != nil {
		t.Fatal(err)
	}

	var counted atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := count(t, sc, tag, fmt.Sprint(i, "/", n)); err != nil {
					t.Errorf("caller %d, call %d: %v", i, n, err)
					return
				}
				counted.Add(1)
			}
		})
	}
	progress := func() {
		before := counted.Load()
		wait(t, "calls to go on", func() bool { return counted.Load() > before+50 || t.Failed() })
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
	progress() // keys are where they were
	host, port, _ := strings.Cut(to.Addr(), ":")
	for _, key := range from.Client().ClusterGetKeysInSlot(t.Context(), slot, 100).Val() {
		do(from, "MIGRATE", host, port, key, 0, 5000) // one gone and one left is TRYAGAIN
	}
	progress() // both are gone: ASK
	for _, node := range []*redistest.Server{to, from} {
		do(node, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	}
	progress() // MOVED
	close(stop)
	callers.Wait()
	if n := to.Client().Get(t.Context(), "{"+tag+"}n").Val(); n != fmt.Sprint(counted.Load()+1) {
		t.Fatalf("counted %s, acknowledged %d", n, counted.Load()+1)
	}
}

func TestCluster_WithoutAReplicaNothingIsConfirmed(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 1, 1)
	s := open(t, Options{URL: c.URL()})
	sc := s.Script("count", countOnce, false)
	if _, err := count(t, sc, "c", "anna"); err != nil {
		t.Fatal(err)
	}
	c.Nodes[1].Freeze()
	for range 2 { // the repeat writes nothing, and is as unsafe as the first
		got, err := count(t, sc, "c", "bob")
		if !errors.Is(err, ErrUnconfirmed) || !errors.Is(err, ErrUnavailable) || len(got) != 2 || got[0] != "2" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if err := s.Confirm(t.Context(), "{c}n"); !errors.Is(err, ErrUnconfirmed) {
		t.Fatalf("Confirm = %v", err)
	}
	if _, err := count(t, sc.Forgettable(), "c", "eve"); err != nil {
		t.Fatalf("forgettable: %v", err)
	}
	if err := s.Script("reader", `return redis.call("GET", KEYS[1])`, true).Run(t.Context(), []string{"{c}n"}).Err(); err != nil {
		t.Fatalf("a reader: %v", err)
	}
	c.Nodes[1].Thaw()
	wait(t, "the replica's word", func() bool { return s.Confirm(t.Context(), "{c}n") == nil })
	if got, err := count(t, sc, "c", "bob"); err != nil || got[0] != "3" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestCluster_FailoverIsFollowed(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, Options{URL: c.URL()})
	sc := s.Script("count", countOnce, false)
	master := c.MasterOf("{c}n")
	if _, err := count(t, sc, "c", "anna"); err != nil {
		t.Fatal(err)
	}
	master.Kill()
	died := time.Now()
	wait(t, "another master", func() bool {
		start := time.Now()
		got, err := count(t, sc, "c", "bob")
		if err != nil && !errors.Is(err, ErrUnavailable) || time.Since(start) > 2*time.Second {
			t.Fatalf("%v after %s", err, time.Since(start))
		}
		return len(got) == 2 // of a master that has no replica: not confirmed
	})
	wait(t, "a plain command", func() bool { return s.Client().Set(t.Context(), "{c}k", "v", 0).Err() == nil })
	master.Restart() // comes back as the replica of the other
	wait(t, "a confirmed call", func() bool { got, err := count(t, sc, "c", "bob"); return err == nil && got[0] == "2" })
	if took := time.Since(died); took > 10*time.Second {
		t.Fatalf("it took %s", took)
	}
}

func TestCluster_InterlockSeesEveryNode(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	s := open(t, Options{URL: c.URL()})
	if faults, _, err := s.Check(t.Context()); err != nil || len(faults) != 0 {
		t.Fatalf("a good cluster: %q, %v", faults, err)
	}
	one := func(node *redistest.Server, says string) {
		t.Helper()
		wait(t, says, func() bool {
			faults, _, err := s.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range faults {
				if strings.HasPrefix(fault, node.Addr()+": "+says) && !strings.Contains(fault, "\n") {
					return true
				}
			}
			return false
		})
	}
	good := func() {
		t.Helper()
		wait(t, "no fault", func() bool { faults, _, err := s.Check(t.Context()); return err == nil && len(faults) == 0 })
	}
	for _, node := range []*redistest.Server{c.Nodes[1], c.Nodes[5]} {
		for setting, values := range map[string][3]string{
			"appendfsync":      {"everysec", "always", "appendfsync is everysec, must be always"},
			"appendonly":       {"no", "yes", "aof_enabled is 0, must be 1"},
			"maxmemory-policy": {"allkeys-lru", "noeviction", "maxmemory_policy is allkeys-lru, must be noeviction"},
		} {
			node.Client().ConfigSet(t.Context(), setting, values[0])
			one(node, values[2])
			node.Client().ConfigSet(t.Context(), setting, values[1])
			good()
		}
	}
	replica := c.ReplicaOf(c.Nodes[0])
	replica.Kill()
	one(c.Nodes[0], "no replica follows this master")
	replica.Restart()
	good()
	holder := c.MasterOf("{c}n")
	for _, node := range c.Nodes { // so that no node says itself what is wrong
		node.Client().ConfigSet(t.Context(), "cluster-require-full-coverage", "no")
	}
	for _, node := range c.Nodes {
		node.Client().ClusterDelSlots(t.Context(), slotOf("{c}n"))
	}
	wait(t, "a slot that nobody has", func() bool {
		faults, _, err := s.Check(t.Context())
		return err == nil && len(faults) == 1 && strings.HasPrefix(faults[0], "16383 of 16384 slots have a master")
	})
	if err := holder.Client().ClusterAddSlots(t.Context(), slotOf("{c}n")).Err(); err != nil {
		t.Fatal(err)
	}
	for _, node := range c.Nodes {
		node.Client().ConfigSet(t.Context(), "cluster-require-full-coverage", "yes")
	}
	good()
	c.Nodes[0].Kill()
	replica.Kill()
	one(c.Nodes[1], "cluster_state is fail, must be ok")
}

func TestCluster_CloseLeavesNothingRunning(t *testing.T) {
	c := redistest.SharedCluster(t)
	before := goleak.IgnoreCurrent()
	s, err := Open(context.Background(), Options{URL: c.URL()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := count(t, s.Script("count", countOnce, false), "close", "x"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
	if err := s.Script("count", countOnce, false).Run(context.Background(), []string{"{c}a"}, "x").Err(); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("a closed store: %v", err)
	}
}
