package fans

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
)

func TestStore_HasNoAddressInClear(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		// Names so long that no identifier made at random has them by chance.
		f.join("ada.lovelace@example.org", "lumiere")
		f.asked(f.request("bob.vercors@example.org", "vercors"), Pending)
		dump := f.dump()
		if strings.Count(dump, "\n") < 12 || !strings.Contains(dump, "lumiere") {
			t.Fatalf("the dump shows nothing:\n%s", dump)
		}
		for _, secret := range []string{"ada.lovelace", "bob.vercors", "example.org", "YWRhLmxvdmVs", "Ym9iLnZlcmNv"} {
			if strings.Contains(strings.ReplaceAll(dump, f.stored.Contest.ID, ""), secret) {
				t.Errorf("%q is in\n%s", secret, dump)
			}
		}
		// Sealed for one fan, it does not open for another.
		keys := keysOf(f.stored.Contest.ID)
		ada, eve := f.request("ada.lovelace@example.org", "lumiere").Fan, f.join("eve@example.org", "lumiere").Fan
		value := f.st.Client().HGet(t.Context(), keys.members, ada.String()).Val()
		moved := f.st.Client().HGet(t.Context(), keys.members, eve.String()).Val()
		value = moved[:strings.LastIndexByte(moved, '|')] + value[strings.LastIndexByte(value, '|'):]
		must(t, f.st.Client().HSet(t.Context(), keys.members, eve.String(), value).Err())
		if err := f.Export(t.Context(), f.stored, func(Confirmed) error { return nil }); err == nil || strings.Contains(err.Error(), "@") {
			t.Errorf("an address that was moved: %v", err)
		}
	})
}

// Whatever a crash leaves of a script's writes, the same call completes it and
// nobody is counted twice.
func TestTorn_TheSameCallCompletesWhatWasBegun(t *testing.T) {
	ctx := context.Background()
	for name, tear := range map[string]func(c redis.UniversalClient, k contestKeys, fan, value string){
		"a join's record alone": func(c redis.UniversalClient, k contestKeys, fan, value string) {
			c.HDel(ctx, k.members, fan, schoolField("lumiere"))
		},
		"a join but for its request's end": func(redis.UniversalClient, contestKeys, string, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, storetest.Open(t, ""), Options{})
			keys := keysOf(f.stored.Contest.ID)
			r := f.request("ada@example.org", "lumiere")
			f.asked(r, Pending)
			pending := f.st.Client().Get(ctx, keys.pending(r.Fan)).Val()
			if _, _, err := f.Confirm(ctx, f.stored, r.Fan, r.Ask); err != nil {
				t.Fatal(err)
			}
			f.st.Client().Set(ctx, keys.pending(r.Fan), pending, time.Hour) // the DEL was cut off
			tear(f.st.Client(), keys, r.Fan.String(), pending)
			f.later(time.Second)
			if _, _, err := f.Confirm(ctx, f.stored, r.Fan, r.Ask); err != nil {
				t.Fatal(err)
			}
			f.stands(r, InBy)
			counts, err := f.count(ctx, f.stored)
			if err != nil || counts["lumiere"] != 1 || len(f.members()) != 1 {
				t.Errorf("counts %v %v, members %v", counts, err, f.members())
			}
			// A leaving that was cut off before its last command.
			f.st.Client().HSet(ctx, keys.members, r.Fan.String(), "", schoolField("lumiere"), "0")
			f.stands(Request{Fan: r.Fan, Ask: community.AskID{99}}, Nobody)
			if left, err := f.Leave(ctx, f.stored, r.Fan); err != nil || left {
				t.Errorf("%v %v", left, err)
			}
			if f.st.Client().HExists(ctx, keys.members, r.Fan.String()).Val() || len(f.members()) != 0 {
				t.Error("something of the fan is left")
			}
		})
	}
}

func TestScripts_RefuseDamageBeforeTheyWrite(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		r := f.join("ada@example.org", "lumiere")
		keys := keysOf(f.stored.Contest.ID)
		ctx, client := t.Context(), f.st.Client()
		value := client.HGet(ctx, keys.members, r.Fan.String()).Val()
		next := f.request("bob@example.org", "lumiere")
		f.asked(next, Pending)
		records := len(f.records())
		for _, damage := range []string{"x", "-1", ""} {
			client.HSet(ctx, keys.members, schoolField("lumiere"), damage)
			_, _, err1 := f.Confirm(ctx, f.stored, next.Fan, next.Ask)
			_, err2 := f.Leave(ctx, f.stored, r.Fan)
			if err1 == nil || err2 == nil {
				t.Errorf("count %q: %v, %v", damage, err1, err2)
			}
		}
		client.HSet(ctx, keys.members, schoolField("lumiere"), "1", r.Fan.String(), "x|y")
		if _, err := f.Leave(ctx, f.stored, r.Fan); err == nil {
			t.Error("a member that is none")
		}
		client.HSet(ctx, keys.members, r.Fan.String(), value)
		if got := len(f.records()); got != records {
			t.Errorf("%d records, were %d", got, records)
		}
	})
}

func TestStoreGone_IsSaidSoAndNamesNobody(t *testing.T) {
	srv := redistest.Start(t)
	f := newFixture(t, storetest.Open(t, srv.URL()), Options{})
	r := f.join("ada@example.org", "lumiere")
	srv.Kill()
	_, err1 := f.Ask(t.Context(), f.stored, f.request("bob@example.org", "lumiere"))
	_, _, err2 := f.Confirm(t.Context(), f.stored, r.Fan, r.Ask)
	_, err3 := f.Leave(t.Context(), f.stored, r.Fan)
	_, _, err4 := f.Look(t.Context(), f.stored, r.Fan, r.Ask)
	_, err5 := f.Counts(t.Context(), f.stored)
	err6 := f.Export(t.Context(), f.stored, func(Confirmed) error { return nil })
	err7 := f.Forget(t.Context(), f.stored.Contest.ID)
	for i, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
		if !errors.Is(err, store.ErrUnavailable) || strings.Contains(fmt.Sprint(err), "@") {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	srv.Restart()
	deadline := time.Now().Add(10 * time.Second)
	for f.st.Client().Ping(t.Context()).Err() != nil && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	f.stands(r, InBy)
	if list := f.members(); !slices.ContainsFunc(list, func(m Confirmed) bool { return m.Address == "ada@example.org" }) {
		t.Errorf("members after the restart: %v", list)
	}
}
