package detect

import (
	"math"
	"slices"
)

const (
	leastRestless = 3.0 // ln: less of the doubted being around the clock is chance
	restlessSteps = 20  // of EM: of one share it needs no more
)

// restless says, of each member, how little they are to be doubted for having no look of
// their own: by the share of such members who vote for the farm's targets around the
// clock as the farm does. Somebody honest who votes there sleeps when everybody does. It
// is 0 of who votes elsewhere, and of all where it is not clear.
func (f *farm) restless(c *crowd) []float64 {
	sure := make([]float64, len(f.who))
	if f.evidence.clock == 0 {
		return sure
	}
	votes, all := map[int32]float64{}, 0.0
	for n, v := range f.who {
		from, to := c.t.acts(v)
		for _, e := range c.t.entry[from:to] {
			votes[e] += f.w[n]
			all += f.w[n]
		}
	}
	clock := c.clock()
	var doubted []int
	var weights, ratios []float64
	for n, v := range f.who {
		from, to := c.t.acts(v)
		if f.stands(n) || !slices.ContainsFunc(c.t.entry[from:to], func(e int32) bool { return votes[e] >= target*all }) {
			continue
		}
		doubted = append(doubted, n)
		for a := from; a < to; a++ {
			weights = append(weights, f.w[n]/float64(to-from))
			ratios = append(ratios, 1/(cellsADay*clock[c.hourCell(a)%cellsADay]))
		}
	}
	share := 0.5
	for range restlessSteps {
		sum, mass := 0.0, 1e-9
		for n, w := range weights {
			sum += w * share * ratios[n] / (1 - share + share*ratios[n])
			mass += w
		}
		share = sum / mass
	}
	gain := 0.0
	for n, w := range weights {
		gain += w * math.Log(1-share+share*ratios[n])
	}
	if gain >= leastRestless {
		for _, n := range doubted {
			sure[n] = share
		}
	}
	return sure
}
