package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
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

// BenchmarkFollow reads a box of 100,000 casts with their evidence.
func BenchmarkFollow(b *testing.B) {
	const casts = 100_000
	st := openStore(b, redistest.Shared(b).URL())
	boxes, s := New(st), newContest(b)
	group := errgroup.Group{}
	group.SetLimit(256)
	for n := range casts {
		group.Go(func() error {
			ballot := ballotFor(fmt.Sprint("voter ", n), "n-1")
			ballot.Evidence = antifraud.Evidence{Net: "0123456789ab", Block: "0123456789ab", Device: "0123456789ab", Agent: "0123456789ab", Via: "0123456789ab-w", Opened: true}
			_, err := boxes.Cast(b.Context(), s, ballot)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		if _, err := boxes.Follow(b.Context(), s, nil, func(Followed) error { n++; return nil }); err != nil || n != casts {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(casts*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
