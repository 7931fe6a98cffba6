package web

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// setUserTimeout bounds how long what was sent may stay unacknowledged (RFC 5482).
func setUserTimeout(c *net.TCPConn, d time.Duration) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}

// tryWrite writes as much as the kernel takes at once, and says how much. What
// is wrong with a connection shows when the rest is written.
func tryWrite(c net.Conn, text []byte) (n int) {
	own, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := own.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Write(func(fd uintptr) bool {
		n, _ = unix.Write(int(fd), text)
		return true // whatever came of it: not to be called again
	})
	return max(n, 0)
}

// descriptors is how many files the process may have open; Go has raised it as
// far as it goes.
func descriptors() (most int64, ok bool) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<32 {
		return 0, false
	}
	return int64(limit.Cur), true
}
