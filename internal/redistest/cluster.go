package redistest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// NodeTimeout is how long a node of a test cluster may be silent before the others
// begin to fail it over; a failover takes one to two seconds more.
const NodeTimeout = 2 * time.Second

// Cluster is a private Redis Cluster on loopback. Each of its servers may be
// killed, frozen and brought back like any other.
type Cluster struct {
	t     testing.TB
	Nodes []*Server // masters first, as they were at the start
}

// StartCluster starts a cluster of so many masters, each with so many replicas, and
// returns when it serves and every replica follows its master. conf is for every
// node, over the defaults of Start.
func StartCluster(t testing.TB, masters, replicas int, conf ...string) *Cluster {
	t.Helper()
	return startCluster(t, nil, masters, replicas, onLoopback, conf)
}

// StartCluster is StartCluster of nodes that speak TLS, to each other too.
func (a *Authority) StartCluster(t testing.TB, masters, replicas int, conf ...string) *Cluster {
	t.Helper()
	return startCluster(t, a, masters, replicas, onLoopback, append([]string{"tls-cluster yes", "tls-replication yes"}, conf...))
}

func onLoopback(int) place { return place{} }

func startCluster(t testing.TB, by *Authority, masters, replicas int, where func(node int) place, conf []string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	var starting sync.WaitGroup
	for i := range masters * (1 + replicas) {
		s := by.server(t, append([]string{
			"cluster-enabled yes", "cluster-config-file nodes.conf",
			fmt.Sprintf("cluster-node-timeout %d", NodeTimeout.Milliseconds()),
			"repl-diskless-sync-delay 0", // a replica is one at once
			"cluster-allow-replica-migration no",
		}, conf...)...)
		s.at(where(i))
		if s.place.Host != "" {
			s.conf = append(s.conf, "protected-mode no") // which lets in loopback only
		}
		bus := freePort(t)
		s.conf = append(s.conf, "cluster-port "+strconv.Itoa(bus), "cluster-announce-ip "+s.place.host())
		s.bus = bus
		c.Nodes = append(c.Nodes, s)
	}
	for _, s := range c.Nodes {
		starting.Go(s.up)
	}
	starting.Wait()
	c.join(masters)
	return c
}

// join makes single servers a cluster: each master its part of the slots, each
// replica its master.
func (c *Cluster) join(masters int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatalf("redistest: cluster: %v", err)
		}
	}
	const slots = 16384
	for i, s := range c.Nodes {
		must(s.client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
		if i < masters {
			must(s.client.ClusterAddSlotsRange(ctx, i*slots/masters, (i+1)*slots/masters-1).Err())
		}
		for _, other := range c.Nodes[:i] {
			must(s.client.Do(ctx, "CLUSTER", "MEET", other.place.host(), other.port, other.bus).Err())
		}
	}
	knows := func(s *Server) bool {
		nodes, err := s.client.ClusterNodes(ctx).Result()
		return err == nil && strings.Count(nodes, " connected") == len(c.Nodes) && !strings.Contains(nodes, "handshake")
	}
	c.Wait("the nodes to know each other", func() bool { return every(c.Nodes, knows) })
	for i, s := range c.Nodes[masters:] {
		id, err := c.Nodes[i%masters].client.ClusterMyID(ctx).Result()
		must(err)
		must(s.client.ClusterReplicate(ctx, id).Err())
	}
	c.WaitHealthy()
}

// WaitHealthy waits until every node finds the cluster whole and every replica
// follows its master.
func (c *Cluster) WaitHealthy() {
	c.t.Helper()
	c.Wait("the cluster to be whole", func() bool {
		return every(c.Nodes, func(s *Server) bool {
			info, err := s.client.ClusterInfo(context.Background()).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") {
				return false
			}
			repl, err := s.client.Info(context.Background(), "replication").Result()
			return err == nil && (strings.Contains(repl, "master_link_status:up") || strings.Contains(repl, "role:master") &&
				(len(c.Nodes) == c.masters() || strings.Contains(repl, "state=online")))
		})
	})
}

// Wait waits for a condition, as long as a busy machine may need for it.
func (c *Cluster) Wait(what string, cond func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("redistest: waited in vain for %s", what)
		}
	}
}

// URL is the address of the cluster as a store takes it.
func (c *Cluster) URL() string {
	var addrs []string
	for _, s := range c.Nodes {
		addrs = append(addrs, s.Addr())
	}
	return c.Nodes[0].authority.scheme("redis-cluster") + strings.Join(addrs, ",")
}

// MasterOf is the node that has a key now, as the first node that answers knows it.
func (c *Cluster) MasterOf(key string) *Server {
	c.t.Helper()
	var found *Server
	c.Wait("a master of "+key, func() bool {
		for _, s := range c.Nodes {
			if found = c.MasterAs(s, key); found != nil {
				return true
			}
		}
		return false
	})
	return found
}

// MasterAs is the node that has a key as one node says; nil when it does not.
func (c *Cluster) MasterAs(node *Server, key string) *Server {
	ctx := context.Background()
	slot, err := node.client.ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return nil // down
	}
	shards, err := node.client.ClusterShards(ctx).Result()
	if err != nil {
		return nil
	}
	for _, shard := range shards {
		for _, r := range shard.Slots {
			if r.Start > slot || slot > r.End {
				continue
			}
			for _, n := range shard.Nodes {
				if n.Role == "master" {
					return c.at(net.JoinHostPort(n.IP, strconv.FormatInt(n.Port, 10)))
				}
			}
		}
	}
	return nil
}

// ReplicaOf is a node that follows a master, nil when none does.
func (c *Cluster) ReplicaOf(master *Server) *Server {
	for _, s := range c.Nodes {
		repl, err := s.client.Info(context.Background(), "replication").Result()
		if err == nil && strings.Contains(repl, "role:slave") && strings.Contains(repl, "master_port:"+strconv.Itoa(master.port)) {
			return s
		}
	}
	return nil
}

func (c *Cluster) at(addr string) *Server {
	i := slices.IndexFunc(c.Nodes, func(s *Server) bool { return s.Addr() == addr })
	if i < 0 {
		return nil
	}
	return c.Nodes[i]
}

func (c *Cluster) masters() (n int) {
	for _, s := range c.Nodes {
		if role, err := s.client.Do(context.Background(), "ROLE").Slice(); err == nil && len(role) > 0 && role[0] == "master" {
			n++
		}
	}
	return n
}

// KeyOf is a key that this node has, beginning with prefix.
func (c *Cluster) KeyOf(s *Server, prefix string) string {
	c.t.Helper()
	for i := range 10_000 {
		key := fmt.Sprintf("%s{%d}", prefix, i)
		if c.MasterOf(key) == s {
			return key
		}
	}
	c.t.Fatalf("redistest: %s has no slot", s.Addr())
	return ""
}

func every(nodes []*Server, is func(*Server) bool) bool {
	return !slices.ContainsFunc(nodes, func(s *Server) bool { return !is(s) })
}

var sharedCluster = struct {
	sync.Once
	*Cluster
}{}

// SharedCluster is for clusters what Shared is for servers: one of three masters
// and three replicas for all tests of a package.
func SharedCluster(t testing.TB) *Cluster {
	t.Helper()
	sharedCluster.Do(func() {
		b := &binary{TB: t}
		sharedCluster.Cluster = StartCluster(b, 3, 1)
		sharedCluster.t = panicking{}
		for _, s := range sharedCluster.Nodes {
			s.t = panicking{}
		}
		stop := stopShared
		stopShared = func() { stop(); b.end() }
	})
	if sharedCluster.Cluster == nil {
		t.Fatal("redistest: the shared cluster did not start")
	}
	return sharedCluster.Cluster
}
