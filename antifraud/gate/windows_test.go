package gate

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

// server is a peer with its own counts.
type server struct {
	windows  *Windows
	contests *window.Contests
}

func newServer(st *store.Store) server {
	contests := window.New()
	return server{NewWindows(st, contests, slog.New(slog.DiscardHandler)), contests}
}

func spotted(voter int) window.Sighting {
	return window.Sighting{At: time.Now().UnixMilli(), Pair: uint64(voter + 1), Entry: 1, Device: 9, Dwell: -1, Confirm: -1}
}

func (s server) voters(id string) float64 {
	return s.contests.Contest(id, time.Now()).Counts(spotted(1 << 30))[1].DeviceOnEntry
}

func (s server) exchange(ctx context.Context) { s.windows.exchange(ctx, time.Now()) }

func contestName() string { return fmt.Sprintf("w-%d-%d", os.Getpid(), things.Add(1)) }

func TestWindows_ServersCountAsOne(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		a, b, id, ctx := newServer(st), newServer(st), contestName(), t.Context()
		for voter := range 10 {
			a.contests.Saw(id, spotted(voter))
			b.contests.Saw(id, spotted(voter+5)) // half of them at both
		}
		for range 2 { // told in the first round, heard in the second at the latest
			a.exchange(ctx)
			b.exchange(ctx)
		}
		if x, y := a.voters(id), b.voters(id); x != 15 || y != 15 {
			t.Fatalf("%v and %v voters, want 15", x, y)
		}
		a.exchange(ctx) // nothing new: nothing is told, nothing is counted again
		b.exchange(ctx)
		if n := st.Client().XLen(ctx, windowsKey(id)).Val(); n != 2 {
			t.Errorf("%d messages", n)
		}
		if left := st.Client().PTTL(ctx, windowsKey(id)).Val(); left <= 0 || left > heardLife {
			t.Errorf("the messages live %v", left)
		}
		if a.voters(id) != 15 {
			t.Errorf("%v voters", a.voters(id))
		}
	})
}

// A server that begins late hears what was; what dies without a word is not
// waited for; what is no sighting is passed over.
func TestWindows_PeersComeAndGo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		a, id, ctx := newServer(st), contestName(), t.Context()
		a.contests.Saw(id, spotted(1))
		a.exchange(ctx) // and is gone
		if err := st.Client().Do(ctx, "XADD", windowsKey(id), "*", "from", "another", "seen", "of a later version").Err(); err != nil {
			t.Fatal(err)
		}
		b := newServer(st)
		b.contests.Saw(id, spotted(2))
		b.exchange(ctx)
		b.exchange(ctx)
		if n := b.voters(id); n != 2 {
			t.Errorf("%v voters, want 2", n)
		}
		other := contestName()
		if b.contests.Saw(other, spotted(3)); b.voters(other) != 1 {
			t.Errorf("%v voters of another contest", b.voters(other))
		}
	})
}

// What could not be told is told when the store is back; meanwhile a server counts
// what it sees, and says once that it is alone.
func TestWindows_WithoutTheStoreEachCountsItsOwn(t *testing.T) {
	srv := redistest.Start(t)
	var said bytes.Buffer
	contests := window.New()
	a := server{NewWindows(openStore(t, srv.URL()), contests, slog.New(slog.NewTextHandler(&said, nil))), contests}
	b, id, ctx := newServer(openStore(t, srv.URL())), contestName(), t.Context()
	srv.Kill()
	a.contests.Saw(id, spotted(1))
	a.exchange(ctx)
	a.exchange(ctx)
	if n := a.voters(id); n != 1 {
		t.Errorf("%v voters", n)
	}
	if n := strings.Count(said.String(), "each screens by its own"); n != 1 {
		t.Errorf("said %d times", n)
	}
	srv.Restart()
	b.contests.Saw(id, spotted(2))
	deadline := time.Now().Add(20 * time.Second)
	for b.voters(id) != 2 {
		if time.Now().After(deadline) {
			t.Fatalf("%v voters, want 2", b.voters(id))
		}
		a.exchange(ctx)
		b.exchange(ctx)
	}
}

// Messages are named by the store's clock. Where it was set back between two streams, those to come
// are before those that were read.
func TestWindows_AStreamThatBeginsAnewIsHeard(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		a, b, id, ctx := newServer(st), newServer(st), contestName(), t.Context()
		ahead := fmt.Sprintf("%d-0", time.Now().Add(time.Hour).UnixMilli())
		if err := st.Client().XAdd(ctx, &redis.XAddArgs{Stream: windowsKey(id), ID: ahead, Values: []any{"from", "another", "seen", ""}}).Err(); err != nil {
			t.Fatal(err)
		}
		a.contests.Saw(id, spotted(1))
		a.exchange(ctx)
		st.Client().Del(ctx, windowsKey(id)) // it was quiet for long
		b.contests.Saw(id, spotted(2))
		b.exchange(ctx)
		a.contests.Saw(id, spotted(3))
		a.exchange(ctx)
		a.exchange(ctx)
		b.exchange(ctx)
		if x, y := a.voters(id), b.voters(id); x != 3 || y != 2 {
			t.Errorf("%v and %v voters, want 3 and 2", x, y)
		}
	})
}

func TestWindows_ForgetLeavesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		a, id, ctx := newServer(st), contestName(), t.Context()
		a.contests.Saw(id, spotted(1))
		a.exchange(ctx)
		if err := a.windows.Forget(ctx, id); err != nil {
			t.Fatal(err)
		}
		if st.Client().Exists(ctx, windowsKey(id)).Val() != 0 || a.voters(id) != 0 {
			t.Error("something is left")
		}
	})
}
