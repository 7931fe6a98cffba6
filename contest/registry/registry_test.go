package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/watchtest"
)

func TestPut_VersionsGrowOnlyWithTheDocument(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		r := New(st, ring, Options{})
		c := parse(t, document(name(t), time.Hour, 2*time.Hour, ""))
		for i, step := range []struct {
			c                *contest.Contest
			created, changed bool
			version          int
		}{
			{c, true, true, 1},
			{c, false, false, 1},
			{parse(t, string(c.Document())), false, false, 1}, // the same contest in JSON
			{retitled(c, "Another"), false, true, 2},
			{retitled(c, "Another"), false, false, 2},
			{c, false, true, 3},
		} {
			stored, created, changed, err := r.Put(t.Context(), step.c)
			if err != nil || created != step.created || changed != step.changed || stored.Version != step.version {
				t.Errorf("step %d: version %d created %v changed %v err %v, expected %+v", i, stored.Version, created, changed, err, step)
			}
			if got, ok := r.Get(c.ID); !ok || got.Version != step.version || got.Contest.Title.In("", "") != step.c.Title.In("", "") {
				t.Errorf("step %d: the put is not in this server's memory", i)
			}
		}
		if got, _ := r.Get(c.ID); got.Epoch < time.Now().Add(-time.Minute).Unix() || got.Epoch > time.Now().Add(time.Minute).Unix() {
			t.Errorf("epoch %d is not the store's second of creation", got.Epoch)
		}
	})
}

func retitled(c *contest.Contest, title string) *contest.Contest {
	with := *c
	with.Title = contest.Plain(title)
	return &with
}

func TestPut_WithoutASecretKeepsTheOneItHas(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		r, other := New(st, ring, Options{}), New(st, ring, Options{})
		id := name(t)
		bare := parse(t, document(id, -time.Hour, time.Hour, "identity: partner"))
		faults := contest.Faults(nil)
		if _, _, _, err := r.Put(t.Context(), bare); !errors.As(err, &faults) || faults[0].Path != "partner.secret" {
			t.Fatalf("a partner contest without a secret: %v", err)
		}
		put(t, r, bare.WithSecret(secret))
		if kept := put(t, r, bare); kept.Contest.Partner.Secret != secret || kept.Version != 1 {
			t.Errorf("kept %q at version %d", kept.Contest.Partner.Secret, kept.Version)
		}
		put(t, r, retitled(bare, "Another"))
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, ok := other.Get(id); !ok || s.Contest.Partner.Secret != secret || s.Version != 2 {
			t.Errorf("another server has %+v", s)
		}
		rotated := strings.ToUpper(secret)
		if s := put(t, r, bare.WithSecret(rotated)); s.Contest.Partner.Secret != rotated || s.Version != 3 {
			t.Errorf("a secret may rotate while open: %+v", s)
		}
	})
}

func TestPut_TheSecretIsNowhereInTheStore(t *testing.T) {
	srv := redistest.Start(t)
	st := open(t, srv.URL())
	id := name(t)
	put(t, New(st, ring, Options{}), parse(t, document(id, time.Hour, 2*time.Hour, "identity: partner\npartner: {secret: "+secret+"}")))
	aof, err := os.ReadFile(srv.AOF())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(aof, []byte(id)) {
		t.Fatal("the file does not hold the put: this test sees nothing")
	}
	if bytes.Contains(aof, []byte(secret)) {
		t.Error("the secret lies in the append-only file")
	}
	fields := st.Client().HGetAll(t.Context(), contestKey(id)).Val()
	if fields["secret"] == "" || strings.Contains(fmt.Sprint(fields), secret) {
		t.Errorf("the secret is missing or in clear: %v", fields)
	}
	// Sealed for one contest, it does not open for another.
	other := fields["secret"]
	put(t, New(st, ring, Options{}), parse(t, document("other", time.Hour, 2*time.Hour, "")))
	st.Client().HSet(t.Context(), contestKey("other"), "secret", other)
	if _, err := New(st, ring, Options{}).load(t.Context(), "other"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a secret moved to another contest: %v", err)
	}
}

func TestPut_WhatIsFixedIsRefusedByTheStoresClock(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		r := New(st, ring, Options{})
		const rules = "rules: {ballots: {max: 2}}"
		upcoming := name(t) + "-a"
		put(t, r, parse(t, document(upcoming, time.Hour, 2*time.Hour, "")))
		if s := put(t, r, parse(t, document(upcoming, time.Hour, 2*time.Hour, rules))); s.Version != 2 {
			t.Error("rules may change before it opens")
		}
		open := parse(t, document(name(t)+"-b", -time.Hour, time.Hour, ""))
		put(t, r, open)
		changed := *open
		changed.Rules.Ballots.Max = 2
		var faults contest.Faults
		if _, _, _, err := r.Put(t.Context(), &changed); !errors.Is(err, contest.ErrFixedWhileOpen) || !errors.As(err, &faults) || faults[0].Path != "rules.ballots.max" {
			t.Errorf("rules changed while open: %v", err)
		}
		if s, _ := r.Get(open.ID); s.Version != 1 || s.Contest.Rules.Ballots.Max != 1 {
			t.Errorf("a refused put left %+v", s)
		}
		// Closed by hand, it is closed although the document says otherwise.
		later := *open
		later.Phases.Voting.Closes = later.Phases.Voting.Closes.Add(time.Hour)
		if err := r.MarkClosed(t.Context(), open.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := r.Put(t.Context(), &later); !errors.Is(err, contest.ErrFixedWhileOpen) {
			t.Errorf("a vote closed by hand was opened again: %v", err)
		}
		if s := put(t, r, retitled(open, "After")); s.Version != 2 || s.ClosedAt.IsZero() {
			t.Errorf("a title after the close: %+v", s)
		}
	})
}

// TestWrite_AJudgementHoldsOnlyUntilItsInstant runs the script as a put does
// whose judgement was overtaken by the opening.
func TestWrite_AJudgementHoldsOnlyUntilItsInstant(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		r := New(st, ring, Options{})
		c := parse(t, document(name(t), -time.Minute, time.Hour, ""))
		put(t, r, c)
		h, now, err := r.look(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		next := retitled(c, "Next")
		for _, step := range []struct {
			put    string
			judged held
			before time.Time
			reply  string
		}{
			{"late", h, now, "late"},
			{"as it were new", held{}, time.Time{}, "changed"},
			{"in time", h, now.Add(time.Minute), "stored"},
			{"in time", h, now.Add(time.Minute), "stored"}, // the same call, run twice
			{"another", h, time.Time{}, "changed"},
		} {
			if reply, err := r.write(t.Context(), step.put, step.judged, next, step.before); reply != step.reply || err != nil {
				t.Errorf("%s: %s %v, expected %s", step.put, reply, err, step.reply)
			}
		}
		if s, err := r.load(t.Context(), c.ID); err != nil || s.Version != 2 {
			t.Errorf("version %+v %v, expected 2", s, err)
		}
	})
}

func TestPut_ConcurrentPutsMakeOneVersionEach(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		const writers, each = 8, 5
		id := name(t)
		var versions []int
		var creators int
		var mutex sync.Mutex
		var running sync.WaitGroup
		for w := range writers {
			running.Go(func() {
				r := New(st, ring, Options{})
				for n := range each {
					c := retitled(parse(t, document(id, time.Hour, 2*time.Hour, "")), fmt.Sprintf("Title %d of %d", n, w))
					stored, created, changed, err := r.Put(t.Context(), c)
					mutex.Lock()
					if err != nil || !changed {
						t.Errorf("changed %v, %v", changed, err)
					}
					if created {
						creators++
					}
					versions = append(versions, stored.Version)
					mutex.Unlock()
				}
			})
		}
		running.Wait()
		s, err := New(st, ring, Options{}).load(t.Context(), id)
		if err != nil || s.Version != writers*each || creators != 1 {
			t.Errorf("version %+v %v after %d puts, created %d times", s, err, writers*each, creators)
		}
		// A put answers with what is stored when it reads back: its own version or a later one.
		if slices.Max(versions) != writers*each {
			t.Errorf("versions %v", versions)
		}
	})
}

func TestRun_AnotherServerSeesAChangeWithinASecond(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		here, there := New(st, ring, Options{}), New(st, ring, Options{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- there.Run(ctx) }()
		c := parse(t, document(name(t), -time.Hour, time.Hour, ""))
		sees := func(what string, ok func(*Stored) bool) {
			t.Helper()
			watchtest.Until(t, time.Second, what, func() bool { s, known := there.Get(c.ID); return known && ok(s) })
		}
		put(t, here, c)
		sees("a new contest", func(s *Stored) bool { return s.Version == 1 })
		put(t, here, retitled(c, "Another"))
		sees("a new version", func(s *Stored) bool { return s.Version == 2 && s.Contest.Title.In("", "") == "Another" })
		at := time.Now().UTC().Truncate(time.Millisecond)
		if err := here.MarkClosed(t.Context(), c.ID, at); err != nil {
			t.Fatal(err)
		}
		sees("a close", func(s *Stored) bool {
			return s.ClosedAt.Equal(at) && s.Version == 2 && s.Phase(at) == contest.PhaseClosed
		})
		if err := here.MarkPublished(t.Context(), c.ID, at.Add(1e9)); err != nil {
			t.Fatal(err)
		}
		sees("publication", func(s *Stored) bool { return s.PublishedAt.Equal(at.Add(1e9)) && s.Phase(at) == contest.PhasePublished })
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func TestMark_TheFirstInstantStays(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		r := New(st, ring, Options{})
		c := parse(t, document(name(t), -time.Hour, time.Hour, ""))
		put(t, r, c)
		first := time.Now().UTC().Truncate(time.Millisecond)
		for _, at := range []time.Time{first, first.Add(time.Second), first.Add(-time.Second)} {
			if err := r.MarkClosed(t.Context(), c.ID, at); err != nil {
				t.Fatal(err)
			}
			if s, _ := r.Get(c.ID); !s.ClosedAt.Equal(first) {
				t.Errorf("closed at %s, expected %s", s.ClosedAt, first)
			}
		}
		if err := r.MarkPublished(t.Context(), "nobody-"+c.ID, first); !errors.Is(err, ErrNoContest) {
			t.Errorf("a contest that is not there: %v", err)
		}
		if n := st.Client().Exists(t.Context(), contestKey("nobody-"+c.ID)).Val(); n != 0 {
			t.Error("marking made a contest")
		}
	})
}

func TestRefresh_OneCorruptContestDoesNotHideTheOthers(t *testing.T) {
	for _, damage := range []func(context.Context, *store.Store, string){
		func(ctx context.Context, st *store.Store, key string) { st.Client().HSet(ctx, key, "document", "{]") },
		func(ctx context.Context, st *store.Store, key string) { st.Client().HSet(ctx, key, "epoch", "x") },
		func(ctx context.Context, st *store.Store, key string) {
			st.Client().HSet(ctx, key, "secret", "not sealed")
		},
		func(ctx context.Context, st *store.Store, key string) { st.Client().Del(ctx, key) },
		func(ctx context.Context, st *store.Store, key string) { st.Client().Set(ctx, key, "a string", 0) },
	} {
		st := open(t, "")
		r := New(st, ring, Options{})
		for _, id := range []string{"a", "b", "c"} {
			put(t, r, parse(t, document(id, time.Hour, 2*time.Hour, "")))
		}
		damage(t.Context(), st, contestKey("b"))
		var log bytes.Buffer
		fresh := New(st, ring, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		for range 3 {
			if err := fresh.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		}
		var ids []string
		for _, s := range fresh.List() {
			ids = append(ids, s.Contest.ID)
		}
		if !slices.Equal(ids, []string{"a", "c"}) || strings.Count(log.String(), "contest=b") != 1 {
			t.Errorf("contests %v, log %s", ids, log.String())
		}
	}
}

func TestRefresh_AStoreThatIsGoneKeepsWhatWasSeen(t *testing.T) {
	srv := redistest.Start(t)
	r := New(open(t, srv.URL()), ring, Options{})
	put(t, r, parse(t, document("kept", time.Hour, 2*time.Hour, "")))
	srv.Kill()
	if err := r.Refresh(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("refresh: %v", err)
	}
	if _, _, _, err := r.Put(t.Context(), parse(t, document("new", time.Hour, 2*time.Hour, ""))); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("put: %v", err)
	}
	if _, ok := r.Get("kept"); !ok {
		t.Error("the contest is forgotten")
	}
	srv.Restart()
	watchtest.Until(t, 5*time.Second, "recovery by itself", func() bool { return r.Refresh(t.Context()) == nil })
	// An emptied store is believed: its contests are gone, and a new one of the same id is another.
	old, _ := r.Get("kept")
	srv.Client().FlushAll(t.Context())
	if err := r.Refresh(t.Context()); err != nil || len(r.List()) != 0 {
		t.Errorf("after the store was emptied: %v %v", r.List(), err)
	}
	if again := put(t, r, old.Contest); again.Version != 1 {
		t.Errorf("version %d in a new store", again.Version)
	}
}

// What is forgotten stays so, whatever is put or marked later.
func TestMarkForgotten_StaysAndIsSeenByOthers(t *testing.T) {
	onEachStore(t, func(t *testing.T, st *store.Store) {
		r, other := New(st, ring, Options{}), New(st, ring, Options{})
		c := parse(t, document(name(t), -2*time.Hour, -time.Hour, ""))
		if s := put(t, r, c); s.Forgotten() {
			t.Error("a new contest is forgotten")
		}
		first := time.Now().UTC().Truncate(time.Millisecond)
		for _, at := range []time.Time{first, first.Add(time.Second)} {
			if err := r.MarkForgotten(t.Context(), c.ID, at); err != nil {
				t.Fatal(err)
			}
		}
		if s := put(t, r, retitled(c, "After")); s.Version != 2 || !s.ForgottenAt.Equal(first) {
			t.Errorf("version %d forgotten at %v, want %v", s.Version, s.ForgottenAt, first)
		}
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, _ := other.Get(c.ID); !s.Forgotten() || s.Phase(first) != contest.PhaseClosed {
			t.Errorf("another server has %+v", s)
		}
	})
}
