package detect

import "math"

const (
	rhythm      = "rhythm" // the name of cohorts of one
	oneRhythm   = 0.6      // width in ln of a band of reading times that a program's fit into, and a third of people's
	leastRhythm = 15.0     // ln that a band gains, beyond that of the best of so many cohorts
)

// paced is where the reading times of a cohort's members pile up in one narrow band, more
// than the crowd's do: a scan statistic (Kulldorff 1997), for binomial counts. Looks do
// not show that, where a program waits as long as people do: only that so many wait alike.
type paced struct {
	from, to int // bins of the band
	share    float64
	gain     float64
}

// pace scans a cohort. edges are those of the bins, in ln.
func (co *cohort) pace(c *crowd, edges []float64) (best paced) {
	var here [dwellBins]float64
	n := 0.0
	for _, v := range co.members {
		if b := c.dwellBin[v]; b >= 0 {
			here[b] += 1 - c.taken[v]
			n += 1 - c.taken[v]
		}
	}
	if n < leastMechanical {
		return best
	}
	for from := range len(edges) - 1 {
		y, x := 0.0, 0.0
		for to := from; to < len(edges)-1 && (to == from || edges[to+1]-edges[from] <= oneRhythm); to++ {
			y, x = y+here[to], x+max(c.dwell[to], 0)
			q, p := y/n, (x+1)/(c.dwells+2)
			if q <= p {
				continue
			}
			gain := y * math.Log(q/p)
			if q < 1 {
				gain += (n - y) * math.Log((1-q)/(1-p))
			}
			if gain > best.gain {
				best = paced{from, to, (q - p) / (1 - p) / q, gain}
			}
		}
	}
	return best
}

// rhythms are cohorts whose members are within a band that gains more than limit: they
// start a hand, as those of looks do.
func (c *crowd) rhythms(list []cohort, limit float64) (found []cohort) {
	if len(c.dwellCuts) == 0 {
		return nil
	}
	least, most := math.Inf(1), math.Inf(-1)
	for _, x := range c.t.dwell {
		if !math.IsNaN(x) {
			least, most = min(least, x), max(most, x)
		}
	}
	edges := append(append([]float64{least}, c.dwellCuts...), most)
	bands := make([]paced, len(list))
	chunks(len(list), func(_, from, to int) {
		for k := from; k < to; k++ {
			switch list[k].name {
			case "entry", "entry-hours", "entry-day", "entry-night":
				bands[k] = list[k].pace(c, edges)
			}
		}
	})
	for k, b := range bands {
		if b.gain < limit {
			continue
		}
		co := cohort{name: rhythm, gain: b.gain, share: b.share}
		for _, v := range list[k].members {
			if d := int(c.dwellBin[v]); d >= b.from && d <= b.to {
				co.members = append(co.members, v)
			}
		}
		found = append(found, co)
	}
	return found
}
