package store

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// refreshEvery is how often the map of slots is read where nothing calls for it.
	refreshEvery = 5 * time.Second
	// refreshGap is the least time between two readings, however much fails.
	refreshGap = 100 * time.Millisecond
	// mapTimeout bounds one reading: a node that is cut off must not hold the others' word.
	mapTimeout = 500 * time.Millisecond

	// waitReplica is how long a batch waits for a replica's word. A replica that
	// syncs as its master does takes a few ms. 200 ms made ballots pending on a machine
	// 15 times overloaded; more than this would hold up what waits behind.
	waitReplica = 500 * time.Millisecond

	// forgetAfter is how long a node is remembered that the cluster does not name any more, and
	// to which no call was sent on. One to which a first slot is on its way is not named yet.
	forgetAfter = time.Minute
)

// cluster knows which node has which slot, and has a batcher for each.
type cluster struct {
	options func(addr string) *redis.Options
	metrics *metrics

	unconfirmed bool // see Options

	slots [slots]atomic.Pointer[node] // the master of each slot; nil: not known

	mu          sync.Mutex
	nodes       map[string]*node // guarded by mu; by address
	view        *word            // guarded by mu; what refresh has found
	forgetAfter time.Duration    // guarded by mu; see there

	changed func(context.Context) // told of a new map; set by start
	kick    chan struct{}         // capacity 1: the map may be wrong
	stop    chan struct{}
	stopped sync.WaitGroup
}

// node is a server of the cluster, master or not.
type node struct {
	addr    string
	seed    bool      // its address was given: it is never forgotten
	heard   time.Time // when it was named last; guarded by the cluster's mu
	scripts *batcher
	admin   *redis.Client // for what is asked of a node as such
}

func newCluster(options func(addr string) *redis.Options, m *metrics) *cluster {
	return &cluster{options: options, metrics: m, nodes: map[string]*node{}, forgetAfter: forgetAfter, kick: make(chan struct{}, 1), stop: make(chan struct{})}
}

// start reads the map for the first time and keeps it up to date from then on.
func (c *cluster) start(ctx context.Context, changed func(context.Context)) error {
	c.changed = changed
	if err := c.refresh(ctx); err != nil {
		return err
	}
	c.stopped.Go(c.watch)
	return nil
}

// at is the node at an address, new or not.
func (c *cluster) at(addr string) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[addr]
	if n == nil {
		opts := c.options(addr)
		n = &node{addr: addr, admin: redis.NewClient(opts)}
		n.scripts = newBatcher(n.admin.Options(), c.metrics)
		n.scripts.confirms, n.scripts.failed = !c.unconfirmed, c.doubt
		n.scripts.start()
		c.nodes[addr] = n
	}
	n.heard = time.Now()
	return n
}

// begin is for the nodes whose addresses are given.
func (c *cluster) begin(seeds []string) {
	for _, addr := range seeds {
		c.at(addr).seed = true
	}
}

// forget lets go of nodes that the cluster does not name any more: each would be asked for the map
// for ever, and keep its connections.
func (c *cluster) forget() {
	var gone []*node
	c.mu.Lock()
	for addr, n := range c.nodes {
		if !n.seed && !c.view.names(addr) && time.Since(n.heard) >= c.forgetAfter {
			delete(c.nodes, addr)
			gone = append(gone, n)
		}
	}
	c.mu.Unlock()
	for _, n := range gone {
		for slot := range c.slots {
			c.slots[slot].CompareAndSwap(n, nil)
		}
		n.close()
	}
}

func (c *cluster) all() []*node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.nodes))
}

// doubt asks for the map to be read anew.
func (c *cluster) doubt() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

func (c *cluster) watch() {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	gap := time.NewTicker(refreshGap)
	defer gap.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-ticker.C:
		case <-c.kick:
		}
		_ = c.refresh(context.Background()) // whoever needs the map is told by the call that fails
		gap.Reset(refreshGap)
		select {
		case <-c.stop:
			return
		case <-gap.C:
		}
	}
}

// word is what one node says of the cluster.
type word struct {
	ok     bool  // it is whole, as far as this node sees
	member bool  // the node was named by the map of before
	epoch  int64 // grows with every failover
	slots  []redis.ClusterSlot
}

// better tells whether it is to be believed rather than another.
func (w *word) better(than *word) bool {
	switch {
	case w.ok != than.ok:
		return w.ok
	case w.member != than.member:
		return w.member
	}
	return w.epoch > than.epoch
}

// names tells whether the node at an address is one of its cluster.
func (w *word) names(addr string) bool {
	return slices.ContainsFunc(w.slots, func(r redis.ClusterSlot) bool {
		return slices.ContainsFunc(r.Nodes, func(n redis.ClusterNode) bool { return n.Addr == addr })
	})
}

// refresh asks all nodes for the map and takes the word of the one that knows
// most: a master that is cut off still believes in itself. A node that was taken out may
// be of another cluster: it is believed where nobody else knows anything.
func (c *cluster) refresh(ctx context.Context) error {
	nodes := c.all()
	words, errs := make([]*word, len(nodes)), make([]error, len(nodes))
	var asking sync.WaitGroup
	for i, n := range nodes {
		asking.Go(func() { words[i], errs[i] = n.word(ctx) })
	}
	asking.Wait()
	c.mu.Lock()
	old := c.view
	c.mu.Unlock()
	var best *word
	for i, w := range words {
		if w == nil {
			continue
		}
		w.member = old == nil || old.names(nodes[i].addr)
		if best == nil || w.better(best) {
			best = w
		}
	}
	if best == nil {
		return errors.Join(errs...)
	}
	c.mu.Lock()
	c.view = best
	c.mu.Unlock()
	moved := false
	for _, r := range best.slots {
		if len(r.Nodes) == 0 {
			continue
		}
		master := c.at(r.Nodes[0].Addr)
		for _, replica := range r.Nodes[1:] {
			c.at(replica.Addr) // to be asked the next time: it may be the master then
		}
		for slot := max(r.Start, 0); slot <= min(r.End, slots-1); slot++ {
			moved = c.slots[slot].Swap(master) != master || moved
		}
	}
	if best.ok {
		c.forget()
	}
	// Not by the epoch: a node that stands for election has the new one before it is master.
	if old != nil && moved {
		c.changed(ctx)
	}
	return nil
}

// known is the map as it was last read, for the client that has none of its own.
func (c *cluster) known(context.Context) ([]redis.ClusterSlot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view == nil {
		return nil, errNoNode
	}
	return c.view.slots, nil
}

func (n *node) word(ctx context.Context) (*word, error) {
	ctx, cancel := context.WithTimeout(ctx, mapTimeout)
	defer cancel()
	var info *redis.StringCmd
	var found *redis.ClusterSlotsCmd
	if _, err := n.admin.Pipelined(ctx, func(p redis.Pipeliner) error {
		info, found = p.ClusterInfo(ctx), p.ClusterSlots(ctx)
		return nil
	}); err != nil {
		return nil, err
	}
	seen := settings{}
	seen.read(info.Val())
	epoch, err := parseCount(seen["cluster_current_epoch"])
	if err != nil {
		return nil, err
	}
	w := &word{ok: seen["cluster_state"] == "ok", epoch: epoch, slots: found.Val()}
	for _, r := range w.slots {
		for i := range r.Nodes {
			r.Nodes[i].Addr = hostOr(r.Nodes[i].Addr, n.addr)
		}
	}
	return w, nil
}

// hostOr completes an address whose host a node left out, meaning its own.
func hostOr(addr, from string) string {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return addr
	}
	host, port := strings.Trim(addr[:i], "[]"), addr[i+1:]
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(from)
	}
	return net.JoinHostPort(host, port)
}

func (c *cluster) close() {
	close(c.stop)
	c.stopped.Wait()
	for _, n := range c.all() {
		n.close()
	}
}

// close sends what was accepted for the node, and ends.
func (n *node) close() {
	n.scripts.close()
	n.admin.Close()
}

// closed tells whether the cluster is.
func (c *cluster) closed() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}
