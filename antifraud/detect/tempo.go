package detect

import (
	"cmp"
	"math"
	"slices"
)

// hasty tells whether the members read for clearly less time than the crowd, or all
// for about the same: people's reading times spread over a factor of two at the
// least, which is 0.7 in ln. To take one's time is no tell. Nor is it of few that a band
// of times was chosen of, that they are within it: a computer room has a pace.
func (h *hand) hasty() bool {
	if h.pageless() {
		return true
	}
	if h.dwells < 3 {
		return false
	}
	mean := h.dwellSum / h.dwells
	if mean < h.c.dwellSum/h.c.dwells-0.2 {
		return true
	}
	if h.banded && h.dwells < leastMechanical {
		return false
	}
	return h.dwells >= 5 && h.dwellSquares/h.dwells-mean*mean < evenPace(h.dwells)
}

// leastPageless is the share of members, beyond the crowd's, who open no page.
const leastPageless = 0.3

// pageless tells whether members vote without a page where people have one open: by
// calls. People whose browsers run no scripts are few at any entry, and are not suspect for it.
func (h *hand) pageless() bool {
	return h.mass >= leastMechanical && 1-h.dwells/h.mass > 1-h.c.dwells/h.c.mass+leastPageless
}

// leastMechanical is how many members it takes to say that they are a program's.
const leastMechanical = 20

// mechanical tells whether so many members read for about the same time as no number of
// people does, whatever else they have in common.
func (h *hand) mechanical() bool {
	if h.dwells < leastMechanical {
		return false
	}
	mean := h.dwellSum / h.dwells
	return h.dwellSquares/h.dwells-mean*mean < evenPace(h.dwells)
}

const (
	typedIn  = 0.15 // spread of ln of a pause that is in a program
	leastOwn = 0.5  // spread of ln of what any number of people take
)

// evenPace is the variance of ln below which so many read for the same time: of few
// that of a pause in a program, of many three standard errors below what people have.
func evenPace(voters float64) float64 {
	return max(typedIn*typedIn, leastOwn*leastOwn*(1-3*math.Sqrt(2/(voters-1))))
}

// haste is the log-likelihood that a quicker mean explains the members' reading
// times better than the crowd's: z^2/2 of a normal in ln.
func (h *hand) haste() float64 {
	c := h.c
	if h.dwells < 3 || !h.hasty() || c.dwells < 10 {
		return 0
	}
	mean := c.dwellSum / c.dwells
	variance := max(c.dwellSquares/c.dwells-mean*mean, 0.25)
	d := h.dwellSum/h.dwells - mean
	if d >= 0 {
		return 0
	}
	return h.dwells * d * d / variance / 2
}

const (
	oneDevice    = 0.7  // of the members: then it may be one person, who votes again and again
	session      = 3600 // seconds: a longer pause begins another session
	leastGaps    = 5
	mostRegular  = 16 // shape of the gamma distribution: a spread of a quarter of the mean
	serialMargin = 2  // ln: for the shape, which is fitted
)

// serial is the log-likelihood that members with one device vote in turn, as one
// person does who clears their storage, over arriving by chance: the gaps between
// votes of a room full of the same machines are exponential, those of one person
// who repeats the same steps are regular (a gamma of a larger shape).
func (h *hand) serial() float64 {
	t := h.c.t
	most, y := h.topDevice()
	if y < oneDevice*h.mass {
		return 0
	}
	var at []float64
	for _, v := range h.who {
		if t.device.of[v] == most && h.w[v] > 0.5 {
			at = append(at, t.at[t.first[v]])
		}
	}
	slices.Sort(at)
	var g gaps
	for n := 1; n < len(at); n++ {
		if gap := at[n] - at[n-1]; gap < session {
			g.add(gap)
		}
	}
	return g.regular()
}

// gaps are those between votes that follow each other, summed up.
type gaps struct{ n, sum, squares, logs float64 }

func (g *gaps) add(seconds float64) {
	x := max(seconds, 0.5)
	g.n, g.sum, g.squares, g.logs = g.n+1, g.sum+x, g.squares+x*x, g.logs+math.Log(x)
}

// regular is the log-likelihood that the gaps are one person's, of a gamma distribution,
// over those of people who come by chance, which are exponential.
func (g *gaps) regular() float64 {
	n := g.n
	if n < leastGaps {
		return 0
	}
	mean := g.sum / n
	shape := clip(mean*mean/max(g.squares/n-mean*mean, 1e-9), 1, mostRegular)
	gamma, _ := math.Lgamma(shape)
	return n*(shape*math.Log(shape/mean)-gamma) + (shape-1)*g.logs - shape*n + n*math.Log(mean) + n - serialMargin
}

const (
	cellsADay  = 24 / hoursInCell // how often the crowd's cells of hours fit into a day
	leastClock = 5.0              // ln: chance says as much of one hand in 150, and by itself it does nothing
	leastCells = 3 * cellsADay    // a day and a night are a feast
	allDay     = 7.0              // effective number of them, of eight, from which votes are spread around the clock
)

// clock is the log-likelihood, for all members, that they vote evenly around the
// clock rather than when the crowd does: a program does not sleep, nor do workers in
// shifts. People who are awake at other hours than the crowd have hours of their own,
// and are not spread. What is said for each vote counts for as many as there are hours
// with votes, evenly used: who votes beside whom at one time is no other case. It is 0
// where that is no more than chance might say.
func (h *hand) clock() float64 {
	c := h.c
	crowd := c.clock()
	var members [cellsADay]float64
	sum, squares := 0.0, 0.0
	for cell, y := range h.hour {
		if y > nothing {
			members[cell%cellsADay] += y
			sum, squares = sum+y, squares+y*y
		}
	}
	said, spread := 0.0, 0.0
	for k, y := range members {
		said += y * math.Log(1/(cellsADay*crowd[k]))
		spread += y * y
	}
	cells := sum * sum / max(squares, 1e-9)
	if cells < leastCells || sum*sum < allDay*spread || said/sum*cells < leastClock {
		return 0
	}
	return said / sum * h.mass
}

// clock is, by cell of a day, the share of the crowd's votes.
func (c *crowd) clock() (shares [cellsADay]float64) {
	for cell, x := range c.hour {
		shares[cell%cellsADay] += max(x, 0)
	}
	for k, x := range shares {
		shares[k] = (x + 5) / (c.acts + 5*cellsADay)
	}
	return shares
}

const (
	roomHours = 5    // cells of a day that a room, a home or a feast has: fifteen hours in a row
	offHours  = 0.05 // of their votes that fall out of these
)

// sleepless is the log-likelihood that members with one device at one address vote evenly around
// the clock, as one person does again and again for a day and a night, rather than within any
// hours that a room, a home or a feast may have.
func (h *hand) sleepless() float64 {
	t := h.c.t
	most, y := h.topDevice()
	there := h.busiest()[0]
	if y < max(oneDevice*h.mass, roomful) || there < 0 || h.net[there] < oneAddress*h.mass {
		return 0
	}
	var cells [cellsADay]float64
	n := 0.0
	for _, v := range h.who {
		if t.device.of[v] == most && t.net.of[v] == there && h.w[v] > 0.5 {
			cells[h.c.hourCell(t.first[v])%cellsADay]++
			n++
		}
	}
	best := 0.0 // votes within the hours that hold most
	for from := range cells {
		within := 0.0
		for k := range roomHours {
			within += cells[(from+k)%cellsADay]
		}
		best = max(best, within)
	}
	const even = float64(roomHours) / cellsADay
	return max(0, best*math.Log(even/(1-offHours))+(n-best)*math.Log((1-even)/offHours))
}

// awake is the log-likelihood that the sittings of a few members with one device are evenly around the
// clock rather than when the crowd votes, or earlier or later than it by some hours: several people who
// share a machine have hours of their own. It is of fewer than a roomful, who cannot show what
// [hand.sleepless] takes.
func (h *hand) awake() float64 {
	if h.mass >= roomful {
		return 0
	}
	sittings := h.sittings()
	if len(sittings) < leastHand {
		return 0
	}
	clock, people := h.c.habits(), 0.0 // likelihood over that of an even clock
	for shift := range cellsADay {
		ratio := otherHours / (cellsADay - 1)
		if shift == 0 {
			ratio = 1 - otherHours
		}
		for _, cell := range sittings {
			ratio *= cellsADay * clock[(cell+int32(shift))%cellsADay]
		}
		people += ratio
	}
	return max(0, -math.Log(people))
}

// habits are, by cell of a day, the share of the crowd's votes without the busiest quarter of the days:
// beside a spike of an evening every other hour would look like night.
func (c *crowd) habits() (shares [cellsADay]float64) {
	var days [cellsADay][]float64
	for cell, x := range c.hour {
		days[cell%cellsADay] = append(days[cell%cellsADay], max(x, 0))
	}
	all := 0.0
	for k, votes := range days {
		slices.Sort(votes)
		for _, x := range votes[:len(votes)-(len(votes)+3)/4] {
			shares[k] += x
			all += x
		}
	}
	for k, x := range shares {
		shares[k] = (x + 5) / (all + 5*cellsADay)
	}
	return shares
}

// otherHours is how likely it is that people who share a machine are awake at other hours than the crowd.
const otherHours = 0.2

// sittings are the cells of hours at which members vote with the device that most have, one for each
// time that somebody comes to it.
func (h *hand) sittings() (cells []int32) {
	t := h.c.t
	most, y := h.topDevice()
	if y < oneDevice*h.mass {
		return nil
	}
	var acts []int32
	for _, v := range h.who {
		if t.device.of[v] == most && h.w[v] > 0.5 {
			acts = append(acts, t.first[v])
		}
	}
	slices.SortFunc(acts, func(a, b int32) int { return cmp.Compare(t.at[a], t.at[b]) })
	for n, act := range acts {
		if n == 0 || t.at[act]-t.at[acts[n-1]] >= session {
			cells = append(cells, h.c.hourCell(act))
		}
	}
	return cells
}
