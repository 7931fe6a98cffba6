package fans

import (
	"strings"
	"testing"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/storetest"
)

// torn runs begin, tears the write of act at every so many bytes of it, and then asks after: with
// fans of a store that has started twice since.
func torn(t *testing.T, step int64, begin, act, after func(cut int64, f *fixture, r Request)) {
	server := redistest.Start(t)
	for cut, cuts := int64(1), 0; ; cut += step {
		f := newFixture(t, storetest.Open(t, server.URL()), Options{})
		again := func() *fixture { // another server of the same store and contest
			other := *f
			other.st = storetest.Open(t, server.URL())
			other.Fans = New(other.st, f.ring, Options{})
			return &other
		}
		r := f.request("ada@example.org", "lumiere")
		begin(cut, again(), r)
		past := server.Tear(cut, func() { act(cut, again(), r) }, func() {
			// A transaction, which ends the torn one.
			newFixture(t, storetest.Open(t, server.URL()), Options{}).join("bob@example.org", "lumiere")
		})
		if past {
			if cuts < 8 {
				t.Errorf("%d cuts only", cuts)
			}
			return
		}
		cuts++
		after(cut, again(), r)
	}
}

func nothing(int64, *fixture, Request) {}

// ledgerOf is what the ledger says of the contest's community.
func (f *fixture) ledgerOf() community.Movement {
	f.t.Helper()
	churn := community.NewChurn(f.now, f.stored.Contest.Location())
	must(f.t, f.Ledger(f.t.Context(), f.stored, func(r community.Record) error { churn.Add(r); return nil }))
	return churn.Report().Total
}

// However Redis' write of a request is torn, nothing of a person stays for good, and the same
// request can be made again.
func TestTorn_NothingOfWhoOnlyAskedStaysForGood(t *testing.T) {
	ask := func(cut int64, f *fixture, r Request) { f.asked(r, Pending) }
	torn(t, 31, nothing, ask, func(cut int64, f *fixture, r Request) {
		t := f.t
		keys, err := f.st.Client().Keys(t.Context(), keysOf(f.stored.Contest.ID).prefix+"*").Result()
		must(t, err)
		for _, key := range keys {
			if key == f.clock || f.st.Client().PTTL(t.Context(), key).Val() > 0 {
				continue
			}
			switch kind := f.st.Client().Type(t.Context(), key).Val(); kind {
			case "zset":
				for _, who := range f.st.Client().ZRange(t.Context(), key, 0, -1).Val() {
					if who != "" {
						t.Errorf("cut %d bytes in: %s of %s stays for good", cut, who, key)
					}
				}
			case "hash":
				if key != keysOf(f.stored.Contest.ID).wordings {
					t.Errorf("cut %d bytes in: %s stays for good", cut, key)
				}
			default:
				t.Errorf("cut %d bytes in: %s, a %s, stays for good", cut, key, kind)
			}
		}
		f.asked(r, Pending)
		if _, joined, err := f.Confirm(t.Context(), f.stored, r.Fan, r.Ask); err != nil || !joined {
			t.Errorf("cut %d bytes in: asked again, and confirmed: %v %v", cut, joined, err)
		}
		must(t, f.Forget(t.Context(), f.stored.Contest.ID))
		if left := f.dump(); left != "" {
			t.Errorf("cut %d bytes in: forgotten, and left is %s", cut, left)
		}
	})
}

// A confirmation that is torn is completed by the next press: one member, counted once.
func TestTorn_AConfirmationIsCompletedByTheSameCall(t *testing.T) {
	confirm := func(cut int64, f *fixture, r Request) {
		f.t.Helper()
		if m, _, err := f.Confirm(f.t.Context(), f.stored, r.Fan, r.Ask); err != nil || m.Address != r.Address {
			f.t.Fatalf("cut %d bytes in: %v", cut, err)
		}
	}
	torn(t, 37, func(_ int64, f *fixture, r Request) { f.asked(r, Pending) }, confirm, func(cut int64, f *fixture, r Request) {
		confirm(cut, f, r)
		f.stands(r, InBy)
		counts, err := f.count(f.t.Context(), f.stored)
		must(f.t, err)
		if members := f.members(); counts["lumiere"] != 1 || len(members) != 1 {
			f.t.Errorf("cut %d bytes in: %v, members %v", cut, counts, members)
		}
		if m := f.ledgerOf(); m.Joined != 1 || m.Current != 1 {
			f.t.Errorf("cut %d bytes in: the ledger says %+v", cut, m)
		}
	})
}

// A leaving that is torn is completed by the next press: no address is left, sealed or not.
func TestTorn_ALeavingIsCompletedByTheSameCall(t *testing.T) {
	leave := func(cut int64, f *fixture, r Request) {
		f.t.Helper()
		_, err := f.Leave(f.t.Context(), f.stored, r.Fan)
		must(f.t, err)
	}
	torn(t, 37, func(_ int64, f *fixture, r Request) {
		f.asked(r, Pending)
		_, _, err := f.Confirm(f.t.Context(), f.stored, r.Fan, r.Ask)
		must(f.t, err)
	}, leave, func(cut int64, f *fixture, r Request) {
		leave(cut, f, r)
		f.stands(r, Nobody)
		counts, err := f.count(f.t.Context(), f.stored)
		must(f.t, err)
		if members := f.members(); counts["lumiere"] != 0 || len(members) != 0 || strings.Contains(f.dump(), "pending:") {
			f.t.Errorf("cut %d bytes in: %v, members %v", cut, counts, members)
		}
		if m := f.ledgerOf(); m.Joined != 1 || m.Left != 1 || m.Current != 0 {
			f.t.Errorf("cut %d bytes in: the ledger says %+v", cut, m)
		}
	})
}
