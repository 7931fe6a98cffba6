package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/redistest"
)

func TestClassify(t *testing.T) {
	reply := func(text string) error { return replyError(text) }
	for _, c := range []struct {
		err         error
		unavailable bool
	}{
		{nil, false},
		{redis.Nil, false},
		{context.Canceled, false},
		{redis.TxFailedErr, false},
		{errors.New("anything of our own"), false},
		{reply("ERR wrong number of arguments"), false},
		{reply("WRONGTYPE Operation against a key"), false},
		{reply("NOSCRIPT No matching script."), false},
		{reply("LOADED is not LOADING"), false},
		{io.EOF, true},
		{io.ErrUnexpectedEOF, true},
		{net.ErrClosed, true},
		{os.ErrDeadlineExceeded, true},
		{context.DeadlineExceeded, true},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, true},
		{redis.ErrClosed, true},
		{redis.ErrPoolTimeout, true},
		{reply("LOADING Redis is loading the dataset in memory"), true},
		{reply("MISCONF Errors writing to the AOF file"), true},
		{reply("OOM command not allowed when used memory > 'maxmemory'."), true},
		{reply("READONLY You can't write against a read only replica."), true},
		{reply("MASTERDOWN Link with MASTER is down"), true},
		{reply("NOREPLICAS Not enough good replicas to write."), true},
		{reply("TRYAGAIN Multiple keys request during rehashing of slot"), true},
		{reply("CLUSTERDOWN The cluster is down"), true},
		{reply("BUSY Redis is busy running a script."), true},
		{reply("NOAUTH Authentication required."), true},
		{reply("ERR max number of clients reached"), true},
	} {
		for _, err := range []error{c.err, wrapped(c.err)} {
			got := Classify(err)
			if errors.Is(got, ErrUnavailable) != c.unavailable {
				t.Errorf("Classify(%v) = %v; unavailable should be %t", err, got, c.unavailable)
			}
			if err != nil && !errors.Is(got, c.err) {
				t.Errorf("Classify(%v) = %v lost its cause", err, got)
			}
			if again := Classify(got); again != got {
				t.Errorf("Classify twice: %v, then %v", got, again)
			}
		}
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ballotbox: %w", err)
}

// fails asserts that a plain call and a script both end as ErrUnavailable
// within the promised time.
func fails(t *testing.T, s *Store) {
	t.Helper()
	sc := s.Script("count", countOnce, false)
	var calls sync.WaitGroup
	defer calls.Wait()
	for what, call := range map[string]func() error{
		"command":  func() error { return s.Client().Set(t.Context(), "k", "v", 0).Err() },
		"pipeline": func() error { _, err := s.Client().Pipelined(t.Context(), set); return err },
		"script":   func() error { return sc.Run(t.Context(), []string{"{c}seen", "{c}n"}, "anna").Err() },
	} {
		calls.Go(func() {
			start := time.Now()
			err := call()
			if took := time.Since(start); !errors.Is(err, ErrUnavailable) || took > 2*time.Second {
				t.Errorf("%s: %v after %s; want ErrUnavailable within 2 s", what, err, took)
			}
		})
	}
}

func set(p redis.Pipeliner) error {
	p.Set(context.Background(), "k", "v", 0)
	return nil
}

// recovers waits until the store serves again by itself.
func recovers(t *testing.T, s *Store) {
	t.Helper()
	sc := s.Script("count", countOnce, false)
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := sc.Run(t.Context(), []string{"{c}seen", "{c}n"}, "anna").Err()
		if err == nil {
			return
		}
		if !errors.Is(err, ErrUnavailable) || time.Now().After(deadline) {
			t.Fatalf("does not recover: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestUnavailable_KilledThenBack(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL()})
	recovers(t, s) // warm connections, to be found dead
	srv.Kill()
	fails(t, s)
	srv.Restart()
	recovers(t, s)
}

func TestUnavailable_FrozenThenBack(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL()})
	recovers(t, s)
	srv.Freeze()
	fails(t, s)
	// A crowd waiting behind the frozen batch is let go in time as well.
	var crowd sync.WaitGroup
	for range 20 {
		crowd.Go(func() { fails(t, s) })
	}
	crowd.Wait()
	srv.Thaw()
	recovers(t, s)
}

func TestUnavailable_DemotedToReplica(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL()})
	recovers(t, s)
	gone := redistest.New(t)
	host, port, _ := net.SplitHostPort(gone.Addr())
	srv.Client().ReplicaOf(t.Context(), host, port)
	fails(t, s)
	srv.Client().ReplicaOf(t.Context(), "NO", "ONE")
	recovers(t, s)
}

// Whoever fails a Redis over behind an address moves the address. Connections to the server of
// before live on: it says that it is a replica for as long as somebody asks.
func TestUnavailable_DemotedBehindItsAddress(t *testing.T) {
	t.Parallel()
	before, after := redistest.Start(t), redistest.Start(t)
	proxy := redistest.NewProxy(t, before.Addr())
	s := open(t, Options{URL: proxy.URL()})
	recovers(t, s)
	if err := s.Client().Set(t.Context(), "k", "before", 0).Err(); err != nil {
		t.Fatal(err)
	}
	follow := func(replica, master *redistest.Server) {
		t.Helper()
		host, port, _ := net.SplitHostPort(master.Addr())
		if err := replica.Client().ReplicaOf(t.Context(), host, port).Err(); err != nil {
			t.Fatal(err)
		}
		wait(t, "a replica", func() bool {
			return strings.Contains(replica.Client().Info(t.Context(), "replication").Val(), "master_link_status:up")
		})
	}
	follow(after, before)
	if err := after.Client().ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	follow(before, after)
	proxy.Turn(after.Addr())
	if faults, _, err := s.Check(t.Context()); err != nil || len(faults) != 0 {
		t.Errorf("the address is a good store's: %q, %v", faults, err)
	}
	recovers(t, s)
	wait(t, "a plain command", func() bool { return s.Client().Set(t.Context(), "k", "after", 0).Err() == nil })
	if got := after.Client().Get(t.Context(), "k").Val(); got != "after" {
		t.Errorf("%q was written", got)
	}
}

func TestUnavailable_Full(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL()})
	srv.Client().ConfigSet(t.Context(), "maxmemory", "1")
	fails(t, s)
	srv.Client().ConfigSet(t.Context(), "maxmemory", "0")
	recovers(t, s)
}

func TestUnavailable_SnapshotFailed(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "save 3600 1", "appendonly no")
	s := open(t, Options{URL: srv.URL()})
	failSnapshot(t, srv)
	fails(t, s) // MISCONF
	srv.Client().ConfigSet(t.Context(), "stop-writes-on-bgsave-error", "no")
	recovers(t, s)
}

// failSnapshot makes a background save fail: its target is a folder.
func failSnapshot(t *testing.T, srv *redistest.Server) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(srv.Dir(), "dump.rdb", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	srv.Client().BgSave(t.Context())
	wait(t, "the snapshot to fail", func() bool {
		return strings.Contains(srv.Client().Info(t.Context(), "persistence").Val(), "rdb_last_bgsave_status:err")
	})
}

func TestUnavailable_Loading(t *testing.T) {
	t.Parallel()
	// Keys that take their time to load hold the server in LOADING.
	srv := redistest.Start(t, "key-load-delay 5000", "loading-process-events-interval-bytes 1024", "rdbcompression no", "appendfsync no")
	s := open(t, Options{URL: srv.URL()})
	_, err := srv.Client().Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for i := range 200 {
			p.Set(t.Context(), "k"+strconv.Itoa(i), strings.Repeat("x", 1024), 0)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Rewritten as a snapshot: while reading that, Redis answers now and then.
	first := srv.AOF()
	srv.Client().BgRewriteAOF(t.Context())
	wait(t, "the rewrite", func() bool {
		return srv.AOF() != first && strings.Contains(srv.Client().Info(t.Context(), "persistence").Val(), "aof_rewrite_in_progress:0")
	})
	srv.Kill()
	up := make(chan struct{})
	go func() { defer close(up); srv.Restart() }() // returns when loaded
	sc := s.Script("count", countOnce, false)
	var command, script error // every answer until the first LOADING
	wait(t, "LOADING", func() bool {
		if !redis.IsLoadingError(command) {
			command = s.Client().Get(t.Context(), "k1").Err()
		}
		if !redis.HasErrorPrefix(script, "LOADING") {
			script = sc.Run(t.Context(), []string{"{c}seen", "{c}n"}, "anna").Err()
		}
		for _, err := range []error{command, script} {
			if !errors.Is(err, ErrUnavailable) {
				t.Fatalf("while starting: %v", err)
			}
		}
		return redis.IsLoadingError(command) && redis.HasErrorPrefix(script, "LOADING")
	})
	<-up
	recovers(t, s)
}

func TestUnavailable_OverloadedIsRefusedUnsent(t *testing.T) {
	t.Parallel()
	s, let := held(t)
	for range maxQueued {
		c := &call{}
		c.state.Store(left)
		if err := s.scripts.enqueue(c); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	err := s.Script("count", countOnce, false).Run(t.Context(), []string{"{c}seen", "{c}n"}, "bob").Err()
	if !errors.Is(err, ErrOverloaded) || !errors.Is(err, ErrUnavailable) || time.Since(start) > time.Second {
		t.Fatalf("err = %v after %s", err, time.Since(start))
	}
	let()
	recovers(t, s)
}

func TestRun_CallerHangingUpDoesNotStopACastThatIsSent(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, Options{URL: srv.URL()})
	recovers(t, s)
	admin := srv.Client()
	admin.Do(t.Context(), "CLIENT", "PAUSE", 60000, "WRITE") // Redis reads the call and holds it
	ctx, hangUp := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- s.Script("count", countOnce, false).Run(ctx, []string{"{c}seen", "{c}n"}, "bob").Err()
	}()
	wait(t, "the cast to be held", func() bool { return strings.Contains(admin.ClientList(t.Context()).Val(), "flags=b") })
	hangUp()
	admin.Do(t.Context(), "CLIENT", "UNPAUSE")
	if err := <-done; err != nil {
		t.Fatalf("Run = %v", err)
	}
	if n := s.Client().Get(t.Context(), "{c}n").Val(); n != "2" {
		t.Fatalf("counted %s, want 2", n)
	}
}

func wait(t *testing.T, what string, cond func() bool) {
	t.Helper()
	watchtest.Until(t, 20*time.Second, what, cond)
}
