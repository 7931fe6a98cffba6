package web

import (
	"io"
	"net"
	"sync/atomic"
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

// listener gives out connections whose writes are bounded one by one.
type listener struct {
	net.Listener
	patience time.Duration // for one piece: writeTimeout
	closed   func()        // called once nobody can come any more
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, patience: l.patience}, nil
}

func (l listener) Close() error {
	defer l.closed()
	return l.Listener.Close()
}

type conn struct {
	net.Conn
	patience time.Duration

	// linger: the client is still sending a body that was refused unread.
	// Closing at once would reset the connection under the answer.
	linger atomic.Bool
}

func (c *conn) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		if err = c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
			return n, err
		}
		var wrote int
		wrote, err = c.Conn.Write(p[:min(len(p), writePiece)])
		n, p = n+wrote, p[wrote:]
	}
	return n, err
}

func (c *conn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.linger.Swap(false) && half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes) // as much as comes
	}
	return c.Conn.Close()
}
