// Package faulttest is what the tests of faults have in common: voters who cast
// until they are answered and remember every answer, and the count of what was
// lost of it.
package faulttest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// Long says whether the long form was asked for (make faults).
func Long() bool { return os.Getenv("JOUTE_FAULTS") == "long" }

// Answer is what a voter was told of a ballot.
type Answer struct {
	Position  voting.Position
	Duplicate bool   // it had been counted before
	Pending   bool   // it is stored, and not yet confirmed: to be asked again
	Refused   string // why it was not counted; empty when it was
}

// Cast casts the one ballot of the voter that the ballot's id names. On an error
// the outcome is unknown.
type Cast func(ctx context.Context, ballot uuid.UUID) (Answer, error)

// patience is how long a ballot may stay without an answer: longer than any fault lasts.
const patience = 2 * time.Minute

// repeatEvery is how often a ballot that was answered is cast once more.
const repeatEvery = 16

// Voters cast one fresh ballot after another, each until it is answered.
type Voters struct {
	cast Cast
	stop chan struct{}
	busy sync.WaitGroup

	mu     sync.Mutex
	told   Told              // guarded by mu
	newest map[int]time.Time // guarded by mu: when a ballot of each box was acknowledged last
}

// Told is what voters know afterwards.
type Told struct {
	Ballots map[uuid.UUID]voting.Position // acknowledged, and where in the ledger
	Unknown int                           // casts whose first outcome was unknown, or not confirmed
	Stored  int                           // of these, ballots that had been counted after all
	Pending int                           // answers that no replica had confirmed
	Repeats int                           // acknowledged ballots cast once more
	Wrong   []string                      // answers that must not be
}

// Start begins with so many voters at once.
func Start(voters int, cast Cast) *Voters {
	v := &Voters{cast: cast, stop: make(chan struct{}), newest: map[int]time.Time{}, told: Told{Ballots: map[uuid.UUID]voting.Position{}}}
	for range voters {
		v.busy.Go(v.vote)
	}
	return v
}

// Acknowledged is how many ballots were so far.
func (v *Voters) Acknowledged() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.told.Ballots)
}

// Pending is how many answers no replica had confirmed so far.
func (v *Voters) Pending() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.told.Pending
}

// More waits until so many more ballots are acknowledged.
func (v *Voters) More(tb testing.TB, n int) {
	tb.Helper()
	before := v.Acknowledged()
	until(tb, "more ballots to be acknowledged", func() bool { return v.Acknowledged() >= before+n })
}

// Taking waits until ballots are acknowledged after an instant, in every box that has
// any.
func (v *Voters) Taking(tb testing.TB, since time.Time) {
	tb.Helper()
	until(tb, "ballots to be acknowledged again", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, newest := range v.newest {
			if !newest.After(since) {
				return false
			}
		}
		return len(v.newest) > 0
	})
}

func until(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// Stop waits until every ballot has been answered and gives what was.
func (v *Voters) Stop() Told {
	close(v.stop)
	v.busy.Wait()
	return v.told
}

func (v *Voters) vote() {
	for i := 1; ; i++ {
		select {
		case <-v.stop:
			return
		default:
		}
		ballot := uuid.New()
		answer, asked := v.ask(ballot)
		v.note(ballot, answer, asked)
		if i%repeatEvery == 0 {
			again, asked := v.ask(ballot)
			v.noteRepeat(ballot, answer, again, asked)
		}
	}
}

// ask casts a ballot until its outcome is known.
func (v *Voters) ask(ballot uuid.UUID) (Answer, int) {
	deadline := time.Now().Add(patience)
	for asked := 1; ; asked++ {
		answer, err := v.cast(context.Background(), ballot)
		if err == nil && !answer.Pending {
			return answer, asked
		}
		if err == nil {
			v.mu.Lock()
			v.told.Pending++
			v.mu.Unlock()
		}
		if time.Now().After(deadline) {
			return Answer{Refused: fmt.Sprintf("unsettled after %v: %v", patience, err)}, asked
		}
		time.Sleep(5 * time.Millisecond) // as a client waits before it asks again
	}
}

func (v *Voters) note(ballot uuid.UUID, a Answer, asked int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if asked > 1 {
		v.told.Unknown++
		if a.Duplicate {
			v.told.Stored++
		}
	}
	if a.Refused != "" {
		v.told.Wrong = append(v.told.Wrong, fmt.Sprintf("%v was refused: %s", ballot, a.Refused))
		return
	}
	v.told.Ballots[ballot] = a.Position
	v.newest[a.Position.Box] = time.Now()
}

func (v *Voters) noteRepeat(ballot uuid.UUID, first, again Answer, asked int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told.Repeats++
	if asked > 1 {
		v.told.Unknown++
	}
	if first.Refused == "" && (!again.Duplicate || again.Position != first.Position) {
		v.told.Wrong = append(v.told.Wrong, fmt.Sprintf("%v was first %+v, then %+v", ballot, first, again))
	}
}

// Merge adds what other voters were told.
func (t *Told) Merge(other Told) {
	maps.Copy(t.Ballots, other.Ballots)
	t.Unknown, t.Stored = t.Unknown+other.Unknown, t.Stored+other.Stored
	t.Pending, t.Repeats = t.Pending+other.Pending, t.Repeats+other.Repeats
	t.Wrong = append(t.Wrong, other.Wrong...)
}

// Check fails the test for every answer that must not be, and where no outcome
// was unknown: then the faults met no cast, and nothing was tested.
func (t Told) Check(tb testing.TB) {
	tb.Helper()
	for i, what := range t.Wrong {
		if i == 10 {
			tb.Errorf("… and %d more", len(t.Wrong)-i)
			break
		}
		tb.Error(what)
	}
	if t.Unknown == 0 {
		tb.Error("no outcome was unknown: the faults met no cast")
	}
}

// String is for the log of a test.
func (t Told) String() string {
	return fmt.Sprintf("%d ballots acknowledged, %d outcomes asked again, of them %d had been counted; %d answers pending; %d repeats",
		len(t.Ballots), t.Unknown, t.Stored, t.Pending, t.Repeats)
}
