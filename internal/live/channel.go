package live

import (
	"context"
	"sync"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
)

const (
	// lookEvery is how often the store is asked though nothing was announced: an
	// announcement may be lost, and phases and trends change by themselves.
	lookEvery = behindAtMost

	// heartbeatEvery is how long a connection is quiet at most.
	heartbeatEvery = 15 * time.Second

	// staleAfter is how long readers are left with numbers of a store that does
	// not answer; then their pages are to say so, and come back by themselves.
	staleAfter = 5 * time.Second
)

// channel is the feed of one contest while it has readers.
type channel struct {
	feeds *Feeds
	id    string
	ctx   context.Context // ends with the last reader
	stop  context.CancelFunc

	expected int           // readers, those on their way in included; guarded by Feeds.mu
	woken    chan struct{} // holds one: something was announced

	mu      sync.Mutex
	readers map[*reader]bool // guarded by mu
	last    *frame           // what all were offered; guarded by mu
	ended   bool             // guarded by mu
}

func newChannel(f *Feeds, id string) *channel {
	c := &channel{feeds: f, id: id, readers: map[*reader]bool{}, woken: make(chan struct{}, 1)}
	c.ctx, c.stop = context.WithCancel(f.ctx)
	return c
}

func (c *channel) add(r *reader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		r.to.End()
		return
	}
	c.readers[r] = true
	if c.last != nil {
		r.offer(c.last, time.Now())
	}
}

func (c *channel) remove(r *reader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.readers, r)
}

func (c *channel) wake() {
	select {
	case c.woken <- struct{}{}:
	default: // it looks already
	}
}

// run looks and sends until the last reader has left, the feeds are closed, or
// there is nothing to look at.
func (c *channel) run() {
	defer c.end()
	if err := panics.Caught(c.follow)(); err != nil {
		c.feeds.log.Error("a feed has ended", "contest", c.id, "error", err)
	}
}

// follow is run, and an error where it panics.
func (c *channel) follow() error {
	desk := c.feeds.boards.desk(c.id)
	answered, beat := time.Now(), time.Now()
	var after time.Time // what was recorded before it has to be seen
	for {
		stored, ok := c.feeds.contest(c.id)
		if !ok {
			return nil
		}
		r, err := c.feeds.boards.read(c.ctx, stored, after)
		now := time.Now()
		switch {
		case err == nil:
			answered = now
			if c.show(r.boards.frame(), now) {
				beat = now
			}
		case now.Sub(answered) > staleAfter:
			return nil
		}
		if now.Sub(beat) >= heartbeatEvery {
			c.beat()
			beat = now
		}
		if err == nil && !r.started.After(after) { // it was under way when somebody voted
			c.wake()
		}
		if !c.sleep(c.next(stored, now, beat), c.woken) {
			return nil
		}
		after = time.Now()
		// The store is asked four times a second, whoever asks.
		if !c.sleep(desk.readAt().Add(freshFor), nil) {
			return nil
		}
	}
}

// next is when to look again though nothing is announced.
func (c *channel) next(s *registry.Stored, now, beat time.Time) time.Time {
	next := now.Add(lookEvery)
	d := s.Contest
	for _, at := range []time.Time{beat.Add(heartbeatEvery), d.Phases.Voting.Opens, d.FreezesAt(), s.Closes()} {
		if at.After(now) && at.Before(next) {
			next = at
		}
	}
	return next
}

// sleep until an instant, or until woken. False: it is over.
func (c *channel) sleep(until time.Time, woken <-chan struct{}) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
		return false
	case <-woken:
	case <-timer.C:
	}
	return true
}

// show offers a frame to every reader, and says whether it is news.
func (c *channel) show(f *frame, now time.Time) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil || c.last.etag != f.etag {
		c.last, news = f, true
	}
	for r := range c.readers {
		r.offer(c.last, now)
	}
	return news
}

func (c *channel) beat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for r := range c.readers {
		r.to.Beat(heartbeat)
	}
}

// end tells every reader. Whoever comes later begins another channel.
func (c *channel) end() {
	c.stop()
	c.feeds.mu.Lock()
	c.feeds.drop(c)
	c.feeds.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for r := range c.readers {
		r.to.End()
	}
}
