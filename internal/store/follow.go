package store

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	firstPause = 10 * time.Millisecond // before a call is tried again, doubled each time
	mostPause  = 160 * time.Millisecond
)

// errNoNode is a slot of which no node is known to have it.
var errNoNode = replyError("CLUSTERDOWN no node of the cluster is known to have the slot")

// run makes the call on a cluster: it follows the slot, and waits out what passes
// by itself, as long as the call has time.
func (c *cluster) run(ctx context.Context, q request) Reply {
	slot := q.slot()
	how, to, asking := q.known, c.slots[slot].Load(), false
	pause := firstPause
	for tries := 0; ; tries++ {
		r := Reply{err: errNoNode}
		if to != nil {
			r = q.send(ctx, to.scripts, how, route{slot: slot, asking: asking})
		}
		moved, ask := addressIn(r.err, "MOVED", to), addressIn(r.err, "ASK", to)
		switch {
		case redis.HasErrorPrefix(r.err, "NOSCRIPT"):
			how = q.whole
			continue
		case ask != "" && tries < 8:
			to, asking = c.at(ask), true
			continue
		case moved != "" && tries < 4:
			c.doubt()
			to, asking = c.at(moved), false
			c.slots[slot].Store(to)
			continue
		case errors.Is(r.err, redis.ErrClosed) && !c.closed(): // the node was just forgotten
		case moved == "" && ask == "" && !passes(r.err):
			return r
		}
		c.doubt()
		if time.Until(q.deadline) <= pause {
			return r
		}
		time.Sleep(pause)
		pause = min(2*pause, mostPause)
		to, asking = c.slots[slot].Load(), false
	}
}

// addressIn is where MOVED or ASK sends a call.
func addressIn(err error, kind string, from *node) string {
	var refused replyError
	if from == nil || !errors.As(err, &refused) {
		return ""
	}
	parts := strings.Fields(string(refused)) // MOVED SLOT HOST:PORT
	if len(parts) != 3 || parts[0] != kind {
		return ""
	}
	return hostOr(parts[2], from.addr)
}

// passing are the replies of a cluster that is about to be whole again.
var passing = []string{"TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY"}

// passes tells what a failover or a moving slot makes of a call, and what another
// try may not meet any more. A call whose time is over has no other try.
func passes(err error) bool {
	var op *net.OpError
	return lost(err) || errors.As(err, &op) && op.Op == "dial" ||
		slices.ContainsFunc(passing, func(p string) bool { return redis.HasErrorPrefix(err, p) })
}
