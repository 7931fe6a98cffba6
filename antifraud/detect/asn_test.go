package detect_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// liked is the entry that has the nth most ballots, the first being 0.
func (a *added) liked(nth int) string {
	votes := map[string]int{}
	for _, b := range a.Ballots {
		votes[b.Entry]++
	}
	entries := slices.SortedFunc(maps.Keys(votes), func(x, y string) int { return cmp.Or(cmp.Compare(votes[y], votes[x]), cmp.Compare(x, y)) })
	return entries[nth]
}

// come lets n vote for an entry within four days, each with a phone as people have and a home of
// their own, in one of some networks; of those who vote from where everybody does there are none. By pace they read
// for as long as the crowd's middle, or a part of it.
func (a *added) come(group string, farm bool, n int, entry string, networks, blocks int, pace float64) {
	middle, before := a.pace(), len(a.Ballots)
	a.add(group, farm, n, 0, 4*1440, func(e *antifraud.Evidence) {
		network := a.r.IntN(networks)
		home := a.r.Uint64()
		e.Net, e.Block = fmt.Sprint("home ", home), fmt.Sprint("block ", network, a.r.IntN(blocks))
		e.ASN, e.NetKind = uint32(4_200_000_000+network), antifraud.NetResidential
		if e.Via, e.Referrer = "", antifraud.ReferrerDirect; a.r.Float64() < 0.9 {
			e.Via, e.Referrer = "the school's", antifraud.ReferrerShare
		}
		e.DwellMS = a.paced(pace*middle, 0.5)
	})
	for k := range a.Ballots[before:] {
		a.Ballots[before+k].Entry = entry
	}
}

// Votes that are sold in other countries: each has a phone and a home of its own, and nothing
// is shared but six networks from which nobody else votes, and their pace. It holds them.
func TestWhole_AFarmAbroad(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, seed)
		a.come("farm", true, 300, a.liked(2), 6, 5, 0.5)
		for group, o := range a.outcomes() {
			switch {
			case o.void > 0:
				t.Errorf("seed %d: %s %+v: networks are what the farm was looked for by, so one family is left", seed, group, o)
			case group == "farm" && o.share(o.held) < 0.9, group != "farm" && o.share(o.held) > 0.05:
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}

// Whom no other family tells of votes from where people vote.
func TestWhole_PeopleAbroad(t *testing.T) {
	for name, crowd := range map[string]func(a *added){
		"a school's people in six other networks, who take their time": func(a *added) { a.come("people", false, 300, a.liked(2), 6, 5, 1) },
		"a school's people in one country of two networks, in a hurry": func(a *added) { a.come("people", false, 300, a.liked(2), 2, 5, 0.5) },
		"a school in a country of its own, in a hurry":                 func(a *added) { a.come("people", false, 300, "entry abroad", 6, 5, 0.5) },
		"a country of its own for each school, beside those who vote from elsewhere; one in a hurry": func(a *added) {
			country := map[string]uint32{}
			for k := range a.Ballots {
				b := &a.Ballots[k]
				if _, known := country[b.Entry]; !known {
					country[b.Entry] = uint32(len(country))
				}
				if n := a.r.IntN(12); n < 6 {
					b.Evidence.ASN = uint32(65_000 + 100*int(country[b.Entry]) + n)
				}
			}
			a.come("people", false, 300, a.liked(2), 6, 5, 0.5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= 4; seed++ {
				a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, seed)
				crowd(a)
				if o := a.outcomes()["people"]; o.void > 0 || o.share(o.held) > 0.02 {
					t.Errorf("seed %d: %+v", seed, o)
				}
			}
		})
	}
}
