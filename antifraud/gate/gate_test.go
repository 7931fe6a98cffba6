package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

var onEveryStore, openStore = storetest.OnBoth, storetest.Open

var things atomic.Int64

func thing(limit int) Uses {
	return Uses{Contest: fmt.Sprintf("t-%d", os.Getpid()), Kind: "test", Name: fmt.Sprint(things.Add(1)), Limit: limit, Life: time.Minute}
}

func user(n int) (who [16]byte) {
	binary.BigEndian.PutUint64(who[8:], uint64(n))
	return who
}

func TestUse_EachUserCountsOnceUpToTheLimit(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c, u := New(st), thing(3)
		use := func(n int) error { return c.Use(t.Context(), u, user(n)) }
		for range 5 { // again and again: still one
			for n := range 2 {
				if err := use(n); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := use(2); err != nil {
			t.Fatalf("the third of three: %v", err)
		}
		for range 2 {
			if err := use(3); !errors.Is(err, ErrSpent) {
				t.Fatalf("the fourth of three: %v", err)
			}
		}
		if err := use(0); err != nil {
			t.Fatalf("a user of before: %v", err)
		}
		other := u
		other.Name += "-other"
		if err := c.Use(t.Context(), other, user(3)); err != nil {
			t.Fatalf("another thing: %v", err)
		}
		if n := st.Client().SCard(t.Context(), usesKey(u)).Val(); n != 3 {
			t.Errorf("%d users are kept, want 3", n)
		}
	})
}

func TestUse_KeyLivesFromTheFirstUse(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c, u, ctx := New(st), thing(9), t.Context()
		left := func() time.Duration { return st.Client().PTTL(ctx, usesKey(u)).Val() }
		use := func(n int) {
			t.Helper()
			if err := c.Use(ctx, u, user(n)); err != nil {
				t.Fatal(err)
			}
		}
		use(0)
		if d := left(); d <= 0 || d > u.Life {
			t.Fatalf("lives %v, want up to %v", d, u.Life)
		}
		// A later use makes it no longer: the lifetime is of the thing.
		if err := st.Client().PExpire(ctx, usesKey(u), 20*time.Second).Err(); err != nil {
			t.Fatal(err)
		}
		use(1)
		if d := left(); d > 20*time.Second {
			t.Errorf("a second use makes it live %v", d)
		}
		// A lifetime that a crash lost comes back, also with a user of before.
		if err := st.Client().Persist(ctx, usesKey(u)).Err(); err != nil {
			t.Fatal(err)
		}
		use(1)
		if d := left(); d <= 0 || d > u.Life {
			t.Errorf("lives %v after its lifetime was lost", d)
		}
	})
}

// Servers of one store count as one, however many ask at once.
func TestUse_ServersOfOneStoreCountTogether(t *testing.T) {
	url := redistest.Shared(t).URL()
	servers := []*Counters{New(openStore(t, url)), New(openStore(t, url))}
	u := thing(100)
	var taken, spent atomic.Int64
	var asking sync.WaitGroup
	for n := range 150 {
		for _, c := range servers { // each user at both
			asking.Go(func() {
				switch err := c.Use(t.Context(), u, user(n)); {
				case err == nil:
					taken.Add(1)
				case errors.Is(err, ErrSpent):
					spent.Add(1)
				default:
					t.Error(err)
				}
			})
		}
	}
	asking.Wait()
	if taken.Load() < 100 || taken.Load() > 200 || taken.Load()+spent.Load() != 300 {
		t.Errorf("%d taken, %d spent", taken.Load(), spent.Load())
	}
	let := 0
	for n := range 150 {
		if servers[0].Use(t.Context(), u, user(n)) == nil {
			let++
		}
	}
	if let != 100 {
		t.Errorf("%d users were let in, want 100", let)
	}
}

func TestUse_AWrongKindOfKeyChangesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		u := thing(1)
		if err := st.Client().Set(t.Context(), usesKey(u), "x", time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		if err := New(st).Use(t.Context(), u, user(1)); err == nil || errors.Is(err, ErrSpent) {
			t.Fatalf("%v", err)
		}
	})
}

// Any span holds the limit at most, also over the border of two clock hours.
func TestAllow_HoldsTheLimitInAnySpan(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c, ctx := New(st), t.Context()
		r := Rate{Kind: "test", Name: fmt.Sprint(os.Getpid(), "-", things.Add(1)), Limit: 3, Span: time.Hour}
		allowed := 0
		for n := range 1000 {
			ok, err := c.Allow(ctx, r, fmt.Sprint("act", n))
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				allowed++
			}
		}
		if allowed != 3 {
			t.Fatalf("%d of 1000 allowed", allowed)
		}
		if ok, err := c.Allow(ctx, r, "act1"); err != nil || !ok {
			t.Fatalf("the same act asked again: %v, %v", ok, err)
		}
		// The first leaves the span: one more, and no second.
		first := st.Client().ZScore(ctx, rateKey(r), "act0").Val()
		if err := st.Client().ZAdd(ctx, rateKey(r), redis.Z{Score: first - 3_600_001, Member: "act0"}).Err(); err != nil {
			t.Fatal(err)
		}
		for n, want := range []bool{true, false} {
			if ok, err := c.Allow(ctx, r, fmt.Sprint("later", n)); err != nil || ok != want {
				t.Fatalf("act %d after the first has left: %v, %v", n, ok, err)
			}
		}
		if left := st.Client().PTTL(ctx, rateKey(r)).Val(); left <= 0 || left > time.Hour {
			t.Fatalf("the key lives %v", left)
		}
	})
}

func TestFull_AgreesWithAllowAndCountsNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c, ctx := New(st), t.Context()
		r := Rate{Kind: "test", Name: fmt.Sprint(os.Getpid(), "-", things.Add(1)), Limit: 3, Span: time.Hour}
		for n := range 5 {
			for range 3 {
				if full, err := c.Full(ctx, r); err != nil || full != (n >= 3) {
					t.Fatalf("after %d acts: %v, %v", n, full, err)
				}
			}
			if ok, err := c.Allow(ctx, r, fmt.Sprint("act", n)); err != nil || ok != (n < 3) {
				t.Fatalf("act %d: %v, %v", n, ok, err)
			}
		}
		first := st.Client().ZScore(ctx, rateKey(r), "act0").Val()
		if err := st.Client().ZAdd(ctx, rateKey(r), redis.Z{Score: first - 3_600_001, Member: "act0"}).Err(); err != nil {
			t.Fatal(err)
		}
		if full, err := c.Full(ctx, r); err != nil || full {
			t.Fatalf("after the first has left: %v, %v", full, err)
		}
	})
}

// A clock that is set back an hour does not close what was full for an hour.
func TestAllow_WhatWasBeforeTheClockWasSetBackDoesNotCount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c, r := New(st), Rate{Contest: fmt.Sprintf("t-%d", os.Getpid()), Kind: "test", Name: fmt.Sprint(things.Add(1)), Limit: 2, Span: time.Minute}
		for n := range 2 {
			if err := st.Client().ZAdd(t.Context(), rateKey(r), redis.Z{Score: float64(time.Now().Add(time.Hour).UnixMilli()), Member: fmt.Sprint("before ", n)}).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if full, err := c.Full(t.Context(), r); err != nil || full {
			t.Errorf("full %v, %v", full, err)
		}
		for n := range 3 {
			if allowed, err := c.Allow(t.Context(), r, fmt.Sprint("act ", n)); err != nil || allowed != (n < 2) {
				t.Errorf("act %d: allowed %v, %v", n, allowed, err)
			}
		}
		if n := st.Client().ZCard(t.Context(), rateKey(r)).Val(); n != 2 {
			t.Errorf("%d acts are kept", n)
		}
	})
}
