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
)

func TestConfirm_IsWhatMakesAMemberAndKeepsTheProof(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		r := f.request("Ada+x@example.org", "lumiere")
		r.Under15Parent = true
		f.stands(r, Nobody)
		f.asked(r, Pending)
		if len(f.members()) != 0 || len(f.records()) != 0 {
			t.Fatal("a member before the mail was answered")
		}
		if p := f.stands(r, Waiting); !p.Confirmed.IsZero() || !p.Under15Parent {
			t.Errorf("waiting: %+v", p)
		}
		f.later(90 * time.Minute)
		for i, want := range []bool{true, false, false} { // pressed three times
			if m, joined, err := f.Confirm(t.Context(), f.stored, r.Fan, r.Ask); err != nil || joined != want || m.Address != r.Address {
				t.Fatalf("press %d: %v %v", i, joined, err)
			}
		}
		p := f.stands(r, InBy)
		if list := f.members(); len(list) != 1 || list[0].Address != "Ada+x@example.org" || list[0].Proof != *p {
			t.Errorf("exported %+v", list)
		}
		want := Proof{Position: p.Position, Asked: f.now.Add(-90 * time.Minute), Confirmed: f.now, School: "lumiere", Wording: r.Wording.Version,
			Page: r.Page, Channel: community.ChannelSite, Lang: "fr", Under15Parent: true}
		if *p != want {
			t.Errorf("proof\n%+v, want\n%+v", *p, want)
		}
		if texts, err := f.Wordings(t.Context(), f.stored); err != nil || texts[p.Wording] != r.Wording.Text {
			t.Errorf("the text agreed to: %q %v", texts, err)
		}
		if lines := f.records(); len(lines) != 1 || !strings.HasPrefix(lines[0], "join ") {
			t.Errorf("records %v", lines)
		}
	})
}

func TestConfirm_NeedsARequestOfTheLast48Hours(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		r := f.request("ada@example.org", "lumiere")
		for _, unknown := range []community.AskID{{}, {9}} {
			if _, _, err := f.Confirm(t.Context(), f.stored, r.Fan, unknown); !errors.Is(err, ErrExpired) {
				t.Errorf("nothing asked: %v", err)
			}
		}
		f.asked(r, Pending)
		f.later(48*time.Hour - time.Millisecond)
		f.stands(r, Waiting)
		f.later(time.Millisecond)
		f.stands(r, Nobody)
		if _, _, err := f.Confirm(t.Context(), f.stored, r.Fan, r.Ask); !errors.Is(err, ErrExpired) {
			t.Errorf("after 48 hours: %v", err)
		}
		// One that waits is not lost to another, and a member by one is one for all.
		first, second := f.request("ada@example.org", "lumiere"), f.request("ada@example.org", "vercors")
		f.asked(first, Pending)
		f.asked(second, Pending)
		if _, joined, err := f.Confirm(t.Context(), f.stored, first.Fan, first.Ask); err != nil || !joined {
			t.Fatalf("the older of two: %v %v", joined, err)
		}
		if _, joined, err := f.Confirm(t.Context(), f.stored, second.Fan, second.Ask); err != nil || joined {
			t.Fatalf("the other one: %v %v", joined, err)
		}
		f.stands(second, In)
		if counts, err := f.count(t.Context(), f.stored); err != nil || len(counts) != 1 || counts["lumiere"] != 1 {
			t.Errorf("counts %v %v", counts, err)
		}
	})
}

func TestPending_ExpiresByTheStoreItself(t *testing.T) {
	f := newFixture(t, redistest.Shared(t).URL(), Options{})
	r := f.request("ada@example.org", "lumiere")
	f.asked(r, Pending)
	keys := keysOf(f.stored.Contest.ID)
	for key, life := range map[string]time.Duration{
		keys.pending(r.Fan): 48 * time.Hour, keys.recent: 48 * time.Hour, keys.asks(r.Fan): time.Hour, keys.budget: 2 * time.Hour,
	} {
		if left := f.st.Client().PTTL(t.Context(), key).Val(); left <= life-time.Minute || left > life {
			t.Errorf("%s lives %v, want %v", key, left, life)
		}
	}
}

func TestLeave_DeletesTheAddressAndKeepsTheRecords(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		r := f.join("ada@example.org", "lumiere")
		f.join("bob@example.org", "lumiere")
		waits := f.request("eve@example.org", "vercors")
		f.asked(waits, Pending)
		f.later(time.Hour)
		again := f.request("ada@example.org", "lumiere")
		f.asked(again, Member)
		for i, want := range []bool{true, false, false} {
			if left, err := f.Leave(t.Context(), f.stored, r.Fan); err != nil || left != want {
				t.Fatalf("press %d: %v %v", i, left, err)
			}
		}
		if left, err := f.Leave(t.Context(), f.stored, waits.Fan); err != nil || left {
			t.Fatalf("who only asked: %v %v", left, err)
		}
		f.stands(waits, Nobody)
		f.stands(r, Nobody)
		if fields := f.st.Client().HLen(t.Context(), keysOf(f.stored.Contest.ID).members).Val(); fields != 2 { // bob, and the count
			t.Errorf("%d fields left: %s", fields, f.dump())
		}
		if counts, err := f.count(t.Context(), f.stored); err != nil || counts["lumiere"] != 1 {
			t.Errorf("counts %v %v", counts, err)
		}
		// The links of old mails lead nowhere, also after a return.
		if _, _, err := f.Confirm(t.Context(), f.stored, r.Fan, r.Ask); !errors.Is(err, ErrExpired) {
			t.Errorf("an old link: %v", err)
		}
		f.later(time.Hour)
		back := f.join("ada@example.org", "vercors")
		if back.Fan != r.Fan {
			t.Fatal("who comes back is somebody else")
		}
		list := f.members()
		if len(list) != 2 || list[0].Address != "bob@example.org" || list[1].Address != "ada@example.org" || list[1].School != "vercors" {
			t.Errorf("exported %+v", list)
		}
		a := r.Fan.String()[:4]
		lines := f.records()
		if len(lines) != 4 || lines[0] != "join "+a+" lumiere" || lines[2] != "leave "+a+" lumiere" || lines[3] != "join "+a+" vercors" {
			t.Errorf("records %v", lines)
		}
	})
}

func TestAsk_OneAddressGetsThreeMailsAnHourAtMost(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		mails := 0
		var sent []time.Time
		for range 1000 { // one every 12 seconds
			got, err := f.Ask(t.Context(), f.stored, f.request("ada@example.org", "lumiere"))
			must(t, err)
			if got == Pending {
				mails++
				sent = append(sent, f.now)
			} else if got != Enough {
				t.Fatalf("answer %q", got)
			}
			f.later(12 * time.Second)
		}
		for i := 3; i < len(sent); i++ {
			if sent[i].Sub(sent[i-3]) < time.Hour {
				t.Fatalf("mails %d to %d are within %v", i-3, i, sent[i].Sub(sent[i-3]))
			}
		}
		if mails != 12 { // 3 hours and 20 minutes
			t.Errorf("%d mails", mails)
		}
		f.asked(f.request("bob@example.org", "lumiere"), Pending)
	})
}

func TestAsk_MembersAreWrittenToNoMoreOften(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		f.join("ada@example.org", "lumiere")
		for _, want := range []Asked{Member, Member, Enough, Enough} {
			f.asked(f.request("ada@example.org", "lumiere"), want)
		}
	})
}

func TestAsk_TheSameFormAsksOnceAMinute(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		r := f.request("ada@example.org", "lumiere")
		f.asked(r, Pending)
		f.later(59 * time.Second)
		f.asked(r, Again)
		f.later(time.Second) // no mail came, and they went back
		f.asked(r, Pending)
		other := r
		other.Address = "bob@example.org" // corrected, and sent again
		other.Fan, _ = f.Fan(f.stored, other.Address)
		f.asked(other, Pending)
		// A call that the client sends twice, as after a lost connection, gets its first answer.
		keys := keysOf(f.stored.Contest.ID)
		for range 3 {
			code, _, err := run(t.Context(), f.ask, []string{keys.members, keys.wordings, keys.budget, keys.recent, keys.pending(community.Fan{7}), keys.asks(community.Fan{7})},
				community.Fan{7}.String(), community.AskID{7}.String(), "call", "v", "t", "lumiere|v|/p|site|fr|0|AA", 100, 3)
			if err != nil || code != "asked" {
				t.Fatalf("%q %v", code, err)
			}
		}
		if budget := f.st.Client().Get(t.Context(), keys.budget).Val(); !strings.HasSuffix(budget, "|4") {
			t.Errorf("budget %s, want 4 mails", budget)
		}
	})
}

func TestAsk_AContestCausesSoManyMailsAnHour(t *testing.T) {
	f := newFixture(t, "", Options{MailsOfContest: 2})
	member := f.join("ada@example.org", "lumiere")
	f.asked(f.request("bob@example.org", "lumiere"), Pending)
	// Known or not, the answer is the same.
	f.asked(f.request("eve@example.org", "lumiere"), Full)
	f.asked(f.request("ada@example.org", "lumiere"), Full)
	f.stands(member, InBy)
	f.later(time.Hour)
	f.asked(f.request("eve@example.org", "lumiere"), Pending)
}

func TestStore_HasNoAddressInClear(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		f.join("ada@example.org", "lumiere")
		f.asked(f.request("bob@example.org", "vercors"), Pending)
		dump := f.dump()
		if strings.Count(dump, "\n") < 12 || !strings.Contains(dump, "lumiere") {
			t.Fatalf("the dump shows nothing:\n%s", dump)
		}
		for _, secret := range []string{"ada", "bob", "example.org", "YWRh", "YWRhQGV4"} {
			if strings.Contains(strings.ReplaceAll(dump, f.stored.Contest.ID, ""), secret) {
				t.Errorf("%q is in\n%s", secret, dump)
			}
		}
		// Sealed for one fan, it does not open for another.
		keys := keysOf(f.stored.Contest.ID)
		ada, eve := f.request("ada@example.org", "lumiere").Fan, f.join("eve@example.org", "lumiere").Fan
		value := f.st.Client().HGet(t.Context(), keys.members, ada.String()).Val()
		moved := f.st.Client().HGet(t.Context(), keys.members, eve.String()).Val()
		value = moved[:strings.LastIndexByte(moved, '|')] + value[strings.LastIndexByte(value, '|'):]
		must(t, f.st.Client().HSet(t.Context(), keys.members, eve.String(), value).Err())
		if err := f.Export(t.Context(), f.stored, func(Confirmed) error { return nil }); err == nil || strings.Contains(err.Error(), "@") {
			t.Errorf("an address that was moved: %v", err)
		}
	})
}

func TestForget_LeavesNothingOfTheContestAndAllOfTheOthers(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		t := f.t
		f.join("ada@example.org", "lumiere")
		gone := f.join("bob@example.org", "lumiere")
		if _, err := f.Leave(t.Context(), f.stored, gone.Fan); err != nil {
			t.Fatal(err)
		}
		f.asked(f.request("eve@example.org", "vercors"), Pending)
		mine, other := f.stored, document(t, f.stored.Contest.ID+"-other")
		f.stored = other
		f.join("ada@example.org", "vercors")
		for range 2 {
			must(t, f.Forget(t.Context(), mine.Contest.ID))
		}
		if len(f.members()) != 1 {
			t.Error("another contest's member is gone")
		}
		f.stored = mine
		left := strings.ReplaceAll(f.dump(), other.Contest.ID, "")
		if strings.Contains(left, mine.Contest.ID) {
			t.Errorf("left:\n%s", left)
		}
		if counts, err := f.Counts(t.Context(), mine); err != nil || len(counts) != 0 {
			t.Errorf("counts %v %v", counts, err)
		}
	})
}

func TestCounts_AskTheStoreOnceASecond(t *testing.T) {
	f := newFixture(t, "", Options{})
	f.join("ada@example.org", "lumiere")
	first, err := f.Counts(t.Context(), f.stored)
	if err != nil || first["lumiere"] != 1 || len(first) != 1 {
		t.Fatalf("%v %v", first, err)
	}
	first["lumiere"] = 99 // the caller's own
	f.join("bob@example.org", "lumiere")
	deadline := time.Now().Add(10 * time.Second)
	for seen := false; !seen; {
		counts, err := f.Counts(t.Context(), f.stored)
		must(t, err)
		switch {
		case counts["lumiere"] == 2:
			seen = true
		case counts["lumiere"] != 1:
			t.Fatalf("%v", counts)
		case time.Now().After(deadline):
			t.Fatal("the second fan never shows")
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.mu.Lock()
	at := f.counts[f.stored.Contest.ID].at
	f.mu.Unlock()
	for range 100 {
		if _, err := f.Counts(t.Context(), f.stored); err != nil {
			t.Fatal(err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.counts[f.stored.Contest.ID].at; !now.Equal(at) && now.Sub(at) < countedFor {
		t.Error("asked again within the second")
	}
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
			f := newFixture(t, "", Options{})
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

func TestAsk_RefusesValuesThatWouldPartOthers(t *testing.T) {
	f := newFixture(t, "", Options{})
	for _, page := range []string{"", "/c/a|b", "/c/a\nb"} {
		r := f.request("ada@example.org", "lumiere")
		r.Page = page
		if _, err := f.Ask(t.Context(), f.stored, r); err == nil {
			t.Errorf("page %q was kept", page)
		}
	}
	if strings.Contains(f.dump(), "pending") {
		t.Error(f.dump())
	}
}

func TestStoreGone_IsSaidSoAndNamesNobody(t *testing.T) {
	srv := redistest.Start(t)
	f := newFixture(t, srv.URL(), Options{})
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
