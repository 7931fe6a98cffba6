package detect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// live adds homes of two to five people who vote for an entry at one computer one after
// another, each for minutes. change makes them others.
func (a *added) live(group string, farm bool, homes int, entry func() string, change func(home int, e *antifraud.Evidence)) {
	for home := range homes {
		before := len(a.Ballots)
		phone := a.person(fmt.Sprint(group, home))
		a.add(fmt.Sprint(group, home, " "), farm, 2+a.r.IntN(4), 0, 1, func(e *antifraud.Evidence) {
			e.Device, e.Agent = phone.Device, phone.Agent
			e.Net, e.Block, e.NetKind = fmt.Sprint(group, "home ", home), fmt.Sprint(group, "street ", home), antifraud.NetResidential
			change(home, e)
		})
		at, to := a.Ballots[0].At.Add(time.Duration(a.r.IntN(9*24*60))*time.Minute), entry()
		for k := before; k < len(a.Ballots); k++ {
			a.Ballots[k].At, a.Ballots[k].Entry = at, to
			at = at.Add(time.Duration(60+a.r.IntN(600)) * time.Second)
			a.Labels[a.Ballots[k].Voter] = farmlab.Label{Farm: farm, Group: group}
		}
	}
}

// Families vote at the one computer of their home within minutes, mostly for the same. That they
// share it and its address is one thing, of each home by itself: neither beside no farm, nor where all
// these homes are for one entry, are they one hand.
func TestWhole_FamiliesAtTheirComputers(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		for _, one := range []bool{false, true} {
			a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 2000}, seed)
			entry := func() string { return a.Ballots[a.r.IntN(1000)].Entry }
			if one {
				entry = func() string { return a.liked(3) }
			}
			a.live("family", false, 150, entry, func(home int, e *antifraud.Evidence) {
				if home%2 == 0 { // a phone as people have, else a computer of their own
					e.Device = fmt.Sprint("computer ", home)
				}
			})
			for group, o := range a.outcomes() {
				if o.void > 0 || o.share(o.held) > 0.01 {
					t.Errorf("seed %d, for one entry %v: %s %+v", seed, one, group, o)
				}
			}
		}
	}
}

// Of a farm a device and an address are not one thing, or its pace tells it from families: it
// deals few votes of each device out over some addresses, or is in a hurry at each of its homes.
func TestWhole_AFarmWithAFewVotesADeviceIsNoFamilies(t *testing.T) {
	for name, change := range map[string]func(a *added, pace float64) func(home int, e *antifraud.Evidence){
		"dealt out": func(a *added, _ float64) func(home int, e *antifraud.Evidence) {
			return func(home int, e *antifraud.Evidence) {
				e.Device = fmt.Sprint("phone ", home)
				exit := a.r.IntN(60)
				e.Net, e.Block = fmt.Sprint("exit ", exit), fmt.Sprint("exits ", exit)
			}
		},
		"in a hurry": func(a *added, pace float64) func(home int, e *antifraud.Evidence) {
			return func(home int, e *antifraud.Evidence) {
				e.Device = fmt.Sprint("phone ", home)
				e.DwellMS = a.paced(0.3*pace, 0.5)
			}
		},
	} {
		for seed := uint64(1); seed <= 3; seed++ {
			a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 2000}, seed)
			a.live("farm", true, 100, func() string { return a.liked(3) }, change(a, a.pace()))
			for group, o := range a.outcomes() {
				if group == "farm" && o.share(o.void+o.held) < 0.75 || group != "farm" && (o.void > 0 || o.share(o.held) > 0.01) {
					t.Errorf("%s, seed %d: %s %+v", name, seed, group, o)
				}
			}
		}
	}
}
