package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// shelf is an archive in memory: what readers of boxes need of one. That on disk is
// in package archive, which knows this one.
type shelf struct {
	mu      sync.Mutex
	records map[string][]MovedRecord // by contest and box; guarded by mu
}

func newShelf() *shelf { return &shelf{records: map[string][]MovedRecord{}} }

func (a *shelf) behind(contestID string, box int, after voting.Position) []MovedRecord {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.records[fmt.Sprint(contestID, "/", box)]
	i := slices.IndexFunc(all, func(r MovedRecord) bool {
		if r.Position.Box == after.Box || after == (voting.Position{}) {
			return r.Position.Offset > after.Offset
		}
		return r.Position.Millis > after.Millis || r.Position.Millis == after.Millis && r.Position.Box > after.Box
	})
	if i < 0 {
		return nil
	}
	return slices.Clone(all[i:])
}

func (a *shelf) Records(_ context.Context, contestID string, box int, after voting.Position, yield func(voting.Record) error) error {
	for _, r := range a.behind(contestID, box, after) {
		if err := yield(r.Record); err != nil {
			return err
		}
	}
	return nil
}

func (a *shelf) Evidence(_ context.Context, contestID string, box int, after voting.Position, yield func(voting.Position, []byte) error) error {
	for _, r := range a.behind(contestID, box, after) {
		if len(r.Seen) > 0 {
			if err := yield(r.Position, r.Seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// move takes a page of every box out of the store, and tells how many records.
func (a *shelf) move(t rapid.TB, b *Boxes, s *registry.Stored) (moved int) {
	t.Helper()
	for box := range s.Contest.Boxes {
		u, err := b.Unmoved(context.Background(), s, box, voting.Position{}, false)
		if err != nil {
			t.Fatal(err)
		}
		a.mu.Lock()
		key := fmt.Sprint(s.Contest.ID, "/", box)
		for _, r := range u.Records {
			switch n := int64(len(a.records[key])); {
			case r.Position.Offset == n+1:
				a.records[key] = append(a.records[key], r)
			case r.Position.Offset > n || a.records[key][r.Position.Offset-1].Position != r.Position:
				t.Fatalf("record %v after %d that were moved", r.Position, n)
			}
		}
		a.mu.Unlock()
		if err := b.Trim(context.Background(), s, box, u.Sheets); err != nil {
			t.Fatal(err)
		}
		moved += len(u.Records)
	}
	return moved
}

// Readers that go on from where they were get every record once, in order, with what
// was seen of its cast, while voters vote and records move away under them.
func TestArchive_ReadersMissNothingWhileRecordsMove(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		for _, boxes := range []int{1, 4} {
			t.Run(fmt.Sprint(boxes, " boxes"), func(t *testing.T) {
				a := newShelf()
				b, s := New(st).WithArchive(a), newContest(t, fmt.Sprint("boxes: ", boxes))
				voters := 3000
				if st.Embedded() {
					voters = 600
				}
				var casting, reading sync.WaitGroup
				for part := range 8 {
					casting.Go(func() {
						for i := part; i < voters; i += 8 {
							ballot := ballotFor(fmt.Sprint("v", i), "n-1")
							ballot.Evidence = antifraud.Evidence{Via: fmt.Sprint("via-", ballot.ID)}
							mustCast(t, b, s, ballot)
						}
					})
				}
				done := make(chan struct{})
				reading.Go(func() {
					for over := false; !over; {
						select {
						case <-done:
							over = true
						default:
						}
						for a.move(t, b, s) > 0 && over {
						}
					}
				})
				var ledger []voting.Record
				reading.Go(func() {
					for i, over := 0, false; !over; i++ {
						select {
						case <-done:
							over = true
						default:
						}
						var last voting.Position
						if len(ledger) > 0 {
							last = ledger[len(ledger)-1].Position
						}
						n := 0
						if err := b.Ledger(t.Context(), s, last, func(r voting.Record) error {
							ledger = append(ledger, r)
							if n++; !over && n == 1+i%97 {
								return errEnough
							}
							return nil
						}); err != nil && err != errEnough {
							t.Error(err)
							return
						}
					}
				})
				var followed []Followed
				reading.Go(func() {
					var at Cursor
					for over := false; !over; {
						select {
						case <-done:
							over = true
						default:
						}
						var err error
						if at, err = b.Follow(t.Context(), s, at, func(f Followed) error { followed = append(followed, f); return nil }); err != nil {
							t.Error(err)
							return
						}
					}
				})
				casting.Wait()
				close(done)
				reading.Wait()

				for i, r := range ledger {
					if i > 0 && !before(ledger[i-1].Position, r.Position) {
						t.Fatalf("out of order: %v then %v", ledger[i-1].Position, r.Position)
					}
				}
				if len(ledger) != voters+boxes { // an opening a box
					t.Errorf("read %d records, want %d", len(ledger), voters+boxes)
				}
				at := map[int]int64{}
				for _, f := range followed {
					if f.Position.Offset <= at[f.Position.Box] || f.Evidence.Via != "via-"+f.Ballot.String() {
						t.Fatalf("%v after %d of the box, seen %+v", f.Position, at[f.Position.Box], f.Seen)
					}
					at[f.Position.Box] = f.Position.Offset
				}
				if len(followed) != voters {
					t.Errorf("followed %d ballots, want %d", len(followed), voters)
				}
				lines := 0
				if err := b.Evidence(t.Context(), s, func(l LogLine) error {
					if lines++; l.Evidence == nil || l.Evidence.Via != "via-"+l.Ballot.String() {
						return fmt.Errorf("line %d has %+v", lines, l.Evidence)
					}
					return nil
				}); err != nil || lines != voters {
					t.Errorf("%d lines of evidence, %v", lines, err)
				}
				for box := range boxes {
					keys := keysOf(s.Contest.ID, box)
					if left := st.Client().XLen(t.Context(), keys.ledger).Val() + st.Client().XLen(t.Context(), keys.evidence).Val(); left != 0 {
						t.Errorf("box %d: %d records are left in the store", box, left)
					}
				}
			})
		}
	})
}

// An organizer's queue and the settling of ties look far back.
func TestArchive_WhatIsLookedUpIsFound(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		a := newShelf()
		b, s := New(st).WithArchive(a), newContest(t, "boxes: 2", "scoring: {schools: {by: total}, ties: earliest}")
		var first, last voting.Ballot
		for n := range 40 {
			ballot := ballotFor(fmt.Sprint(n), "n-1")
			if n%7 == 3 {
				ballot = heldBallot(fmt.Sprint(n), "n-2")
			}
			ballot.Evidence = antifraud.Evidence{Via: fmt.Sprint("via-", ballot.ID)}
			mustCast(t, b, s, ballot)
			if ballot.Standing == voting.Counted {
				if last = ballot; n == 0 {
					first = ballot
				}
			}
			if n == 30 {
				a.move(t, b, s)
			}
		}
		queue, err := b.Held(t.Context(), s, HeldPlace{}, 10)
		if err != nil || len(queue) != 6 {
			t.Fatalf("%d held, %v", len(queue), err)
		}
		for _, h := range queue {
			if h.Evidence == nil || h.Evidence.Via != "via-"+h.Ballot.String() || h.Level == "" {
				t.Errorf("held %v was seen as %+v", h.Position, h.Evidence)
			}
		}
		// Of all counted ballots but the first, the newest leave: only the ledger knows it.
		want, err := b.Find(t.Context(), s, first.Voter, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		for a.move(t, b, s) > 0 {
		}
		for _, f := range mustFollow(t, b, s) {
			if f.Standing == voting.Counted && f.Ballot != first.ID {
				if _, _, err := b.Change(t.Context(), s, Change{Voter: f.Voter, Ballot: f.Ballot, Standing: voting.Void, Actor: voting.ActorOrganizer}); err != nil {
					t.Fatal(err)
				}
			}
		}
		count, err := b.Tally(t.Context(), s)
		if err != nil || count.Live.Last["n-1"] != want.Position.Millis || count.Live.Votes["n-1"] != 1 {
			t.Fatalf("newest of n-1 at %d, want %d; %d votes, %v", count.Live.Last["n-1"], want.Position.Millis, count.Live.Votes["n-1"], err)
		}
		if o := mustCast(t, b, s, last); !o.Duplicate {
			t.Fatalf("a repeat: %+v", o)
		}
		checkRecount(t, b, s)
	})
}

// Who has not the folder must not take the rest for a whole ledger.
func TestArchive_AServerWithoutItSaysSo(t *testing.T) {
	st := openStore(t, "")
	a := newShelf()
	b, s := New(st).WithArchive(a), newContest(t, "boxes: 2")
	for n := range 10 {
		mustCast(t, b, s, ballotFor(fmt.Sprint(n), "n-1"))
	}
	a.move(t, b, s)
	mustCast(t, b, s, ballotFor("another", "n-1"))
	for name, other := range map[string]*Boxes{"none": New(st), "an empty one": New(st).WithArchive(newShelf())} {
		for from, after := range map[string]voting.Position{"the beginning": {}, "an instant": {Epoch: s.Epoch, Millis: 1, Offset: 1}} {
			if err := other.Ledger(t.Context(), s, after, func(voting.Record) error { return nil }); !errors.Is(err, ErrNoArchive) {
				t.Errorf("ledger from %s with %s: %v", from, name, err)
			}
		}
		if _, err := other.Follow(t.Context(), s, nil, func(Followed) error { return nil }); !errors.Is(err, ErrNoArchive) {
			t.Errorf("follow with %s: %v", name, err)
		}
	}
}

// Trimming is bound to what is named: twice is once, and a gap is refused.
func TestTrim_TakesWhatIsNamedOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		for n := range 5 {
			mustCast(t, b, s, ballotFor(fmt.Sprint(n), "n-1"))
		}
		u, err := b.Unmoved(t.Context(), s, 0, voting.Position{}, true)
		if err != nil || len(u.Records) != 6 || u.Offset != 6 || u.Trimmed != 0 || u.Tally.Votes["n-1"] != 5 || u.Tally.Offset != 6 {
			t.Fatalf("%+v, %v", u, err)
		}
		sheets := u.Sheets
		if err := b.Trim(t.Context(), s, 0, sheets[2:4]); err == nil {
			t.Error("trimmed behind a gap")
		}
		for range 2 {
			if err := b.Trim(t.Context(), s, 0, sheets[:4]); err != nil {
				t.Fatal(err)
			}
		}
		u, err = b.Unmoved(t.Context(), s, 0, voting.Position{}, false)
		if err != nil || u.Trimmed != 4 || u.Offset != 6 || len(u.Records) != 2 || u.Sheets[0] != sheets[4] || len(u.Records[0].Seen) == 0 {
			t.Fatalf("%+v, %v", u, err)
		}
		never := Sheet{Millis: sheets[5].Millis, First: 7, Last: 7}
		if err := b.Trim(t.Context(), s, 0, append(sheets[4:], never)); err == nil {
			t.Error("trimmed a record that was never committed")
		}
	})
}

func mustFollow(t *testing.T, b *Boxes, s *registry.Stored) []Followed {
	t.Helper()
	all, _ := follow(t, b, s, nil)
	return all
}
