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

	mass, acts                     float64   // voters, ballots
	device                         []float64 // by value; one place more for unseen
	agent                          []float64
	net, block                     []float64
	via, referrer                  []float64
	dwell, account                 []float64
	entry                          []float64
	hour                           []float64 // by cell of hours
	count                          [countBins]float64
	dwells, dwellSum, dwellSquares float64 // voters whose reading time is known; its ln, summed
	accountSum                     float64
	rented                         float64 // voters in rented networks
	known                          float64 // voters whose kind of network is known
	withDevice                     float64
	ownDevice                      float64 // voters whose device nobody else has
	withNet                        float64
	ownNet                         float64
	ownBlock                       float64

	// Groups within an entry, and what the crowd weighs in each.
	byNet, byBlock, byVia, byReferrer, byHour *grouping
	inNet, inBlock, inVia, inReferrer, inHour []float64

	firstHour int32
	everyone  []int32
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
	of := func(col *column) func(v, act int32) int32 {
		return func(v, _ int32) int32 { return col.of[v] }
	}
	c.byNet = t.within("entry-net", of(&t.net), true)
	c.byBlock = t.within("entry-block", of(&t.block), true)
	c.byVia = t.within("entry-via", of(&t.via), true)
	c.byReferrer = t.within("entry-referrer", of(&t.referrer), true)
	c.byHour = t.within("entry-hours", func(_, act int32) int32 { return c.hourCell(act) }, true)
	c.inNet, c.inBlock = make([]float64, c.byNet.n), make([]float64, c.byBlock.n)
	c.inVia, c.inReferrer, c.inHour = make([]float64, c.byVia.n), make([]float64, c.byReferrer.n), make([]float64, c.byHour.n)

	by := func(col *column) []float64 { return make([]float64, col.size()+1) }
	c.device, c.agent, c.net, c.block, c.via, c.referrer = by(&t.device), by(&t.agent), by(&t.net), by(&t.block), by(&t.via), by(&t.referrer)
	c.dwell, c.account = make([]float64, dwellBins), make([]float64, accountBins+1)
	c.entry = make([]float64, t.entries.size())
	c.hour = make([]float64, (slices.Max(t.hour)-c.firstHour)/hoursInCell+1)
	c.everyone = make([]int32, c.n)
	for v := range c.everyone {
		c.everyone[v] = int32(v)
		c.weigh(int32(v), 1)
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
	t := c.t
	c.mass += d
	c.device[at(c.device, t.device.of[v])] += d
	c.agent[at(c.agent, t.agent.of[v])] += d
	c.net[at(c.net, t.net.of[v])] += d
	c.block[at(c.block, t.block.of[v])] += d
	c.via[at(c.via, t.via.of[v])] += d
	c.referrer[at(c.referrer, t.referrer.of[v])] += d
	if b := c.dwellBin[v]; b >= 0 {
		c.dwell[b] += d
		x := t.dwell[v]
		c.dwells, c.dwellSum, c.dwellSquares = c.dwells+d, c.dwellSum+d*x, c.dwellSquares+d*x*x
	}
	c.account[c.accBin[v]] += d
	if x := t.account[v]; !math.IsNaN(x) {
		c.accountSum += d * x
	}
	if k := t.kind.of[v]; k != unseen {
		c.known += d
		if t.rented[k] {
			c.rented += d
		}
	}
	if k := t.device.of[v]; k != unseen {
		c.withDevice += d
		if t.device.voters[k] == 1 {
			c.ownDevice += d
		}
	}
	if k := t.net.of[v]; k != unseen {
		c.withNet += d
		if t.net.voters[k] == 1 {
			c.ownNet += d
		}
		if b := t.block.of[v]; b != unseen && t.block.voters[b] == 1 {
			c.ownBlock += d
		}
	}
	from, to := t.acts(v)
	c.count[min(to-from, countBins-1)] += d
	c.acts += d * float64(to-from)
	for a := from; a < to; a++ {
		c.entry[t.entry[a]] += d
		c.hour[c.hourCell(a)] += d
		c.inNet[c.byNet.of[a]] += d
		c.inBlock[c.byBlock.of[a]] += d
		c.inVia[c.byVia.of[a]] += d
		c.inReferrer[c.byReferrer.of[a]] += d
		c.inHour[c.byHour.of[a]] += d
	}
}

func clip(x, least, most float64) float64 { return max(least, min(most, x)) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
