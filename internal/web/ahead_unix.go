//go:build unix

package web

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// socket is what the kernel tells of a connection.
type socket struct {
	raw syscall.RawConn
	try func(fd uintptr) bool
}

// wait returns when there is something to give.
func (a *ahead) wait(c net.Conn) error {
	if a.raw == nil {
		raw, err := c.(syscall.Conn).SyscallConn() // net has no other connections
		if err != nil {
			return err
		}
		a.raw, a.try = raw, a.take
	}
	if err := a.raw.Read(a.try); err != nil {
		return err
	}
	return a.err
}

// take reads what is there; that nothing is, is no answer.
func (a *ahead) take(fd uintptr) (answered bool) {
	buffer := aheads.Get().(*[4 << 10]byte)
	n, err := syscall.Read(int(fd), buffer[:])
	for errors.Is(err, syscall.EINTR) {
		n, err = syscall.Read(int(fd), buffer[:])
	}
	if n > 0 {
		a.buffer, a.rest, a.err = buffer, buffer[:n], nil
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
