package fans

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/storetest"
)

func TestPending_ExpiresByTheStoreItself(t *testing.T) {
	f := newFixture(t, storetest.Open(t, redistest.Shared(t).URL()), Options{})
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

// What is refused for having had its mails is synced to disk like what is kept: the time the answer
// takes does not tell them apart.
func TestAsk_ARefusalIsWrittenLikeARequest(t *testing.T) {
	server := redistest.Start(t)
	f := newFixture(t, storetest.Open(t, server.URL()), Options{})
	size := func() int64 {
		info, err := os.Stat(server.AOF())
		must(t, err)
		return info.Size()
	}
	for _, want := range []Asked{Pending, Pending, Pending, Enough, Enough} {
		before := size()
		f.asked(f.request("ada@example.org", "lumiere"), want)
		if size() == before {
			t.Errorf("%s: nothing was written", want)
		}
	}
}

// A clock that is set back does not keep an address, or a form, waiting until it is there again.
func TestAsk_WhatWasBeforeTheClockWasSetBackDoesNotCount(t *testing.T) {
	onEveryStore(t, func(f *fixture) {
		r := f.request("ada@example.org", "lumiere")
		f.asked(r, Pending)
		f.asked(f.request("ada@example.org", "lumiere"), Pending)
		f.asked(f.request("ada@example.org", "lumiere"), Pending)
		f.asked(f.request("ada@example.org", "lumiere"), Enough)
		f.later(-10 * time.Hour)
		f.asked(r, Pending)
		f.asked(f.request("ada@example.org", "lumiere"), Pending)
		f.asked(r, Again)
		f.asked(f.request("ada@example.org", "lumiere"), Pending)
		f.asked(f.request("ada@example.org", "lumiere"), Enough)
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
		if waiting := f.st.Client().Get(t.Context(), keysOf(f.stored.Contest.ID).pending(r.Fan)).Val(); strings.Count(waiting, "\n") != 1 {
			t.Errorf("one request waits as %q", waiting)
		}
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
	f := newFixture(t, storetest.Open(t, ""), Options{MailsOfContest: 2})
	member := f.join("ada@example.org", "lumiere")
	f.asked(f.request("bob@example.org", "lumiere"), Pending)
	// Known or not, the answer is the same.
	f.asked(f.request("eve@example.org", "lumiere"), Full)
	f.asked(f.request("ada@example.org", "lumiere"), Full)
	f.stands(member, InBy)
	f.later(time.Hour)
	f.asked(f.request("eve@example.org", "lumiere"), Pending)
}

func TestAsk_RefusesValuesThatWouldPartOthers(t *testing.T) {
	f := newFixture(t, storetest.Open(t, ""), Options{})
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
