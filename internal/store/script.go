package store

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Script is a Lua script of one store. It must be idempotent: the same call
// made twice leaves what one call leaves, and answers so that the caller can
// tell.
type Script struct {
	store *Store
	name  string
	known []byte // the first two parts of a call where the node has the script: EVALSHA
	whole []byte // where it does not: EVAL

	readOnly, forgettable bool
}

// Script prepares a script; name is for error texts. Nothing is sent yet. A
// readOnly script runs even when the store is full or is a replica, and is
// refused by Redis at its first write.
func (s *Store) Script(name, src string, readOnly bool) *Script {
	// By this header a real Redis refuses to start a writing script that would
	// run out of memory half way. miniredis takes it for a syntax error.
	if !s.Embedded() {
		header := "#!lua"
		if readOnly {
			header += " flags=no-writes"
		}
		src = header + "\n" + src
	}
	sum := sha1.Sum([]byte(src)) // Redis' own name for the script, not a safeguard
	return &Script{
		store: s, name: name, readOnly: readOnly,
		known: appendPart(appendPart(nil, "EVALSHA"), hex.EncodeToString(sum[:])),
		whole: appendPart(appendPart(nil, "EVAL"), src),
	}
}

// Forgettable is the script for what may be lost with a master: its replies do not
// wait for a replica.
func (sc *Script) Forgettable() *Script {
	other := *sc
	other.forgettable = true
	return &other
}

// Run runs the script and returns within the store's timeout. Calls made at the
// same time share a round trip.
//
// Once sent, the call is not ended by ctx: a voter hanging up does not stop a
// cast that is decided. On ErrUnavailable the script may have run, or may still
// run later: ask again to know. ErrOverloaded, or the error of ctx, means that it
// was not sent and will not be. On a cluster [ErrUnconfirmed] is an answer that may
// yet be lost. keys and args are the caller's again when it returns.
func (sc *Script) Run(ctx context.Context, keys []string, args ...any) Reply {
	if err := ctx.Err(); err != nil {
		return sc.failed(err)
	}
	deadline := time.Now().Add(sc.store.timeout)
	var r Reply
	if sc.store.cluster != nil {
		r = sc.store.cluster.run(ctx, sc, deadline, keys, args)
	} else {
		r = sc.run(ctx, deadline, keys, args)
	}
	switch {
	case r.err == ErrUnconfirmed:
		r.err = fmt.Errorf("script %s: %w", sc.name, r.err)
	case r.err != nil && r.err != redis.Nil:
		return sc.failed(r.err)
	}
	return r
}

// run is Run on a single Redis.
func (sc *Script) run(ctx context.Context, deadline time.Time, keys []string, args []any) Reply {
	to := sc.store.scripts
	r := sc.send(ctx, to, sc.known, route{}, deadline, keys, args)
	if lost(r.err) { // a connection that died with the old server: one more try finds the new one
		r = sc.send(ctx, to, sc.known, route{}, deadline, keys, args)
	}
	if redis.HasErrorPrefix(r.err, "NOSCRIPT") {
		// The source itself, not SCRIPT LOAD and again: one round trip, and a
		// second SCRIPT FLUSH cannot come in between.
		r = sc.send(ctx, to, sc.whole, route{}, deadline, keys, args)
	}
	return r
}

func (sc *Script) send(ctx context.Context, to *batcher, how []byte, at route, deadline time.Time, keys []string, args []any) Reply {
	c := calls.Get().(*call)
	var err error
	if c.line, err = appendScript(c.line[:0], how, keys, args); err != nil {
		return Reply{err: err}
	}
	c.deadline, c.route, c.confirm = deadline, at, !sc.readOnly && !sc.forgettable
	back, err := to.do(ctx, c)
	if !back {
		return Reply{err: err} // c is not ours any more
	}
	defer calls.Put(c)
	if err != nil {
		return Reply{err: err}
	}
	r := replyOf(c.reply)
	if c.unconfirmed && (r.err == nil || r.err == redis.Nil) {
		r.err = ErrUnconfirmed
	}
	return r
}

func appendScript(line, how []byte, keys []string, args []any) (_ []byte, err error) {
	line = append(appendCommand(line, 3+len(keys)+len(args)), how...)
	line = appendInteger(line, int64(len(keys)))
	for _, key := range keys {
		line = appendPart(line, key)
	}
	for _, arg := range args {
		if line, err = appendArg(line, arg); err != nil {
			return nil, err
		}
	}
	return line, nil
}

func (sc *Script) failed(err error) Reply {
	return Reply{err: fmt.Errorf("script %s: %w", sc.name, Classify(err))}
}
