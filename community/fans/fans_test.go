package fans

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/storetest"
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
		if n := f.st.Client().Exists(t.Context(), keysOf(f.stored.Contest.ID).pending(r.Fan)).Val(); n != 0 {
			t.Error("the request still waits: the address is kept twice")
		}
		p := f.stands(r, InBy)
		if list := f.members(); len(list) != 1 || list[0].Address != "Ada+x@example.org" || list[0].Proof != *p {
			t.Errorf("exported %+v", list)
		}
		want := Proof{Position: p.Position, Asked: f.now.Add(-90 * time.Minute), Confirmed: f.now, School: "lumiere", Wording: r.Wording.Version,
			Page: r.Page, Lang: "fr", Under15Parent: true}
		if *p != want {
			t.Errorf("proof\n%+v, want\n%+v", *p, want)
		}
		must(t, f.Ledger(t.Context(), f.stored, func(record community.Record) error {
			if record.Position != p.Position || record.Channel != community.ChannelSite {
				t.Errorf("recorded as %+v", record)
			}
			return nil
		}))
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
		must(t, f.st.Client().ZAdd(t.Context(), keysOf(mine.Contest.ID).recent, redis.Z{Member: "somebody's edit"}).Err())
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
	f := newFixture(t, storetest.Open(t, ""), Options{})
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
