package registry

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

func TestMain(m *testing.M) { redistest.Main(m) }

const secret = "a-secret-for-tests-only-0123456789abcdef"

// onEachStore runs a test on a real Redis and on the embedded store.
func onEachStore(t *testing.T, test func(t *testing.T, st *store.Store)) {
	for name, url := range map[string]func(testing.TB) string{
		"redis":    func(t testing.TB) string { return redistest.Shared(t).URL() },
		"embedded": func(testing.TB) string { return "" },
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, url(t))) })
	}
}

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	st, err := store.Open(context.Background(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

var ring = func() *keyring.Ring {
	r, err := keyring.Open("")
	if err != nil {
		panic(err)
	}
	return r
}()

var names atomic.Int64

// name is a contest id of the test's own, since tests, and repeats of one, share a Redis.
func name(testing.TB) string { return fmt.Sprintf("contest-%d", names.Add(1)) }

// document is a contest open from and to the given distances from now.
func document(id string, opens, closes time.Duration, more string) string {
	now := time.Now().UTC()
	at := func(d time.Duration) string { return now.Add(d).Truncate(time.Millisecond).Format(time.RFC3339Nano) }
	return fmt.Sprintf(`id: %s
title: A contest
phases: {voting: {opens: %s, closes: %s}}
schools: [{id: a, name: A}]
entries: [{id: a-1, school: a, title: One}]
%s`, id, at(opens), at(closes), more)
}

func parse(t testing.TB, doc string) *contest.Contest {
	t.Helper()
	c, err := contest.Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t testing.TB, r *Registry, c *contest.Contest) Stored {
	t.Helper()
	stored, _, _, err := r.Put(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}
