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
	queued int32 = iota
	sent
	left
)

// call is one command on its way through a batcher.
type call struct {
	how      []byte // the first two parts of the command: EVALSHA and which script, or EVAL and its source
	shared   *Part  // of all calls that it may go together with; nil: there are none
	own      Part
	alone    bool // it goes by itself all the same
	confirm  bool // where there are replicas, one must have it before it is back
	route    route
	deadline time.Time // after it, it is not sent any more, nor waited for
	state    atomic.Int32
	done     chan struct{} // capacity 1: reply or err is there
	patience *time.Timer   // of who waits

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
var calls = sync.Pool{New: func() any {
	c := &call{done: make(chan struct{}, 1), patience: time.NewTimer(time.Hour)}
	c.patience.Stop()
	return c
}}

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

func (c *call) finish(err error) {
	c.err = err
	c.done <- struct{}{}
}
