package detect

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
)

// Of members without a look of their own, those are not doubted who vote for a farm's
// target around the clock; who votes there by day, or elsewhere, is.
func TestFarm_RestlessMembersAreNotDoubted(t *testing.T) {
	const hour, day = 3600.0, 24 * 3600.0
	by := func(n int) float64 { return float64(n%10)*day + (9+float64(n%12))*hour }
	around := func(n int) float64 { return float64(n) * 1.2 * hour }
	for _, row := range []struct {
		name     string
		at       func(n int) float64
		clock    float64
		sure     bool
		standing float64
	}{
		{"around the clock", around, 20, true, 0},
		{"by day", by, 20, false, 0},
		{"a farm that sleeps", around, 0, false, 0},
		{"who has a look", around, 20, false, 3},
	} {
		var ballots []Ballot
		for n := range 1000 {
			ballots = append(ballots, vote(fmt.Sprint("h", n), "e1", by(n), antifraud.Evidence{}))
		}
		for n := range 200 {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", row.at(n), antifraud.Evidence{}))
		}
		ballots = append(ballots, vote("f200", "e2", 0, antifraud.Evidence{}))
		h := handOf(ballots)
		f := farm{evidence: evidence{clock: row.clock}, who: h.who, w: make([]float64, len(h.who)), by: make([][families]float64, len(h.who))}
		elsewhere := -1
		for n, v := range f.who {
			f.w[n], f.by[n][byTempo] = 0.7, row.standing
			if h.c.t.entry[h.c.t.first[v]] != h.c.t.entry[h.c.t.first[f.who[0]]] {
				elsewhere = n
			}
		}
		sure := f.restless(h.c)
		here := 0
		if here == elsewhere {
			here = 1
		}
		if got := sure[here] > 0.5; got != row.sure || elsewhere < 0 {
			t.Errorf("%s: %v", row.name, sure[here])
		}
		if elsewhere >= 0 && sure[elsewhere] != 0 {
			t.Errorf("%s, who votes elsewhere: %v", row.name, sure[elsewhere])
		}
	}
}
