package store

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Script is a Lua script of one store. It must be idempotent: the same call
// made twice leaves what one call leaves, and answers so that the caller can
// tell.
type Script struct {
	store    *Store
	name     string
	src, sha string
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
	return &Script{store: s, name: name, src: src, sha: hex.EncodeToString(sum[:])}
}

// Run runs the script and returns within the store's timeout. Calls made at the
// same time share a round trip.
//
// Once sent, the call is not ended by ctx: a voter hanging up does not stop a
// cast that is decided. On ErrUnavailable the script may have run, or may still
// run later: ask again to know. ErrOverloaded means that it was not sent. args must not
// be changed after the call, for the same reason.
func (sc *Script) Run(ctx context.Context, keys []string, args ...any) *redis.Cmd {
	if err := ctx.Err(); err != nil {
		return sc.failed(ctx, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sc.store.timeout)
	defer cancel()
	entered := sc.store.waiting.enter()

	cmd := sc.send(ctx, keys, args)
	if lost(cmd.Err()) { // a connection that died with the old server: one more try finds the new one
		cmd = sc.send(ctx, keys, args)
	}
	sc.store.waiting.leave(entered, !errors.Is(cmd.Err(), ErrUnavailable))
	return cmd
}

func (sc *Script) send(ctx context.Context, keys []string, args []any) *redis.Cmd {
	cmd := sc.call(ctx, "evalsha", sc.sha, keys, args)
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		// The source itself, not SCRIPT LOAD and again: one round trip, and a
		// second SCRIPT FLUSH cannot come in between.
		cmd = sc.call(ctx, "eval", sc.src, keys, args)
	}
	return cmd
}

func (sc *Script) call(ctx context.Context, verb, script string, keys []string, args []any) *redis.Cmd {
	line := make([]any, 0, 3+len(keys)+len(args))
	line = append(line, verb, script, len(keys))
	for _, key := range keys {
		line = append(line, key)
	}
	cmd := redis.NewCmd(ctx, append(line, args...)...)
	if len(keys) > 0 {
		cmd.SetFirstKeyPos(3)
	}
	future := sc.store.casts.Submit(ctx, cmd)
	if err := future.WaitContext(ctx); ctx.Err() != nil && err == ctx.Err() {
		return sc.failed(ctx, err) // cmd is still the pipeline's: it may be written to at any moment
	}
	if err := cmd.Err(); err != nil && err != redis.Nil {
		cmd.SetErr(sc.explain(err))
	}
	return cmd
}

func (sc *Script) failed(ctx context.Context, err error) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(sc.explain(err))
	return cmd
}

func (sc *Script) explain(err error) error {
	return fmt.Errorf("script %s: %w", sc.name, Classify(err))
}
