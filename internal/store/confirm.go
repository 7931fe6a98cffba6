package store

import (
	"context"
	"fmt"
	"time"
)

// ErrUnconfirmed is an ErrUnavailable for what a cluster's master has done and no
// replica has confirmed in time: it may yet be lost with the master. The same call
// again, which changes nothing, tells whether it is safe by then.
var ErrUnconfirmed = fmt.Errorf("%w: done, but not yet confirmed by a replica", ErrUnavailable)

// appendConfirm ends a batch with a small write and WAIT. The write is there
// because WAIT waits for what its own connection wrote, and a ballot that is
// repeated writes nothing: what it is answered with may be another connection's
// write, which comes before ours in what replicas are sent.
func (b *batcher) appendConfirm(out []byte, at route, deadline time.Time) []byte {
	key, known := b.keys[at.slot]
	if !known {
		if b.keys == nil {
			b.keys = map[int]string{}
		}
		key = confirmKey(at.slot)
		b.keys[at.slot] = key
	}
	if at.asking {
		out = append(out, asking...)
	}
	out = appendCommand(out, 3)
	out = appendPart(appendPart(appendPart(out, "SET"), key), "1")
	// What is left of the time of the last of them, less the way back.
	patience := min(waitReplica, time.Until(deadline)*9/10).Milliseconds()
	out = appendPart(appendCommand(out, 3), "WAIT")
	return appendInteger(appendInteger(out, 1), max(patience, 1)) // 0 is for ever
}

// confirmed reads the replies to what appendConfirm sent.
func (c *conn) confirmed(asked bool) (bool, error) {
	if asked {
		if err := c.skip(); err != nil {
			return false, err
		}
	}
	_, refused, err := c.read()
	if err != nil {
		return false, err
	}
	replicas, failed, err := c.read()
	n, isNumber := replicas.(int64)
	return refused == nil && failed == nil && isNumber && n >= 1, err
}

// Confirm returns nil once all that was written on the key's node before it was
// called is on a replica too; at once where there is no cluster. It returns
// [ErrUnconfirmed] when no replica says so in time.
func (s *Store) Confirm(ctx context.Context, key string) error {
	if s.cluster == nil {
		return nil
	}
	return s.nothing.Run(ctx, []string{key}).Err()
}
