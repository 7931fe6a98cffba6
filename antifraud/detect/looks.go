package detect

import (
	"math"
	"slices"
)

// Looks before any farm is known are held against these: a farm's share of rented
// networks and of votes by calls, and how much it hurries, as reports of farms tell them (docs/ANTIFRAUD.md).
// They only say where to look first: what convinces is what a hand has of its own.
const (
	rentedByFarms = 0.3
	byCalls       = 0.2 // votes without a page
	alikeMost     = 3.5
	alikeLeast    = -0.4
)

// looks are, by voter, the odds of being a farm's by looks alone, scaled so that
// they are 1 on average over the crowd: a cohort like the crowd gains nothing. renting
// is what a rented network alone adds to the odds, as a factor.
//
// A few who look far worse than any farm, as an office behind a data centre does, are most of that
// average, and beside them nobody looks like one. So of plain looks nobody counts for more in it than who
// looks worse than nine in ten.
func (c *crowd) looks(x *index, plain bool) (odds []float64, renting float64) {
	odds, renting = c.rawLooks(x)
	most := math.Inf(1)
	if plain {
		most = slices.Sorted(slices.Values(odds))[len(odds)*9/10]
	}
	c.scale(odds, most, func(int32) bool { return true })
	return odds, renting
}

// looksBeside are the same, scaled over those of the crowd who do not vote for an entry.
func (c *crowd) looksBeside(x *index, entry int32) (odds []float64, renting float64) {
	odds, renting = c.rawLooks(x)
	c.scale(odds, math.Inf(1), func(v int32) bool {
		from, to := c.t.acts(v)
		return !slices.Contains(c.t.entry[from:to], entry)
	})
	return odds, renting
}

// scale makes odds 1 on average over those of the crowd, none of whom counts for more than most.
func (c *crowd) scale(odds []float64, most float64, of func(v int32) bool) {
	sums, masses := make([]float64, c.n/chunk+1), make([]float64, c.n/chunk+1)
	chunks(c.n, func(part, from, to int) {
		for v := int32(from); v < int32(to); v++ {
			if of(v) {
				sums[part] += (1 - c.taken[v]) * min(odds[v], most)
				masses[part] += 1 - c.taken[v]
			}
		}
	})
	sum, mass := 0.0, 0.0
	for part, s := range sums {
		sum, mass = sum+s, mass+masses[part]
	}
	by := mass / max(sum, 1e-9)
	for v := range odds {
		odds[v] *= by
	}
}

// rawLooks are the odds before they are scaled.
func (c *crowd) rawLooks(x *index) (odds []float64, renting float64) {
	odds = make([]float64, c.n)
	device := c.together(x.group(oneModel), c.device, &c.t.device)
	net := c.together(c.byNet, c.net, &c.t.net)
	rented := (c.rented + 1) / (c.known + 2)
	var pace [dwellBins]float64
	for b := range pace {
		u := (float64(b) + 0.5) / float64(len(c.dwellCuts)+1) // share of the crowd that is quicker
		pace[b] = clip(math.Log(2*(1-u)), -1.5, 0.7)
	}
	pageless := clip(math.Log(byCalls/((c.mass-c.dwells+1)/(c.mass+2))), 0, 2.5)
	hired, homely := clip(math.Log(rentedByFarms/rented), 0, 2.5), math.Log((1-rentedByFarms)/(1-rented))
	chunks(c.n, func(_, from, to int) {
		for v := int32(from); v < int32(to); v++ {
			r := c.t.proof[v]
			if b := c.dwellBin[v]; b >= 0 {
				r += pace[b]
			} else {
				r += pageless
			}
			if c.t.kind.of[v] != unseen {
				if c.t.isRented(v) {
					r += hired
				} else {
					r += homely
				}
			}
			if a := c.t.account[v]; !math.IsNaN(a) {
				r += clip(a, -2, 2.5)
			}
			r += device(v)
			if !c.t.isCampus(v) {
				r += net(v) / 2
			}
			odds[v] = math.Exp(r)
		}
	})
	return odds, math.Exp(hired)
}

// together says of a voter how much more often others at one of their entries have
// the same value than strangers at other entries make expect: ln of seen over expected.
func (c *crowd) together(g *grouping, crowd []float64, col *column) func(v int32) float64 {
	in := make([]float64, g.n)
	for v := range int32(c.n) {
		from, to := c.t.acts(v)
		for a := from; a < to; a++ {
			if k := g.of[a]; k != unseen {
				in[k] += 1 - c.taken[v]
			}
		}
	}
	return func(v int32) float64 {
		k := col.of[v]
		if k == unseen {
			return 0
		}
		own, best := 1-c.taken[v], 0.0
		from, to := c.t.acts(v)
		for a := from; a < to; a++ {
			here := in[g.of[a]] - own
			if here < 0.7 {
				continue
			}
			size := c.entry[c.t.entry[a]]
			elsewhere := max(crowd[k]-own-here, 0)
			best = max(best, here/((elsewhere+0.3)*size/max(c.mass-size, size)))
		}
		if best == 0 {
			return alikeLeast
		}
		return clip(math.Log(best), alikeLeast, alikeMost)
	}
}
