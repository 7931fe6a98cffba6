package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

var errShelfRead = errors.New("the archive was read")

// closedShelf takes records and gives none.
type closedShelf struct{ *shelf }

func (closedShelf) Records(context.Context, string, int, voting.Position, func(voting.Record) error) error {
	return errShelfRead
}

func (closedShelf) Evidence(context.Context, string, int, voting.Position, func(voting.Position, []byte) error) error {
	return errShelfRead
}

// Who follows a contest on the server that moves its records has them from memory. Another
// server, and who follows from further back, reads the archive.
func TestFollow_WhatWasJustMovedComesFromMemory(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		a := closedShelf{newShelf()}
		b, s := New(st).WithArchive(a), newContest(t)
		mustCast(t, b, s, ballotFor("first", "n-1"))
		_, cursor := follow(t, b, s, nil)
		for round := range 3 {
			for n := range 4 {
				ballot := ballotFor(fmt.Sprint(round, " ", n), "n-1")
				ballot.Evidence = antifraud.Evidence{Via: fmt.Sprint("via-", round, "-", n)}
				mustCast(t, b, s, ballot)
			}
			a.move(t, b, s)
			var all []Followed
			all, cursor = follow(t, b, s, cursor)
			if len(all) != 4 {
				t.Fatalf("round %d: %d records, expected 4", round, len(all))
			}
			for n, f := range all {
				if f.Level != "device" || f.Evidence.Via != fmt.Sprint("via-", round, "-", n) {
					t.Fatalf("round %d: %+v", round, f)
				}
			}
		}
		none := func(Followed) error { return nil }
		if _, err := New(st).WithArchive(a).Follow(t.Context(), s, cursor[:0], none); !errors.Is(err, errShelfRead) {
			t.Errorf("another server: %v", err)
		}
		if _, err := b.Follow(t.Context(), s, nil, none); !errors.Is(err, errShelfRead) {
			t.Errorf("from the beginning: %v", err)
		}
	})
}

// Whoever moves the records, and however far each move and each look comes: every record once,
// in order, with what was seen of its cast.
func TestFollow_MemoryAndArchiveGiveOneHistory(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		random := rand.New(rand.NewPCG(1, 2))
		a := newShelf()
		b, s := New(st).WithArchive(a), newContest(t, "boxes: 2")
		other := New(st).WithArchive(a)
		var cursor Cursor
		casts, given, fromMemory := 0, map[int]int64{}, 0
		for range 300 {
			switch random.IntN(6) {
			case 0, 1, 2:
				ballot := ballotFor(fmt.Sprint("v", casts), "n-1")
				ballot.Evidence = antifraud.Evidence{Via: fmt.Sprint("via-", ballot.ID)}
				mustCast(t, b, s, ballot)
				casts++
			case 3:
				a.move(t, b, s)
			case 4:
				a.move(t, other, s)
			case 5:
				for box := range s.Contest.Boxes {
					fromMemory += len(b.recents.after(recentOf(s, box), given[box]))
				}
				var all []Followed
				all, cursor = follow(t, b, s, cursor)
				for _, f := range all {
					if f.Position.Offset <= given[f.Position.Box] || f.Evidence.Via != fmt.Sprint("via-", f.Ballot) {
						t.Fatalf("behind record %d of its box comes %+v", given[f.Position.Box], f)
					}
					given[f.Position.Box] = f.Position.Offset
				}
			}
		}
		if _, cursor = follow(t, b, s, cursor); fromMemory == 0 {
			t.Error("nothing came from memory: nothing was shown")
		}
		all, again := follow(t, New(st).WithArchive(a), s, nil)
		if len(all) != casts || fmt.Sprint(again) != fmt.Sprint(cursor) {
			t.Errorf("%d of %d casts, up to %v; from memory up to %v", len(all), casts, again, cursor)
		}
	})
}

func TestRecents_KeepWhatIsFollowedAndNoMore(t *testing.T) {
	page := func(from, to int64) (records []MovedRecord) {
		for n := from; n <= to; n++ {
			records = append(records, MovedRecord{Record: voting.Record{Position: voting.Position{Offset: n}}})
		}
		return records
	}
	of := recentBox{"c", 1, 0}
	made := func() *recents {
		r := &recents{boxes: map[recentBox]*recent{}}
		r.follow(of)
		return r
	}
	give := func(r *recents, offset int64) (first, n int64) {
		records := r.after(of, offset)
		if len(records) > 0 {
			first = records[0].Position.Offset
		}
		return first, int64(len(records))
	}
	expect := func(what string, r *recents, offset, first, n int64) {
		t.Helper()
		if f, m := give(r, offset); f != first || m != n {
			t.Errorf("%s: behind %d come %d records from %d on, expected %d from %d on", what, offset, m, f, n, first)
		}
	}

	r := made()
	r.put(of, page(1, 10))
	expect("not trimmed", r, 0, 0, 0)
	r.trim(of, 6)
	expect("trimmed up to 6", r, 2, 3, 4)
	r.put(of, page(7, 12)) // read again, since it was not trimmed: the page with 7 goes
	r.trim(of, 12)
	expect("between pages", r, 6, 7, 6)
	expect("all given", r, 12, 0, 0)
	if r.count != 0 {
		t.Errorf("%d records are counted, and none is kept", r.count)
	}

	r = made()
	r.put(of, page(1, 4))
	r.put(of, page(9, 12)) // another server moved some
	r.trim(of, 12)
	expect("a gap", r, 4, 0, 0)
	expect("behind the gap", r, 8, 9, 4)

	r = made()
	r.put(of, page(1, recentMost))
	r.put(of, page(recentMost+1, recentMost+1))
	r.trim(of, recentMost+1)
	if r.count != recentMost {
		t.Errorf("%d records are kept", r.count)
	}
	r.dropContest("c")
	expect("after the contest is forgotten", r, 0, 0, 0)
	if r.count != 0 {
		t.Errorf("%d records are counted, and none is kept", r.count)
	}

	r = &recents{boxes: map[recentBox]*recent{}}
	r.put(of, page(1, 4))
	r.trim(of, 4)
	expect("nobody follows", r, 0, 0, 0)
	r = made()
	r.put(of, page(1, 4))
	r.trim(of, 4)
	r.drop(of)
	expect("after a while", r, 0, 0, 0)
}
