package store

import (
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
	line     []byte // the command as it goes over the wire
	confirm  bool   // where there are replicas, one must have it before it is back
	route    route
	deadline time.Time // after it, it is not sent any more, nor waited for
	state    atomic.Int32
	done     chan struct{} // capacity 1: reply or err is there
	patience *time.Timer   // of who waits

	reply       []byte // as it came
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

func (c *call) finish(err error) {
	c.err = err
	c.done <- struct{}{}
}
