package detect

import (
	"math"
	"slices"
	"sort"
)

// waits says of each member, in log-odds, what the wait before they confirmed says: who
// has a program's pace by chance has no program's wait. It took no part in finding them. It is
// 0 of whom none was seen, and of hands in no hurry, which it says nothing of.
func (h *hand) waits(who []int32) []float64 {
	odds := make([]float64, len(who))
	if !h.hasty() {
		return odds
	}
	c, t := h.c, h.c.t
	seen := slices.DeleteFunc(slices.Clone(t.confirm), math.IsNaN)
	slices.Sort(seen)
	var cuts []float64
	for k := 1; k < dwellBins && len(seen) > 0; k++ {
		cuts = append(cuts, seen[len(seen)*k/dwellBins])
	}
	cuts = slices.Compact(cuts)
	bin := func(v int32) int { return sort.SearchFloat64s(cuts, t.confirm[v]) }
	var members, crowd [dwellBins]float64
	mass, others := 0.0, 0.0
	for v := range int32(c.n) {
		if !math.IsNaN(t.confirm[v]) {
			b, w, own := bin(v), h.w[v], 1-c.taken[v]
			members[b], mass = members[b]+w, mass+w
			crowd[b], others = crowd[b]+own, others+own
		}
	}
	for n, v := range who {
		if math.IsNaN(t.confirm[v]) {
			continue
		}
		b, w, own, y, x := bin(v), h.w[v], 1-c.taken[v], 0.0, 0.0
		for k := max(0, b-1); k <= min(dwellBins-1, b+1); k++ {
			y, x = y+members[k], x+crowd[k]
		}
		odds[n] = clip(predictive(y-w, mass-w, x-own, others-own, 10), -2.5, 2.5)
	}
	return odds
}
