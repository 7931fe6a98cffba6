package ballotbox

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

func solvedFor(ballot voting.Ballot, challenge byte) voting.Ballot {
	ballot.Solved = &voting.Solved{ID: [16]byte{challenge}, Life: time.Minute}
	return ballot
}

func TestCast_AChallengeServesOneBallot(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "rules: {ballots: {max: 9, per: contest}}")
		first := solvedFor(ballotFor("ada", "n-1"), 1)
		accepted := mustCast(t, b, s, first)
		for _, again := range []voting.Ballot{first, solvedFor(first, 2)} { // also with one that another ballot will use
			if o := mustCast(t, b, s, again); !o.Duplicate || o.Cast.Position != accepted.Cast.Position {
				t.Fatalf("the same ballot: %+v", o)
			}
		}
		o := mustCast(t, b, s, solvedFor(ballotFor("ada", "n-1"), 1))
		if o.Refused != voting.Rejected || fmt.Sprint(o.Reasons) != "[challenge-used]" {
			t.Fatalf("another ballot: %+v", o)
		}
		if o := mustCast(t, b, s, solvedFor(ballotFor("ada", "s-1"), 2)); o.Refused != "" || o.Duplicate {
			t.Fatalf("another challenge: %+v", o)
		}
		if n := len(ledgerOf(t, b, s, voting.Position{})); n != 3 { // opening, two casts
			t.Errorf("%d records", n)
		}
	})
}

// What the box refuses has used nothing up, and a refusal decided before it says so
// whatever the challenge.
func TestCast_ARefusedBallotUsesNoChallenge(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		refused := solvedFor(ballotFor("ada", "n-1"), 1)
		refused.Refuse, refused.Reasons = voting.Rejected, []string{"known-farm"}
		if o := mustCast(t, b, s, refused); o.Refused != voting.Rejected || fmt.Sprint(o.Reasons) != "[known-farm]" {
			t.Fatalf("rejected before: %+v", o)
		}
		key := keysOf(s.Contest.ID, boxOf(refused.Voter, 1)).solved(refused.Solved.ID)
		if n := st.Client().Exists(t.Context(), key).Val(); n != 0 {
			t.Error("a refused ballot used the challenge up")
		}
		mustCast(t, b, s, solvedFor(ballotFor("ada", "n-1"), 1))
		if left := st.Client().PTTL(t.Context(), key).Val(); left <= 0 || left > time.Minute {
			t.Errorf("remembered for %v", left)
		}
		spent := solvedFor(ballotFor("ada", "n-1"), 1)
		spent.Refuse = voting.NoSuchEntry
		if o := mustCast(t, b, s, spent); o.Refused != voting.NoSuchEntry {
			t.Errorf("refused before: %+v", o)
		}
	})
}

func TestCast_AChallengeSolvedForManyBallotsAtOnceServesOne(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "rules: {ballots: {max: 99, per: contest}}")
		var casting sync.WaitGroup
		var counted, rejected atomic.Int64
		for range 40 {
			casting.Go(func() {
				switch o, err := b.Cast(t.Context(), s, solvedFor(ballotFor("ada", "n-1"), 1)); {
				case err != nil:
					t.Error(err)
				case o.Refused == voting.Rejected:
					rejected.Add(1)
				case o.Refused == "":
					counted.Add(1)
				}
			})
		}
		casting.Wait()
		if counted.Load() != 1 || rejected.Load() != 39 {
			t.Errorf("%d counted, %d rejected", counted.Load(), rejected.Load())
		}
	})
}

// Damage at the key is found before anything is written.
func TestCast_AChallengeOfAnotherTypeWritesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		mustCast(t, b, s, ballotFor("bob", "n-1"))
		ballot := solvedFor(ballotFor("ada", "n-1"), 1)
		st.Client().LPush(t.Context(), keysOf(s.Contest.ID, 0).solved(ballot.Solved.ID), "damage")
		if _, err := b.Cast(t.Context(), s, ballot); err == nil {
			t.Fatal("no error")
		}
		if n := len(ledgerOf(t, b, s, voting.Position{})); n != 2 {
			t.Errorf("%d records", n)
		}
		checkRecount(t, b, s)
	})
}
