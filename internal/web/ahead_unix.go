//go:build unix

package web

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// aheads are what requests are read into as they begin: a ballot with its pass is less
// than one. Each is taken for an instant only.
var aheads = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// ahead reads the beginning of a request with nothing to read it into while there is
// none. fasthttp, told to reduce memory, waits with room for one byte, and has its buffers
// once that has come: quiet connections then hold none, and one that speaks gets those
// that were used just now. But a byte costs a call of the system as all that has come
// does. So all is read when the byte is asked for, and given out from here.
type ahead struct {
	raw syscall.RawConn // nil: it is no socket, and read as anything else
	try func(fd uintptr) bool

	buffer *[4 << 10]byte // nil but between read and the last of give
	rest   []byte
	err    error
}

func readAhead(c net.Conn) ahead {
	if own, ok := c.(syscall.Conn); ok {
		if raw, err := own.SyscallConn(); err == nil {
			return ahead{raw: raw}
		}
	}
	return ahead{}
}

// read waits until something has come, and gives the first of it.
func (a *ahead) read(c net.Conn, p []byte) (int, error) {
	if a.raw == nil {
		return c.Read(p)
	}
	if a.try == nil {
		a.try = a.take
	}
	if err := a.raw.Read(a.try); err != nil {
		return 0, err
	}
	if a.err != nil {
		return 0, a.err
	}
	return a.give(p), nil
}

// take reads what is there; that nothing is, is no answer.
func (a *ahead) take(fd uintptr) (answered bool) {
	buffer := aheads.Get().(*[4 << 10]byte)
	n, err := syscall.Read(int(fd), buffer[:])
	for errors.Is(err, syscall.EINTR) {
		n, err = syscall.Read(int(fd), buffer[:])
	}
	if n > 0 {
		a.buffer, a.rest = buffer, buffer[:n]
		return true
	}
	aheads.Put(buffer)
	if errors.Is(err, syscall.EAGAIN) {
		return false
	}
	if a.err = err; err == nil {
		a.err = io.EOF
	}
	return true
}

// give is what was read and not given yet.
func (a *ahead) give(p []byte) (n int) {
	if a.buffer == nil {
		return 0
	}
	n = copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) == 0 {
		aheads.Put(a.buffer)
		a.buffer, a.rest = nil, nil
	}
	return n
}
