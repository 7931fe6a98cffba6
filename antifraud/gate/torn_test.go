package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

// tear tears a write at every so many bytes of it. Each time begin makes what is there before, write
// is torn, Redis starts twice, and after is asked of what is left.
func tear(t *testing.T, step int64, begin func(st *store.Store), write func(st *store.Store), after func(cut int64, st *store.Store)) {
	t.Helper()
	server := redistest.Start(t)
	for cut, cuts := int64(1), 0; ; cut += step {
		begin(openStore(t, server.URL()))
		if server.Tear(cut, func() { write(openStore(t, server.URL())) }, func() {
			// A transaction, which ends the torn one.
			ok(t, newFarms(openStore(t, server.URL())).Put(t.Context(), newContestID(), []antifraud.Signature{farm("c", "d", time.Hour)}))
		}) {
			if cuts < 4 {
				t.Errorf("%d cuts only", cuts)
			}
			return
		}
		cuts++
		after(cut, openStore(t, server.URL()))
	}
}

// What an organizer has lifted when asked again is lifted at every server, whatever a kill has
// left of the first time: also at one that has read the signatures before.
func TestLift_TornIsCompletedByTheSameCall(t *testing.T) {
	var id string
	var runs *Farms
	tear(t, 53, func(st *store.Store) {
		runs, id = newFarms(st), newContestID()
		ok(t, runs.Put(t.Context(), id, []antifraud.Signature{farm("c1", "d1", time.Hour)}))
		runs.matches(id, "d1")
		ok(t, runs.refresh(t.Context(), id))
	}, func(st *store.Store) {
		ok(t, newFarms(st).Lift(t.Context(), id, "c1"))
	}, func(cut int64, st *store.Store) {
		runs.store, runs.met = st, newFarms(st).met // the connections of before are gone
		list, err := runs.List(t.Context(), id)
		ok(t, err)
		ok(t, runs.refresh(t.Context(), id))
		if lifted := !list[0].Lifted.IsZero(); lifted && runs.matches(id, "d1") {
			t.Errorf("cut %d bytes in: a server turns away whom organizers see let in", cut)
		}
		ok(t, newFarms(st).Lift(t.Context(), id, "c1"))
		ok(t, runs.refresh(t.Context(), id))
		if runs.matches(id, "d1") {
			t.Errorf("cut %d bytes in: asked again, a server does not see it", cut)
		}
	})
}

// However a kill tears what is kept of farms and of users, nothing of theirs stays for good.
func TestTorn_NothingOfAnybodyStaysForGood(t *testing.T) {
	lives := func(t *testing.T, cut int64, st *store.Store, of string) {
		t.Helper()
		c := st.Client()
		keys, err := c.Keys(t.Context(), "joute:{"+of+"/*").Result()
		ok(t, err)
		for _, key := range keys {
			if c.PTTL(t.Context(), key).Val() > 0 {
				continue
			}
			var kept []string
			switch c.Type(t.Context(), key).Val() {
			case "hash":
				kept = c.HKeys(t.Context(), key).Val()
			case "set":
				kept = c.SMembers(t.Context(), key).Val()
			case "zset":
				kept = c.ZRange(t.Context(), key, 0, -1).Val()
			case "string": // of a change: when it was
			default:
				t.Errorf("%s is what?", key)
			}
			if strings.Join(kept, "") != "" {
				t.Errorf("cut %d bytes in: of %s stays %q", cut, key, kept)
			}
		}
	}
	var id string
	fresh := func(*store.Store) { id = newContestID() }
	t.Run("farms", func(t *testing.T) {
		tear(t, 151, fresh, func(st *store.Store) {
			ok(t, newFarms(st).Put(t.Context(), id, []antifraud.Signature{farm("c1", "d1", time.Hour), farm("c2", "d2", time.Hour)}))
		}, func(cut int64, st *store.Store) {
			if _, err := newFarms(st).List(t.Context(), id); err != nil {
				t.Errorf("cut %d bytes in: %v", cut, err)
			}
			lives(t, cut, st, id)
		})
	})
	t.Run("uses", func(t *testing.T) {
		u := thing(1)
		tear(t, 47, func(st *store.Store) { fresh(st); u.Contest = id }, func(st *store.Store) {
			ok(t, New(st).Use(t.Context(), u, user(1)))
		}, func(cut int64, st *store.Store) { lives(t, cut, st, id) })
	})
	for _, acts := range []int{1, 2} { // the first of a key, and one more
		t.Run(fmt.Sprint("act ", acts), func(t *testing.T) {
			r := Rate{Kind: "mail", Name: "ada", Limit: 5, Span: time.Hour}
			act := func(st *store.Store, name string) {
				allowed, err := New(st).Allow(t.Context(), r, name)
				if ok(t, err); !allowed {
					t.Errorf("%s is refused", name)
				}
			}
			tear(t, 29, func(st *store.Store) {
				fresh(st)
				r.Contest = id
				for n := 1; n < acts; n++ {
					act(st, fmt.Sprint("before-", n))
				}
			}, func(st *store.Store) { act(st, "torn") }, func(cut int64, st *store.Store) {
				lives(t, cut, st, id)
				act(st, "torn")
				if n := st.Client().ZCount(t.Context(), rateKey(r), "(0", "+inf").Val(); n != int64(acts) {
					t.Errorf("cut %d bytes in: %d acts are counted, %d were made", cut, n, acts)
				}
				lives(t, cut, st, id)
			})
		})
	}
}
