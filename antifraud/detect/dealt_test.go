package detect_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// inOrder puts what was added where it belongs.
func (a *added) inOrder() {
	slices.SortFunc(a.Ballots, func(a, b detect.Ballot) int { return a.At.Compare(b.At) })
}

// A farm draws a new device for each vote, all with one browser, and votes around the clock through homes that it has a few times,
// mostly by the school's link, for an entry that few like. It is found beside an office of 250 behind a data centre, whose machines are of five kinds,
// so that they look more like a farm's than its own, and who vote for the same entries as everybody. The office is left alone.
func TestWhole_AFarmBesideAnOfficeThatLooksWorse(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 2500}, seed)
		pace := a.pace()
		paid, liked := a.liked(9), []string{a.liked(0), a.liked(1), a.liked(2), a.liked(3)}
		a.weeks("office", false, 250, 2, func() float64 { return 8 + 9*a.r.Float64() }, func() []string { return []string{liked[a.r.IntN(4)]} },
			func(_ int, e *antifraud.Evidence) {
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("exit", a.r.IntN(2)), "exits", 7, antifraud.NetHosting
				e.Device, e.Agent = fmt.Sprint("image", a.r.IntN(5)), a.people[1].Agent
				e.Via, e.Referrer = "", antifraud.ReferrerDirect
			})
		a.weeks("farm", true, 350, 6, func() float64 { return 24 * a.r.Float64() }, func() []string { return []string{paid} },
			func(k int, e *antifraud.Evidence) {
				home := a.r.IntN(330)
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("pool", home), fmt.Sprint("block of pool", home), uint32(home%5), antifraud.NetResidential
				e.Device, e.Agent = fmt.Sprint("made up ", k), a.people[0].Agent
				if e.Via, e.Referrer = "", antifraud.ReferrerSearch; a.r.Float64() < 0.75 {
					e.Via, e.Referrer = "the school's", antifraud.ReferrerShare
				}
				e.DwellMS = a.paced(0.8*pace, 0.7)
			})
		a.inOrder()
		o := a.outcomes()
		if farm, office := o["farm"], o["office"]; farm.share(farm.held+farm.void) < 0.9 || office.held+office.void > 0 {
			t.Errorf("seed %d: farm %+v, office %+v", seed, farm, office)
		}
	}
}

// A farm has two devices, which nobody else has, and deals them out over three addresses; at people's pace it votes for the same
// three entries, which few like. It is held. A class with two kinds of tablets, one in each room, is not, nor are friends who vote for the
// same three, each at home, with a phone that many have.
func TestWhole_TwoDevicesDealtOutOverThreeAddresses(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 40, Schools: 40, Days: 20, Ballots: 5, Voters: 3500}, seed)
		day := func() float64 { return 8 + 12*a.r.Float64() }
		few := func(nth int) func() []string {
			these := []string{a.liked(nth), a.liked(nth + 1), a.liked(nth + 2)}
			return func() []string { return a.some(these, 0.85, 1) }
		}
		at := func(name string, device, net func(k int) int) func(k int, e *antifraud.Evidence) {
			return func(k int, e *antifraud.Evidence) {
				n := net(k)
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint(name, n), fmt.Sprint("block of ", name, n), 7, antifraud.NetResidential
				if device != nil {
					e.Device, e.Agent = fmt.Sprint("device of ", name, device(k)), a.people[1].Agent
				}
			}
		}
		drawn := func(n int) func(int) int { return func(int) int { return a.r.IntN(n) } }
		a.weeks("farm", true, 70, 18, day, few(30), at("farm", drawn(2), drawn(3)))
		a.weeks("class", false, 70, 1, func() float64 { return 10 + a.r.Float64() }, few(20), at("class", func(k int) int { return k % 2 }, func(k int) int { return k % 2 }))
		a.weeks("friends", false, 50, 18, day, few(25), at("home", nil, func(k int) int { return k }))
		a.inOrder()
		o := a.outcomes()
		if farm := o["farm"]; farm.share(farm.held) < 0.9 || farm.void > 0 {
			t.Errorf("seed %d: farm %+v", seed, farm)
		}
		for _, group := range []string{"class", "friends"} {
			if found := o[group]; found.void+found.held > 0 {
				t.Errorf("seed %d: %s %+v", seed, group, found)
			}
		}
	}
}

// Eight phones as people have them vote hundreds of times for one entry, at people's pace, through three homes: held. As many
// of their owners, each at home, are not, nor are five rooms of machines that a school has behind its two ways out.
func TestWhole_EightPhonesInThreeHomes(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3500}, seed)
		var phones []antifraud.Evidence
		for _, e := range a.people {
			if n := a.users[e.Device]; n >= 4 && n <= 30 && !slices.ContainsFunc(phones, func(p antifraud.Evidence) bool { return p.Device == e.Device }) && len(phones) < 8 {
				phones = append(phones, e)
			}
		}
		paid, school, others := []string{a.liked(9)}, []string{a.liked(5)}, []string{a.liked(0), a.liked(1), a.liked(2), a.liked(6)}
		with := func(name string, net func(k int) int) func(k int, e *antifraud.Evidence) {
			return func(k int, e *antifraud.Evidence) {
				n, phone := net(k), phones[a.r.IntN(len(phones))]
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint(name, n), fmt.Sprint("block of ", name, n), 7, antifraud.NetResidential
				e.Device, e.Agent = phone.Device, phone.Agent
			}
		}
		a.weeks("farm", true, 300, 10, func() float64 { return 24 * a.r.Float64() }, func() []string { return paid }, with("farm", func(int) int { return a.r.IntN(3) }))
		a.weeks("owners", false, 24, 10, func() float64 { return 9 + 12*a.r.Float64() }, func() []string { return []string{others[a.r.IntN(4)]} }, with("home", func(k int) int { return k }))
		a.weeks("rooms", false, 150, 1, func() float64 { return 10 + 2*a.r.Float64() }, func() []string { return school }, func(k int, e *antifraud.Evidence) {
			e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("exit", k%2), "exits", 8, antifraud.NetResidential
			e.Device, e.Agent = fmt.Sprint("room", k%5), a.people[1].Agent
		})
		a.inOrder()
		o := a.outcomes()
		if farm := o["farm"]; farm.share(farm.held) < 0.9 || farm.void > 0 {
			t.Errorf("seed %d: farm %+v", seed, farm)
		}
		for _, group := range []string{"owners", "rooms"} {
			if found := o[group]; found.void > 0 || found.held > 2 {
				t.Errorf("seed %d: %s %+v", seed, group, found)
			}
		}
	}
}

// Three hundred accounts, of which some are bad, vote for one entry, once each, by day, through forty addresses; no page tells anything.
// They are held. Forty offices with accounts as people have them vote for theirs, and are not.
func TestWhole_APoolOfAddressesWithSomewhatBadAccounts(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 400, Schools: 400, Days: 20, Ballots: 5, Voters: 4000, Members: farmlab.Members{Profiles: 0.85}}, seed)
		day, paid, liked := func() float64 { return 7 + 13*a.r.Float64() }, []string{a.liked(150)}, []string{a.liked(120)}
		through := func(name string, bad float64) func(k int, e *antifraud.Evidence) {
			return func(_ int, e *antifraud.Evidence) {
				if a.r.Float64() < bad {
					minted(a.r, e)
				}
				n := a.r.IntN(40)
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint(name, n), fmt.Sprint("block of ", name, n), uint32(n%6), antifraud.NetResidential
			}
		}
		a.weeks("offices", false, 300, 15, day, func() []string { return liked }, through("office", 0))
		a.weeks("farm", true, 300, 15, day, func() []string { return paid }, through("pool", 0.3))
		for k := range a.Ballots {
			e := &a.Ballots[k].Evidence
			e.Device, e.Agent, e.Via, e.Referrer, e.DwellMS, e.ConfirmMS = "", "", "", "", nil, nil
		}
		a.inOrder()
		o := a.outcomes()
		if farm, offices := o["farm"], o["offices"]; farm.share(farm.held) < 0.9 || farm.void > 0 || offices.held+offices.void > 0 {
			t.Errorf("seed %d: farm %+v, offices %+v", seed, farm, offices)
		}
	}
}
