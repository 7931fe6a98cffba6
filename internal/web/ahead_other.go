//go:build !unix

package web

import "net"

// socket is not known of.
type socket struct{}

// wait returns when there is something to give. Here it has the buffer meanwhile.
func (a *ahead) wait(c net.Conn) error {
	a.buffer = aheads.Get().(*[4 << 10]byte)
	n, err := c.Read(a.buffer[:])
	if a.rest = a.buffer[:n]; n == 0 {
		a.drop()
		return err
	}
	return nil
}
