//go:build !unix

package store

import "net"

// eagerly waits as others do.
func eagerly(c net.Conn) net.Conn { return c }
