package detect

import (
	"fmt"
	"math"
	"testing"

	"github.com/joute/joute/antifraud"
)

// member is a farm of one, who is surely in it, by what the families say of the
// member; firm are those that speak against the farm. Their device is one of the farm's and
// they vote for whom it is paid for.
func member(strong bool, by [families]float64, firm ...int) *farm {
	f := &farm{who: []int32{0}, w: []float64{0.999999}, own: make([]terms, 1), sure: make([]float64, 1), wait: make([]float64, 1), namesakes: make([]float64, 1), excused: make([]float64, 1), by: [][families]float64{by}, strong: strong}
	f.confirmed = []confirmed{{w: f.w[0], by: by}}
	f.own[0][atDevice], f.own[0][atEntries] = 3, 3
	for _, family := range firm {
		f.evidence.firm[family], f.evidence.some[family] = true, true
	}
	return f
}

func TestFarm_VoidTakesTwoFamiliesOneNeitherAccountNorTempo(t *testing.T) {
	all := []int{byDevice, byTempo, byNetwork, byAccount, byStructure}
	for _, row := range []struct {
		name   string
		strong bool
		by     [families]float64
		firm   []int
		void   bool
	}{
		{"device and tempo", true, [families]float64{byDevice: 2, byTempo: 2}, all, true},
		{"network and account", true, [families]float64{byNetwork: 2, byAccount: 2}, all, true},
		{"device and structure", true, [families]float64{byDevice: 2, byStructure: 2}, all, true},
		{"account and tempo", true, [families]float64{byAccount: 5, byTempo: 5}, all, false},
		{"structure and tempo", true, [families]float64{byStructure: 2, byTempo: 2}, all, true},
		{"fans, one of them a little quick", true, [families]float64{byStructure: 5, byTempo: clearly}, all, false},
		{"an address that one other member has, and tempo", true, [families]float64{byNetwork: pooled, byTempo: 5}, all, false},
		{"one alone, however much", true, [families]float64{byDevice: 9}, all, false},
		{"the second hardly", true, [families]float64{byDevice: 9, byNetwork: against}, all, false},
		{"the second for the crowd", true, [families]float64{byDevice: 9, byNetwork: -2}, all, false},
		{"the second says nothing of the farm", true, [families]float64{byDevice: 2, byTempo: 2}, []int{byDevice}, false},
		{"nothing", true, [families]float64{}, all, false},
		{"a farm that is not strong", false, [families]float64{byDevice: 2, byTempo: 2, byNetwork: 2}, all, false},
	} {
		f := member(row.strong, row.by, row.firm...)
		if got := f.belief(0); got >= 0.9 != row.void {
			t.Errorf("%s: %v", row.name, got)
		}
		if got := f.strong && f.condemns(0); got != row.void {
			t.Errorf("%s: condemns %v", row.name, got)
		}
	}
}

// Who lives where a farm votes from, and is quick, is void by more than that, or not at all.
func TestFarm_WhatPeopleHaveVoidsOnlyWhoHasAllOfIt(t *testing.T) {
	for _, row := range []struct {
		name      string
		own       terms
		confirm   float64
		condemned bool
	}{
		{"a home and a pace", terms{atNet: 2.5, atDwell: 2, atEntries: 3}, 0, false},
		{"and a way to come, the wait before they confirm, a browser", terms{atNet: 2.5, atDwell: 2, atReferrer: 1, atAgent: 1, atEntries: 3}, 2, true},
		{"as much, and the wait is another", terms{atNet: 2.5, atDwell: 2.5, atVia: 3.5, atReferrer: 2, atAgent: 1, atEntries: 3}, -1.5, false},
		{"as much, at another hour", terms{atNet: 2.5, atDwell: 2.5, atVia: 3.5, atHour: -2, atEntries: 3}, 2, false},
		{"as much, for another entry", terms{atNet: 2.5, atDwell: 2.5, atVia: 3.5}, 2, false},
		{"as much, by another way", terms{atNet: 2.5, atDwell: 2.5, atAgent: 2.5, atDevice: 1.9, atVia: -1, atReferrer: -1, atEntries: 3}, 2, false},
		{"as much, with a device and a browser of their own", terms{atNet: 2.5, atDwell: 2.5, atVia: 3.5, atReferrer: 2, atDevice: -0.6, atAgent: -0.6, atEntries: 3}, 2, false},
		{"an address that is rented, and the farm's", terms{atNet: 2, atKind: 3, atDwell: 2}, 0, true},
		{"one that is rented, and none of the farm's", terms{atNet: -1, atKind: 3, atDwell: 2}, 0, false},
		{"a device that hardly a stranger has", terms{atDevice: 3, atDwell: 2}, 0, true},
		{"a phone that many have", terms{atDevice: 1.9, atAgent: 1, atDwell: 2}, 0, false},
		{"the farm's browser, on a device that is not", terms{atDevice: -0.6, atAgent: 2.5, atDwell: 2}, 0, false},
	} {
		own := row.own
		by := [families]float64{byDevice: own[atDevice] + own[atAgent], byTempo: own[atDwell], byNetwork: own[atNet] + own[atKind], byProvenance: own[atVia] + own[atReferrer]}
		f := member(true, by, byDevice, byTempo, byNetwork, byProvenance)
		f.own[0], f.wait[0] = own, row.confirm
		if got := f.condemns(0); got != row.condemned {
			t.Errorf("%s: condemned %v", row.name, got)
		}
	}
}

// A VPN's address is rented, and people go through it to be private: it is no farm's alone, and what they
// have in common with others who do counts for nothing.
func TestFarm_AVPNIsWhatPeopleHave(t *testing.T) {
	for _, row := range []struct {
		own       terms
		rented    bool // what becomes of who comes from a data centre
		condemned bool // and of who comes by a VPN
	}{
		{terms{atNet: 2, atKind: 3, atDwell: 2}, true, false},
		{terms{atNet: 2, atKind: 3, atDwell: 2, atReferrer: 2, atEntries: 3}, true, false},
		{terms{atNet: 2.5, atKind: 3, atDwell: 2.5, atReferrer: 2, atAgent: 2, atEntries: 3}, true, true}, // 9 in ln beside it
		{terms{atNet: 2, atKind: 3, atDwell: 2, atDevice: 3}, true, true},                                 // a device that hardly a stranger has
	} {
		own := row.own
		by := [families]float64{byDevice: own[atDevice] + own[atAgent], byTempo: own[atDwell], byNetwork: own[atNet] + own[atKind], byProvenance: own[atReferrer]}
		for private, want := range map[bool]bool{false: row.rented, true: row.condemned} {
			f := member(true, by, byDevice, byTempo, byNetwork, byProvenance)
			if f.own[0] = own; private {
				f.excused[0] = own[atKind]
			}
			if got := f.condemns(0); got != want {
				t.Errorf("%v, a VPN %v: condemned %v", own, private, got)
			}
		}
	}
}

// Members of one machine all show its phone, browser and address, by which they were chosen:
// with a phone that many have these and a pace void nobody.
func TestFarm_OneMachineOfAPopularModelVoidsNobody(t *testing.T) {
	for machine, void := range map[float64]bool{0.6: true, 0.9: false} {
		f := member(true, [families]float64{byDevice: 4, byTempo: 2}, byDevice, byTempo)
		f.evidence.machine, f.own[0] = machine, terms{atDevice: 1.9, atAgent: 2, atNet: 2.5, atDwell: 2, atReferrer: 1, atEntries: 3}
		if got := f.condemns(0); got != void {
			t.Errorf("with the device of %v of the members: condemned %v", machine, got)
		}
	}
}

// Friends vote in step, and one of them has a farm's popular phone and browser: that is held.
func TestFarm_InStepWithAPopularPhoneTakesMore(t *testing.T) {
	for _, row := range []struct {
		name string
		own  terms
		void bool
	}{
		{"a popular phone, and its browser", terms{atDevice: 1.5, atAgent: 1.5, atNet: 2, atEntries: 4}, false},
		{"a device that hardly a stranger has", terms{atDevice: 2.5, atAgent: 0.5, atEntries: 4}, true},
		{"a popular phone, and all else is the farm's", terms{atDevice: 1.5, atAgent: 1.5, atNet: 2, atReferrer: 1, atEntries: 4}, true},
	} {
		f := member(true, [families]float64{byDevice: row.own[atDevice] + row.own[atAgent], byStructure: 3}, byDevice, byStructure)
		f.own[0] = row.own
		if got := f.condemns(0); got != row.void {
			t.Errorf("%s: condemned %v", row.name, got)
		}
	}
}

// A phone that a few strangers have is somebody's of those who vote for a leader: it voids
// where none of them can be expected.
func TestFarm_ADeviceThatSomebodyThereHasIsNoFarmsAlone(t *testing.T) {
	for _, row := range []struct {
		namesakes float64
		void      bool
	}{{0, true}, {nobody / 2, true}, {nobody, false}, {1.6, false}} {
		f := member(true, [families]float64{byDevice: 3, byTempo: 1}, byDevice, byTempo)
		f.namesakes[0] = row.namesakes
		if got := f.condemns(0); got != row.void {
			t.Errorf("%v strangers with it are expected there: condemned %v", row.namesakes, got)
		}
	}
}

// Of 100 who are judged, 40 vote for the entry and two strangers have the phone.
func TestCrowd_NamesakesAreExpectedWhereMostVote(t *testing.T) {
	var ballots []Ballot
	for n := range 100 {
		entry, device := "e1", fmt.Sprint("own", n)
		if n < 40 {
			entry = "e2"
		}
		if n > 97 {
			device = "m"
		}
		ballots = append(ballots, vote(fmt.Sprint("h", n), entry, float64(n), antifraud.Evidence{Device: device}))
	}
	ballots = append(ballots, vote("f1", "e2", 100, antifraud.Evidence{Device: "m"}), vote("f2", "e2", 101, antifraud.Evidence{Device: "rack"}), vote("f3", "e2", 102, antifraud.Evidence{}))
	h := handOf(ballots)
	for v, want := range map[int32]float64{100: 2 * 40.0 / 100, 101: 0.3 * 40.0 / 100, 102: 0} {
		if got := h.c.namesakes(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("voter %d: %v, want %v", v, got, want)
		}
	}
}

// A phone that nobody else has is many a person's, and voids with an address that is rented.
func TestFarm_MadeUpDevicesSpeakAtRentedAddresses(t *testing.T) {
	for _, row := range []struct {
		name      string
		made      bool
		kind      float64
		condemned bool
	}{{"rented", true, 3, true}, {"a home's", true, 0, false}, {"rented, and others have such devices", false, 3, false}} {
		f := member(true, [families]float64{byDevice: 0.5, byNetwork: row.kind + 2}, byDevice, byNetwork)
		f.evidence.madeUp = row.made
		f.own[0] = terms{atDevice: 0.5, atKind: row.kind, atNet: 2, atEntries: 3}
		if got := f.condemns(0); got != row.condemned {
			t.Errorf("%s: condemned %v", row.name, got)
		}
	}
}

// A way to come speaks of who certainly keeps the rhythm, and votes for whom is paid for.
func TestFarm_AWayIsOfTheRhythm(t *testing.T) {
	for _, row := range []struct {
		w, dwell, entries float64
		condemned         bool
	}{{0.9995, 2, 3, true}, {0.999, 2, 3, false}, {0.9995, -1, 3, false}, {0.9995, 2, 0, false}} {
		f := member(true, [families]float64{byStructure: 3, byProvenance: 3, byTempo: row.dwell}, byProvenance, byTempo)
		f.w[0], f.own[0] = row.w, terms{atAgent: 3, atDwell: row.dwell, atVia: 3, atEntries: row.entries}
		if got := f.condemns(0); got != row.condemned {
			t.Errorf("%+v: condemned %v", row, got)
		}
	}
}

// A hold is answered, and a void is not: what voids is what is confirmed, and a way to come
// and a pace void only who is certain.
func TestFarm_VoidTakesWhatIsConfirmed(t *testing.T) {
	both, way := [families]float64{byDevice: 2, byTempo: 2}, [families]float64{byProvenance: 2, byTempo: 2}
	for _, row := range []struct {
		name string
		w    float64
		by   [families]float64
		is   confirmed
		want float64
	}{
		{"all of it", 0.999, both, confirmed{0.999, both}, temper(0.999)},
		{"a device that says it of one other", 0.999, both, confirmed{0.999, [families]float64{byDevice: clearly, byTempo: 2}}, unsure},
		{"less probable without what two say of each other", 0.999, both, confirmed{0.95, both}, unsure},
		{"less than beyond chance", 0.9995, both, confirmed{0.9985, both}, unsure},
		{"a way to come, of somebody who is certain", 0.9995, way, confirmed{0.999, way}, temper(0.999)},
		{"and who is not quite", 0.999, way, confirmed{0.999, way}, unsure},
	} {
		f := member(true, row.by, byDevice, byTempo, byProvenance)
		f.own[0][atDwell], f.own[0][atVia] = 3, 3
		f.w[0], f.confirmed[0] = row.w, row.is
		if got := f.belief(0); !near(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// Whoever runs no scripts has friends: votes for the same and no reading time are no farm.
func TestFarm_NoPageTakesAnAddressOrADevice(t *testing.T) {
	for family, void := range map[int]bool{byStructure: false, byNetwork: true, byDevice: true} {
		by := [families]float64{byTempo: 2}
		by[family] = 5
		f := member(true, by, byTempo, family)
		f.evidence.pageless = true
		f.own[0][atNet], f.own[0][atDwell] = 4, 2
		if got := f.condemns(0); got != void {
			t.Errorf("with %s: %v", familyOf[family], got)
		}
	}
	e := evidence{by: [families]float64{byTempo: 200, byStructure: 500}, all: 900, place: 4, pageless: true}
	if strong, ok := e.convinces(weighing(100), 40); strong || ok {
		t.Errorf("structure and no page: strong %v, convincing %v", strong, ok)
	}
	e = evidence{by: [families]float64{byTempo: 200, byNetwork: 200}, all: 900, place: 4, pageless: true}
	if strong, ok := e.convinces(weighing(100), 40); !strong || !ok {
		t.Errorf("a pool of addresses and no page: strong %v, convincing %v", strong, ok)
	}
}

// Two families that are of different members make nobody void, not even whoever happens to
// have both.
func TestFarm_FamiliesAreOfTheSameMembers(t *testing.T) {
	pace, device := [families]float64{byTempo: 2}, [families]float64{byDevice: 2}
	both := [families]float64{byTempo: 2, byDevice: 2}
	hand := func(w float64, members ...[families]float64) *farm {
		f := member(true, both, byTempo, byDevice)
		f.w[0], f.confirmed[0].w = w, w
		for _, by := range members {
			f.confirmed = append(f.confirmed, confirmed{0.999999, by})
			f.who, f.w, f.own, f.sure, f.wait = append(f.who, 0), append(f.w, 0.999999), append(f.own, f.own[0]), append(f.sure, 0), append(f.wait, 0)
			f.namesakes = append(f.namesakes, 0)
		}
		f.by = append(f.by, members...)
		return f
	}
	for _, row := range []struct {
		name string
		f    *farm
		want bool
	}{
		{"one of five has both", hand(0.999999, pace, pace, device, device), false},
		{"one of two", hand(0.999999, pace), true},
		{"three of five do", hand(0.999999, both, both, pace, device), true},
		{"who has both hardly is a member", hand(0.6, pace), false},
	} {
		if got := row.f.coherent(); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// Two hands of one family each are not two families against somebody.
func TestSuspect_TwoHandsHoldAndDoNotVoid(t *testing.T) {
	device := member(true, [families]float64{byDevice: 3}, byDevice)
	tempo := member(true, [families]float64{byTempo: 3}, byTempo)
	if s := suspect(1, []farm{*device, *tempo})[0].score; s < 0.5 || s > unsure {
		t.Errorf("one family of each: %v", s)
	}
	both := member(true, [families]float64{byDevice: 3, byTempo: 3}, byDevice, byTempo)
	if s := suspect(1, []farm{*device, *both})[0].score; s < 0.9 {
		t.Errorf("two families of one: %v", s)
	}
}

// A rented address that few members have says nothing against whose device is none of the farm's: so come
// people through a browser's relay.
func TestHand_AnExitThatFewShareExcusesAnotherPhone(t *testing.T) {
	var ballots []Ballot
	for n := range 8 {
		e := antifraud.Evidence{Net: "exit", NetKind: antifraud.NetHosting, Device: "rack"}
		if n < 3 {
			e.Net = "relay"
		}
		ballots = append(ballots, vote(fmt.Sprint("f", n), "e", float64(n), e))
	}
	ballots = append(ballots, vote("h", "e", 9, antifraud.Evidence{Net: "home", NetKind: antifraud.NetResidential}))
	h := handOf(ballots)
	for _, row := range []struct {
		voter   int32
		device  float64
		excused float64
	}{
		{0, -0.6, 5}, {0, 0, 0}, {4, -0.6, 0}, {8, -0.6, 0},
	} {
		if got := h.excuses(row.voter, &terms{atKind: 3, atNet: 2, atDevice: row.device}, nil); got != row.excused {
			t.Errorf("voter %d with a device of %v: %v", row.voter, row.device, got)
		}
	}
}
