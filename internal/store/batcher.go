package store

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxQueued bounds what waits for a slow store: about two seconds of casts at
	// the fastest rate measured. More is refused as ErrOverloaded, unsent.
	maxQueued = 16384
	// maxBatch bounds how long Redis is with one batch before it answers others.
	maxBatch = 300
	// maxTogether bounds how many calls one run of a script does: what they read and
	// write goes into single commands of Redis, whose arguments Lua keeps on a stack.
	maxTogether = 100
	// maxTrip bounds what is believed of how long the next batch takes.
	maxTrip = 500 * time.Millisecond
)

// batcher sends calls to one node over one connection of its own. One batch is
// under way at a time; what arrives meanwhile makes the next. With appendfsync
// always that is one sync for the lot. (Two at once were no faster, and slower on
// a busy machine: docs/decisions/dependencies.md.)
type batcher struct {
	opts     *redis.Options
	metrics  *metrics
	greet    func(*conn) error // what a new connection begins with; nil: nothing
	confirms bool              // of a cluster's node: a batch is back when a replica has it
	failed   func()            // told of every batch that came to nothing; nil: nobody is
	wake     chan struct{}     // capacity 1: there may be something to do
	ended    chan struct{}     // closed when run has returned
	trips    atomic.Int64      // round trips so far
	trip     time.Duration     // how long the last one took, maxTrip at most; run's own
	keys     map[int]string    // run's own: the key that is written in a slot to be waited for
	parties  [][]*call         // run's own: the calls of a batch, by who goes together

	// One alarm for all calls, as a timer each costs as much as the rest of waiting.
	alarm *time.Timer

	mu       sync.Mutex
	waiting  []*call // guarded by mu
	underWay []*call // guarded by mu: sent, and perhaps back
	rings    int64   // guarded by mu: when the alarm does, in ticks; 0: it does not
	closed   bool    // guarded by mu
}

func newBatcher(opts *redis.Options, m *metrics) *batcher {
	b := &batcher{opts: opts, metrics: m, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	b.alarm = time.AfterFunc(time.Hour, b.expire)
	b.alarm.Stop()
	return b
}

func (b *batcher) start() { go b.run() }

// do sends c and waits for its reply, until its deadline. isBack says that c is
// the caller's again, with the reply when there is no error; else it is the
// batcher's for ever. An error of a call that is not back says whether it was sent:
// ErrOverloaded, or ctx's own, that it never will be; os.ErrDeadlineExceeded that it was.
func (b *batcher) do(ctx context.Context, c *call) (isBack bool, err error) {
	c.queue()
	if err := b.enqueue(c); err != nil {
		return c.turn(queued, back), err
	}
	if ctx.Done() == nil { // as of a cast: a channel alone costs a quarter of what two do
		<-c.done
	} else {
		select {
		case <-c.done:
		case <-ctx.Done():
			if c.turn(queued, left) {
				return false, ctx.Err()
			}
			<-c.done // sent: who hangs up now does not stop it
		}
	}
	switch c.is() {
	case left:
		return false, ErrOverloaded
	case late:
		return false, os.ErrDeadlineExceeded
	}
	return true, c.err
}

func (b *batcher) enqueue(c *call) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return redis.ErrClosed
	case len(b.waiting) >= maxQueued:
		return ErrOverloaded
	}
	b.waiting = append(b.waiting, c)
	b.ringAt(c.ends.Load())
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return nil
}

// ringAt has the alarm ring at a time, or before.
func (b *batcher) ringAt(ends int64) {
	if b.rings == 0 || ends < b.rings {
		b.rings = ends
		b.alarm.Reset(time.Duration(ends - ticks(time.Now())))
	}
}

// expire is the alarm: it tells callers whose time is over.
func (b *batcher) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := ticks(time.Now())
	b.rings = 0
	for _, some := range [...][]*call{b.waiting, b.underWay} {
		for _, c := range some {
			if ends := c.expire(now); ends > 0 {
				b.ringAt(ends)
			}
		}
	}
}

// close sends what was accepted and ends.
func (b *batcher) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
	<-b.ended
}

func (b *batcher) run() {
	defer close(b.ended)
	var (
		c     *conn
		batch []*call
		out   []byte
	)
	for range b.wake {
		for {
			var closed bool
			if batch, closed = b.take(batch[:0]); len(batch) == 0 {
				if closed {
					if c != nil {
						c.Close()
					}
					return
				}
				break
			}
			c, out = b.send(c, batch, out[:0])
		}
	}
}

// take moves the calls of the next batch out of the queue. Those that nobody
// waits for any more are dropped, and those whose time will be over before a batch
// is back, as their callers are told: they would be done, and nobody would know.
func (b *batcher) take(batch []*call) (_ []*call, closed bool) {
	done := time.Now().Add(b.trip)
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.underWay)
	b.underWay = b.underWay[:0]
	n := 0
	for ; n < len(b.waiting) && len(batch) < maxBatch; n++ {
		c := b.waiting[n]
		if done.After(c.deadline) {
			c.leave()
		} else if c.turn(queued, sent) { // else it was left
			batch = append(batch, c)
		}
	}
	b.underWay = append(b.underWay, batch...)
	rest := copy(b.waiting, b.waiting[n:])
	clear(b.waiting[rest:])
	b.waiting = b.waiting[:rest]
	return batch, b.closed
}

// arrange puts the calls of a batch that go together into one party, in the order of
// their first.
func (b *batcher) arrange(batch []*call) {
	b.parties = b.parties[:0]
	for _, c := range batch {
		if party := b.partyFor(c); party != nil {
			*party = append(*party, c)
			continue
		}
		if n := len(b.parties); n < cap(b.parties) { // with the room that an earlier batch's had
			b.parties = b.parties[:n+1]
			b.parties[n] = append(b.parties[n][:0], c)
		} else {
			b.parties = append(b.parties, []*call{c})
		}
	}
}

func (b *batcher) partyFor(c *call) *[]*call {
	for i := len(b.parties) - 1; i >= 0; i-- {
		if party := &b.parties[i]; len(*party) < maxTogether && (*party)[0].joins(c) {
			return party
		}
	}
	return nil
}

// send is one round trip. It returns the connection, nil when it is of no more
// use, and the buffer.
func (b *batcher) send(c *conn, batch []*call, out []byte) (*conn, []byte) {
	start := time.Now()
	b.arrange(batch)
	out, confirm, deadline := b.appendParties(out, batch[0].deadline)
	c, err := b.exchange(c, out, confirm, deadline)
	b.trips.Add(1)
	if err == nil {
		b.trip = min(time.Since(start), maxTrip)
	}
	b.metrics.observe(opScript, start, err)
	if err != nil {
		b.fail(err)
	}
	// By now another one may be the master at the address.
	if c != nil && (err != nil || c.demoted) {
		c.Close()
		c = nil
	}
	clear(batch) // a call that is back is another caller's
	for _, party := range b.parties {
		clear(party)
	}
	return c, out
}

// appendParties appends what is written for the parties of a batch, and the wait for a
// replica that ends it, in the slot of confirm; nil: none is waited for. The batch may
// take until the last of its calls' deadlines, of which one was given.
func (b *batcher) appendParties(out []byte, deadline time.Time) (_ []byte, confirm *call, _ time.Time) {
	for _, party := range b.parties {
		out = appendCalls(out, party)
		for _, one := range party {
			one.company = len(party)
			if one.deadline.After(deadline) {
				deadline = one.deadline
			}
			if b.confirms && one.confirm && confirm == nil {
				confirm = one
			}
		}
	}
	if confirm != nil {
		out = b.appendConfirm(out, confirm.route, deadline)
	}
	return out, confirm, deadline
}

// exchange writes a batch and reads its replies, over a new connection where there is
// none. What it returns is to be closed after an error.
func (b *batcher) exchange(c *conn, out []byte, confirm *call, deadline time.Time) (*conn, error) {
	if c == nil {
		var err error
		if c, err = dial(context.Background(), b.opts); err != nil {
			return nil, err
		}
		if b.greet != nil {
			if err := b.greet(c); err != nil {
				return c, err
			}
		}
	}
	if err := c.SetDeadline(deadline); err != nil {
		return c, err
	}
	if _, err := c.Write(out); err != nil {
		return c, err
	}
	return c, b.receive(c, confirm)
}

// fail gives err to the calls of a batch that are not back.
func (b *batcher) fail(err error) {
	for _, party := range b.parties {
		for _, one := range party {
			if one != nil {
				one.finish(err)
			}
		}
	}
	if b.failed != nil {
		b.failed()
	}
}

// receive reads the replies of a batch. A call that is back is taken out of its
// party; those that wait for a replica come back together.
func (b *batcher) receive(c *conn, confirm *call) error {
	for _, party := range b.parties {
		if party[0].route.asking {
			if err := c.skip(); err != nil {
				return err
			}
		}
		if err := c.replies(party); err != nil {
			return err
		}
		for i, one := range party {
			if confirm == nil || !one.confirm {
				party[i] = nil
				one.unconfirmed = false
				one.finish(nil)
			}
		}
	}
	if confirm == nil {
		return nil
	}
	confirmed, err := c.confirmed(confirm.route.asking)
	if err != nil {
		return err
	}
	for _, party := range b.parties {
		for i, one := range party {
			if one != nil {
				party[i] = nil
				one.unconfirmed = !confirmed
				one.finish(nil)
			}
		}
	}
	return nil
}
