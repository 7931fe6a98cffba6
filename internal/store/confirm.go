package store

import (
	"context"
	"errors"
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

// catchUp is how long replicas may take to have a whole store that was written at once.
const catchUp = 30 * time.Second

// confirmAll is Confirm for every node, with patience.
func (s *Store) confirmAll(ctx context.Context) error {
	if s.cluster == nil {
		return nil
	}
	asked := map[*node]bool{}
	for slot := range s.cluster.slots {
		master := s.cluster.slots[slot].Load()
		if master == nil {
			return fmt.Errorf("%w: a slot has no master", ErrUnavailable)
		}
		if asked[master] {
			continue
		}
		asked[master] = true
		err := s.Confirm(ctx, confirmKey(slot))
		for deadline := time.Now().Add(catchUp); errors.Is(err, ErrUnconfirmed) && time.Now().Before(deadline); {
			err = s.Confirm(ctx, confirmKey(slot))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// failovers grows with every failover of a cluster, as far as its nodes know now;
// of a single Redis it is 0.
func (s *Store) failovers(ctx context.Context) (int64, error) {
	if s.cluster == nil {
		return 0, nil
	}
	if err := s.cluster.refresh(ctx); err != nil {
		return 0, Classify(err)
	}
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	return s.cluster.view.epoch, nil
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
