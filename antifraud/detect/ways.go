package detect

import (
	"math"
	"slices"
)

// The ways of a voter: those of each of their acts, and their own.
const (
	toEntry = iota
	onDay
	atClock
	waysOfAct
	byLink = iota - 1
	byReferrer
	fromCampus
	howMany
	waysOfAll
)

// ways are how some voters vote, and nothing of what they show: how many of their acts are for an entry, on a day, at
// hours of the day; how many of them come by a link, by a referrer, from a campus, and vote for so many.
type ways struct {
	c            *crowd
	of           [waysOfAll][]float64
	acts, voters float64
}

const (
	mostModels = 500       // voters by whom it is told how one of them votes: more would say the same
	mostPairs  = 4_000_000 // of those with whom they are held against, which take 32 MB
	strayVotes = 0.1       // of one voter's, that are for anybody
	waysWeight = 10        // of everybody, with whom the ways of few are mixed
)

func newWays(c *crowd) *ways {
	x := &ways{c: c}
	for way, size := range [...]int{
		toEntry: len(c.entry), onDay: len(c.hour)/cellsADay + 1, atClock: cellsADay,
		byLink: len(c.via), byReferrer: len(c.referrer), fromCampus: 2, howMany: countBins,
	} {
		x.of[way] = make([]float64, size)
	}
	return x
}

// everybody are the ways of a hand and of the crowd. How many of the crowd come from a campus is not among what is
// kept of it: the hand's say it.
func (h *hand) everybody(of *ways) *ways {
	x := newWays(h.c)
	for _, from := range [...]*composition{&h.composition, &h.c.composition} {
		x.acts, x.voters = x.acts+from.acts, x.voters+from.mass
		for way, counts := range map[int][]float64{toEntry: from.entry, byLink: from.via, byReferrer: from.referrer, howMany: from.count[:]} {
			for k, n := range counts {
				x.of[way][k] += max(n, 0)
			}
		}
		for cell, n := range from.hour {
			x.of[onDay][cell/cellsADay] += max(n, 0)
			x.of[atClock][cell%cellsADay] += max(n, 0)
		}
	}
	for k, n := range of.of[fromCampus] {
		x.of[fromCampus][k] = n * x.voters / max(of.voters, nothing)
	}
	return x
}

// ways calls each with those of a voter.
func (c *crowd) ways(v int32, each func(way, value int)) {
	t := c.t
	from, to := t.acts(v)
	for a := from; a < to; a++ {
		cell := int(c.hourCell(a))
		each(toEntry, int(t.entry[a]))
		each(onDay, cell/cellsADay)
		each(atClock, cell%cellsADay)
	}
	each(byLink, at(c.via, t.via.of[v]))
	each(byReferrer, at(c.referrer, t.referrer.of[v]))
	campus := 0
	if t.isCampus(v) {
		campus = 1
	}
	each(fromCampus, campus)
	each(howMany, int(min(to-from, countBins-1)))
}

// add adds d of a voter.
func (x *ways) add(v int32, d float64) {
	x.c.ways(v, func(way, value int) { x.of[way][value] += d })
	from, to := x.c.t.acts(v)
	x.acts += d * float64(to-from)
	x.voters += d
}

// clear takes all out.
func (x *ways) clear() {
	for _, of := range x.of {
		clear(of)
	}
	x.acts, x.voters = 0, 0
}

// size is of how many a way tells.
func (x *ways) size(way int) float64 {
	if way < waysOfAct {
		return x.acts
	}
	return x.voters
}

// general is the share of everybody that has a value.
func (x *ways) general(way, value int) float64 {
	return (x.of[way][value] + 0.5) / (x.size(way) + 0.5*float64(len(x.of[way])))
}

// mixed is the share of these that has a value, mixed with that of others.
func (x *ways) mixed(way, value int, others float64) float64 {
	return (max(x.of[way][value], 0) + waysWeight*others) / (max(x.size(way), 0) + waysWeight)
}

// likelihood is, in ln, how likely somebody is who comes when these do and as they do, whomever they vote for.
func (x *ways) likelihood(v int32, everybody *ways) (sum float64) {
	x.c.ways(v, func(way, value int) {
		if way != toEntry {
			sum += math.Log(x.mixed(way, value, everybody.general(way, value)))
		}
	})
	return sum
}

// some are places of many voters, evenly: no more than most.
func some(voters, most int) (places []int) {
	for n := 0; n < voters; n += voters/most + 1 {
		places = append(places, n)
	}
	return places
}

// inLine is how likely somebody votes for whom a voter does who votes as one of those does, by each of those: a
// hand may be of several farms, so that two of its members vote for something says little of what one does.
func (c *crowd) inLine(v int32, those []int32, everybody *ways) []float64 {
	t := c.t
	first, last := t.acts(v)
	p := make([]float64, len(those))
	for n, m := range those {
		from, to := t.acts(m)
		p[n] = 1
		for _, e := range t.entry[first:last] {
			q := strayVotes * everybody.general(toEntry, int(e))
			if slices.Contains(t.entry[from:to], e) {
				q += (1 - strayVotes) / float64(to-from)
			}
			p[n] *= q
		}
	}
	return p
}

// likelihoodAs is, in ln, how likely somebody is who votes as one of those does, and comes when and as they do, most of
// all those who vote for the same. all are the ways of those.
func (c *crowd) likelihoodAs(those []int32, v int32, all, everybody *ways) float64 {
	weights := c.inLine(v, those, everybody)
	sum, squares := 0.0, 0.0
	for _, p := range weights {
		sum, squares = sum+p, squares+p*p
	}
	if squares <= 0 {
		return math.Inf(-1)
	}
	said, scale := math.Log(sum/float64(len(those))), sum/squares // so that they are as many as they tell of
	type value struct {
		way, value int
		seen       float64
	}
	var values []value
	c.ways(v, func(way, k int) {
		if way != toEntry {
			values = append(values, value{way: way, value: k})
		}
	})
	acts, voters := 0.0, 0.0
	for n, m := range those {
		w := scale * weights[n]
		if w < faint {
			continue
		}
		from, to := c.t.acts(m)
		acts, voters = acts+w*float64(to-from), voters+w
		c.ways(m, func(way, k int) {
			for i := range values {
				if values[i].way == way && values[i].value == k {
					values[i].seen += w
				}
			}
		})
	}
	for _, x := range values {
		size := voters
		if x.way < waysOfAct {
			size = acts
		}
		p := all.mixed(x.way, x.value, everybody.general(x.way, x.value))
		said += math.Log((x.seen + waysWeight*p) / (size + waysWeight))
	}
	return said
}
