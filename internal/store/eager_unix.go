//go:build unix

package store

import (
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"
)

// crowded is how long others have to be busy, before the runtime looks again whether
// the store has replied, for asking it ourselves to be worth it.
const crowded = time.Millisecond

// eager reads from a connection as one that is not in the row with those of voters. The
// runtime wakes readers in the order in which there was something for them to read, and
// only when nothing else is left to do: where thousands of requests have come, a
// reply of the store waits for all of them, and so does every ballot behind it. Who asks
// instead, lets those go first who can go on now, and asks again, waits for those alone.
type eager struct {
	net.Conn
	raw syscall.RawConn
}

func eagerly(c net.Conn) net.Conn {
	own, ok := c.(syscall.Conn)
	if !ok {
		return c // TLS
	}
	raw, err := own.SyscallConn()
	if err != nil {
		return c
	}
	return &eager{Conn: c, raw: raw}
}

func (e *eager) Read(p []byte) (n int, err error) {
	for {
		if failed := e.raw.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), p)
			return true // never to be waited for here
		}); failed != nil {
			return 0, failed
		}
		switch {
		case n > 0:
			return n, nil
		case err == nil && len(p) > 0:
			return 0, io.EOF
		case !errors.Is(err, syscall.EAGAIN):
			return e.Conn.Read(p)
		}
		asked := time.Now()
		runtime.Gosched()
		if time.Since(asked) < crowded {
			return e.Conn.Read(p)
		}
	}
}
