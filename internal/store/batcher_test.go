package store

import (
	"bufio"
	"bytes"
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

// held has a store whose server holds the first call of a batch, so that what
// comes after it waits.
func held(t *testing.T) (s *Store, let func()) {
	srv := redistest.Start(t)
	s = open(t, Options{URL: srv.URL()})
	recovers(t, s)
	admin := srv.Client()
	admin.Do(t.Context(), "CLIENT", "PAUSE", 60000, "WRITE")
	sc := s.Script("count", countOnce, false)
	var first sync.WaitGroup
	first.Go(func() { sc.Run(context.Background(), []string{"{c}seen", "{c}n"}, "first") })
	wait(t, "the first call to be held", func() bool { return strings.Contains(admin.ClientList(t.Context()).Val(), "flags=b") })
	return s, func() {
		admin.Do(context.Background(), "CLIENT", "UNPAUSE")
		first.Wait()
	}
}

func TestBatcher_CallWhoseTimePassedIsNeverSent(t *testing.T) {
	t.Parallel()
	s, let := held(t)
	c := calls.Get().(*call)
	c.how, c.shared, c.company = s.Script("count", countOnce, false).known, nil, 0
	c.own, _ = partOf([]string{"{c}seen", "{c}n"}, []any{"late"})
	c.deadline = time.Now().Add(50 * time.Millisecond)
	if back, err := s.scripts.do(t.Context(), c); back || !errors.Is(err, ErrOverloaded) {
		t.Fatalf("%t, %v", back, err)
	}
	let()
	recovers(t, s) // whatever was queued before has been sent
	if s.Client().SIsMember(t.Context(), "{c}seen", "late").Val() {
		t.Fatal("it ran all the same")
	}
}

func TestBatcher_CallerHangingUpWhileItWaitsSendsNothing(t *testing.T) {
	t.Parallel()
	s, let := held(t)
	ctx, hangUp := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		gone <- s.Script("count", countOnce, false).Run(ctx, []string{"{c}seen", "{c}n"}, "gone").Err()
	}()
	wait(t, "it to wait", func() bool { s.scripts.mu.Lock(); defer s.scripts.mu.Unlock(); return len(s.scripts.waiting) == 1 })
	hangUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
	let()
	recovers(t, s)
	if s.Client().SIsMember(t.Context(), "{c}seen", "gone").Val() {
		t.Fatal("it ran all the same")
	}
}

func TestBatcher_WhatWaitsTogetherSharesARoundTrip(t *testing.T) {
	t.Parallel()
	s, let := held(t)
	sc := s.Script("count", countOnce, false)
	const callers = 2*maxBatch + 1
	var calling sync.WaitGroup
	for i := range callers {
		calling.Go(func() {
			who := fmt.Sprint("voter ", i)
			if got, err := sc.Run(t.Context(), []string{"{c}seen", "{c}n"}, who).StringSlice(); err != nil || got[1] != who {
				t.Errorf("%s: %q, %v", who, got, err)
			}
		})
	}
	wait(t, "all to wait", func() bool {
		s.scripts.mu.Lock()
		defer s.scripts.mu.Unlock()
		return len(s.scripts.waiting) == callers
	})
	before := s.scripts.trips.Load()
	let()
	calling.Wait()
	if trips := s.scripts.trips.Load() - before; trips > 4 { // the first call's, and three batches
		t.Fatalf("%d calls took %d round trips", callers, trips)
	}
}

func TestParseReply(t *testing.T) {
	for raw, want := range map[string]string{
		"+OK\r\n":                               `"OK"`,
		":-7\r\n":                               `-7`,
		"$0\r\n\r\n":                            `""`,
		"$5\r\na\r\nb!\r\n":                     `"a\r\nb!"`,
		"$-1\r\n":                               `<nil>`,
		"*-1\r\n":                               `<nil>`,
		"*0\r\n":                                `[]interface {}{}`,
		"*2\r\n$1\r\nx\r\n*2\r\n:1\r\n$-1\r\n":  `[]interface {}{"x", []interface {}{1, interface {}(nil)}}`,
		"*1\r\n-ERR inside\r\n":                 `[]interface {}{"ERR inside"}`,
		"-WRONGTYPE no\r\n":                     `err WRONGTYPE no`,
		"*1\r\n+OK\r\nmore":                     `err ` + errProtocol.Error(),
		strings.Repeat("*1\r\n", 10) + ":1\r\n": `err ` + errProtocol.Error(),
	} {
		value, err := parseReply([]byte(raw))
		got := fmt.Sprintf("%#v", value)
		if err != nil {
			got = "err " + err.Error()
		}
		if got != want {
			t.Errorf("%q is %s, want %s", raw, got, want)
		}
	}
}

// Whatever a node sends, a reply is found whole or not at all, and reading it does
// not fail where finding it did not, but for what no script of ours answers.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "-ERR no\r\n", ":12\r\n", "$3\r\nabc\r\n", "$-1\r\n", "*2\r\n$1\r\nx\r\n*1\r\n:1\r\n", "*-1\r\n", "$99999999999\r\n", "*3\r\n"} {
		f.Add([]byte(seed), 16)
	}
	f.Fuzz(func(t *testing.T, sent []byte, size int) {
		raw, err := appendReply(nil, bufio.NewReaderSize(bytes.NewReader(sent), 16+size&0xff))
		if !bytes.HasPrefix(sent, raw) && err == nil {
			t.Fatalf("%q of %q", raw, sent)
		}
		if err != nil {
			return
		}
		value, err := parseReply(raw)
		var refused redis.Error
		switch {
		case errors.Is(err, errProtocol), errors.As(err, &refused):
		case err != nil:
			t.Fatal(err)
		default:
			if again, err := parseReply(raw); err != nil || fmt.Sprint(again) != fmt.Sprint(value) {
				t.Fatalf("%v, then %v, %v", value, again, err)
			}
		}
	})
}
