package detect

import (
	"math"
	"slices"
)

// composition is what a set of voters is made of, each voter weighing from 0 to 1:
// that of the crowd and that of a hand are held against each other.
type composition struct {
	mass, acts  float64 // voters, acts
	severalActs float64 // of who votes for more than one entry

	// By value, with one place more for who shows none.
	device, agent, net, block, via, referrer, asn []float64

	dwell, account []float64 // by bin
	entry          []float64
	several        []float64 // by entry, of who votes for more than one
	hour           []float64 // by cell of hours
	inHour         []float64 // by entry and cell of hours
	count          [countBins]float64

	dwells, dwellSum, dwellSquares float64 // voters whose reading time is known; its ln, summed
	accountSum                     float64 // log-odds of the profiles there are
	known, rented                  float64 // voters whose kind of network is known; in rented ones
	withDevice, ownDevice          float64 // who has a device; whose device nobody else has
	withNet, ownNet, ownBlock      float64
	withASN                        float64
	mailed                         float64 // proven by an address and by nothing else
}

func newComposition(c *crowd) composition {
	t := c.t
	by := func(col *column) []float64 { return make([]float64, col.size()+1) }
	return composition{
		device: by(&t.device), agent: by(&t.agent), net: by(&t.net), block: by(&t.block), via: by(&t.via), referrer: by(&t.referrer), asn: by(&t.asn),
		dwell: make([]float64, dwellBins), account: make([]float64, accountBins+1),
		entry: make([]float64, t.entries.size()), several: make([]float64, t.entries.size()), inHour: make([]float64, c.byHour.n),
		hour: make([]float64, (slices.Max(t.hour)-c.firstHour)/hoursInCell+1),
	}
}

// add adds d of a voter of the crowd's table.
func (x *composition) add(c *crowd, v int32, d float64) {
	t := c.t
	x.mass += d
	x.device[at(x.device, t.device.of[v])] += d
	x.agent[at(x.agent, t.agent.of[v])] += d
	x.net[at(x.net, t.net.of[v])] += d
	x.block[at(x.block, t.block.of[v])] += d
	x.via[at(x.via, t.via.of[v])] += d
	x.referrer[at(x.referrer, t.referrer.of[v])] += d
	if k := t.asn.of[v]; k != unseen {
		x.asn[k] += d
		x.withASN += d
	}
	if b := c.dwellBin[v]; b >= 0 {
		ln := t.dwell[v]
		x.dwell[b] += d
		x.dwells, x.dwellSum, x.dwellSquares = x.dwells+d, x.dwellSum+d*ln, x.dwellSquares+d*ln*ln
	}
	x.account[c.accBin[v]] += d
	if odds := t.account[v]; !math.IsNaN(odds) {
		x.accountSum += d * odds
	}
	if t.proof[v] == mailOdds {
		x.mailed += d
	}
	if k := t.kind.of[v]; k != unseen {
		x.known += d
		if t.rented[k] {
			x.rented += d
		}
	}
	if k := t.device.of[v]; k != unseen {
		x.withDevice += d
		if t.device.voters[k] == 1 {
			x.ownDevice += d
		}
	}
	if k := t.net.of[v]; k != unseen {
		x.withNet += d
		if t.net.voters[k] == 1 {
			x.ownNet += d
		}
		if b := t.block.of[v]; b != unseen && t.block.voters[b] == 1 {
			x.ownBlock += d
		}
	}
	from, to := t.acts(v)
	x.count[min(to-from, countBins-1)] += d
	x.acts += d * float64(to-from)
	if to-from > 1 {
		x.severalActs += d * float64(to-from)
		for _, e := range t.entry[from:to] {
			x.several[e] += d
		}
	}
	for a := from; a < to; a++ {
		x.entry[t.entry[a]] += d
		x.hour[c.hourCell(a)] += d
		x.inHour[c.byHour.of[a]] += d
	}
}
