package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

func follow(t *testing.T, b *Boxes, s *registry.Stored, from Cursor) ([]Followed, Cursor) {
	t.Helper()
	var all []Followed
	to, err := b.Follow(context.Background(), s, from, func(f Followed) error { all = append(all, f); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all, to
}

func TestFollow_GivesEveryRecordOfABallotOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 3")
		if all, _ := follow(t, b, s, nil); len(all) != 0 {
			t.Fatalf("%d records before the first ballot", len(all))
		}
		const voters = ledgerPage + 200 // more than a page of some box
		var held voting.Ballot
		for n := range voters {
			ballot := ballotFor(fmt.Sprint("voter ", n), "n-1")
			ballot.Evidence = antifraud.Evidence{Via: fmt.Sprint("via-", n)}
			if n == 7 {
				ballot.Standing, held = voting.Held, ballot
			}
			mustCast(t, b, s, ballot)
		}
		all, cursor := follow(t, b, s, nil)
		seen := map[string]bool{}
		for _, f := range all {
			if f.Kind != voting.KindCast || f.Level != "device" || f.School != "north" {
				t.Fatalf("%+v", f)
			}
			seen[f.Evidence.Via] = true
		}
		if len(all) != voters || len(seen) != voters {
			t.Fatalf("%d records, %d vias of %d ballots", len(all), len(seen), voters)
		}
		if more, again := follow(t, b, s, cursor); len(more) != 0 || fmt.Sprint(again) != fmt.Sprint(cursor) {
			t.Fatalf("nothing happened, and %d records came", len(more))
		}
		if _, _, err := b.Change(t.Context(), s, Change{Voter: held.Voter, Ballot: held.ID, Standing: voting.Counted, Actor: voting.ActorOrganizer}); err != nil {
			t.Fatal(err)
		}
		more, _ := follow(t, b, s, cursor)
		if len(more) != 1 || more[0].Kind != voting.KindRelease || more[0].Ballot != held.ID || more[0].Standing != voting.Counted {
			t.Fatalf("%+v", more)
		}
		// Casts stay where their evidence has expired.
		for box := range s.Contest.Boxes {
			st.Client().Del(t.Context(), keysOf(s.Contest.ID, box).evidence)
		}
		all, _ = follow(t, b, s, nil)
		if len(all) != voters+1 || all[0].Level != "" || all[0].Evidence.Via != "" {
			t.Fatalf("%d records, the first with %+v", len(all), all[0].Seen)
		}
	})
}

func TestFollow_AnErrorLosesNothing(t *testing.T) {
	st := openStore(t, "")
	b, s := New(st), newContest(t)
	for n := range 5 {
		mustCast(t, b, s, ballotFor(fmt.Sprint(n), "n-1"))
	}
	stop, given := errors.New("stop"), 0
	cursor, err := b.Follow(t.Context(), s, nil, func(Followed) error {
		if given++; given == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if all, _ := follow(t, b, s, cursor); len(all) < 3 {
		t.Fatalf("%d of 5 records are left after the second", len(all))
	}
}
