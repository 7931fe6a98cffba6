package detect

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
)

// What a run costs is counted in the ballots it looks at: it does not grow with the
// contest, but for the farms that are known.
func TestRun_LooksAtAsManyHoweverLongTheContest(t *testing.T) {
	const minute = 200
	d := New(Options{})
	costs := map[int]int{}
	for n := 0; n <= 240_000; n++ {
		if n == 5000 || n == 20_000 || n == 60_000 || n == 240_000 {
			d.judged = n - minute
			costs[n] = d.Costs()
		}
		b := vote(fmt.Sprint("v", n), "e", float64(n), antifraud.Evidence{})
		b.ID = fmt.Sprint("b", n)
		d.Add(b)
	}
	if costs[5000] != 5000 {
		t.Errorf("of 5,000 it looks at %d", costs[5000])
	}
	for n, cost := range costs {
		if cost > minute+recent+2*sampled {
			t.Errorf("of %d it looks at %d", n, cost)
		}
	}
	if costs[240_000] > costs[60_000]*11/10 {
		t.Errorf("four times the contest costs %d, was %d", costs[240_000], costs[60_000])
	}
	t.Logf("%v", costs)
	// A farm that is known is met again, with all of its ballots.
	for v := range 3000 {
		d.cluster[v] = 0
	}
	if more := d.Costs() - costs[240_000]; more < 2800 || more > 3000 {
		t.Errorf("3,000 voters of a farm cost %d more", more)
	}
}

func TestNew_CutOffsAreTheOptions(t *testing.T) {
	for _, row := range []struct {
		o     Options
		score float64
		want  Standing
	}{
		{Options{}, 0.49, Counted}, {Options{}, 0.5, Held}, {Options{}, 0.9, Void},
		{Options{Hold: 0.7, Void: 0.95}, 0.69, Counted}, {Options{Hold: 0.7, Void: 0.95}, 0.94, Held}, {Options{Hold: 0.7, Void: 0.95}, 0.95, Void},
	} {
		if got := New(row.o).standing(row.score); got != row.want {
			t.Errorf("%+v, %v: %s", row.o, row.score, got)
		}
	}
}

func TestDetector_NamesOfFarmsAreNoVoters(t *testing.T) {
	d := New(Options{})
	first := d.ids
	a, again := d.id("ann", nil), d.id("ann", nil)
	other, taken := d.id("bob", nil), d.id("ann", map[int32]bool{a: true})
	if len(first) > 0 || a != again || other == a || taken == a || taken == other {
		t.Errorf("%d %d %d %d: %q", a, again, other, taken, d.ids)
	}
}
