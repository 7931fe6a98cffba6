//go:build !unix

package web

import "net"

// ahead reads as anything else does.
type ahead struct{}

func readAhead(net.Conn) ahead { return ahead{} }

func (ahead) read(c net.Conn, p []byte) (int, error) { return c.Read(p) }

func (ahead) give([]byte) int { return 0 }
