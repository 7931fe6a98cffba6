package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/joute/joute/voting"
)

const (
	// maxLine is far above any line of a ledger or a ballot log.
	maxLine = 1 << 20

	// stallTimeout is how long a stream may be silent before it counts as broken.
	stallTimeout = 30 * time.Second
)

// Ledger gives every record after a position ("" is the beginning), each line
// as the server sent it, without its end. When the connection breaks in the
// middle it goes on after the last whole line: nothing is left out, nothing
// comes twice. A nil error means that the server came to the ledger's end.
func (c *Client) Ledger(ctx context.Context, contest, after string, yield func(line []byte, r voting.Record) error) error {
	return c.stream(ctx, func() (*url.URL, int) {
		to := c.contestURL(contest, "ledger")
		if after != "" {
			to.RawQuery = url.Values{"after": {after}}.Encode()
		}
		return to, 0
	}, func(line []byte) error {
		var r voting.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("a line of the ledger is no record: %w", err)
		}
		if err := yield(line, r); err != nil {
			return err
		}
		after = r.Position.String()
		return nil
	})
}

// Evidence gives the ballot log. Its lines have no position of their own, and
// the same lines always come in the same order: after a break it is read again,
// and what was given already is passed over.
func (c *Client) Evidence(ctx context.Context, contest string, yield func(line []byte) error) error {
	given := 0
	return c.stream(ctx, func() (*url.URL, int) { return c.contestURL(contest, "evidence"), given }, func(line []byte) error {
		if err := yield(line); err != nil {
			return err
		}
		given++
		return nil
	})
}

// stream reads lines from where next says (an address, and how many lines of it
// to pass over) until the server has sent all of them. A break is followed by
// another connection, as long as each brings at least one line in a few attempts.
func (c *Client) stream(ctx context.Context, next func() (*url.URL, int), take func(line []byte) error) error {
	started := false
	for failures := 1; ; failures++ {
		to, skip := next()
		err := c.lines(ctx, to, func(line []byte) error {
			if skip > 0 {
				skip--
				return nil
			}
			if err := take(line); err != nil {
				return &refusedLine{err}
			}
			started, failures = true, 1
			return nil
		})
		var refused *refusedLine
		again, wait := repeatable(err)
		// A server that was there comes back; a wrong address is better said at once.
		again = again || started && errors.Is(err, ErrUnreachable)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &refused):
			return refused.error
		case !again || failures == attempts:
			return err
		}
		if err := pause(ctx, failures, wait); err != nil {
			return err
		}
	}
}

// refusedLine is an error of whoever takes the lines: no other connection helps.
type refusedLine struct{ error }

// lines reads one answer. A nil error means that the server ended it in order
// and after a whole line.
func (c *Client) lines(ctx context.Context, to *url.URL, take func(line []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stalled := time.AfterFunc(stallTimeout, cancel)
	defer stalled.Stop()
	answer, err := c.send(ctx, http.MethodGet, to, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	in := bufio.NewReaderSize(answer.Body, 64<<10)
	var long []byte // the line so far, when it is longer than the buffer
	for {
		piece, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if long = append(long, piece...); len(long) > maxLine {
				return errors.New("a line is longer than any line of a Joute server")
			}
			continue
		case errors.Is(err, io.EOF) && len(piece)+len(long) == 0:
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
		stalled.Reset(stallTimeout)
		line := piece[:len(piece)-1]
		if len(long) > 0 {
			line = append(long, line...)
			long = long[:0]
		}
		if len(line) == 0 {
			continue
		}
		if err := take(line); err != nil {
			return err
		}
	}
}
