package ballotbox

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

func TestForget_DeletesEvidenceAndAppealsAndKeepsNoMore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 2")
		held := heldBallot("ada", "n-1")
		held.Evidence = antifraud.Evidence{Net: "net-1"}
		mustCast(t, b, s, held)
		mustCast(t, b, s, ballotFor("bob", "s-1"))
		if _, err := b.Appeal(t.Context(), s, held.Voter, held.ID, []byte("sealed")); err != nil {
			t.Fatal(err)
		}
		keys := keysOf(s.Contest.ID, boxOf(held.Voter, 2))
		there := func() int64 { return st.Client().Exists(t.Context(), keys.evidence, keys.appeals).Val() }
		if closed, err := b.Closed(t.Context(), s); err != nil || closed {
			t.Fatalf("closed %v, %v", closed, err)
		}
		if err := b.Forget(t.Context(), s); !errors.Is(err, ErrNotClosed) || there() != 2 {
			t.Fatalf("while voting: %v, %d keys", err, there())
		}
		if _, err := b.Close(t.Context(), s, "ended-early"); err != nil {
			t.Fatal(err)
		}
		before := fold(ledgerOf(t, b, s, voting.Position{}))
		for range 3 {
			if err := b.Forget(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if there() != 0 {
			t.Errorf("%d keys are left", there())
		}
		if _, err := b.Appeal(t.Context(), s, held.Voter, held.ID, []byte("again")); !errors.Is(err, registry.ErrForgotten) || there() != 0 {
			t.Errorf("an appeal after it: %v, %d keys", err, there())
		}
		// Ballots can still be decided on, without a word to whom.
		queue, err := b.Held(t.Context(), s, HeldPlace{}, 10)
		if err != nil || len(queue) != 1 || queue[0].Appeal != nil || queue[0].Evidence != nil {
			t.Errorf("queue %+v, %v", queue, err)
		}
		if _, err := b.Publish(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		records := ledgerOf(t, b, s, voting.Position{})
		kinds := map[voting.Kind]int{}
		for _, r := range records {
			kinds[r.Kind]++
			if r.Kind == voting.KindForget && (r.NamesBallot() || r.Actor != voting.ActorOrganizer) {
				t.Errorf("%+v", r)
			}
		}
		if after := fold(records); after.Counted != before.Counted || after.Held != before.Held || kinds[voting.KindForget] != 2 {
			t.Errorf("was %+v, is %+v; %v", before, after, kinds)
		}
	})
}

// A record of forgetting that a crash has torn off is taken out, and the same call
// makes it.
func TestForget_TornIsMendedAndFinished(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		ctx := t.Context()
		b, s := New(st), newContest(t)
		mustCast(t, b, s, ballotFor("bob", "s-1"))
		if _, err := b.Close(ctx, s, "ended-early"); err != nil {
			t.Fatal(err)
		}
		keys := keysOf(s.Contest.ID, 0)
		before := ledgerOf(t, b, s, voting.Position{})
		// What the file may have of the transaction: the record, and the deletion.
		last := before[len(before)-1].Position
		id := voting.Position{Millis: last.Millis + 1, Offset: last.Offset + 1}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(st.Client().Do(ctx, "XADD", keys.ledger, fmt.Sprintf("%d-%d", id.Millis, id.Offset), "forget", "organizer|||||||||").Err())
		must(st.Client().Unlink(ctx, keys.evidence).Err())
		if closed, err := b.Closed(ctx, s); err != nil || !closed {
			t.Fatalf("closed %v, %v", closed, err)
		}
		if after := ledgerOf(t, b, s, voting.Position{}); len(after) != len(before) {
			t.Fatalf("%d records after mending, %d before", len(after), len(before))
		}
		must(b.Forget(ctx, s))
		after := ledgerOf(t, b, s, voting.Position{})
		if len(after) != len(before)+1 || after[len(before)].Kind != voting.KindForget || fold(after).Counted != 1 {
			t.Errorf("records %+v", after)
		}
	})
}

// Ended early, the evidence goes early too.
func TestClose_EvidenceExpiresAfterTheCloseThatWas(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		held := heldBallot("ada", "n-1")
		mustCast(t, b, s, held)
		if _, err := b.Appeal(t.Context(), s, held.Voter, held.ID, []byte("sealed")); err != nil {
			t.Fatal(err)
		}
		var closed time.Time
		for range 2 {
			var err error
			if closed, err = b.Close(t.Context(), s, "ended-early"); err != nil {
				t.Fatal(err)
			}
			keys := keysOf(s.Contest.ID, 0)
			for _, key := range []string{keys.evidence, keys.appeals} {
				since, err := st.Client().PExpireTime(t.Context(), key).Result()
				off := time.UnixMilli(since.Milliseconds()).Sub(closed.Add(EvidenceLifetime))
				if st.Embedded() { // it keeps what is left, and counts from now
					off = off.Truncate(time.Minute)
				}
				if err != nil || off != 0 {
					t.Errorf("%s expires %v from %v after the close, %v", key, off, EvidenceLifetime, err)
				}
			}
		}
		// So does what is written later.
		if got, _, err := parseRules(st.Client().HGet(t.Context(), keysOf(s.Contest.ID, 0).meta, "rules").Val()); err != nil || !time.UnixMilli(got).Equal(closed.Add(EvidenceLifetime)) {
			t.Errorf("the box says %v, %v; closed at %v", time.UnixMilli(got), err, closed)
		}
	})
}
