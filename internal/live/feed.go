package live

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/joute/joute/contest/registry"
)

const (
	// announceEvery is how often a server tells the others of its ballots: less
	// than a reading apart, and far rarer than ballots.
	announceEvery = 50 * time.Millisecond

	// announceTime bounds one announcement; a lost one costs readers a second.
	announceTime = time.Second
)

// ErrFull is returned to a reader for whom there is no room. A page asks for the
// leaderboard from time to time instead.
var ErrFull = errors.New("live: no room for another reader")

// MaxReaders is how many readers one server has at most: about half a GiB.
const MaxReaders = 50_000

// FeedOptions bound the readers of one server. A zero is the default.
type FeedOptions struct {
	Readers    int // in all: default MaxReaders
	PerContest int // default 20,000
	PerAddress int // an IPv4 address, or a /64 of IPv6: default 2,000, a school or a carrier behind one, and no more than a nuisance from one machine
}

// Feeds sends every reader of a contest its public leaderboard whenever that
// changes, at most four times a second. What changed is announced between
// servers; the numbers are read from the store, so all servers send the same.
// It is safe for concurrent use.
type Feeds struct {
	boards  *Boards
	contest func(id string) (*registry.Stored, bool)
	log     *slog.Logger
	opts    FeedOptions

	mu       sync.Mutex
	channels map[string]*channel  // those with readers; guarded by mu
	readers  int                  // guarded by mu
	homes    map[netip.Prefix]int // readers of each homeOf; guarded by mu, and in no log
	closed   bool                 // guarded by mu

	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup // the channels

	announcing sync.Mutex
	changed    map[string]bool // to be announced; guarded by announcing
	announce   chan struct{}   // holds one: there is something in changed
}

// NewFeeds makes feeds of boards; contest finds the newest version of one. They
// hear of other servers while [Feeds.Run] goes.
func NewFeeds(boards *Boards, contest func(id string) (*registry.Stored, bool), log *slog.Logger, opts FeedOptions) *Feeds {
	for _, option := range []struct{ value, or *int }{
		{&opts.Readers, new(MaxReaders)}, {&opts.PerContest, new(20_000)}, {&opts.PerAddress, new(2_000)},
	} {
		if *option.value <= 0 {
			*option.value = *option.or
		}
	}
	f := &Feeds{
		boards: boards, contest: contest, log: log, opts: opts,
		channels: map[string]*channel{}, homes: map[netip.Prefix]int{}, changed: map[string]bool{}, announce: make(chan struct{}, 1),
	}
	f.ctx, f.stop = context.WithCancel(context.Background())
	return f
}

// Changed says that something changed in a contest's boxes: readers here see it
// with the next frame, those of other servers soon after.
func (f *Feeds) Changed(contestID string) {
	f.wake(contestID)
	f.announcing.Lock()
	f.changed[contestID] = true
	f.announcing.Unlock()
	select {
	case f.announce <- struct{}{}:
	default: // it is coming
	}
}

// Run announces changes to other servers and hears of theirs, until ctx ends.
func (f *Feeds) Run(ctx context.Context) {
	var hearing sync.WaitGroup
	defer hearing.Wait()
	hearing.Go(func() { f.boards.boxes.Changes(ctx, f.wake) })
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.announce:
		}
		f.announcing.Lock()
		ids := make([]string, 0, len(f.changed))
		for id := range f.changed {
			ids = append(ids, id)
		}
		clear(f.changed)
		f.announcing.Unlock()
		call, cancel := context.WithTimeout(ctx, announceTime)
		err := f.boards.boxes.Announce(call, ids...)
		cancel()
		if err != nil && !failing && ctx.Err() == nil {
			f.log.Warn("changes are not announced: readers of other servers see them up to a second later", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(announceEvery):
		}
	}
}

func (f *Feeds) wake(contestID string) {
	f.mu.Lock()
	c := f.channels[contestID]
	f.mu.Unlock()
	if c != nil {
		c.wake()
	}
}

// Room says whether another reader from an address would be taken: nil, or
// [ErrFull]. Readers who come at the same moment may be a few more.
func (f *Feeds) Room(contestID string, address netip.Addr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	here := 0
	if c := f.channels[contestID]; c != nil {
		here = c.expected
	}
	if f.closed || f.readers >= f.opts.Readers || here >= f.opts.PerContest || f.homes[homeOf(address)] >= f.opts.PerAddress {
		return ErrFull
	}
	return nil
}

// homeOf is what an address is counted as. Of IPv6 any one machine has a whole /64, and may
// come from another address of it each time.
func homeOf(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 64
	if address.Is4() {
		bits = 32
	}
	home, _ := address.Prefix(bits) // the zero one for an address that is none
	return home
}

// Readers is how many there are.
func (f *Feeds) Readers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readers
}

// Join sends a contest's feed to a sink, until leave is called, which may be more
// than once. seen is the id of the last frame an earlier connection got, or
// empty: no frame before it is sent, but for as long as this server may be
// behind another.
func (f *Feeds) Join(contestID string, address netip.Addr, seen string, to Sink) (leave func()) {
	c := f.enter(contestID, address)
	if c == nil {
		to.End()
		return func() {}
	}
	r := newReader(seen, to)
	c.add(r)
	return sync.OnceFunc(func() {
		c.remove(r)
		f.exit(c, address)
	})
}

// enter counts a reader in; nil when the feeds are closed.
func (f *Feeds) enter(contestID string, address netip.Addr) *channel {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	c := f.channels[contestID]
	if c == nil {
		c = newChannel(f, contestID)
		f.channels[contestID] = c
		f.running.Go(c.run)
	}
	c.expected++
	f.readers++
	f.homes[homeOf(address)]++
	return c
}

func (f *Feeds) exit(c *channel, address netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers--
	home := homeOf(address)
	if f.homes[home]--; f.homes[home] == 0 {
		delete(f.homes, home)
	}
	if c.expected--; c.expected == 0 {
		c.stop()
		f.drop(c)
	}
}

// drop makes way for another channel of the contest; f.mu is held.
func (f *Feeds) drop(c *channel) {
	if f.channels[c.id] == c {
		delete(f.channels, c.id)
	}
}

// Close ends every reader and takes no more.
func (f *Feeds) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.stop()
	f.running.Wait()
}
