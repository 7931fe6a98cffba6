package detect_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// A burst goes through twelve rented addresses, from which nobody else votes, for three of the most popular entries: each
// voter for one to three of them, which many people do, too. No page tells a device, a link or a reading time. It is held. Who
// votes for the one entry of their school, through as many addresses of a security service, is not.
func TestWhole_ABurstOfRentedMachinesForPopularEntries(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 15, Schools: 15, Days: 30, Ballots: 3, Voters: 5000}, seed)
		paid, school := []string{a.liked(0), a.liked(2), a.liked(4)}, []string{a.liked(6)}
		at := func() float64 { return 14 + 2*a.r.Float64() }
		through := func(name string) func(k int, e *antifraud.Evidence) {
			return func(_ int, e *antifraud.Evidence) {
				host := a.r.IntN(12)
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint(name, host), fmt.Sprint("block of ", name, host/4), 7, antifraud.NetHosting
			}
		}
		a.weeks("burst", true, 200, 1, at, func() []string { return a.some(paid, 0.6, 1) }, through("host"))
		a.weeks("school", false, 200, 1, at, func() []string { return school }, through("exit"))
		for k := range a.Ballots {
			e := &a.Ballots[k].Evidence
			e.Device, e.Agent, e.Via, e.Referrer, e.DwellMS, e.ConfirmMS = "", "", "", "", nil, nil
		}
		slices.SortFunc(a.Ballots, func(a, b detect.Ballot) int { return a.At.Compare(b.At) })
		o := a.outcomes()
		if burst, school := o["burst"], o["school"]; burst.share(burst.held+burst.void) < 0.95 || school.void > 0 || school.share(school.held) > 0.02 {
			t.Errorf("seed %d: burst %+v, school %+v", seed, burst, school)
		}
	}
}

// A farm votes for three of the most popular entries, on days and at hours of many, through the homes of a few dozen people, each of
// which it has several times, and is a little quick. That is some of three things: by none of them it would be held.
// Most of it is; people who vote for the same and are as quick, each at home, are not, nor are families at the crowd's pace.
func TestWhole_AFarmOfHomesForPopularEntriesThatIsALittleQuick(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		for _, farm := range []int{200, 0} {
			a := joined(farmlab.Mix{Entries: 15, Schools: 15, Days: 30, Ballots: 3, Voters: 5000}, seed)
			pace := a.pace()
			paid := []string{a.liked(0), a.liked(2), a.liked(4)}
			day := func() float64 { return 8 + 14*a.r.Float64() }
			at := func(name string, quick float64, home func(k int) int) func(k int, e *antifraud.Evidence) {
				return func(k int, e *antifraud.Evidence) {
					n := home(k)
					e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint(name, n), fmt.Sprint("block of ", name, n), uint32(n%5), antifraud.NetResidential
					e.DwellMS = a.paced(quick*pace, 0.6)
				}
			}
			all := func() []string { return a.some(paid, 0.7, 1) }
			a.weeks("farm", true, farm, 25, day, all, at("pool", 0.6, func(int) int { return a.r.IntN(36) }))
			a.weeks("quick", false, 100-farm/2, 25, day, all, at("own", 0.6, func(k int) int { return k }))
			a.weeks("families", false, 90-farm*9/20, 25, day, all, at("family", 1, func(k int) int { return k / 3 }))
			for k := range a.Ballots {
				e := &a.Ballots[k].Evidence
				e.Device, e.Agent, e.Via, e.Referrer, e.ConfirmMS = "", "", "", "", nil
			}
			slices.SortFunc(a.Ballots, func(a, b detect.Ballot) int { return a.At.Compare(b.At) })
			o := a.outcomes()
			if found := o["farm"]; farm > 0 && found.share(found.held) < 0.6 || found.void > 0 {
				t.Errorf("seed %d: farm %+v", seed, found)
			}
			for _, group := range []string{"quick", "families"} {
				if found := o[group]; found.void > 0 || found.held > 0 {
					t.Errorf("seed %d: %s %+v", seed, group, found)
				}
			}
		}
	}
}
