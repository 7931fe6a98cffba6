package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9*(1+math.Abs(b)) }

func TestPredictive_IsTheRatioOfTwoSmoothedShares(t *testing.T) {
	for _, row := range []struct {
		name                       string
		y, others, x, crowd, c, is float64
	}{
		{"nobody was seen yet: nothing is said", 0, 0, 0, 0, 6, 0},
		{"members as the crowd", 20, 200, 19.5, 195, 6, 0}, // (19.5+0.5)/(195+5) = 0.1
		{"all of ten members, a tenth of the crowd", 10, 10, 9.5, 95, 5, math.Log((10 + 0.5) / 15 / 0.1)},
		{"none of ten", 0, 10, 9.5, 95, 5, math.Log(0.5 / 15 / 0.1)},
		{"counts that rounding made negative are none", -1e-12, -1e-12, -1e-12, -1e-12, 6, 0},
	} {
		if got := predictive(row.y, row.others, row.x, row.crowd, row.c); !near(got, row.is) {
			t.Errorf("%s: %v, want %v", row.name, got, row.is)
		}
	}
}

func TestPool_Ratio(t *testing.T) {
	for _, row := range []struct {
		name                       string
		own, y, others, crowd, w   float64
		want, learnedOwn, learnedW float64
	}{
		{"half of the members have it, a hundredth of the crowd", 0.8, 5, 10, 0.01, 0.5, math.Log(40 + 0.2), 0.5 * 40 / 40.2, 0.5},
		{"no other member has it: it is one of the rest", 0.8, 0, 10, 0.01, 1, math.Log(0.2), 0, 1},
		{"there is no other member", 0.8, 0, 0, 0.01, 1, math.Log(0.2), 0, 1},
		{"as common as in the crowd", 0.3, 1, 10, 0.1, 1, 0, 0.3, 1},
		{"who is no member teaches nothing", 0.8, 5, 10, 0.01, 0, math.Log(40.2), 0, 0},
	} {
		var learn poolCount
		got := pool{row.own}.ratio(row.y, row.others, row.w, row.crowd, &learn)
		if !near(got, row.want) || !near(learn.own, row.learnedOwn) || learn.of != row.learnedW {
			t.Errorf("%s: %v, %+v", row.name, got, learn)
		}
	}
}

func TestPool_LacksIsTheRatioOfWhatNoMemberHas(t *testing.T) {
	for _, own := range []float64{0.02, 0.5, 0.97} {
		var unlearned poolCount
		if p := (pool{own}); p.lacks() != p.ratio(0, 10, 0, 0.01, &unlearned) {
			t.Errorf("share %v: %v", own, p.lacks())
		}
	}
}

// Who is let go of early could not have become a member, and who is not is judged as
// a whole.
func TestJudgePlace_LetsGoOfTheHopelessAlone(t *testing.T) {
	var ballots []Ballot
	for n := range 600 {
		e := antifraud.Evidence{Device: fmt.Sprint("d", n), Net: fmt.Sprint("n", n/3), Via: fmt.Sprint("s", n%7), Referrer: antifraud.ReferrerSocial}
		if n%3 == 0 {
			e.Referrer = antifraud.ReferrerShare
		}
		voter := fmt.Sprint("h", n)
		if n%20 == 0 {
			voter, e.Via, e.Referrer = fmt.Sprint("f", n), "s1", antifraud.ReferrerShare
		}
		ballots = append(ballots, vote(voter, fmt.Sprint("e", n%5), float64(900*(n%97)), e))
		if n%4 == 0 {
			ballots = append(ballots, vote(voter, fmt.Sprint("e", (n+1)%5), float64(900*(n%89)), e))
		}
	}
	h := handOf(ballots)
	var unlearned [features]poolCount
	gone, stayed := 0, 0
	for _, prior := range []float64{-14, -8, -3} {
		same := h.strangers()
		for v := range int32(h.c.n) {
			var whole, early terms
			h.judgePlace(v, h.w[v], 1-h.c.taken[v], anybody, &whole, &unlearned, same)
			if h.judgePlace(v, h.w[v], 1-h.c.taken[v], prior, &early, &unlearned, same) {
				stayed++
				if early != whole {
					t.Fatalf("voter %d: %v, want %v", v, early, whole)
				}
			} else if gone++; !hopeless(prior, whole.place(), whole.there()) {
				t.Fatalf("voter %d is let go of, with %v", v, whole)
			}
		}
	}
	if gone < 100 || stayed < 100 {
		t.Errorf("%d were let go of, %d were not", gone, stayed)
	}
}

func TestTerms_LooksCountAsFarAsThePlaceMakesThemLikely(t *testing.T) {
	for _, row := range []struct{ place, looks, want float64 }{
		{0, 1, 1}, {0, 9, 1.5}, {2, 9, 2 + 4.5}, {2, 3, 5}, {-3, 9, -3 + 1.5}, {4, -6, -2}, // against is not bounded
	} {
		var x terms
		x[atVia], x[atDevice] = row.place, row.looks
		if got := x.sum(0); !near(got, row.want) {
			t.Errorf("place %v, looks %v: %v, want %v", row.place, row.looks, got, row.want)
		}
	}
}

// Of an entry for which nearly everybody votes the place says little, and looks count for as
// much as at one where it could say enough.
func TestHand_LooksCountWhereThePlaceIsEverybodys(t *testing.T) {
	for _, row := range []struct {
		at   int // of a hundred votes, those for the entry of the hand, besides the hand's ten
		want float64
	}{{4, 0}, {40, leastPlace - math.Log(110.0/50)}, {100, leastPlace}} {
		var ballots []Ballot
		for v := range 100 {
			entry := "e1"
			if v >= row.at {
				entry = fmt.Sprint("e", 2+v%7)
			}
			ballots = append(ballots, vote(fmt.Sprint("h", v), entry, float64(37*v), antifraud.Evidence{}))
		}
		for v := range 10 {
			ballots = append(ballots, vote(fmt.Sprint("f", v), "e1", float64(v), antifraud.Evidence{}))
		}
		h := handOf(ballots)
		for _, v := range h.who {
			h.c.take(v, 0)
		}
		if h.begin(); !near(h.common, row.want) {
			t.Errorf("%d of the crowd: %v, want %v", row.at, h.common, row.want)
		}
		x := terms{atDevice: 9}
		if got, want := x.sum(h.common), 1.5+1.5*row.want; !near(got, want) {
			t.Errorf("%d of the crowd: looks count for %v, want %v", row.at, got, want)
		}
	}
}

// handOf is a crowd of ballots, and a hand of their voters whose names begin with f.
// That no other member voted at an hour is something against a voter, and no reason why
// looks should be somebody else's. An hour at which members vote makes them likelier.
func TestTerms_AnIdleHourTakesNothingFromLooks(t *testing.T) {
	for _, row := range []struct{ hour, entries, looks, want float64 }{
		{-2, 2, 9, -2 + 2 + 4.5}, {-2, 2, 3, -2 + 2 + 3}, {-2, -1, 9, -2 - 1 + 1.5}, {0, 2, 9, 2 + 4.5}, {1, 2, 9, 3 + 6},
	} {
		var x terms
		x[atHour], x[atEntries], x[atDevice] = row.hour, row.entries, row.looks
		if got := x.sum(0); !near(got, row.want) {
			t.Errorf("hour %v, entries %v, looks %v: %v, want %v", row.hour, row.entries, row.looks, got, row.want)
		}
	}
}

func handOf(ballots []Ballot) *hand {
	l, table := tableOf(ballots...)
	h := newHand(newCrowd(table))
	h.clear()
	for v := range int32(table.n) {
		if l.voters.text(table.voter.log[v])[0] == 'f' {
			h.set(v, 1)
			h.who = append(h.who, v)
			h.c.take(v, 1)
		}
	}
	return h
}

// readers are honest voters who read for some ten seconds, a device for each.
func readers(n int) (ballots []Ballot) {
	for v := range n {
		dwell := int64(10_000 * math.Exp(0.6*math.Sin(float64(7*v)))) // spread by some 0.4 in ln
		ballots = append(ballots, vote(fmt.Sprint("h", v), "e1", float64(37*v), antifraud.Evidence{Device: fmt.Sprint("own", v), DwellMS: &dwell}))
	}
	return ballots
}

func TestHand_NobodyIsAMemberBecauseOfThemselves(t *testing.T) {
	// One with a device that strangers have twice, and nobody else of the hand has.
	ballots := append(readers(100), vote("h200", "e1", 0, antifraud.Evidence{Device: "odd"}), vote("f1", "e1", -1, antifraud.Evidence{Device: "odd"}))
	for n := range 100 { // to share one at all is nothing odd
		ballots = append(ballots, vote(fmt.Sprint("h", 300+n), "e1", float64(n), antifraud.Evidence{Device: fmt.Sprint("model", n/10)}))
	}
	for n := range 10 {
		ballots = append(ballots, vote(fmt.Sprint("f", 2+n), "e1", float64(n), antifraud.Evidence{Device: "rack"}))
	}
	h := handOf(ballots)
	var out terms
	var learn [features]poolCount
	for n, v := range h.who {
		h.judge(v, &out, &learn, h.strangers())
		if n == 0 && out[atDevice] > 0 {
			t.Errorf("a device of one member alone says %v for the hand", out[atDevice])
		}
		if n > 0 && out[atDevice] < 2 {
			t.Errorf("a device of ten members says %v for the hand", out[atDevice])
		}
	}
}

func TestTempo_HastyAndHaste(t *testing.T) {
	for _, row := range []struct {
		name   string
		dwells []int64
		hasty  bool
		haste  bool // that the mean is quicker says something
	}{
		{"people's times", []int64{9000, 12_000, 7000, 15_000, 11_000, 8000}, false, false},
		{"a fifth of theirs", []int64{2000, 1500, 2600, 2100, 1800, 2500}, true, true},
		{"theirs, all the same", []int64{11_000, 11_100, 10_900, 11_050, 11_000, 10_950}, true, false},
		{"slower is no tell", []int64{60_000, 40_000, 90_000, 25_000, 70_000, 50_000}, false, false},
		{"slower, all the same", []int64{60_000, 60_100, 59_900, 60_000, 60_050, 60_000}, true, false},
		{"two say nothing", []int64{500, 520}, false, false},
	} {
		ballots := readers(100)
		for n := range row.dwells {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{DwellMS: &row.dwells[n]}))
		}
		h := handOf(ballots)
		if h.hasty() != row.hasty || h.haste() > 0 != row.haste {
			t.Errorf("%s: hasty %v, haste %v", row.name, h.hasty(), h.haste())
		}
	}
	// Of few that a band of reading times was chosen of it is no wonder that they are in it.
	for _, row := range []struct {
		slow  float64
		n     int
		hasty bool
	}{{40_000, 12, false}, {40_000, leastMechanical + 5, true}, {1500, 12, true}} {
		ballots := readers(100)
		for n := range row.n {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{DwellMS: ms(int64(row.slow * (1 + float64(n%3)/10)))}))
		}
		h := handOf(ballots)
		if !h.hasty() {
			t.Errorf("%v: not chosen, and not hasty", row)
		}
		if h.banded = true; h.hasty() != row.hasty {
			t.Errorf("%v: hasty %v", row, h.hasty())
		}
	}
	// z^2/2 by hand: six members, d below the crowd's mean, its variance at least 0.25.
	ballots := readers(100)
	for n := range 6 {
		ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{DwellMS: ms(int64(1000 + n%2))}))
	}
	h := handOf(ballots)
	d := h.c.dwellSum/h.c.dwells - h.dwellSum/6
	if got, want := h.haste(), 6*d*d/0.25/2; math.Abs(got-want) > 1e-6*want {
		t.Errorf("haste %v, want %v", got, want)
	}
}

func TestTempo_SerialIsOnePersonAfterAnother(t *testing.T) {
	// gaps are exponential ones by their quantiles, in an order that is none.
	exponential := func(n int) (gaps []float64) {
		for k := range n {
			gaps = append(gaps, -40*math.Log(1-(float64((7*k)%n)+0.5)/float64(n)))
		}
		return gaps
	}
	regular := func(n int) (gaps []float64) {
		for k := range n {
			gaps = append(gaps, 40+8*math.Sin(float64(3*k)))
		}
		return gaps
	}
	for _, row := range []struct {
		name    string
		gaps    []float64
		devices int
		least   float64
		most    float64
	}{
		{"one person, the same steps again", regular(20), 1, 15, 60},
		{"a class at the same machines", exponential(20), 1, -3, 0.5},
		{"too few to tell", regular(4), 1, 0, 0},
		{"many devices are many people", regular(20), 7, 0, 0},
		{"sittings hours apart are no gaps", append(regular(12), 9000, 40, 42, 38, 41), 1, 8, 60},
	} {
		ballots := readers(60)
		at := 0.0
		for n := range len(row.gaps) + 1 {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", at, antifraud.Evidence{Device: fmt.Sprint("m", n%row.devices)}))
			if n < len(row.gaps) {
				at += row.gaps[n]
			}
		}
		if got := handOf(ballots).serial(); got < row.least || got > row.most {
			t.Errorf("%s: %v, want %v to %v", row.name, got, row.least, row.most)
		}
	}
}

// How long members read and how they follow each other are two things: what both say
// of one person adds up.
func TestHand_PaceAndTurnsAddUp(t *testing.T) {
	ballots := readers(60)
	for n := range 20 {
		ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", 45*float64(n)+8*math.Sin(float64(3*n)), antifraud.Evidence{Device: "m", DwellMS: ms(int64(1500 + 100*n))}))
	}
	h := handOf(ballots)
	pace, turns := h.haste(), h.serial()
	if e := h.weighEvidence(make([]float64, h.c.n)); pace <= 0 || turns <= 0 || e.by[byTempo] < pace+turns-1e-9 {
		t.Errorf("tempo %v, of pace %v and turns %v", e.by[byTempo], pace, turns)
	}
}

func TestTempo_ClockIsVotingWhileTheCrowdSleeps(t *testing.T) {
	const hour, day = 3600.0, 86_400.0
	by := func(n int) float64 { return float64(n%10)*day + (7+float64(n*7%17))*hour } // from seven to midnight, for ten days
	var crowd []Ballot
	for n := range 1000 {
		crowd = append(crowd, vote(fmt.Sprint("h", n), "e1", by(n), antifraud.Evidence{}))
	}
	for _, row := range []struct {
		name string
		at   func(n int) float64
		says bool
	}{
		{"around the clock", func(n int) float64 { return float64(n) * 1.2 * hour }, true},
		{"when the crowd does", by, false},
		{"every evening", func(n int) float64 { return float64(n%10)*day + (17+float64(n%6))*hour }, false},
		{"every night, as friends who are far away", func(n int) float64 { return float64(n%10)*day + float64(n%5)*hour }, false},
		{"a spike of one night", func(n int) float64 { return 3*day + 2*hour + float64(n) }, false},
		{"one day and night", func(n int) float64 { return 3*day + float64(n%24)*hour }, false},
	} {
		ballots := slices.Clone(crowd)
		for n := range 200 {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", row.at(n), antifraud.Evidence{}))
		}
		if said := handOf(ballots).clock(); said >= strongly[byTempo]*200 != row.says {
			t.Errorf("%s: %v", row.name, said)
		}
	}
}

func TestHand_SingleStaysWithOneMachine(t *testing.T) {
	build := func(devices ...string) *hand {
		ballots := readers(60)
		for n, device := range devices {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(40*n), antifraud.Evidence{Device: device}))
		}
		return handOf(ballots)
	}
	others := make([]float64, 100)
	h := build("m", "m", "m", "m", "m", "m", "x", "")
	if !h.single(newIndex(h.c), others) || len(h.who) != 6 || h.mass != 6 {
		t.Errorf("%d members of weight %v stay, want the six with one machine", len(h.who), h.mass)
	}
	if left := int32(60 + 6); h.w[left] != 0 || h.c.taken[left] != 0 {
		t.Errorf("one who was let go is %v a member, %v taken", h.w[left], h.c.taken[left])
	}
	for _, row := range [][]string{
		{"a", "b", "c", "d", "a", "b", "c", "d", "e", "e"}, // as many machines as a farm has
		{"m", "m", "m"},
		{"m", "m", "m", "m", "", "", "", ""}, // half show none
	} {
		if h := build(row...); h.single(newIndex(h.c), others) || len(h.who) != len(row) {
			t.Errorf("%q: left with one machine", row)
		}
	}
}

// One machine is in one place, where most of a hand are at one: whoever has that model of
// phone elsewhere is somebody else. Where they are all over the place no address is it.
func TestHand_SingleStaysWithOneAddress(t *testing.T) {
	for _, row := range []struct {
		home, elsewhere, stay int
	}{{6, 4, 6}, {4, 4, 8}, {3, 1, 4}} {
		ballots := readers(60)
		for n := range row.home + row.elsewhere {
			net := "home"
			if n >= row.home {
				net = fmt.Sprint("another", n)
			}
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(40*n), antifraud.Evidence{Device: "m", Net: net}))
		}
		h := handOf(ballots)
		if !h.single(newIndex(h.c), make([]float64, 100)) || len(h.who) != row.stay || h.mass != float64(row.stay) {
			t.Errorf("%+v: %d members of weight %v stay", row, len(h.who), h.mass)
		}
	}
}

// One machine has one browser: whoever has the same model of phone and shows another
// is a stranger. Where members show several, none of them is the machine's.
func TestHand_SingleLetsGoOfAnotherBrowser(t *testing.T) {
	for _, row := range []struct {
		agents string
		stay   int
	}{{"aaaaaa-b", 7}, {"aaaabbbb", 8}, {"--------", 8}} {
		ballots := readers(60)
		for n, agent := range row.agents {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(40*n), antifraud.Evidence{Device: "m", Agent: strings.Trim(string(agent), "-")}))
		}
		h := handOf(ballots)
		if !h.single(newIndex(h.c), make([]float64, 100)) || len(h.who) != row.stay {
			t.Errorf("%q: %d members stay, want %d", row.agents, len(h.who), row.stay)
		}
	}
}

// That eight with one model of phone show one agent says much where others with it
// show many, and nothing where all do.
func TestHand_ABrowserSaysWhatItsModelDoesNot(t *testing.T) {
	of := func(agent func(n int) string) float64 {
		ballots := readers(200)
		for n := range 50 {
			ballots[n].Evidence.Device, ballots[n].Evidence.Agent = "m", agent(n)
		}
		for n := range 8 {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(40*n), antifraud.Evidence{Device: "m", Agent: "a0"}))
		}
		h := handOf(ballots)
		h.single(newIndex(h.c), make([]float64, 300))
		return h.browser
	}
	if says := of(func(n int) string { return fmt.Sprint("a", n%10) }); says < 1.5 {
		t.Errorf("beside ten agents: %v", says)
	}
	if says := of(func(int) string { return "a0" }); says > 0.2 {
		t.Errorf("beside the same agent: %v", says)
	}
}

func TestHand_SpreadIsTheNumberOfValuesSharedEvenly(t *testing.T) {
	for _, row := range []struct {
		devices []string
		want    float64
	}{
		{[]string{"a", "a", "b", "b", "c", "c"}, 3}, {[]string{"a", "a", "a", "a"}, 1}, {[]string{"a", "a", "a", "b", "b", "b", "own"}, 2},
		{[]string{"a", "a", "a", "b"}, 1}, {[]string{"a", "a", "a", "a", "b", "b"}, 36.0 / 20}, {[]string{"x", "y"}, 0},
	} {
		var ballots []Ballot
		for n, d := range row.devices {
			ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{Device: d}))
		}
		h := handOf(append(ballots, readers(5)...))
		if got := h.spread(&h.c.t.device, h.device); !near(got, row.want) {
			t.Errorf("%q: %v, want %v", row.devices, got, row.want)
		}
	}
}

// Few members show few of the devices that they draw from: how many there are is told by how
// many of them have one in common, whatever their number.
func TestHand_DrawnIsHowManyThereAreToDrawFrom(t *testing.T) {
	for _, pool := range []int{4, 10, 25} {
		for _, n := range []int{12, 40} {
			r := rand.New(rand.NewPCG(uint64(pool), uint64(n)))
			pairs, seen := 0.0, 0.0 // the share of pairs is what has no bias
			const draws = 200
			for range draws {
				ballots := readers(5)
				for v := range n {
					ballots = append(ballots, vote(fmt.Sprint("f", v), "e1", float64(v), antifraud.Evidence{Device: fmt.Sprint("d", r.IntN(pool))}))
				}
				for k := range pool { // strangers have each of them, too: none is anybody's own
					ballots = append(ballots, vote(fmt.Sprint("s", k), "e1", float64(k), antifraud.Evidence{Device: fmt.Sprint("d", k)}))
				}
				h := handOf(ballots)
				pairs += 1 / h.drawn(&h.c.t.device, h.device) / draws
				seen += h.spread(&h.c.t.device, h.device) / draws
			}
			if got := 1 / pairs; math.Abs(got-float64(pool)) > 0.1*float64(pool) {
				t.Errorf("%d of %d devices: %v", n, pool, got)
			}
			if n < pool && seen > 0.7*float64(pool) {
				t.Errorf("%d of %d devices show %v of them: the test shows nothing", n, pool, seen)
			}
		}
	}
}

func TestHand_BusiestAddresses(t *testing.T) {
	ballots := readers(5)
	for n, net := range []string{"b", "a", "b", "c", "a", "b", ""} {
		ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{Net: net}))
	}
	h := handOf(ballots)
	if got := h.busiest(); got[0] != h.c.t.net.of[h.who[0]] || got[1] != h.c.t.net.of[h.who[1]] {
		t.Errorf("%v", got)
	}
	if got := handOf(append(readers(5), vote("f", "e1", 0, antifraud.Evidence{}))).busiest(); got[0] >= unseen || got[1] >= unseen {
		t.Errorf("no address at all: %v, and unseen is %d", got, unseen)
	}
}

// A farm that is known is no evidence against whoever has something in common with it:
// its voters stay candidates, and are another's.
func TestHand_WhatAKnownFarmTookIsNoEvidence(t *testing.T) {
	ballots := readers(100)
	quick := int64(700)
	for n := range 20 {
		ballots = append(ballots,
			vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{Device: "m"}),
			vote(fmt.Sprint("known", n), "e1", float64(n), antifraud.Evidence{Device: "m", DwellMS: &quick}))
	}
	h := handOf(ballots)
	members, nobody, others := h.who, make([]float64, h.c.n), make([]float64, h.c.n)
	for v := range int32(h.c.n) {
		if h.c.t.device.voters[h.c.t.device.of[v]] > 1 && h.w[v] == 0 {
			others[v] = 1
			h.c.take(v, 1)
			h.who = append(h.who, v)
		}
	}
	got, counted := h.weighEvidence(others), h.weighEvidence(nobody)
	h.who = members
	if want := h.weighEvidence(others); math.Abs(got.all-want.all) > 1e-9 || math.Abs(got.by[byDevice]-want.by[byDevice]) > 1e-9 {
		t.Errorf("with the farm's voters among the candidates %v, without %v", got, want)
	}
	if counted.by[byDevice] < 1.5*got.by[byDevice] {
		t.Errorf("counted whole they say %v, left out %v: the test shows nothing", counted.by, got.by)
	}
}
