package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

var errEnough = errors.New("enough")

// A reader that stops anywhere and resumes from the last position it saw gets
// every record once, in order, while ballots keep coming.
func TestLedger_ResumesWithoutLossOrRepeatWhileVotersVote(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		for _, boxes := range []int{1, 8} {
			t.Run(fmt.Sprint(boxes, " boxes"), func(t *testing.T) {
				b, s := New(st), newContest(t, fmt.Sprint("boxes: ", boxes))
				voters := 1500
				var wg sync.WaitGroup
				for part := range 8 {
					wg.Go(func() {
						for i := part; i < voters; i += 8 {
							mustCast(t, b, s, ballotFor(fmt.Sprint("v", i), "n-1"))
						}
					})
				}
				done := make(chan struct{})
				go func() { wg.Wait(); close(done) }()

				var got []voting.Record
				var last voting.Position
				read := func(limit int) {
					n := 0
					err := b.Ledger(t.Context(), s, last, func(r voting.Record) error {
						got, last = append(got, r), r.Position
						if n++; n == limit {
							return errEnough
						}
						return nil
					})
					if err != nil && err != errEnough {
						t.Fatal(err)
					}
				}
				for i, voting := 0, true; voting; i++ {
					read(1 + i%97)
					select {
					case <-done:
						voting = false
					default:
					}
				}
				read(0)

				seen := map[voting.Position]bool{}
				for i, r := range got {
					if seen[r.Position] {
						t.Fatalf("record %v came twice", r.Position)
					}
					seen[r.Position] = true
					if i > 0 && !before(got[i-1].Position, r.Position) {
						t.Fatalf("out of order: %v then %v", got[i-1].Position, r.Position)
					}
				}
				if len(got) != voters+boxes { // an opening a box
					t.Fatalf("got %d records, want %d", len(got), voters+boxes)
				}
				count, err := b.Tally(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				sameTally(t, fold(got), count.Live)
			})
		}
	})
}

func TestLedger_RefusesAnotherEpochsPosition(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		err := b.Ledger(t.Context(), s, voting.Position{Epoch: 8, Millis: 1, Offset: 1}, func(voting.Record) error { return nil })
		if !errors.Is(err, ErrEpoch) {
			t.Fatalf("got %v", err)
		}
	})
}

// Sixty-four clients vote across a closing instant of the store's own clock.
func TestClose_NoCastIsStampedAtOrAfterIt(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		for name, c := range map[string]struct {
			open  time.Duration
			close func(b *Boxes, s *registry.Stored) (time.Time, error) // once some are accepted
		}{
			"by the document": {1500 * time.Millisecond, func(_ *Boxes, s *registry.Stored) (time.Time, error) { return s.Contest.Phases.Voting.Closes, nil }},
			"by an organizer": {time.Hour, func(b *Boxes, s *registry.Stored) (time.Time, error) { return b.Close(context.Background(), s, "test") }},
		} {
			t.Run(name, func(t *testing.T) {
				closes := time.Now().Add(c.open).Truncate(time.Millisecond)
				b := New(st)
				s := newContest(t, "boxes: 4", fmt.Sprintf("phases: {voting: {opens: 2026-01-01T00:00:00Z, closes: %s}}",
					closes.UTC().Format(time.RFC3339Nano)))
				var mu sync.Mutex
				accepted, refusals, early := 0, 0, 0
				var wg sync.WaitGroup
				under := make(chan struct{}) // way
				for client := range 64 {
					wg.Go(func() {
						for i := 0; ; i++ {
							o, err := b.Cast(context.Background(), s, ballotFor(fmt.Sprint(client, "/", i), "n-1"))
							if err != nil {
								t.Error(err)
								return
							}
							mu.Lock()
							switch {
							case o.Refused == "":
								if accepted++; accepted == 64 {
									close(under)
								}
							case o.Refused == voting.PhaseClosed && !o.Now.Before(o.ClosedAt):
								refusals++
							default:
								early++
							}
							mu.Unlock()
							if o.Refused != "" {
								return
							}
						}
					})
				}
				select {
				case <-under:
				case <-time.After(time.Until(closes)): // and then it is told below
				}
				closed, err := c.close(b, s)
				if err != nil {
					t.Fatal(err)
				}
				wg.Wait()
				if early > 0 {
					t.Fatalf("%d ballots were refused that the store saw before the close", early)
				}
				if accepted < 64 || refusals != 64 {
					t.Fatalf("%d accepted, %d clients met the close: the test did not cross it", accepted, refusals)
				}
				casts := 0
				for _, r := range ledgerOf(t, b, s, voting.Position{}) {
					if r.Kind != voting.KindCast {
						continue
					}
					casts++
					if !r.Position.At().Before(closed) {
						t.Errorf("a cast is stamped %v, the close is %v", r.Position.At(), closed)
					}
				}
				if casts != accepted {
					t.Fatalf("%d casts in the ledger, %d acknowledged", casts, accepted)
				}
			})
		}
	})
}

func TestPublish_OnlyAfterTheCloseAndOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 2")
		mustCast(t, b, s, ballotFor("ada", "n-1"))
		if _, err := b.Publish(t.Context(), s); !errors.Is(err, ErrNotClosed) {
			t.Fatalf("published while open: %v", err)
		}
		for range 2 {
			if _, err := b.Close(t.Context(), s, "enough"); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, err := b.Publish(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		kinds := map[voting.Kind]int{}
		for _, r := range ledgerOf(t, b, s, voting.Position{}) {
			kinds[r.Kind]++
		}
		want := map[voting.Kind]int{voting.KindOpen: 2, voting.KindCast: 1, voting.KindClose: 2, voting.KindPublish: 2}
		if fmt.Sprint(kinds) != fmt.Sprint(want) {
			t.Fatalf("records %v, want %v", kinds, want)
		}
	})
}
