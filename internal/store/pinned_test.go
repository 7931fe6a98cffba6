package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/redistest"
)

func pinned(t *testing.T, srv *redistest.Server) (*Store, *Dataset, string) {
	t.Helper()
	s, dir := open(t, Options{URL: srv.URL()}), t.TempDir()
	d, err := OpenDataset(t.Context(), s, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, d, dir
}

func TestDataset_AnEmptiedStoreIsRefusedUntilItIsTheRightOneAgain(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s, d, _ := pinned(t, srv)
	l, err := OpenInterlock(t.Context(), s, InterlockOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.Watch(d.Err)
	id := srv.Client().Get(t.Context(), datasetKey).Val()
	script := s.Script("test", "return redis.call('INCR', KEYS[1])", false)
	for name, now := range map[string]string{"empty": "", "another dataset": "FOREIGN", "being restored": restoringMark + strings.TrimPrefix(id, formMark)} {
		srv.Client().Del(t.Context(), datasetKey)
		if now != "" {
			srv.Client().Set(t.Context(), datasetKey, now, 0)
		}
		if err := d.Check(t.Context()); !errors.Is(err, ErrNotTheStore) || !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		ok, faults, _ := l.Status()
		if ok || len(faults) != 1 || strings.Contains(faults[0], "\n") || !errors.Is(l.Err(), ErrNotTheStore) {
			t.Errorf("%s: the interlock says %v %q", name, ok, faults)
		}
		for what, err := range map[string]error{
			"a script":  script.Run(t.Context(), []string{"n"}).Err(),
			"a command": s.Client().Set(t.Context(), "n", 1, 0).Err(),
			"a pipeline": func() error {
				p := s.Client().Pipeline()
				p.Incr(t.Context(), "n")
				_, err := p.Exec(t.Context())
				return err
			}(),
		} {
			if !errors.Is(err, ErrNotTheStore) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		if srv.Client().Exists(t.Context(), "n").Val() != 0 {
			t.Errorf("%s: something was written", name)
		}
	}
	srv.Client().Set(t.Context(), datasetKey, id, 0)
	if err := d.Check(t.Context()); err != nil || l.Err() != nil || s.Client().Set(t.Context(), "n", 1, 0).Err() != nil {
		t.Errorf("the right one again: %v, %v", err, l.Err())
	}
}

// Nothing looks but the connections themselves: not one command reaches a Redis that
// has come back without its data.
func TestDataset_ANewConnectionAsksFirst(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s, d, _ := pinned(t, srv)
	srv.Kill()
	srv.Restart()
	if err := s.Client().Set(t.Context(), "kept", 1, 0).Err(); err != nil { // its data is there
		if err = s.Client().Set(t.Context(), "kept", 1, 0).Err(); err != nil { // by a connection that has died
			t.Fatal(err)
		}
	}
	srv.Kill()
	if err := os.RemoveAll(filepath.Join(srv.Dir(), "appendonlydir")); err != nil {
		t.Fatal(err)
	}
	srv.Restart()
	script := s.Script("test", "return redis.call('INCR', KEYS[1])", false)
	for range 20 {
		if err := script.Run(t.Context(), []string{"n"}).Err(); err == nil {
			t.Fatal("a script ran in a store that has lost its data")
		}
	}
	if !errors.Is(d.Err(), ErrNotTheStore) || srv.Client().DBSize(t.Context()).Val() != 0 {
		t.Errorf("%v, and the store has %v", d.Err(), srv.Client().Keys(t.Context(), "*").Val())
	}
}

func TestRestore_FillsOnlyWhatIsEmptyAndBeginsAnew(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	_, d, dir := pinned(t, srv) // of a server that runs on
	s, c := open(t, Options{URL: srv.URL()}), srv.Client()
	if _, err := Restore(t.Context(), s, dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("its own store: %v", err)
	}
	c.FlushAll(t.Context())
	c.Set(t.Context(), "joute:{x/0}:meta", 1, 0)
	if _, err := Restore(t.Context(), s, dir); !errors.Is(err, ErrNotEmpty) || c.DBSize(t.Context()).Val() != 1 {
		t.Errorf("a store with a box: %v", err)
	}
	c.FlushAll(t.Context())
	c.Set(t.Context(), "joute:{x/sweep}:lease", 1, 1e12)
	c.Set(t.Context(), "another program's", 1, 0)
	r, err := Restore(t.Context(), s, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), s, dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("two at once: %v", err)
	}
	c.Set(t.Context(), "joute:{x/0}:half", 1, 0)
	if _, err := OpenDataset(t.Context(), open(t, Options{URL: srv.URL()}), dir); !errors.Is(err, ErrForeignDataset) || !strings.Contains(err.Error(), "half restored") {
		t.Errorf("a server starts on it: %v", err)
	}
	r.Close() // as if killed
	if r, err = Restore(t.Context(), s, dir); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if keys := c.Keys(t.Context(), "*").Val(); len(keys) != 2 { // another program's, and the name
		t.Errorf("begun anew with %q", keys)
	}
	if err := d.Check(t.Context()); !errors.Is(err, ErrNotTheStore) {
		t.Errorf("before it is finished: %v", err)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("a server that waited: %v", err)
	}
}

// afterName is told when a client has read a dataset's name.
type afterName func()

func (f afterName) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f afterName) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() == "mget" {
			f()
		}
		return err
	}
}

func (f afterName) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// One that begins as another ends leaves what that has filled: servers vote on it already.
func TestRestore_OneThatBeginsAsAnotherEnds(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	_, _, dir := pinned(t, srv)
	c := srv.Client()
	c.FlushAll(t.Context())
	first, err := Restore(t.Context(), open(t, Options{URL: srv.URL()}), dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Set(t.Context(), "joute:{x/0}:tally", 1, 0)
	ended := false
	end := func() {
		if !ended {
			ended = true
			if err := errors.Join(first.Finish(t.Context()), first.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	other := open(t, Options{URL: srv.URL()})
	other.client.AddHook(afterName(end))
	if r, err := Restore(t.Context(), other, dir); err == nil {
		t.Error("it fills a store that another has filled")
		r.Close()
	}
	end()
	if _, err := Restore(t.Context(), other, dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("once the other has ended: %v", err)
	}
	if c.Exists(t.Context(), "joute:{x/0}:tally").Val() != 1 {
		t.Error("what was restored is deleted")
	}
}

// On a cluster: what batches leave on each node is no data, and a store that failed over
// while it was filled is not the folder's.
func TestRestore_FillsACluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3, 1)
	s, dir := open(t, Options{URL: c.URL()}), t.TempDir()
	if _, err := OpenDataset(t.Context(), s, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), s, dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("its own store: %v", err)
	}
	s.client.Del(t.Context(), datasetKey)
	if err := s.confirmAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, master := range c.Nodes[:3] {
		left += len(master.Client().Keys(t.Context(), confirmPrefix+"*"+confirmSuffix).Val())
	}
	if left < 3 {
		t.Fatalf("%d keys of confirmations on three masters: nothing is tested", left)
	}
	fill := func() (*Restoring, string) {
		t.Helper()
		r, err := Restore(t.Context(), s, dir)
		if err != nil {
			t.Fatal(err)
		}
		key := c.KeyOf(c.MasterOf(datasetKey), "joute:")
		s.client.Set(t.Context(), key, 1, 0)
		return r, key
	}
	r, key := fill()
	replica := c.ReplicaOf(c.MasterOf(key))
	if err := replica.Client().ClusterFailover(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	c.Wait("the failover", func() bool { return c.MasterOf(key) == replica })
	c.WaitHealthy()
	if err := r.Finish(t.Context()); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "failed over") {
		t.Errorf("a store that failed over meanwhile: %v", err)
	}
	r.Close()
	c.Wait("the replicas", func() bool { return s.confirmAll(t.Context()) == nil })
	r, _ = fill()
	silent := c.ReplicaOf(c.MasterOf("joute:{elsewhere}"))
	silent.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	if err := r.Finish(ctx); err == nil || s.client.Get(t.Context(), datasetKey).Val() != restoringMark+r.id {
		t.Errorf("with a replica that is silent it is finished: %v", err)
	}
	cancel()
	silent.Thaw()
	c.WaitHealthy()
	r.Close()
	r, _ = fill()
	if err := errors.Join(r.Finish(t.Context()), r.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDataset(t.Context(), s, dir); err != nil {
		t.Errorf("a server on it: %v", err)
	}
}

func TestRestore_TakesTheFolderOfAnEmbeddedStore(t *testing.T) {
	t.Parallel()
	srv, dir := redistest.Start(t), t.TempDir()
	d, err := OpenDataset(t.Context(), open(t, Options{}), dir)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{URL: srv.URL()})
	if _, err := Restore(t.Context(), s, dir); err == nil || srv.Client().DBSize(t.Context()).Val() != 0 {
		t.Errorf("while its server runs: %v", err)
	}
	d.Close()
	r, err := Restore(t.Context(), s, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Finish(t.Context()), r.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDataset(t.Context(), s, dir); err != nil {
		t.Errorf("a server on the Redis: %v", err)
	}
	if _, err := OpenDataset(t.Context(), open(t, Options{}), dir); !errors.Is(err, ErrForeignDataset) {
		t.Errorf("a server without it: %v", err)
	}
}
