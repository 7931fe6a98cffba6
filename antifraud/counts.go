package antifraud

import (
	"math"
	"math/bits"
)

// Counts are how many distinct voters were seen in one window of time whose
// ballots had something in common with the attempt's. The attempt itself is not
// among them. A voter who voted for several entries counts once for each.
//
// OfDevice counts voters with the attempt's device, and so on. What the attempt does
// not show is zero, and so is what is only compared with a number that is less than
// a [Crowd]: it was not looked up.
type Counts struct {
	All     float64 // voters of the contest
	OfEntry float64
	OfBlock float64
	OfVia   float64 // of the share code

	OfDevice      float64 // everywhere
	DeviceOnEntry float64
	DeviceInBlock float64
	DeviceByVia   float64
	OfAgent       float64 // of the agent, among those who sent no device
	AgentOnEntry  float64

	OfKind      float64 // of the kind of network
	KindOnEntry float64

	DwellSame   float64 // for the entry, within sameWithin of the dwell
	DwellNear   float64 // for the entry, of the same order of dwell: see Near
	ConfirmSame float64
	ConfirmNear float64

	Fast, Quick, Hidden, Driven float64 // dwells below fastDwell, confirmations below fastConfirm, …

	OldPasses float64 // with passes as old as oldPass
	OfMinute  float64 // of those, with a pass of the same minute

	Onward float64 // who came by the code and had somebody come by theirs
}

// sameWithin is how far two dwells may be apart to be the same, in ms, up or down
// from the middle of a slot of a third of this.
const sameWithin = 30

// Slot is the slot of 10 ms that a span of milliseconds is in. Same are those in
// this slot and its two neighbours.
func Slot(ms int64) int64 { return ms / (sameWithin / 3) }

// Near is the half-octave a span of milliseconds is in.
// People's dwells are spread log-normally over several octaves (Yin et al. 2013,
// "Silence is also evidence"), so within half of one they lie about evenly.
func Near(ms int64) int64 {
	n := uint64(max(ms, 0)) + 1
	high, low := bits.Mul64(n, n) // twice its logarithm is that of its square
	if high > 0 {
		return int64(63 + bits.Len64(high))
	}
	return int64(bits.Len64(low) - 1)
}

// WidthNear is how many milliseconds wide that half-octave is.
func WidthNear(ms int64) float64 { return widths[Near(ms)] }

// widths are those of all half-octaves.
var widths = func() (w [128]float64) {
	for slot := range w {
		w[slot] = math.Exp2(float64(slot+1)/2) - math.Exp2(float64(slot)/2)
	}
	return w
}()

const (
	// Crowd is how many it takes for having something in common to say anything: a
	// family, or friends who bought the same phone, are fewer.
	Crowd = 5

	// ruleOfThree: of what none of n strangers has, up to 3/n may have it, with
	// 95 % confidence (Hanley and Lippman-Hand 1983). Of few strangers nothing follows.
	ruleOfThree = 3
)

// excess is ln(in / expected): how many more of a cohort have something than
// strangers let expect, where in of cohort and total of all have it. It is 0 for
// less than a crowd, and for what chance does (three standard deviations of a
// Poisson count). A popular phone is popular among strangers too, and where
// a contest has no strangers yet, nothing is excess.
func excess(in, cohort, total, all float64) float64 {
	if in < Crowd {
		return 0
	}
	out, rest := max(total-in, 0), max(all-cohort, 0)
	expected := cohort * min((out+ruleOfThree)/(rest+ruleOfThree), 1)
	return beyond(in, expected, 3)
}

// pile is ln(same / expected) of how many lie within sameWithin in a slot of near
// that is so wide; the pile itself does not make what is expected. It is 0 for
// less than a crowd, and for what chance does: four standard deviations, as
// each of some hundred places may have its pile. Where near is no wider than what is
// the same (below 0.07 s), a pile cannot be told.
func pile(same, near, width float64) float64 {
	if same < Crowd || width <= sameWithin {
		return 0
	}
	expected := (max(near-same, 0) + 1) * sameWithin / width
	return beyond(same, expected, 4)
}

func beyond(seen, expected, deviations float64) float64 {
	if seen <= expected+deviations*math.Sqrt(expected) {
		return 0
	}
	return math.Log(seen / expected)
}

// rarity says how much a sign is worth of which some of all show it: all of it up
// to a half, nothing from nine in ten on. Where nearly everybody has it, it is how
// the contest is set up: a proxy that is not trusted puts every voter into one data
// centre, and a partner's server says of no vote how long it took.
func rarity(some, all float64) float64 {
	share := some / (all + 20) // a contest's first voters do not make what is common
	return clip((0.9-share)/0.4, 0, 1)
}
