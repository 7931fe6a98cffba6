package web

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

const (
	// feedPatience is how long a frame may take to go out: a reader whose buffers
	// have been full for that long is better off with the newest numbers later.
	feedPatience = 5 * time.Second

	// feedLife ends a connection, give or take a fifth, so that readers spread
	// over the servers there are, and do not all come back at the same time.
	feedLife = 10 * time.Minute

	// feedSilence is how long what was sent may stay unacknowledged. With a
	// heartbeat every 15 s, a reader that is gone without a word is noticed
	// within 30 s.
	feedSilence = 12 * time.Second

	// feedBuffer is what the kernel keeps for a reader that does not read: a few
	// frames, not the megabytes it would grow to.
	feedBuffer = 64 << 10

	// feedTalk is what a reader may send after its request: nothing is expected.
	feedTalk = 1 << 10
)

// feedConn is the connection of one reader of a feed. It is a live.Sink: frames
// go out at once where the kernel takes them, and only for a reader that is
// behind does a goroutine wait. One goroutine a reader listens; see listen.
type feedConn struct {
	net.Conn

	mu     sync.Mutex
	behind bool   // a goroutine is writing, or the connection is broken; guarded by mu
	next   []byte // what that goroutine writes next; guarded by mu
}

// Send implements [live.Sink].
func (f *feedConn) Send(frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.behind {
		f.next = frame
		return
	}
	if rest := frame[tryWrite(f.Conn, frame):]; len(rest) > 0 {
		f.behind = true
		go f.catchUp(rest)
	}
}

// Beat implements [live.Sink].
func (f *feedConn) Beat(comment []byte) {
	f.mu.Lock()
	behind := f.behind
	f.mu.Unlock()
	if !behind {
		f.Send(comment)
	}
}

// End implements [live.Sink].
func (f *feedConn) End() { f.Close() }

// catchUp writes what did not go out at once, and then whatever is newest. A
// reader that takes too long is given up.
func (f *feedConn) catchUp(rest []byte) {
	for rest != nil {
		if f.SetWriteDeadline(time.Now().Add(feedPatience)) != nil {
			return // closed
		}
		if _, err := f.Write(rest); err != nil {
			f.Close() // and stays behind: nothing more is written
			return
		}
		_ = f.SetWriteDeadline(time.Time{}) // an old one would fail the next try
		f.mu.Lock()
		rest, f.next = f.next, nil
		f.behind = rest != nil
		f.mu.Unlock()
	}
}

// listen returns when the reader has gone, talks, or has been here for long.
func (f *feedConn) listen() {
	if tcp, ok := f.Conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(feedBuffer)
		_ = setUserTimeout(tcp, feedSilence)
	}
	_ = f.SetReadDeadline(time.Now().Add(feedLife*4/5 + rand.N(feedLife*2/5)))
	var talk [64]byte
	for left := feedTalk; left > 0; {
		n, err := f.Read(talk[:])
		if err != nil {
			return
		}
		left -= n
	}
}
