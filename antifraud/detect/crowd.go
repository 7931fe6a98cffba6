package detect

import (
	"math"
	"slices"
	"sort"
)

const (
	dwellBins   = 24 // quantiles of the contest's own reading times
	accountBins = 13 // of log-odds from -4 to 4
	countBins   = 8  // ballots of a voter; the last is "more"
	hoursInCell = 3
	noAccount   = accountBins // the bin of who has no profile
)

// crowd is everybody who is no farm's: what is seen how often among them. Each
// voter weighs what is left of them by the farms that are known: 1 - taken.
//
// Looks (device, agent, dwell, account, kind of network) are held against the whole
// contest's crowd. Places (entry, link, referrer, address, hour) are held against
// the crowd at the same entry: that is what clears a campus and a spike.
type crowd struct {
	t *table
	n int

	taken []float64 // by voter: probability of being a known farm's

	dwellCuts []float64
	dwellBin  []int8 // by voter; -1: not seen
	accBin    []int8 // by voter

	composition

	// Groups within an entry, and what the crowd weighs in each.
	byNet, byBlock, byASN, byVia, byReferrer, byHour *grouping
	inNet, inBlock, inASN, inVia, inReferrer         []float64

	firstHour int32
	seat      []int32 // by device, see [table.seats]
}

func newCrowd(t *table) *crowd {
	c := &crowd{t: t, n: t.n}
	c.taken = make([]float64, c.n)
	c.binDwell()
	c.accBin = make([]int8, c.n)
	for v, odds := range t.account {
		c.accBin[v] = noAccount
		if !math.IsNaN(odds) {
			c.accBin[v] = int8(math.Round((clip(odds, -4, 4) + 4) / 8 * (accountBins - 1)))
		}
	}
	c.firstHour = slices.Min(t.hour)
	c.seat = t.seats()
	of := func(col *column) func(v, act int32) int32 {
		return func(v, _ int32) int32 { return col.of[v] }
	}
	groups := []struct {
		into  **grouping
		name  string
		value func(v, act int32) int32
	}{
		{&c.byNet, "entry-net", of(&t.net)}, {&c.byBlock, "entry-block", of(&t.block)}, {&c.byASN, "entry-asn", of(&t.asn)}, {&c.byVia, "entry-via", of(&t.via)},
		{&c.byReferrer, "entry-referrer", of(&t.referrer)},
		{&c.byHour, "entry-hours", func(_, act int32) int32 { return c.hourCell(act) }},
	}
	inParallel(len(groups), func(i int) { *groups[i].into = t.within(groups[i].name, groups[i].value, true) })
	c.inNet, c.inBlock, c.inASN = make([]float64, c.byNet.n), make([]float64, c.byBlock.n), make([]float64, c.byASN.n)
	c.inVia, c.inReferrer = make([]float64, c.byVia.n), make([]float64, c.byReferrer.n)

	c.composition = newComposition(c)
	for v := range int32(c.n) {
		c.weigh(v, 1)
	}
	return c
}

func (c *crowd) hourCell(act int32) int32 { return (c.t.hour[act] - c.firstHour) / hoursInCell }

func (c *crowd) binDwell() {
	seen := slices.DeleteFunc(slices.Clone(c.t.dwell), math.IsNaN)
	slices.Sort(seen)
	for k := 1; k < dwellBins && len(seen) > 0; k++ {
		c.dwellCuts = append(c.dwellCuts, seen[len(seen)*k/dwellBins])
	}
	c.dwellCuts = slices.Compact(c.dwellCuts)
	c.dwellBin = make([]int8, c.n)
	for v, x := range c.t.dwell {
		c.dwellBin[v] = -1
		if !math.IsNaN(x) {
			c.dwellBin[v] = int8(sort.SearchFloat64s(c.dwellCuts, x))
		}
	}
}

// at is the place of a code; that of unseen is the last.
func at(x []float64, code int32) int {
	if code == unseen {
		return len(x) - 1
	}
	return int(code)
}

// take says how much of a voter is farms'.
func (c *crowd) take(v int32, taken float64) {
	if d := c.taken[v] - taken; d != 0 {
		c.taken[v] = taken
		c.weigh(v, d)
	}
}

// weigh adds d of a voter to the crowd.
func (c *crowd) weigh(v int32, d float64) {
	c.composition.add(c, v, d)
	from, to := c.t.acts(v)
	for a := from; a < to; a++ {
		c.inNet[c.byNet.of[a]] += d
		c.inBlock[c.byBlock.of[a]] += d
		c.inASN[c.byASN.of[a]] += d
		c.inVia[c.byVia.of[a]] += d
		c.inReferrer[c.byReferrer.of[a]] += d
	}
}

func clip(x, least, most float64) float64 { return max(least, min(most, x)) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
