package store

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// conn is a connection to one node that a batcher has for itself.
type conn struct {
	net.Conn
	in *bufio.Reader
}

// dial opens a connection as the options say and introduces itself. On an error
// nothing is left open.
func dial(ctx context.Context, opts *redis.Options) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, opts.DialTimeout)
	defer cancel()
	raw, err := redis.NewDialer(opts)(ctx, opts.Network, opts.Addr)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, in: bufio.NewReaderSize(raw, 64<<10)}
	if err := c.hello(opts, time.Now().Add(opts.DialTimeout)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) hello(opts *redis.Options, deadline time.Time) error {
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	switch {
	case opts.Username != "":
		if err := c.do("AUTH", opts.Username, opts.Password); err != nil {
			return err
		}
	case opts.Password != "":
		if err := c.do("AUTH", opts.Password); err != nil {
			return err
		}
	}
	if opts.DB != 0 {
		if err := c.do("SELECT", strconv.Itoa(opts.DB)); err != nil {
			return err
		}
	}
	// Only for who looks at CLIENT LIST: that it may be refused does not matter.
	var refused redis.Error
	if err := c.do("CLIENT", "SETNAME", opts.ClientName); err != nil && !errors.As(err, &refused) {
		return err
	}
	return nil
}

// do is one command and its reply, which is of interest only as an error.
func (c *conn) do(parts ...string) error {
	line := appendCommand(nil, len(parts))
	for _, part := range parts {
		line = appendPart(line, part)
	}
	if _, err := c.Write(line); err != nil {
		return err
	}
	_, refused, err := c.read()
	return errors.Join(refused, err)
}

// read is one reply. refused is an error reply, err the end of the connection.
func (c *conn) read() (value any, refused, err error) {
	raw, err := appendReply(nil, c.in)
	if err != nil {
		return nil, nil, err
	}
	value, refused = parseReply(raw)
	return value, refused, nil
}

// skip reads a reply that does not matter.
func (c *conn) skip() error {
	_, _, err := c.read()
	return err
}
