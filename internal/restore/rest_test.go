package restore

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/internal/store"
)

func embedded(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// contents is every key of the store as Redis tells it.
func contents(t *testing.T, st *store.Store) map[string]any {
	t.Helper()
	ctx, all := t.Context(), map[string]any{}
	for _, key := range st.Client().Keys(ctx, "*").Val() {
		switch kind := st.Client().Type(ctx, key).Val(); kind {
		case "string":
			all[key] = st.Client().Get(ctx, key).Val()
		case "hash":
			all[key] = st.Client().HGetAll(ctx, key).Val()
		case "set":
			all[key] = len(st.Client().SMembers(ctx, key).Val())
		case "zset":
			all[key] = st.Client().ZRangeWithScores(ctx, key, 0, -1).Val()
		case "stream":
			all[key] = st.Client().XRange(ctx, key, "-", "+").Val()
		}
		all[key+" lives"] = st.Client().PTTL(ctx, key).Val().Round(time.Hour)
	}
	return all
}

func TestRest_ComesBackAsItWas(t *testing.T) {
	dir, st, ctx := t.TempDir(), embedded(t), t.Context()
	raw, c := "\x00\xff|binary\n", st.Client()
	c.HSet(ctx, "joute:{one/fans}:members", raw, raw, "fan", "member")
	for i := range 3000 { // more than one line takes
		c.HSet(ctx, "joute:{one/share}:codes", fmt.Sprint("code-", i), strings.Repeat("x", 500))
	}
	c.Expire(ctx, "joute:{one/share}:codes", 30*24*time.Hour)
	c.Set(ctx, "joute:share:abc", raw, 5*time.Hour)
	c.Set(ctx, "joute:{one/0}:solved:77", "ballot", time.Nanosecond) // over when it is loaded
	c.SAdd(ctx, "joute:{one/uses/a/b}", "x", "y", raw)
	c.ZAdd(ctx, "joute:{one/fans}:recent", redis.Z{Score: 1_800_000_000_123, Member: "a"}, redis.Z{Score: .5, Member: raw})
	for i := range 5 {
		c.XAdd(ctx, &redis.XAddArgs{Stream: "joute:{one/fans}:ledger", ID: fmt.Sprintf("%d-7", i+1), Values: []string{"kind", raw, "n", fmt.Sprint(i)}})
	}
	c.Set(ctx, "joute:{one/0}:act:name", "{}", time.Hour)
	c.Set(ctx, "joute:{one/0}:act:large", strings.Repeat("x", 2<<20), time.Hour) // of as many ballots as an organizer likes
	c.HSet(ctx, "joute:{one/0}:past", "1800000000", strings.Repeat("y", 2<<20))
	time.Sleep(2 * time.Millisecond)
	want := contents(t, st)
	delete(want, "joute:{one/0}:solved:77")
	delete(want, "joute:{one/0}:solved:77 lives")
	// What is restored from records and contests, or is nobody's of ours, is not kept twice.
	for _, key := range []string{"joute:{one/0}:meta", "joute:{one/12}:voters:00ff", "joute:{one/0}:voters:0001", "joute:{contests}", "joute:{contests}:one", "other"} {
		c.HSet(ctx, key, "a", "b")
	}
	if err := NewRest(st, dir, slog.New(slog.DiscardHandler)).Save(ctx); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, restFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v, want mode 0600", info.Mode(), err)
	}
	back := embedded(t)
	if err := NewRest(back, dir, nil).Load(ctx); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, back); !reflect.DeepEqual(got, want) {
		for key := range want {
			if !reflect.DeepEqual(got[key], want[key]) {
				t.Errorf("%q: got %v, want %v", key, got[key], want[key])
			}
		}
		t.Errorf("got %d keys, want %d", len(got), len(want))
	}
}

func TestRest_ADamagedFileIsTold(t *testing.T) {
	for _, text := range []string{"{]", `{"key":"joute:x","type":"hash","values":["YQ=="]}`, `{"key":"joute:x","type":"tree","values":["YQ=="]}`,
		`{"key":"joute:x","type":"stream","values":["MS0x","OTk=","YQ==","Yg=="]}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, restFile), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		st := embedded(t)
		if err := NewRest(st, dir, nil).Load(t.Context()); err == nil || !strings.Contains(err.Error(), restFile+":1: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := NewRest(embedded(t), t.TempDir(), nil).Load(t.Context()); err != nil {
		t.Errorf("without a file: %v", err)
	}
}
