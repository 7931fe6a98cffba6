//go:build !linux

package web

import (
	"net"
	"time"
)

// Where these are not known, heartbeats and feedPatience are what there is, and
// a goroutine writes each frame.

func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }

func tryWrite(net.Conn, []byte) int { return 0 }

func descriptors() (int64, bool) { return 0, false }
