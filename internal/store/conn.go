package store

import (
	"bufio"
	"bytes"
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
	in      *bufio.Reader
	demoted bool // who is at its other end is no master any more
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
	c := &conn{Conn: raw, in: bufio.NewReaderSize(eagerly(raw), 64<<10)}
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

// do is one command whose reply is of interest only as an error.
func (c *conn) do(parts ...string) error {
	_, err := c.ask(parts...)
	return err
}

// ask is one command and its reply.
func (c *conn) ask(parts ...string) (any, error) {
	line := appendCommand(nil, len(parts))
	for _, part := range parts {
		line = appendPart(line, part)
	}
	if _, err := c.Write(line); err != nil {
		return nil, err
	}
	value, refused, err := c.read()
	if err == nil {
		err = refused
	}
	return value, err
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

// replies reads the reply to calls that went together and gives each its own: of an
// array the first value, which is everybody's, and the one in its place.
func (c *conn) replies(party []*call) (err error) {
	first := party[0]
	if first.shared == nil {
		first.reply, err = appendReply(first.reply[:0], c.in)
		c.notice(first.reply)
		return err
	}
	line, err := c.in.Peek(1)
	if err != nil {
		return err
	}
	if line[0] != '*' { // an error, which is everybody's
		if first.reply, err = appendReply(first.reply[:0], c.in); err != nil {
			return err
		}
		c.notice(first.reply)
		for _, one := range party[1:] {
			one.reply = append(one.reply[:0], first.reply...)
		}
		return nil
	}
	n, err := c.length()
	if err != nil {
		return err
	}
	if n != 1 && n != 1+len(party) {
		return errProtocol
	}
	first.reply = appendHeader(first.reply[:0], '*', min(n, 2))
	if first.reply, err = appendReply(first.reply, c.in); err != nil {
		return err
	}
	shared := first.reply
	for i, one := range party {
		if i > 0 {
			one.reply = append(one.reply[:0], shared...)
		}
		if n > 1 {
			if one.reply, err = appendReply(one.reply, c.in); err != nil {
				return err
			}
		}
	}
	return nil
}

// notice looks whether a reply says that the server is a replica.
func (c *conn) notice(reply []byte) {
	c.demoted = c.demoted || bytes.HasPrefix(reply, []byte("-READONLY "))
}

// length reads the first line of an array.
func (c *conn) length() (int, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	kind, n, ok := header(line)
	if !ok || kind != '*' {
		return 0, errProtocol
	}
	return n, nil
}
