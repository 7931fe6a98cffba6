package fans

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/joute/joute/community"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// fixture is the fans of one contest, with the store's clock in the hands of
// the test: the scripts are the real ones, but for where fans.lua asks for the time.
type fixture struct {
	*Fans
	t      *testing.T
	st     *store.Store
	ring   *keyring.Ring
	stored *registry.Stored
	clock  string // key of the clock
	now    time.Time
	asks   int
}

var contests atomic.Int64

// onEveryStore runs a test on the embedded store and on a real Redis.
func onEveryStore(t *testing.T, test func(f *fixture)) {
	storetest.OnBoth(t, func(t *testing.T, st *store.Store) { test(newFixture(t, st, Options{})) })
}

func newFixture(t *testing.T, st *store.Store, opts Options) *fixture {
	t.Helper()
	ring, err := keyring.Open("")
	must(t, err)
	f := &fixture{t: t, st: st, ring: ring, now: time.UnixMilli(1_800_000_000_000).UTC()}
	id := fmt.Sprintf("fans-%d", contests.Add(1))
	f.clock = "joute:{" + id + "/fans}:test-clock"
	const askTime = "redis.call('TIME')"
	if strings.Count(source("fans"), askTime) != 1 {
		t.Fatalf("fans.lua must ask for the time once, by %s", askTime)
	}
	f.Fans = load(st, ring, opts, func(name string) string {
		text := strings.ReplaceAll(source(name), askTime, "redis.call('HMGET', '"+f.clock+"', 's', 'us')")
		// A stream id of the same clock.
		return strings.ReplaceAll(text, "ledger, '*'", "ledger, text(now()) .. '-' .. text(redis.call('XLEN', ledger))")
	})
	f.stored = document(t, id)
	f.later(0)
	return f
}

func document(t *testing.T, id string) *registry.Stored {
	t.Helper()
	c, err := contest.Parse([]byte(`{"id":"` + id + `","title":"T","phases":{"voting":{"opens":"2026-01-01T00:00:00Z","closes":"2026-12-01T00:00:00Z"}},
		"schools":[{"id":"lumiere","name":"L"},{"id":"vercors","name":"V"}]}`))
	must(t, err)
	return &registry.Stored{Contest: c, Version: 1, Epoch: 1}
}

var must = storetest.Must

// later moves the store's clock.
func (f *fixture) later(d time.Duration) {
	f.t.Helper()
	f.now = f.now.Add(d)
	must(f.t, f.st.Client().HSet(f.t.Context(), f.clock, "s", f.now.Unix(), "us", f.now.Nanosecond()/1000).Err())
}

// request is a new one for an address.
func (f *fixture) request(address, school string) Request {
	f.t.Helper()
	fan, err := f.Fan(f.stored, address)
	must(f.t, err)
	f.asks++
	return Request{
		Fan: fan, Ask: community.AskID{byte(f.asks), byte(f.asks >> 8), 1}, Address: address, School: school, Wording: community.NewWording("fr", "Je rejoins | la communauté\n!"),
		Page: "/c/" + f.stored.Contest.ID, Channel: community.ChannelSite, Lang: "fr",
	}
}

func (f *fixture) asked(r Request, want Asked) {
	f.t.Helper()
	if got, err := f.Ask(f.t.Context(), f.stored, r); err != nil || got != want {
		f.t.Fatalf("ask: %q %v, want %q", got, err, want)
	}
}

// join asks and confirms.
func (f *fixture) join(address, school string) Request {
	f.t.Helper()
	r := f.request(address, school)
	f.asked(r, Pending)
	if _, joined, err := f.Confirm(f.t.Context(), f.stored, r.Fan, r.Ask); err != nil || !joined {
		f.t.Fatalf("confirm: %v %v", joined, err)
	}
	return r
}

func (f *fixture) stands(r Request, want Standing) *Proof {
	f.t.Helper()
	got, proof, err := f.Look(f.t.Context(), f.stored, r.Fan, r.Ask)
	if err != nil || got != want {
		f.t.Fatalf("look: %q %v, want %q", got, err, want)
	}
	return proof
}

func (f *fixture) records() (lines []string) {
	f.t.Helper()
	must(f.t, f.Ledger(f.t.Context(), f.stored, func(r community.Record) error {
		lines = append(lines, fmt.Sprintf("%s %s %s", r.Kind, r.Fan.String()[:4], r.School))
		return nil
	}))
	return lines
}

func (f *fixture) members() (list []Confirmed) {
	f.t.Helper()
	must(f.t, f.Export(f.t.Context(), f.stored, func(m Confirmed) error { list = append(list, m); return nil }))
	return list
}

// dump is every key and value of the contest's fans, as the store has them.
func (f *fixture) dump() string {
	f.t.Helper()
	ctx, client := f.t.Context(), f.st.Client()
	var out strings.Builder
	keys, err := client.Keys(ctx, "*"+f.stored.Contest.ID+"/fans*").Result()
	must(f.t, err)
	for _, key := range keys {
		if key == f.clock {
			continue
		}
		kind := client.Type(ctx, key).Val()
		fmt.Fprintln(&out, key, kind)
		switch kind {
		case "hash":
			fmt.Fprintln(&out, client.HGetAll(ctx, key).Val())
		case "string":
			fmt.Fprintln(&out, client.Get(ctx, key).Val())
		case "zset":
			fmt.Fprintln(&out, client.ZRange(ctx, key, 0, -1).Val())
		case "stream":
			fmt.Fprintln(&out, client.XRange(ctx, key, "-", "+").Val())
		default:
			f.t.Fatalf("%s is a %s", key, kind)
		}
	}
	return out.String()
}
