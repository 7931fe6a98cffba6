package detect

import (
	"math"
	"slices"
)

const (
	leastGain  = 2.0  // of a cohort's looks, to look closer
	plainGain  = 30.0 // of its plain looks: by these the crowd looks somewhat worse than it is
	beyond     = 30.0 // ln that a hand gains beyond the best of so many cohorts
	mostTries  = 3    // of one cohort: several farms may be in it
	mostSeeds  = 120  // looked at closer in one run
	mostFarms  = 60
	leastHand  = 4.0 // voters: fewer are nobody's farm
	mostShare  = 0.5 // of all voters: what is more than half of a contest is its crowd
	mostRented = 0.8 // unless it is a program on rented machines: the first to come need not be people
	ampleCrowd = 300 // voters: so many others show what people are like, whatever part of a contest they are
	twoTrials  = 2   // a voter who was in that many hands that convinced nobody starts none any more
	mostGrowth = 8   // times the suspicious of its cohort and 20: a hand that grew beyond has drifted into the crowd
	vivid      = 3.0 // ln per member: who have so much in common are not the crowd, however many they are
	unsettling = 1.2 // times its cohort: a hand that grew beyond is tried once more within it
)

// farm is a hand that convinced.
type farm struct {
	who       []int32
	w         []float64           // by place in who
	own       []terms             // by place in who: what speaks for and against the member
	by        [][families]float64 // the same, by family, of what speaks against the farm
	confirmed []confirmed         // by place in who: what is left of that to void by
	evidence  evidence
	sure      []float64 // by place in who: how little somebody without a look is doubted for that
	wait      []float64 // by place in who: what the wait before they confirmed says, in log-odds
	namesakes []float64 // by place in who: see [crowd.namesakes]
	excused   []float64 // by place in who: see [hand.excuses]
	strong    bool      // enough to void
	rhythm    bool      // it began with a rhythm, which says nothing of one voter
	signature []trait
}

// weight is a voter as cohorts are weighed: how much of them no farm has, which is
// less than nothing of whoever starts no hand any more, and their odds by looks.
// Side by side, as each is asked for in many cohorts.
type weight struct{ left, odds float64 }

// surplus is what a voter adds to the least that can be gained, and to no more.
func (w weight) surplus() float64 {
	if w.left < 0 {
		return 0
	}
	return w.left * (w.odds - 1)
}

// weigh estimates the suspicious share of a cohort by EM over its members' odds,
// and the likelihood that is gained over none of it being suspicious. Of a cohort
// that cannot gain what [plainest] asks for it says that it gains nothing.
//
// surpluses are those of by, which nearly all cohorts need nothing else of. room is
// for the members; it is given back, perhaps larger. renting is as [crowd.looks] says:
// that those come from a rented network who are a cohort because they do is no surprise.
func (co *cohort) weigh(by []weight, surpluses []float64, renting float64, room []weight) []weight {
	co.share, co.gain = 0, 0
	surplus := 0.0
	for _, v := range co.members {
		surplus += surpluses[v]
	}
	// ln(1+x) <= x: a share s of it gains s times the surplus at most. The half is far
	// more than rounding.
	if surplus <= leastGain/2 {
		return room
	}
	in := room[:0]
	for _, v := range co.members {
		if by[v].left >= 0 {
			in = append(in, by[v])
		}
	}
	if co.rented {
		surplus = 0
		for n := range in {
			in[n].odds /= renting
			surplus += in[n].surplus()
		}
		if surplus <= leastGain/2 {
			return in
		}
	}
	share := 0.3
	for range 15 {
		sum, mass := 0.0, 0.0
		for _, m := range in {
			x := share * m.odds
			sum += m.left * x / (x + 1 - share)
			mass += m.left
		}
		next := sum / (mass + 1)
		done := math.Abs(next-share) < 1e-3
		share = next
		if done {
			break
		}
	}
	if co.share = share; share*surplus <= leastGain/2 {
		return in
	}
	for _, m := range in {
		co.gain += m.left * math.Log(1-share+share*m.odds)
	}
	return in
}

// seek finds farms one after another, the plainest cohort first, until no cohort's
// looks gain anything any more.
func seek(c *crowd, x *index) []farm {
	list := x.cohorts()
	// The likelihood ratio has to beat that of the best of so many cohorts (Bonferroni).
	limit := math.Log(float64(len(list)+1)) + beyond
	tried := make([]uint8, c.n)
	var odds []float64
	renting, plain := 1.0, false
	by, surpluses := make([]weight, c.n), make([]float64, c.n)
	var rhythms []cohort
	weighAll := func() {
		for v := range by {
			by[v] = weight{1 - c.taken[v], odds[v]}
			if tried[v] >= twoTrials {
				by[v].left = -1
			}
			surpluses[v] = by[v].surplus()
		}
		chunks(len(list), func(_, from, to int) {
			var room []weight
			for k := from; k < to; k++ {
				if list[k].tries < mostTries {
					room = list[k].weigh(by, surpluses, renting, room)
				}
			}
		})
		rhythms = c.rhythms(list, math.Log(float64(len(list)+1))+leastRhythm)
	}
	h := newHand(c)
	others := make([]float64, c.n)
	var farms []farm
	// What no looks tell of: each is tried once, and takes no other's try.
	apart := func(co *cohort, odds []float64, renting float64) {
		copy(others, c.taken)
		if f, ok := h.try(x, co, odds, renting, others, make([]uint8, c.n), limit); ok {
			farms = append(farms, f)
		} else {
			h.leave(others)
		}
	}
	for _, co := range c.abroad(x, limit-toHold) {
		apart(&co, slices.Repeat([]float64{1}, c.n), 1)
	}
	odds, renting = c.looks(x, plain)
	weighAll()
	for seeds := 0; seeds < mostSeeds && len(farms) < mostFarms; seeds++ {
		least := leastGain
		if plain {
			least = plainGain
		}
		co := plainest(list, least)
		if co == nil {
			co = plainest(rhythms, leastGain)
		}
		if co == nil && !plain {
			plain = true
			odds, renting = c.looks(x, plain)
			weighAll()
			continue
		}
		if co == nil {
			break
		}
		co.tries++
		copy(others, c.taken)
		f, ok := h.try(x, co, odds, renting, others, tried, limit)
		if !ok {
			h.leave(others)
			for _, v := range h.who {
				if h.w[v] > 0.5 {
					tried[v]++
				}
			}
			for _, v := range h.kin {
				tried[v]++ // else they would begin one hand after another
			}
			co.tries = mostTries
			co.gain = 0
			continue
		}
		farms = append(farms, f)
		odds, renting = c.looks(x, plain)
		weighAll()
	}
	if leader := c.majority(); leader != unseen {
		co, odds, renting := c.following(x, leader)
		apart(&co, odds, renting)
	}
	inTurns := c.turns()
	for k := range inTurns {
		apart(&inTurns[k], odds, renting)
	}
	c.strays(farms)
	c.away(x, farms)
	return farms
}

// plainest is the cohort to look closer at: the one that gains most, and the purer
// of two, as it starts a hand with fewer who are none of it; none that gains no more than least.
func plainest(list []cohort, least float64) *cohort {
	var best *cohort
	value := 0.0
	for k := range list {
		co := &list[k]
		if co.tries >= mostTries || co.gain <= least {
			continue
		}
		if x := co.gain * co.share * co.share; x > value {
			best, value = co, x
		}
	}
	return best
}

// try fits a hand that starts from a cohort's suspicious members. One that drifts
// off, to whoever has one thing in common with it, is tried again within the cohort. So is one of one
// device at one address, whatever became of it: where very many vote for the same from there, one
// person has too little to be kept apart from the quick among them.
func (h *hand) try(x *index, co *cohort, odds []float64, renting float64, others []float64, tried []uint8, limit float64) (farm, bool) {
	spans := [][]int32{nil, co.members}
	if co.name == turns {
		spans = spans[1:] // it is one person's: whoever else has that phone is another
	}
	place := co.name == oneModel && h.c.t.atOneAddress(co.members)
	for _, within := range spans {
		h.leave(others)
		h.clear()
		h.banded, h.abroad = co.name == rhythm, co.name == abroad
		for _, v := range co.members {
			if tried[v] < twoTrials || co.name == turns {
				p := co.share * odds[v]
				if co.rented {
					p /= renting
				}
				h.set(v, (1-others[v])*p/(p+1-co.share))
				h.who = append(h.who, v)
			}
		}
		if h.mass < leastHand {
			return farm{}, false
		}
		h.begin()
		start := h.mass
		if !h.fit(x, others, within, allRounds) {
			if place {
				continue
			}
			return farm{}, false
		}
		if h.leaveFamilies(x, others, limit-beyond) {
			h.fit(x, others, slices.Clone(h.who), 5)
		}
		if h.single(x, others) || h.leaveRooms(others) {
			h.fit(x, others, slices.Clone(h.who), 5)
		}
		f := farm{rhythm: h.banded}
		convincing := h.weigh(x, &f, others, limit)
		if drifts := mostGrowth * (start + 20); f.strong && h.mass > drifts && f.evidence.all >= vivid*h.mass {
			start = h.mass // the crowd it grew into is the farm
			h.fit(x, others, within, allRounds)
			f.evidence = h.weighEvidence(others)
			f.strong, convincing = f.evidence.convinces(h, limit)
			convincing = convincing && f.strong && f.evidence.all >= vivid*h.mass
		}
		if convincing && h.mass <= mostGrowth*(start+20) {
			switch co.name {
			case turns:
				f.strong = false // its pace is what it was chosen by: one family is left
			case abroad:
				f.evidence.firm[byNetwork] = false // likewise
				f.strong = f.strong && f.evidence.firmly() >= 2
			}
			h.keep(&f)
			if within != nil && co.name != turns {
				h.widen(x, &f, others, limit)
			}
			return f, true
		}
		if !place && h.mass < unsettling*float64(len(co.members)) {
			break
		}
	}
	return farm{}, false
}

// weigh notes what speaks against a hand, once who only keeps it company has left, and tells whether
// that convinces.
func (h *hand) weigh(x *index, f *farm, others []float64, limit float64) (convincing bool) {
	f.evidence = h.weighEvidence(others)
	f.strong, convincing = f.evidence.convinces(h, limit)
	if convincing && h.leaveCompany(&f.evidence, others, limit) {
		h.fit(x, others, slices.Clone(h.who), 5)
		f.evidence = h.weighEvidence(others)
		f.strong, convincing = f.evidence.convinces(h, limit)
	}
	return convincing
}

// keep notes who the members are, and what speaks against each.
func (h *hand) keep(f *farm) {
	busiest, same := h.busiest(), h.strangers()
	office, own := h.office(busiest), h.islands()
	var out terms
	var unlearned [features]poolCount
	for _, v := range h.who {
		if h.w[v] < faint {
			continue
		}
		h.judge(v, &out, &unlearned, same)
		f.who, f.w = append(f.who, v), append(f.w, h.w[v])
		f.own, f.by = append(f.own, out), append(f.by, h.split(v, &out, busiest))
		f.confirmed = append(f.confirmed, h.confirm(v, out, busiest, f.evidence.machine >= oneDevice, own))
		f.namesakes = append(f.namesakes, h.c.namesakes(v))
		f.excused = append(f.excused, h.excuses(v, &out, office))
	}
	f.wait = h.waits(f.who)
	f.together(h.c.t)
	f.sure = f.restless(h.c)
	if f.strong = f.strong && f.coherent(); f.strong { // no other is told
		f.signature = h.signature()
	}
}

// widen looks beyond the cohort for more members of a farm that was found within
// it, a few steps only: with more it would drift again.
func (h *hand) widen(x *index, f *farm, others []float64, limit float64) {
	before := h.mass
	h.fit(x, others, nil, 2)
	wide := farm{rhythm: f.rhythm}
	if h.weigh(x, &wide, others, limit) && wide.strong == f.strong && h.mass < 2*before {
		h.keep(&wide)
		*f = wide
		return
	}
	h.leave(others)
	h.clear()
	for n, v := range f.who {
		h.set(v, f.w[n])
		h.who = append(h.who, v)
		h.c.take(v, 1-(1-others[v])*(1-f.w[n]))
	}
}
