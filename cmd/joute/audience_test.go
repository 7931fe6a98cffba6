package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joute/joute/voting"
)

// perAddress is how many readers an audience has at one address: fewer than a server
// takes. Every address of 127.0.0.0/8 is this machine.
const perAddress = 1_500

// audience is readers of a contest's feed, each on a connection of its own, who
// come back when they lose it.
type audience struct {
	t          *testing.T
	addr, path string
	network    func(net.Dialer) (net.Conn, error) // how to get there

	readers   []*follower
	recording atomic.Bool
	refused   atomic.Int64  // attempts that got another answer than a feed
	unheard   atomic.Int64  // attempts that got none
	doors     chan struct{} // who comes for the first time waits for one
	running   sync.WaitGroup
}

// follower is one of an audience.
type follower struct {
	*audience
	from string
	gone chan struct{}

	mu     sync.Mutex
	conn   net.Conn  // guarded by mu
	lives  int       // connections that gave a frame; guarded by mu
	frames []arrival // while the audience records; guarded by mu
}

// arrival is a whole frame that has come.
type arrival struct {
	at     time.Time
	offset int64 // ledger records folded in it
}

// audience makes readers of a contest of the service; nobody comes yet.
func (r *running) audience(contest string) *audience {
	c := &audience{t: r.t, addr: r.url[len("http://"):], path: "/v1/contests/" + contest + "/feed", doors: make(chan struct{}, 64)}
	c.network = func(d net.Dialer) (net.Conn, error) { return d.Dial("tcp", c.addr) }
	r.t.Cleanup(func() { c.leave(len(c.readers)) })
	return c
}

// join adds n readers and returns when each has a frame.
func (c *audience) join(n int) {
	c.t.Helper()
	for range n {
		f := &follower{audience: c, from: fmt.Sprintf("127.0.0.%d", 1+len(c.readers)/perAddress), gone: make(chan struct{})}
		c.readers = append(c.readers, f)
		c.running.Go(f.run)
	}
	if _, ok := c.within(time.Minute, 1); !ok {
		c.t.Fatalf("of %d readers not every one has a frame", len(c.readers))
	}
}

// within waits until every reader has had a frame on so many connections, and
// says how long that took.
func (c *audience) within(limit time.Duration, lives int) (took time.Duration, ok bool) {
	began := time.Now()
	for _, f := range c.readers {
		for !f.lived(lives) {
			if time.Since(began) > limit {
				return limit, false
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return time.Since(began), true
}

// lives is how many connections the most tenacious has had.
func (c *audience) lives() (most int) {
	for _, f := range c.readers {
		f.mu.Lock()
		most = max(most, f.lives)
		f.mu.Unlock()
	}
	return most
}

// cut ends every connection at the same moment; their readers come back at once.
func (c *audience) cut() {
	for _, f := range c.readers {
		f.hangUp()
	}
}

// leave sends the last n readers away and returns when they are.
func (c *audience) leave(n int) {
	left := len(c.readers) - n
	for _, f := range c.readers[left:] {
		close(f.gone)
		f.hangUp()
	}
	c.readers = c.readers[:left]
	if left == 0 {
		c.running.Wait()
	}
}

func (f *follower) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		f.conn.Close()
	}
}

func (f *follower) lived(lives int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lives >= lives
}

func (f *follower) run() {
	f.doors <- struct{}{}
	leave := sync.OnceFunc(func() { <-f.doors })
	defer leave()
	for {
		if !f.follow(leave) {
			time.Sleep(100*time.Millisecond + rand.N(200*time.Millisecond))
		}
		select {
		case <-f.gone:
			return
		default:
		}
	}
}

// follow reads one connection to its end; seen is called at each frame. False
// means that there was none.
func (f *follower) follow(seen func()) (fed bool) {
	conn, err := f.network(net.Dialer{Timeout: 10 * time.Second, KeepAlive: -1, LocalAddr: &net.TCPAddr{IP: net.ParseIP(f.from)}})
	if err != nil {
		f.unheard.Add(1)
		return false
	}
	defer conn.Close()
	f.mu.Lock()
	f.conn = conn
	f.mu.Unlock()
	select {
	case <-f.gone: // while it was dialled
		return true
	default:
	}
	_, _ = io.WriteString(conn, "GET "+f.path+" HTTP/1.1\r\nHost: x\r\n\r\n") // reading tells
	read := bufio.NewReaderSize(conn, 8<<10)                                  // a usual frame at once
	switch status, err := read.ReadSlice('\n'); {
	case err != nil:
		f.unheard.Add(1)
		return false
	case !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")):
		f.refused.Add(1)
		return false
	}
	id := int64(-1) // of the event being read
	for middle := false; ; {
		line, err := read.ReadSlice('\n')
		switch {
		case err == bufio.ErrBufferFull: // the data; only its end matters
			middle = true
			continue
		case err != nil:
			return fed
		case middle:
			middle = false
		case bytes.HasPrefix(line, []byte("id: ")):
			if _, offset, ok := voting.ParseLeaderboardPosition(string(bytes.TrimSpace(line[len("id: "):]))); ok {
				id = offset
			}
		case len(line) == 1 && id >= 0:
			f.arrived(id, !fed)
			fed, id = true, -1
			seen()
		}
	}
}

func (f *follower) arrived(offset int64, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first {
		f.lives++
	}
	if f.recording.Load() {
		f.frames = append(f.frames, arrival{time.Now(), offset})
	}
}

// deaf connects n readers that ask for the feed and never read. They hold a few
// KiB themselves and, as long as the server keeps them, whatever it keeps.
func (r *running) deaf(contest string, n int) (hangUp func()) {
	r.t.Helper()
	conns := make([]net.Conn, n)
	hangUp = sync.OnceFunc(func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	})
	r.t.Cleanup(hangUp)
	for i := range conns {
		conn, err := net.Dial("tcp", r.url[len("http://"):])
		if err != nil {
			r.t.Fatal(err)
		}
		conns[i] = conn
		if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			r.t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET /v1/contests/%s/feed HTTP/1.1\r\nHost: x\r\n\r\n", contest); err != nil {
			r.t.Fatal(err)
		}
	}
	return hangUp
}
