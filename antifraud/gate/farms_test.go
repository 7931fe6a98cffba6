package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

func newContestID() string { return fmt.Sprintf("t-%d-%d", os.Getpid(), things.Add(1)) }

// farm is a signature of a device and a block, for entry e1.
func farm(id, device string, life time.Duration) antifraud.Signature {
	now := time.Now()
	return antifraud.Signature{
		ID: id, Entries: []string{"e1"}, Members: 7, Since: now, Expires: now.Add(life),
		Features: []antifraud.Feature{{Kind: "device", Value: device, LogOdds: 3}, {Kind: "block", Value: "k1", LogOdds: 3}},
	}
}

func seen(device string) *antifraud.Evidence { return &antifraud.Evidence{Device: device, Block: "k1"} }

// running keeps copies until the test ends.
func running(t *testing.T, f *Farms) *Farms {
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { f.Run(ctx) })
	t.Cleanup(func() { stop(); done.Wait() })
	return f
}

func newFarms(st *store.Store) *Farms { return NewFarms(st, slog.New(slog.DiscardHandler)) }

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *Farms) matches(id, device string) bool {
	_, ok := f.Match(id, "e1", seen(device), time.Now())
	return ok
}

func TestFarms_EveryServerMeetsWhatOnePut(t *testing.T) {
	url := redistest.Shared(t).URL()
	here, there, id := running(t, newFarms(openStore(t, url))), running(t, newFarms(openStore(t, url))), newContestID()
	for _, f := range []*Farms{here, there} {
		if f.matches(id, "d1") {
			t.Fatal("met before it is known")
		}
	}
	ok(t, here.Put(t.Context(), id, []antifraud.Signature{farm("c1", "d1", time.Hour)}))
	for _, f := range []*Farms{here, there} {
		watchtest.Until(t, 10*time.Second, "every copy has it", func() bool { return f.matches(id, "d1") })
		if f.matches(id, "d2") || f.matches("another", "d1") {
			t.Error("others are met too")
		}
	}
	// Once more, twice: the latest wins.
	ok(t, there.Put(t.Context(), id, []antifraud.Signature{farm("c1", "d3", time.Hour), farm("c2", "d4", time.Hour)}))
	ok(t, there.Put(t.Context(), id, []antifraud.Signature{farm("c1", "d3", time.Hour)}))
	watchtest.Until(t, 10*time.Second, "the copies follow", func() bool { return here.matches(id, "d3") && here.matches(id, "d4") && !here.matches(id, "d1") })

	ok(t, there.Lift(t.Context(), id, "c1"))
	watchtest.Until(t, 10*time.Second, "what is lifted is met no more", func() bool { return !here.matches(id, "d3") && here.matches(id, "d4") })
	ok(t, here.Put(t.Context(), id, []antifraud.Signature{farm("c1", "d3", time.Hour), farm("c3", "d5", time.Hour)}))
	watchtest.Until(t, 10*time.Second, "another one is there", func() bool { return there.matches(id, "d5") })
	if there.matches(id, "d3") {
		t.Error("what was lifted came back")
	}
	ok(t, here.Forget(t.Context(), id))
	watchtest.Until(t, 10*time.Second, "forgotten", func() bool { return !there.matches(id, "d5") })
}

func TestFarms_ListSaysWhatWasMetAndLifted(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		f, id := running(t, newFarms(st)), newContestID()
		old := farm("old", "d0", time.Hour)
		old.Since = old.Since.Add(-time.Hour)
		ok(t, f.Put(t.Context(), id, []antifraud.Signature{old, farm("c1", "d1", time.Hour), farm("gone", "d2", -time.Second)}))
		f.matches(id, "d1")
		for range 3 {
			f.Met(id, "c1", true)
		}
		f.Met(id, "c1", false)
		var list []Farm
		watchtest.Until(t, 10*time.Second, "counts are told", func() bool {
			var err error
			list, err = f.List(t.Context(), id)
			ok(t, err)
			return len(list) == 2 && list[0].Met == 4
		})
		if list[0].ID != "c1" || list[0].Rejected != 3 || list[0].Members != 7 || !list[0].Lifted.IsZero() || list[1].ID != "old" || list[1].Met != 0 {
			t.Errorf("%+v", list)
		}
		ok(t, f.Lift(t.Context(), id, "c1"))
		list, err := f.List(t.Context(), id)
		ok(t, err)
		first := list[0].Lifted
		if time.Since(first).Abs() > time.Minute {
			t.Errorf("lifted at %v", first)
		}
		ok(t, f.Lift(t.Context(), id, "c1")) // again is the same
		if list, _ = f.List(t.Context(), id); !list[0].Lifted.Equal(first) {
			t.Errorf("lifted at %v, then %v", first, list[0].Lifted)
		}
		if err := f.Lift(t.Context(), id, "nobody"); !errors.Is(err, ErrNoFarm) {
			t.Errorf("unknown: %v", err)
		}
		if list, err := f.List(t.Context(), "never"); err != nil || list == nil || len(list) != 0 {
			t.Errorf("none: %v, %v", list, err)
		}
	})
}

func TestFarms_KeysGoByThemselvesAndWithForget(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		f, id, ctx := newFarms(st), newContestID(), t.Context()
		known, lifted, met, change := farmKeys(id)
		lives := func() (all []time.Duration) {
			for _, key := range []string{known, lifted, met, change} {
				if left := st.Client().PTTL(ctx, key).Val(); left != -2 {
					all = append(all, left)
				}
			}
			return all
		}
		ok(t, f.Put(ctx, id, []antifraud.Signature{farm("c1", "d1", time.Hour), farm("c2", "d2", time.Minute)}))
		f.matches(id, "d1")
		f.Met(id, "c1", true)
		ok(t, f.refresh(ctx, id))
		if all := lives(); len(all) != 3 {
			t.Fatalf("keys live %v", all)
		}
		for _, left := range lives() {
			if left <= time.Minute || left > time.Hour {
				t.Errorf("lives %v, want as long as the longest", left)
			}
		}
		ok(t, f.Lift(ctx, id, "c1"))
		ok(t, f.Put(ctx, id, []antifraud.Signature{farm("c2", "d2", time.Minute)}))
		for _, left := range lives() {
			if left < liftedLife-time.Hour {
				t.Errorf("what was lifted is remembered for %v", left)
			}
		}
		ok(t, f.Forget(ctx, id))
		if all := lives(); len(all) != 0 {
			t.Errorf("left after forgetting: %v", all)
		}
	})
}

func TestFarms_AsManyAsThereMayBeAndWhatExpiredMakesRoom(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		f, id := newFarms(st), newContestID()
		many := func(from, n int, life time.Duration) (all []antifraud.Signature) {
			for i := range n {
				all = append(all, farm(fmt.Sprint("c", from+i), "d", life))
			}
			return all
		}
		ok(t, f.Put(t.Context(), id, many(0, antifraud.MaxSignatures-1, time.Hour)))
		ok(t, f.Put(t.Context(), id, many(900, 1, time.Nanosecond)))
		if err := f.Put(t.Context(), id, many(1000, 2, time.Hour)); !errors.Is(err, ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		ok(t, f.Put(t.Context(), id, many(0, antifraud.MaxSignatures-1, time.Hour)))       // the same are no more
		ok(t, f.Put(t.Context(), id, many(2000, 2*antifraud.MaxSignatures, -time.Second))) // those that are over take no room
		ok(t, f.Put(t.Context(), id, many(1000, 1, time.Hour)))
		list, err := f.List(t.Context(), id)
		ok(t, err)
		if len(list) != antifraud.MaxSignatures {
			t.Errorf("%d are kept", len(list))
		}
	})
}

func TestFarms_WhatCannotBeKeptIsSaid(t *testing.T) {
	f, id := newFarms(openStore(t, "")), newContestID()
	endless, long := farm("c", "d", 0), farm("c", strings.Repeat("x", maxSignature), time.Hour)
	endless.Expires = time.Time{}
	for name, s := range map[string]antifraud.Signature{"no id": farm("", "d", time.Hour), "a count's name": farm("c!", "d", time.Hour), "no end": endless, "too long": long} {
		if err := f.Put(t.Context(), id, []antifraud.Signature{farm("good", "d", time.Hour), s}); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := f.List(t.Context(), id); err != nil || len(list) != 0 {
		t.Errorf("kept: %v, %v", list, err)
	}
	ok(t, f.Put(t.Context(), id, nil))
}

// A cast never waits for the store: with none at all it meets the copy of before.
func TestFarms_AStoreThatIsGoneChangesNothingAtTheDoor(t *testing.T) {
	server := redistest.Start(t)
	f, id := running(t, newFarms(openStore(t, server.URL()))), newContestID()
	ok(t, f.Put(t.Context(), id, []antifraud.Signature{farm("c1", "d1", time.Hour)}))
	watchtest.Until(t, 10*time.Second, "it is known", func() bool { return f.matches(id, "d1") })
	server.Kill()
	began := time.Now()
	for range 1000 {
		if !f.matches(id, "d1") || f.matches(id, "d2") {
			t.Fatal("another answer")
		}
		f.Met(id, "c1", true)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("2000 attempts took %v", took)
	}
}

func TestPressure_ServersSeeTogetherAndForget(t *testing.T) {
	url := redistest.Shared(t).URL()
	quiet := slog.New(slog.DiscardHandler)
	here, there, id := NewPressure(openStore(t, url), quiet), NewPressure(openStore(t, url), quiet), newContestID()
	if here.Of(id) != (antifraud.Attempts{}) {
		t.Fatal("something of nothing")
	}
	for n := range 100 {
		here.Count(id, n%2 == 0, time.Now())
	}
	there.Count(id, false, time.Now())
	for range 2 { // told twice is told once
		ok(t, here.mergeOne(t.Context(), id))
		ok(t, there.mergeOne(t.Context(), id))
	}
	ok(t, here.mergeOne(t.Context(), id))
	for _, p := range []*Pressure{here, there} {
		if got := p.Of(id); got != (antifraud.Attempts{Seen: 101, Suspect: 50}) {
			t.Errorf("%+v", got)
		}
	}
	here.Count(id, true, time.Now())
	if got := here.Of(id); got.Suspect != 51 {
		t.Errorf("not merged yet: %+v", got)
	}
	if left := here.store.Client().PTTL(t.Context(), pressureKey(id)).Val(); left <= 0 || left > pressureSpan {
		t.Errorf("lives %v", left)
	}
	if busy := here.busy(time.Now().Add(pressureSpan + time.Second)); len(busy) != 0 || here.Of(id) != (antifraud.Attempts{}) {
		t.Error("a quiet contest is kept")
	}
	ok(t, here.Forget(t.Context(), id))
	if n := here.store.Client().Exists(t.Context(), pressureKey(id)).Val(); n != 0 {
		t.Error("left after forgetting")
	}
}

// Minutes that are over count no more: the attack ends by itself.
func TestPressure_OldMinutesDoNotCount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		p, id := NewPressure(st, slog.New(slog.DiscardHandler)), newContestID()
		minute := time.Now().Unix() / 60
		for _, back := range []int64{pressureMinutes - 2, pressureMinutes + 1, 500, -60} {
			ok(t, st.Client().HSet(t.Context(), pressureKey(id), fmt.Sprint(minute-back, "/seen"), 10, fmt.Sprint(minute-back, "/suspect"), 4).Err())
		}
		p.Count(id, true, time.Now())
		ok(t, p.mergeOne(t.Context(), id))
		if got := p.Of(id); got != (antifraud.Attempts{Seen: 11, Suspect: 5}) {
			t.Errorf("%+v", got)
		}
		if n := st.Client().HLen(t.Context(), pressureKey(id)).Val(); n != 4 {
			t.Errorf("%d fields are kept", n)
		}
	})
}
