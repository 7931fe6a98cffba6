package store

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"
)

// Where a call is. Whoever changes it first has decided: a call that was left
// before it was sent is never sent, one that was sent is seen to its end.
const (
	queued = iota
	sent
	back // its caller's again
	left // by its caller, or by its time, before it was sent
	late // its time was over once it was sent

	phases = 8 // a power of two that they fit into
)

// call is one command on its way through a batcher.
type call struct {
	how      []byte // the first two parts of the command: EVALSHA and which script, or EVAL and its source
	shared   *Part  // of all calls that it may go together with; nil: there are none
	own      Part
	alone    bool // it goes by itself all the same
	confirm  bool // where there are replicas, one must have it before it is back
	route    route
	deadline time.Time     // after it, it is not sent any more, nor waited for
	ends     atomic.Int64  // the same, for who may look when the call is another caller's: see ticks
	state    atomic.Uint64 // one of the above, and phases times how often the call was used
	done     chan struct{} // capacity 1: it is neither queued nor sent any more

	reply       []byte // as it came
	company     int    // how many went together, this one among them
	unconfirmed bool   // no replica has said that it has it
	err         error  // why there is no reply
}

// route is where in a cluster a call goes.
type route struct {
	slot   int
	asking bool // the slot is on its way to this node
}

// asking lets one command at a slot that is on its way to a node.
var asking = appendPart(appendCommand(nil, 1), "ASKING")

// calls are those that nobody else knows of, to be used again.
var calls = sync.Pool{New: func() any { return &call{done: make(chan struct{}, 1)} }}

// noTicks is when ticks began.
var noTicks = time.Now()

// ticks is an instant as a number, by the clock that nobody sets.
func ticks(at time.Time) int64 { return int64(at.Sub(noTicks)) }

// queue is a call's beginning, each time that it is used.
func (c *call) queue() {
	c.ends.Store(ticks(c.deadline))
	c.state.Store(c.state.Load()&^(phases-1) + phases + queued)
}

// is where it is.
func (c *call) is() uint64 { return c.state.Load() % phases }

// turn takes a call from one place to another, if that is where it is.
func (c *call) turn(from, to uint64) bool {
	now := c.state.Load()
	return now%phases == from && c.state.CompareAndSwap(now, now-from+to)
}

// finish gives a call back to its caller, who may have left.
func (c *call) finish(err error) {
	if c.turn(sent, back) {
		c.err = err
		c.done <- struct{}{}
	}
}

// leave tells the caller that it is not waited for any more, unless it was sent.
func (c *call) leave() {
	if c.turn(queued, left) {
		c.done <- struct{}{}
	}
}

// expire tells the caller of a call that is under way when its time is over. It may
// look at a call that is another caller's by now. ends is when to look again; 0: never.
func (c *call) expire(now int64) (ends int64) {
	seen := c.state.Load()
	if ends = c.ends.Load(); seen%phases > sent {
		return 0
	}
	if now < ends {
		return ends
	}
	over := uint64(left)
	if seen%phases == sent {
		over = late
	}
	if c.state.CompareAndSwap(seen, seen-seen%phases+over) {
		c.done <- struct{}{}
	}
	return 0
}

// joins tells whether c may go together with another call.
func (c *call) joins(other *call) bool {
	return c.shared != nil && other.shared != nil && len(c.own.Joined) == len(other.own.Joined) && !c.alone && !other.alone && &c.how[0] == &other.how[0] && c.route == other.route &&
		bytes.Equal(c.shared.Keys.line, other.shared.Keys.line) && bytes.Equal(c.shared.Args.line, other.shared.Args.line)
}

// appendCalls writes calls that go together, or one that goes by itself, as one
// command: what they share comes first, among keys and among arguments, then what is joined.
func appendCalls(out []byte, together []*call) []byte {
	first := together[0]
	var shared Part
	if first.shared != nil {
		shared = *first.shared
	}
	keys, args := shared.Keys.n, shared.Args.n+len(first.own.Joined)
	for _, c := range together {
		keys += c.own.Keys.n
		args += c.own.Args.n
	}
	if first.route.asking {
		out = append(out, asking...)
	}
	out = append(appendCommand(out, 3+keys+args), first.how...)
	out = append(appendInteger(out, int64(keys)), shared.Keys.line...)
	for _, c := range together {
		out = append(out, c.own.Keys.line...)
	}
	out = append(out, shared.Args.line...)
	for i := range first.own.Joined {
		n := 0
		for _, c := range together {
			n += len(c.own.Joined[i])
		}
		out = appendHeader(out, '$', n)
		for _, c := range together {
			out = append(out, c.own.Joined[i]...)
		}
		out = append(out, '\r', '\n')
	}
	for _, c := range together {
		out = append(out, c.own.Args.line...)
	}
	return out
}
