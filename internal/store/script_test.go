package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/redistest"
)

const countOnce = `
if redis.call("SADD", KEYS[1], ARGV[1]) == 1 then redis.call("INCR", KEYS[2]) end
return {redis.call("GET", KEYS[2]), ARGV[1]}`

func open(t testing.TB, opts Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// both runs a test over the embedded store and over a real Redis of its own.
func both(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("embedded", func(t *testing.T) { test(t, open(t, Options{})) })
	t.Run("redis", func(t *testing.T) { test(t, open(t, Options{URL: redistest.Start(t).URL()})) })
}

func TestScript_RunsWithoutBeingLoadedFirst(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		sc := s.Script("count", countOnce, false)
		for range 3 {
			got, err := sc.Run(t.Context(), []string{"{c}seen", "{c}n"}, "anna").StringSlice()
			if err != nil || got[0] != "1" || got[1] != "anna" {
				t.Fatalf("Run = %q, %v", got, err)
			}
		}
	})
}

func TestScript_SurvivesFlushUnderLoad(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		sc := s.Script("count", countOnce, false)
		const clients, each = 32, 50
		stop := make(chan struct{})
		var flusher, casting sync.WaitGroup
		flusher.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond): // without a pause calls wait for nothing else
					s.Client().ScriptFlush(context.Background())
				}
			}
		})
		for c := range clients {
			casting.Go(func() {
				for i := range each {
					if err := sc.Run(t.Context(), []string{"{c}seen", "{c}n"}, fmt.Sprint(c, "/", i)).Err(); err != nil {
						t.Errorf("client %d, call %d: %v", c, i, err)
						return
					}
				}
			})
		}
		casting.Wait()
		close(stop)
		flusher.Wait()
		if n, err := s.Client().Get(t.Context(), "{c}n").Int(); err != nil || n != clients*each {
			t.Fatalf("counted %d, %v; want %d", n, err, clients*each)
		}
	})
}

func TestScript_OwnErrorsKeepTheirTextAndAreNotUnavailable(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		err := s.Script("cast", `return redis.error_reply("BOUNDS votes is not a number")`, false).Run(t.Context(), nil).Err()
		if err == nil || errors.Is(err, ErrUnavailable) || !redis.HasErrorPrefix(err, "BOUNDS") || !strings.Contains(err.Error(), "script cast") {
			t.Fatalf("err = %v", err)
		}
	})
}

func TestScript_NilReplyIsRedisNil(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		if err := s.Script("nothing", `return nil`, true).Run(t.Context(), nil).Err(); err != redis.Nil {
			t.Fatalf("err = %v", err)
		}
	})
}

func TestScript_ReadOnlyMayNotWrite(t *testing.T) {
	s := open(t, Options{URL: redistest.Start(t).URL()})
	if err := s.Script("peek", `return redis.call("SET", KEYS[1], "x")`, true).Run(t.Context(), []string{"k"}).Err(); err == nil {
		t.Fatal("a read-only script wrote")
	}
	if n := s.Client().Exists(t.Context(), "k").Val(); n != 0 {
		t.Fatal("the key exists")
	}
}

func TestScript_FullStoreRefusesTheWriterBeforeItsFirstStep(t *testing.T) {
	s := open(t, Options{URL: redistest.Start(t, "maxmemory 1").URL()})
	// DEL is allowed when full: without the header the script would begin.
	writer := s.Script("writer", `redis.call("DEL", KEYS[1]); return redis.call("SET", KEYS[1], "x")`, false)
	if err := writer.Run(t.Context(), []string{"k"}).Err(); !errors.Is(err, ErrUnavailable) || !redis.HasErrorPrefix(err, "OOM") {
		t.Fatalf("err = %v, want OOM as ErrUnavailable", err)
	}
	if err := s.Script("reader", `return redis.call("EXISTS", KEYS[1])`, true).Run(t.Context(), []string{"k"}).Err(); err != nil {
		t.Fatalf("a reader in a full store: %v", err)
	}
}

func TestScript_CallerGoneBeforeSendsNothing(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Script("count", countOnce, false).Run(ctx, []string{"{c}seen", "{c}n"}, "anna").Err()
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
			t.Fatalf("err = %v", err)
		}
		if n := s.Client().Exists(t.Context(), "{c}n").Val(); n != 0 {
			t.Fatal("it ran")
		}
	})
}
