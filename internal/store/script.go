package store

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
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
	own, err := partOf(keys, args)
	if err != nil {
		return sc.failed(err)
	}
	return sc.run(ctx, nil, own)
}

// RunTogether is Run for a script that does many calls' work at once: of calls made at
// the same time, those that share the same part, byte for byte, become one. The script
// gets what is shared, then what is joined, then what each has of its own, in keys and in arguments alike. It
// answers one value for all, followed by one for each in their order, and each
// call's reply is the first of them and its own; or the first alone, which is then
// everybody's reply. All keys must be of one slot.
//
// A script that fails must have written nothing: then each call is made again by
// itself, so that what is wrong with one is nobody else's failure.
func (sc *Script) RunTogether(ctx context.Context, shared *Part, own Part) Reply {
	return sc.run(ctx, shared, own)
}

// request is a call of a script, however often it has to be sent.
type request struct {
	*Script
	shared   *Part
	own      Part
	deadline time.Time
}

func (sc *Script) run(ctx context.Context, shared *Part, own Part) Reply {
	if err := ctx.Err(); err != nil {
		return sc.failed(err)
	}
	q := request{Script: sc, shared: shared, own: own, deadline: time.Now().Add(sc.store.timeout)}
	var r Reply
	if sc.store.cluster != nil {
		r = sc.store.cluster.run(ctx, q)
	} else {
		r = q.onSingle(ctx)
	}
	switch {
	case r.err == ErrUnconfirmed:
		r.err = fmt.Errorf("script %s: %w", sc.name, r.err)
	case r.err != nil && r.err != redis.Nil:
		return sc.failed(r.err)
	}
	return r
}

// onSingle sends it to a single Redis.
func (q request) onSingle(ctx context.Context) Reply {
	to := q.store.scripts
	r := q.send(ctx, to, q.known, route{})
	if r.err == nil {
		return r
	}
	if lost(r.err) { // a connection that died with the old server: one more try finds the new one
		r = q.send(ctx, to, q.known, route{})
	}
	if redis.HasErrorPrefix(r.err, "NOSCRIPT") {
		// The source itself, not SCRIPT LOAD and again: one round trip, and a
		// second SCRIPT FLUSH cannot come in between.
		r = q.send(ctx, to, q.whole, route{})
	}
	return r
}

// slot is where in a cluster it goes.
func (q request) slot() int {
	keys := q.own.Keys
	if q.shared != nil && q.shared.Keys.n > 0 {
		keys = q.shared.Keys
	}
	if keys.n == 0 {
		return 0
	}
	_, n, _ := header(keys.line[:bytes.IndexByte(keys.line, '\n')+1])
	_, key, _ := bytes.Cut(keys.line, []byte("\n"))
	return slotOf(string(key[:n]))
}

// send makes the call; where it fails in company, again alone.
func (q request) send(ctx context.Context, to *batcher, how []byte, at route) Reply {
	r, company := q.sendIn(ctx, to, how, at, false)
	if r.err == nil {
		return r
	}
	var own replyError
	if company > 1 && errors.As(r.err, &own) && (strings.HasPrefix(string(own), "ERR ") || strings.HasPrefix(string(own), "WRONGTYPE ")) {
		r, _ = q.sendIn(ctx, to, how, at, true)
	}
	return r
}

func (q request) sendIn(ctx context.Context, to *batcher, how []byte, at route, alone bool) (r Reply, company int) {
	if err := q.store.bar(ctx); err != nil {
		return Reply{err: err}, 0
	}
	c := calls.Get().(*call)
	c.how, c.shared, c.own, c.alone = how, q.shared, q.own, alone
	c.deadline, c.route, c.confirm = q.deadline, at, !q.readOnly && !q.forgettable
	back, err := to.do(ctx, c)
	if !back {
		return Reply{err: err}, 0 // c is not ours any more
	}
	company = c.company
	defer calls.Put(c)
	if err != nil {
		return Reply{err: err}, company
	}
	r = replyOf(c.reply)
	if c.unconfirmed && (r.err == nil || r.err == redis.Nil) {
		r.err = ErrUnconfirmed
	}
	return r, company
}

func (sc *Script) failed(err error) Reply {
	return Reply{err: fmt.Errorf("script %s: %w", sc.name, Classify(err))}
}
