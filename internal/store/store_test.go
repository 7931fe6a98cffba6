package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/joute/joute/internal/redistest"
)

func TestOpen_BadURLsAreRefusedWithoutTheirPassword(t *testing.T) {
	for _, url := range []string{
		"localhost:6379",
		"http://:pa55word@localhost",
		"redis://:pa55word@localhost:port",
		"redis://:pa55word@localhost/not-a-number",
		"redis://user:pa55word#@localhost:6379",
		"redis://user:/pa55word@localhost:6379",
		"redis://user:%pa55word@localhost:6379",
		"redis://localhost?pa55word=1",
		"redis-cluster://:pa55word@a:1,",
		"redis-cluster://:pa55word@a:1,b:port",
		"redis-cluster://:pa55word@a:1,b:2/3",
		"redis-cluster://user:%pa55word@a:1,b:2",
		"unix://:pa55word@",
	} {
		_, err := Open(t.Context(), Options{URL: url})
		if !errors.Is(err, ErrURL) {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if strings.Contains(err.Error(), "55word") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestOpen_PasswordIsInNoTextOfTheStore(t *testing.T) {
	const secret = "s3cret-geheim"
	srv := redistest.Start(t, "requirepass "+secret)
	var log bytes.Buffer
	reg := prometheus.NewRegistry()
	opts := Options{URL: "redis://:" + secret + "@" + srv.Addr(), Registerer: reg, Log: slog.New(slog.NewTextHandler(&log, nil))}
	s := open(t, opts)
	_, interlockErr := OpenInterlock(t.Context(), s, InterlockOptions{Log: opts.Log})
	srv.Kill()
	callErr := s.Client().Ping(t.Context()).Err()
	runErr := s.Script("count", countOnce, false).Run(t.Context(), []string{"{c}a", "{c}b"}, "x").Err()
	opts.Registerer = nil
	_, openErr := Open(t.Context(), opts)
	families, err := reg.Gather()
	if err != nil || callErr == nil || runErr == nil || openErr == nil || interlockErr != nil {
		t.Fatal(err, callErr, runErr, openErr, interlockErr)
	}
	texts := []string{log.String(), s.Name(), callErr.Error(), runErr.Error(), openErr.Error()}
	for _, f := range families {
		texts = append(texts, f.String())
	}
	for _, text := range texts {
		if strings.Contains(text, secret) {
			t.Errorf("the password is in %q", text)
		}
	}
	if !strings.Contains(s.Name(), srv.Addr()) {
		t.Errorf("Name() = %q does not say where the store is", s.Name())
	}
}

func TestOpen_WrongPasswordAndGoneServerAreUnavailable(t *testing.T) {
	srv := redistest.Start(t, "requirepass right")
	for _, url := range []string{"redis://:wrong@" + srv.Addr(), srv.URL(), redistest.New(t).URL()} {
		start := time.Now()
		if _, err := Open(t.Context(), Options{URL: url}); !errors.Is(err, ErrUnavailable) || time.Since(start) > 2*time.Second {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestClose_LeavesNothingRunning(t *testing.T) {
	for name, url := range map[string]string{"embedded": "", "redis": redistest.Start(t).URL()} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			s, err := Open(t.Context(), Options{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			l, err := OpenInterlock(t.Context(), s, InterlockOptions{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); l.Run(ctx) }()
			if err := s.Script("count", countOnce, false).Run(ctx, []string{"{c}a", "{c}b"}, "x").Err(); err != nil {
				t.Fatal(err)
			}
			cancel()
			<-done
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			goleak.VerifyNone(t, before)
			if err := s.Client().Ping(t.Context()).Err(); !errors.Is(err, ErrUnavailable) {
				t.Fatalf("a closed store: %v", err)
			}
		})
	}
}

func TestEmbedded_NeedsItsPasswordAndListensOnLoopback(t *testing.T) {
	s := open(t, Options{})
	addr := s.embedded.server.Addr()
	if !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Fatal(addr)
	}
	stranger := redis.NewClient(&redis.Options{Addr: addr})
	defer stranger.Close()
	if err := stranger.Ping(t.Context()).Err(); !redis.IsAuthError(err) {
		t.Fatalf("a stranger: %v", err)
	}
}

func TestEmbedded_KeysExpire(t *testing.T) {
	s := open(t, Options{})
	if err := s.Client().Set(t.Context(), "k", "v", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	wait(t, "the key to expire", func() bool { return s.Client().Exists(t.Context(), "k").Val() == 0 })
}

func TestMetrics_CountRoundTripsByWhatTheyCarry(t *testing.T) {
	srv := redistest.Start(t)
	reg := prometheus.NewRegistry()
	s := open(t, Options{URL: srv.URL(), Registerer: reg})
	count := func(op, result string) float64 {
		return testutil.ToFloat64(s.metrics.trips.WithLabelValues(op, result))
	}
	if n, err := testutil.GatherAndCount(reg, "joute_store_round_trips_total"); err != nil || n != 6 {
		t.Errorf("series before the first error: %d, %v", n, err)
	}
	before := count("command", "ok")
	s.Client().Get(t.Context(), "missing") // redis.Nil is an answer
	if got := count("command", "ok") - before; got != 1 {
		t.Errorf("command ok: %v", got)
	}
	s.Script("count", countOnce, false).Run(t.Context(), []string{"{c}a", "{c}b"}, "x")
	// NOSCRIPT, then the source. A round trip is counted once its callers have their replies.
	wait(t, "two round trips of scripts", func() bool { return count("script", "ok")+count("script", "error") == 2 })
	s.Client().Pipelined(t.Context(), set)
	if got := count("pipeline", "ok"); got != 1 {
		t.Errorf("pipelines: %v", got)
	}
	srv.Kill()
	s.Client().Get(t.Context(), "k")
	if got := count("command", "error"); got != 1 {
		t.Errorf("command error: %v", got)
	}
	if n, err := testutil.GatherAndCount(reg, "joute_store_round_trip_seconds"); err != nil || n != 3 {
		t.Errorf("histograms: %d, %v", n, err)
	}
}
