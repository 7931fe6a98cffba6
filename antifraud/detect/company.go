package detect

import (
	"math"
	"slices"
)

// A farm and a fan club may vote for some of the same entries. A hand takes in both then: to vote in step is all that
// fans show, and most of what many of the farm's do. But the farm is known by its devices, its addresses or its
// accounts, of which fans show nothing, and they vote for others besides, on other days, at other hours or from a
// school. A farm's own members who show nothing of it vote as the rest of it does. So with a school that some who
// cheat vote for, or with people who vote for dozens, where a farm's entry is one of them.

const (
	leastCompany = 20.0 // votes: fewer do not tell how somebody votes
	eachApart    = 2.0  // ln that each of their votes gains by it: many make anything significant. Of a farm's own it is 0.3 to 1.8
	eachOfOthers = 1.0  // ln, of who votes for nothing that the farm is for
	companySteps = 20   // of EM: it has settled before
)

// company is who of a hand shows nothing of the farm's, as a mixture of its own and of others.
type company struct {
	h           *hand
	who         []int32
	p           []float64 // by place in who: probability of being none of the farm's
	asFarm      []float64 // in ln, how likely they are as the farm's
	models      []int     // places in who
	inLine      [][]float64
	ways        *ways
	farm        *ways // of who shows something
	everybody   *ways
	share, gain float64
}

// bare tells of each member whether nothing of the farm's speaks against them: no device, no address and no account,
// where these speak against the farm.
func (h *hand) bare(e *evidence) []bool {
	busiest, same := h.busiest(), h.strangers()
	bare := make([]bool, len(h.who))
	chunks(len(h.who), func(_, from, to int) {
		var out terms
		var unlearned [features]poolCount
		for n := from; n < to; n++ {
			h.judge(h.who[n], &out, &unlearned, same)
			by := h.split(h.who[n], &out, busiest)
			if h.c.t.atHome(h.who[n]) {
				by[byNetwork] = 0 // it is nothing of a farm's, however few of the crowd have one
			}
			bare[n] = true
			for _, f := range [...]int{byDevice, byNetwork, byAccount} {
				bare[n] = bare[n] && !(e.some[f] && by[f] > clearly)
			}
		}
	})
	return bare
}

// atHome tells whether a voter has an address that nobody else has, where people live.
func (t *table) atHome(v int32) bool { return t.homeAlone(v) && !t.isRented(v) }

// company begins with each of them as likely the one as the other; nil: there is nothing to tell them apart by.
func (h *hand) company(e *evidence) *company {
	c := h.c
	x := &company{h: h, share: 0.5, ways: newWays(c), farm: newWays(c)}
	farm, members := x.farm, newWays(c)
	var known []int32
	bare := h.bare(e)
	for n, v := range h.who {
		members.add(v, h.w[v])
		if bare[n] {
			x.who = append(x.who, v)
			x.ways.add(v, x.share*h.w[v])
			continue
		}
		known = append(known, v)
		farm.add(v, h.w[v])
	}
	if farm.voters < leastHand || members.acts-farm.acts < leastCompany {
		return nil
	}
	x.everybody = h.everybody(members)
	x.p = slices.Repeat([]float64{x.share}, len(x.who))
	x.models = some(len(x.who), min(mostModels, mostPairs/len(x.who)+1))
	theirs, those := make([]int32, len(x.models)), make([]int32, 0, mostModels)
	for k, n := range x.models {
		theirs[k] = x.who[n]
	}
	for _, n := range some(len(known), mostModels) {
		those = append(those, known[n])
	}
	x.asFarm, x.inLine = make([]float64, len(x.who)), make([][]float64, len(x.who))
	chunks(len(x.who), func(_, from, to int) {
		for n := from; n < to; n++ {
			x.asFarm[n] = c.likelihoodAs(those, x.who[n], farm, x.everybody)
			x.inLine[n] = c.inLine(x.who[n], theirs, x.everybody)
		}
	})
	return x
}

// asCompany is, in ln, how likely somebody is as one of a company, which they are not because of themselves.
func (x *company) asCompany(n int) float64 {
	v := x.who[n]
	w := x.p[n] * x.h.w[v]
	x.ways.add(v, -w)
	said := x.ways.likelihood(v, x.everybody)
	x.ways.add(v, w)
	sum, mass := 0.0, nothing
	for k, p := range x.inLine[n] {
		if m := x.models[k]; m != n {
			w := x.p[m] * x.h.w[x.who[m]]
			sum, mass = sum+p*w, mass+w
		}
	}
	return said + math.Log(max(sum/mass, math.SmallestNonzeroFloat64))
}

// settle runs EM.
func (x *company) settle() {
	next, mass := newWays(x.h.c), 0.0
	for _, v := range x.who {
		mass += x.h.w[v]
	}
	p := make([]float64, len(x.who))
	for range companySteps {
		next.clear()
		x.gain = 0
		for n, v := range x.who {
			odds := x.share / max(1-x.share, nothing) * math.Exp(min(x.asCompany(n)-x.asFarm[n], 600)) // beyond, numbers have no room
			p[n] = odds / (1 + odds)
			x.gain += x.h.w[v] * math.Log((1-x.share)*(1+odds))
			next.add(v, p[n]*x.h.w[v])
		}
		x.p, p = p, x.p
		x.ways, next = next, x.ways
		x.share = min(x.ways.voters/mass, 1-nothing)
	}
}

// apart is how much each of their votes has to gain.
func (x *company) apart() float64 {
	same := 0.0 // votes for what the farm is for
	for entry, y := range x.farm.of[toEntry] {
		if y >= target*x.farm.acts {
			same += x.ways.of[toEntry][entry]
		}
	}
	if same <= strayVotes*x.ways.acts {
		return eachOfOthers
	}
	return eachApart
}

// leaveCompany lets go of those of a hand who show nothing of the farm's and vote otherwise than who does: they are
// looked at by themselves. It tells whether there are any.
func (h *hand) leaveCompany(e *evidence, others []float64, limit float64) bool {
	x := h.company(e)
	if x == nil {
		return false
	}
	x.settle()
	if x.ways.acts < leastCompany || x.gain < max(limit, x.apart()*x.ways.acts) {
		return false
	}
	left := map[int32]bool{}
	for n, v := range x.who {
		left[v] = x.p[n] > 0.5
	}
	h.retain(others, func(v int32) bool { return !left[v] })
	return true
}
