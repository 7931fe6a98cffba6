package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// heldOf are the places of the queue, sorted, read in pages of 3.
func heldOf(t rapid.TB, b *Boxes, s *registry.Stored) []string {
	t.Helper()
	var places []string
	for after := (HeldPlace{}); ; {
		page, err := b.Held(context.Background(), s, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page {
			if after != (HeldPlace{}) && after.Compare(h.Place()) >= 0 {
				t.Fatalf("%v comes behind %v", h.Place(), after)
			}
			after = h.Place()
			places = append(places, after.String())
		}
		if len(page) < 3 {
			slices.Sort(places)
			return places
		}
	}
}

// heldIndex is what the index names, whatever the ballots say.
func heldIndex(t rapid.TB, b *Boxes, s *registry.Stored) []string {
	t.Helper()
	var places []string
	for box := range s.Contest.Boxes {
		found, err := b.store.Client().ZRangeWithScores(context.Background(), keysOf(s.Contest.ID, box).held, 0, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, z := range found {
			place, _ := placeOf(z.Member.(string), int64(z.Score))
			places = append(places, place.String())
		}
	}
	slices.Sort(places)
	return places
}

// heldInLedger is what the ledger says is held.
func heldInLedger(t rapid.TB, b *Boxes, s *registry.Stored) []string {
	t.Helper()
	casts, last := map[modelID]int64{}, map[modelID]voting.Standing{}
	for _, r := range ledgerOf(t, b, s, voting.Position{}) {
		if !r.NamesBallot() {
			continue
		}
		id := modelID{r.Voter, r.Ballot}
		if last[id] = r.Standing; r.Kind == voting.KindCast {
			casts[id] = r.Position.Millis
		}
	}
	var places []string
	for id, standing := range last {
		if standing == voting.Held {
			places = append(places, HeldPlace{casts[id], id.ballot, id.voter}.String())
		}
	}
	slices.Sort(places)
	return places
}

func heldBallot(voter, entry string) voting.Ballot {
	ballot := ballotFor(voter, entry)
	ballot.Standing, ballot.Reasons = voting.Held, []string{"unproven"}
	return ballot
}

func TestHeld_NewestFirstWithWhatWasSeen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "boxes: 3")
		at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		var want []voting.Ballot
		for i := range 9 {
			c.set(at.Add(time.Duration(i/3) * time.Second)) // three of each instant
			ballot := heldBallot(fmt.Sprint("v", i), "n-1")
			ballot.Evidence = antifraud.Evidence{Net: fmt.Sprint("net", i), Via: "s7"}
			mustCast(t, c.boxes, s, ballot)
			mustCast(t, c.boxes, s, ballotFor(fmt.Sprint("w", i), "n-1"))
			want = append(want, ballot)
		}
		held, err := c.boxes.Held(t.Context(), s, HeldPlace{}, 100)
		if err != nil || len(held) != len(want) {
			t.Fatalf("%d held, %v", len(held), err)
		}
		for i, h := range held {
			ballot := want[slices.IndexFunc(want, func(b voting.Ballot) bool { return b.ID == h.Ballot })]
			if h.Voter != ballot.Voter || h.Entry != "n-1" || h.Standing != voting.Held || !slices.Equal(h.Reasons, ballot.Reasons) || h.Level != "device" {
				t.Errorf("%+v", h)
			}
			if h.Evidence == nil || h.Evidence.Net != ballot.Evidence.Net || h.Evidence.Via != "s7" || h.Appeal != nil {
				t.Errorf("evidence %+v", h.Evidence)
			}
			if wantAt := at.Add(time.Duration(2-i/3) * time.Second); !h.At().Equal(wantAt) {
				t.Errorf("%d: cast at %v, want %v", i, h.At(), wantAt)
			}
		}
		// In pages of any size it is the same queue.
		for limit := 1; limit < 5; limit++ {
			var paged []string
			for after := (HeldPlace{}); ; {
				page, err := c.boxes.Held(t.Context(), s, after, limit)
				if err != nil || len(page) > limit {
					t.Fatal(len(page), err)
				}
				if len(page) == 0 {
					break
				}
				for _, h := range page {
					paged = append(paged, h.Place().String())
				}
				if after, err = ParseHeldPlace(paged[len(paged)-1]); err != nil {
					t.Fatal(err)
				}
			}
			for i, h := range held {
				if i >= len(paged) || len(paged) != len(held) || paged[i] != h.Place().String() {
					t.Fatalf("pages of %d: %v", limit, paged)
				}
			}
		}
	})
}

// More ballots of one instant than a page has, and more pages than one.
func TestHeld_ManyOfOneInstantAreAllThere(t *testing.T) {
	c := withClock(t, openStore(t, redistest.Shared(t).URL()))
	s := newContest(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const many = 2*heldPage + 7
	var casting errgroup.Group
	casting.SetLimit(64)
	for i := range 2 {
		c.set(at.Add(time.Duration(i) * time.Millisecond))
		for n := range many {
			casting.Go(func() error {
				_, err := c.boxes.Cast(t.Context(), s, heldBallot(fmt.Sprint(i, "-", n), "n-1"))
				return err
			})
		}
		if err := casting.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	want := heldInLedger(t, c.boxes, s)
	for _, limit := range []int{heldPage - 1, heldPage, 3 * many} {
		var got []string
		for after := (HeldPlace{}); ; {
			page, err := c.boxes.Held(t.Context(), s, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, h := range page {
				got = append(got, h.Place().String())
			}
			after = page[len(page)-1].Place()
		}
		if slices.Sort(got); len(want) != 2*many || !slices.Equal(got, want) {
			t.Errorf("by %d: %d, want %d", limit, len(got), len(want))
		}
	}
}

func TestHeld_AMemberWhoseBallotIsNotHeldIsNotShown(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		ghost, real, nobody := ballotFor("ada", "n-1"), heldBallot("bob", "n-1"), heldBallot("eve", "n-1")
		mustCast(t, b, s, ghost)
		mustCast(t, b, s, real)
		for _, ballot := range []voting.Ballot{ghost, nobody} {
			err := st.Client().ZAdd(t.Context(), keysOf(s.Contest.ID, 0).held, redis.Z{Score: 1, Member: ballotField(ballot.ID, ballot.Voter)}).Err()
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := heldOf(t, b, s); len(got) != 1 || !slices.Equal(got, heldInLedger(t, b, s)) {
			t.Errorf("%v", got)
		}
	})
}

// A write that was cut off leaves neither a ghost in the queue nor a ballot that
// is held and not in it.
func TestTorn_TheQueueIsWhatTheLedgerHolds(t *testing.T) {
	server := redistest.Start(t)
	for name, torn := range map[string]func(b *Boxes, s *registry.Stored, held, counted voting.Ballot){
		"a held cast": func(b *Boxes, s *registry.Stored, _, _ voting.Ballot) { mustCast(t, b, s, heldBallot("new", "s-1")) },
		"a release":   func(b *Boxes, s *registry.Stored, held, _ voting.Ballot) { mustChange(t, b, s, held, voting.Counted) },
		"a hold": func(b *Boxes, s *registry.Stored, _, counted voting.Ballot) {
			mustChange(t, b, s, counted, voting.Held)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cuts := 0
			for cut := int64(1); ; cut += 29 {
				b, s := New(openStore(t, server.URL())), newContest(t)
				held, counted := heldBallot("ada", "n-1"), ballotFor("bob", "n-1")
				mustCast(t, b, s, held)
				mustCast(t, b, s, counted)
				if server.Tear(cut, func() { torn(b, s, held, counted) }, func() {
					mustCast(t, New(openStore(t, server.URL())), s, heldBallot("eve", "n-2"))
				}) {
					break
				}
				b = New(openStore(t, server.URL()))
				queue := heldOf(t, b, s) // first: it mends
				want := heldInLedger(t, b, s)
				if index := heldIndex(t, b, s); len(want) != 2 || !slices.Equal(queue, want) || !slices.Equal(index, want) {
					t.Fatalf("cut %d bytes in: queue %v, index %v, ledger %v", cut, queue, index, want)
				}
				checkRecount(t, b, s)
				cuts++
			}
			if cuts < 5 {
				t.Fatalf("only %d cuts", cuts)
			}
		})
	}
}

func mustChange(t rapid.TB, b *Boxes, s *registry.Stored, ballot voting.Ballot, to voting.Standing) {
	t.Helper()
	_, _, err := b.Change(context.Background(), s, Change{Voter: ballot.Voter, Ballot: ballot.ID, Standing: to, Actor: voting.ActorOrganizer, Reasons: []string{"test"}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAppeal_TheFirstOneStaysWhileTheBallotDoesNotCount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 2")
		held, counted := heldBallot("ada", "n-1"), ballotFor("bob", "n-1")
		mustCast(t, b, s, held)
		mustCast(t, b, s, counted)
		appeal := func(ballot voting.Ballot, text string) error {
			_, err := b.Appeal(t.Context(), s, ballot.Voter, ballot.ID, []byte(text))
			return err
		}
		read := func(ballot voting.Ballot) string {
			t.Helper()
			sealed, _, err := b.AppealOf(t.Context(), s, ballot.Voter, ballot.ID)
			if err != nil {
				t.Fatal(err)
			}
			return string(sealed)
		}
		if err := appeal(counted, "x"); !errors.Is(err, ErrNothingToAppeal) || read(counted) != "" {
			t.Errorf("of a counted ballot: %v", err)
		}
		if err := appeal(ballotFor("eve", "n-1"), "x"); !errors.Is(err, ErrNoSuchBallot) {
			t.Errorf("of no ballot: %v", err)
		}
		heldOf(t, b, s) // opens both boxes
		before := len(ledgerOf(t, b, s, voting.Position{}))
		for _, text := range []string{"first", "second"} {
			if err := appeal(held, text); err != nil || read(held) != "first" {
				t.Errorf("%s: %v, %q", text, err, read(held))
			}
		}
		if queue, err := b.Held(t.Context(), s, HeldPlace{}, 10); err != nil || len(queue) != 1 || string(queue[0].Appeal) != "first" {
			t.Errorf("%+v, %v", queue, err)
		}
		if after := len(ledgerOf(t, b, s, voting.Position{})); after != before {
			t.Errorf("an appeal is in the ledger: %d records, then %d", before, after)
		}
		mustChange(t, b, s, counted, voting.Void)
		if err := appeal(counted, "of a void one"); err != nil || read(counted) != "of a void one" {
			t.Errorf("of a void ballot: %v", err)
		}
		mustChange(t, b, s, counted, voting.Counted)
		if err := appeal(counted, "again"); err != nil { // it was kept, and says so: a repeat of an answer that was lost
			t.Errorf("asked again: %v", err)
		}
		mustChange(t, b, s, counted, voting.Void)
		mustChange(t, b, s, held, voting.Void)
		appealed := func() (texts []string) {
			t.Helper()
			ballots, err := b.Appealed(t.Context(), s, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range ballots {
				if one.Standing != voting.Void || one.Level != "device" {
					t.Errorf("%+v", one)
				}
				texts = append(texts, string(one.Appeal))
			}
			return texts
		}
		answer := func(ballot voting.Ballot, done bool) {
			t.Helper()
			if err := b.AnswerAppeals(t.Context(), s, []ActedBallot{{Ballot: ballot.ID, Voter: ballot.Voter}}, done); err != nil {
				t.Fatal(err)
			}
		}
		if got := appealed(); len(got) != 2 || !slices.Contains(got, "first") {
			t.Errorf("void and appealed: %v", got)
		}
		answer(held, true)
		if got := appealed(); !slices.Equal(got, []string{"of a void one"}) || read(held) != "first" {
			t.Errorf("one answered: %v, %q", got, read(held))
		}
		answer(held, false)
		answer(ballotFor("nobody", "n-1"), true) // without an appeal there is nothing to answer
		if got := appealed(); len(got) != 2 {
			t.Errorf("opened again: %v", got)
		}
		kept := int64(0)
		for box := range 2 {
			n, err := st.Client().HLen(t.Context(), keysOf(s.Contest.ID, box).appeals).Result()
			if err != nil {
				t.Fatal(err)
			}
			kept += n
		}
		if kept != 2 {
			t.Errorf("%d fields are kept for 2 appeals", kept)
		}
		for _, ballot := range []voting.Ballot{held, counted} {
			key := keysOf(s.Contest.ID, boxOf(ballot.Voter, 2)).appeals
			left, err := st.Client().PTTL(t.Context(), key).Result()
			if want := time.Until(s.Closes().Add(EvidenceLifetime)); err != nil || left < want-time.Minute || left > want+time.Minute {
				t.Errorf("expires in %v, %v; want %v", left, err, want)
			}
		}
	})
}

func TestAppeal_ABoxKeepsSoManyAndNoMore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		first, last := heldBallot("ada", "n-1"), heldBallot("bob", "n-1")
		mustCast(t, b, s, first)
		mustCast(t, b, s, last)
		if _, err := b.Appeal(t.Context(), s, first.Voter, first.ID, []byte("in time")); err != nil {
			t.Fatal(err)
		}
		fields := make([]any, 0, 2*maxAppeals)
		for i := range maxAppeals - 1 {
			fields = append(fields, fmt.Sprint(i), "x")
		}
		if err := st.Client().HSet(t.Context(), keysOf(s.Contest.ID, 0).appeals, fields...).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Appeal(t.Context(), s, last.Voter, last.ID, []byte("too late")); !errors.Is(err, ErrAppealsFull) {
			t.Errorf("%v", err)
		}
		if _, err := b.Appeal(t.Context(), s, first.Voter, first.ID, []byte("again")); err != nil {
			t.Errorf("one that is kept: %v", err)
		}
	})
}

func TestAct_IsUndoneAsAWholeAndOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 2")
		act := Act{Standing: voting.Void}
		ballots := []voting.Ballot{heldBallot("ada", "n-1"), heldBallot("bob", "n-1"), heldBallot("eve", "n-1")}
		for _, ballot := range ballots {
			mustCast(t, b, s, ballot)
			mustChange(t, b, s, ballot, voting.Void)
			act.Ballots = append(act.Ballots, ActedBallot{ballot.ID, ballot.Voter, voting.Held, ballot.Reasons})
		}
		if err := b.RememberAct(t.Context(), s, "name", act); err != nil {
			t.Fatal(err)
		}
		mustChange(t, b, s, ballots[2], voting.Counted) // somebody thought better of it meanwhile
		if _, err := b.RecallAct(t.Context(), s, "other"); !errors.Is(err, ErrNoAct) {
			t.Errorf("another name: %v", err)
		}
		for _, want := range []int{2, 0} {
			recalled, err := b.RecallAct(t.Context(), s, "name")
			if err != nil {
				t.Fatal(err)
			}
			if n, err := b.UndoAct(t.Context(), s, recalled); err != nil || n != want {
				t.Errorf("undone: %d, %v; want %d", n, err, want)
			}
		}
		for i, want := range []voting.Standing{voting.Held, voting.Held, voting.Counted} {
			cast, err := b.Find(t.Context(), s, ballots[i].Voter, ballots[i].ID)
			if err != nil || cast.Standing != want || want == voting.Held && !slices.Equal(cast.Reasons, ballots[i].Reasons) {
				t.Errorf("%d: %+v, %v", i, cast, err)
			}
		}
		key := keysOf(s.Contest.ID, 0).act("name")
		if left, err := st.Client().PTTL(t.Context(), key).Result(); err != nil || left <= 0 || left > actLife {
			t.Errorf("expires in %v, %v", left, err)
		}
	})
}

func FuzzParseHeldPlace(f *testing.F) {
	f.Add("")
	f.Add("12-00")
	f.Add(HeldPlace{Millis: 1771000000000, Ballot: heldBallot("ada", "n-1").ID, Voter: voterNamed("ada")}.String())
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseHeldPlace(text)
		if err == nil && p.String() != text {
			t.Errorf("%q is read as %q", text, p)
		}
		if err != nil && !errors.Is(err, ErrHeldPlace) {
			t.Error(err)
		}
	})
}
