package ballotbox

import (
	"errors"
	"testing"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
)

// One box of several is lost, as a master of a cluster loses its: the name of the
// dataset and the contest are still there.
func TestGuard_ABoxThatWasLostIsNotSetUpAnew(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	r := registry.New(st, nil, registry.Options{})
	if _, _, _, err := r.Put(t.Context(), newContest(t, "boxes: 2").Contest); err != nil {
		t.Fatal(err)
	}
	s := r.List()[len(r.List())-1]
	b := New(st).GuardedBy(r)
	first := ballotFor("ada", "n-1")
	box := boxOf(first.Voter, 2)
	mustCast(t, b, s, first) // sets the boxes up
	meta, aside := keysOf(s.Contest.ID, box).meta, keysOf(s.Contest.ID, box).prefix+"aside"
	if err := st.Client().Rename(t.Context(), meta, aside).Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // s is as it was before it was set up, as another server may have it
		if o, err := b.Cast(t.Context(), s, ballotFor("grace", "n-1")); boxOf(voterNamed("grace"), 2) == box && !errors.Is(err, registry.ErrLost) {
			t.Errorf("a cast to it: %s, %v", o.Label(), err)
		}
		if o, err := b.Cast(t.Context(), s, ballotFor("ada", "n-1")); !errors.Is(err, registry.ErrLost) {
			t.Errorf("a second ballot: %s, %v", o.Label(), err)
		}
	}
	if err := b.Configure(t.Context(), s); !errors.Is(err, registry.ErrLost) || st.Client().Exists(t.Context(), meta).Val() != 0 {
		t.Errorf("configure: %v", err)
	}
	if r.Lost() == nil {
		t.Error("the server says nothing of it")
	}
	if err := st.Client().Rename(t.Context(), aside, meta).Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.tend(t.Context(), s, map[string]tended{}); err != nil || r.Lost() != nil {
		t.Errorf("it is back: %v, %v", err, r.Lost())
	}
	if o := mustCast(t, b, s, first); !o.Duplicate {
		t.Errorf("the first ballot again: %s", o.Label())
	}
	// Control: without a guard the box is new, and nobody is known to have voted in it.
	other := New(st)
	if err := errors.Join(st.Client().Rename(t.Context(), meta, aside).Err(), st.Client().Del(t.Context(), keysOf(s.Contest.ID, box).ledger).Err()); err != nil {
		t.Fatal(err)
	}
	if err := other.Configure(t.Context(), s); err != nil || st.Client().HGet(t.Context(), meta, "place").Val() != "waiting|0|0|0|0" {
		t.Errorf("without a guard: %v", err)
	}
}
