package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// writePiece goes out within writeTimeout, or the reader is gone. A timeout
	// over the whole answer would cut a healthy reader of a long ledger.
	writePiece   = 64 << 10
	writeTimeout = 10 * time.Second

	lingerBytes = 8 << 20
	lingerTime  = time.Second
)

// listener gives out connections whose writes are bounded one by one, and no
// more than there is room for: fasthttp says so in plain text, and ends for good
// when the process has no file descriptor left.
type listener struct {
	net.Listener
	patience time.Duration // for one piece: writeTimeout
	closed   func()        // called once nobody can come any more
	most     int64         // connections at a time
	idle     time.Duration // that one may be quiet

	busy func() bool // ballots are refused; nil: never
	// turnBack answers what has come then, in the room it is given, or leaves it to fasthttp: nil.
	turnBack func(come, room []byte) []byte
	log      *slog.Logger

	open atomic.Int64
	shut atomic.Bool
	told atomic.Int64 // when the log was told last, in Unix minutes
}

// tooMany is the answer to a connection too many, whatever it would have asked.
var tooMany = func() []byte {
	const body = `{"type":"urn:joute:problem:overloaded","title":"Too much to do","status":503,"detail":"Too many connections are open. Please try again in a moment.","code":"overloaded"}`
	return fmt.Appendf(nil, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 2\r\nCache-Control: no-store\r\n"+
		"Content-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}()

func (l *listener) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; {
		c, err := l.Listener.Accept()
		switch {
		case err == nil && l.open.Add(1) <= l.most:
			return &conn{Conn: c, door: l}, nil
		case err == nil:
			l.open.Add(-1)
			l.tell("no room for more connections", nil)
			tryWrite(c, tooMany)
			c.Close()
		case exhausted(err):
			// Somebody else's connection ends soon: by itself, or by its timeout.
			l.tell("no connection can be taken", err)
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
		default:
			return nil, err
		}
	}
}

// exhausted says that the process or the machine has no more of something now.
func exhausted(err error) bool {
	for _, lacking := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, lacking) {
			return true
		}
	}
	return false
}

// tell is a line a minute: what it tells of may happen thousands of times a second.
func (l *listener) tell(what string, err error) {
	now, told := time.Now().Unix()/60, l.told.Load()
	if now != told && l.told.CompareAndSwap(told, now) {
		l.log.Warn(what, slog.Int64("open", l.open.Load()), slog.Any("error", err))
	}
}

func (l *listener) Close() error {
	defer l.closed()
	l.shut.Store(true)
	return l.Listener.Close()
}

// conn is used as fasthttp does: one goroutine reads, writes and sets deadlines, any may close.
type conn struct {
	net.Conn
	door    *listener
	reading deadline
	writing deadline
	ahead   ahead

	// linger: the client is still sending a body that was refused unread.
	// Closing at once would reset the connection under the answer.
	linger atomic.Bool
	left   atomic.Bool
}

// leave makes room for another one, once.
func (c *conn) leave() {
	if !c.left.Swap(true) {
		c.door.open.Add(-1)
	}
}

// Read waits with no buffer for what begins a request: fasthttp asks for one byte of it.
func (c *conn) Read(p []byte) (int, error) {
	if n := c.ahead.give(p); n > 0 {
		return n, nil
	}
	for {
		if c.reading.news() {
			if err := c.Conn.SetReadDeadline(c.reading.told); err != nil {
				return 0, err
			}
		}
		if len(p) > 1 {
			return c.Conn.Read(p)
		}
		if err := c.ahead.wait(c.Conn); err != nil {
			return 0, err
		}
		switch turned, err := c.turnBack(); {
		case err != nil:
			return 0, err
		case !turned:
			return c.ahead.give(p), nil
		}
		c.reading.ask(time.Now().Add(c.door.idle))
	}
}

// turnBack answers what was read where it is more than can be done, and tells whether it did.
func (c *conn) turnBack() (turned bool, err error) {
	if c.door.busy == nil || !c.door.busy() || c.door.shut.Load() { // fasthttp tells who comes now that it ends
		return false, nil
	}
	room := aheads.Get().(*[4 << 10]byte)
	defer aheads.Put(room)
	answer := c.door.turnBack(c.ahead.rest, room[:0])
	if answer == nil {
		return false, nil
	}
	c.ahead.drop()
	_, err = c.Write(answer)
	return true, err
}

func (c *conn) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		c.writing.ask(time.Now().Add(c.door.patience))
		if c.writing.news() {
			if err = c.Conn.SetWriteDeadline(c.writing.told); err != nil {
				return n, err
			}
		}
		var wrote int
		wrote, err = c.Conn.Write(p[:min(len(p), writePiece)])
		n, p = n+wrote, p[wrote:]
	}
	return n, err
}

// SetReadDeadline is for reads that begin after it; the socket is told by Read.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.reading.ask(t)
	return nil
}

func (c *conn) SetDeadline(t time.Time) error {
	c.reading, c.writing = deadline{asked: t, told: t}, deadline{asked: t, told: t}
	return c.Conn.SetDeadline(t)
}

func (c *conn) Close() error {
	defer c.leave()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.linger.Swap(false) && half.CloseWrite() == nil && c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes) // as much as comes
	}
	return c.Conn.Close()
}
