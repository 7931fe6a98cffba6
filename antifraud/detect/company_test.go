package detect_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// weeks casts votes of n voters, on days of theirs, at hours that at tells; of says whom they vote for.
func (a *added) weeks(group string, farm bool, n, days int, at func() float64, of func() []string, show func(k int, e *antifraud.Evidence)) {
	first := a.Ballots[0].At.Truncate(24 * time.Hour)
	for k := range n {
		voter := fmt.Sprint(group, k)
		e := a.person(voter)
		show(k, &e)
		a.Labels[voter] = farmlab.Label{Farm: farm, Group: group}
		for _, entry := range of() {
			b := a.Ballots[0]
			b.ID, b.Voter, b.Entry, b.Evidence = fmt.Sprint(voter, " for ", entry), voter, entry, e
			b.At = first.Add(time.Duration((24*float64(1+a.r.IntN(days)) + at()) * float64(time.Hour)))
			a.Ballots = append(a.Ballots, b)
		}
	}
}

// some are each of these with that probability, of those at least so many.
func (a *added) some(these []string, p float64, least int) (found []string) {
	for len(found) < least {
		found = nil
		for _, x := range these {
			if a.r.Float64() < p {
				found = append(found, x)
			}
		}
	}
	return found
}

// A fan club votes for the same four of fifteen entries for weeks, in the evening, half of it from its campus and the
// others from where they live. Three of the four are among the five of a farm, which votes around the clock, for half as
// long, through homes that it has several times. No page tells a device, a link or a reading time. Fans have entries in
// common with the farm and nothing else: they count, and the farm is found, those of it who have a home of their own, too.
func TestWhole_FansBesideAFarmForTheSame(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 15, Schools: 15, Days: 30, Ballots: 3, Voters: 5000}, seed)
		var rank []string
		for n := range 15 {
			rank = append(rank, a.liked(n))
		}
		fans, paid := rank[5:9], rank[6:11]
		evening := func() float64 { return 19.5 + 2*a.r.NormFloat64() }
		a.weeks("fans", false, 150, 28, evening, func() []string { return a.some(fans, 0.65, 1) }, func(k int, e *antifraud.Evidence) {
			if k%2 == 0 {
				e.Net, e.Block, e.ASN, e.NetKind = "campus", "block of the campus", 1, antifraud.NetCampus
			}
		})
		a.weeks("farm", true, 200, 14, func() float64 { return 24 * a.r.Float64() }, func() []string { return a.some(paid, 0.8, 3) }, func(k int, e *antifraud.Evidence) {
			e.NetKind = antifraud.NetResidential
			if k%6 > 0 {
				home := a.r.IntN(60)
				e.Net, e.Block, e.ASN = fmt.Sprint("pool ", home), fmt.Sprint("block of pool ", home), uint32(home%5)
			}
		})
		for k := range a.Ballots {
			e := &a.Ballots[k].Evidence
			e.Device, e.Agent, e.Via, e.Referrer, e.DwellMS, e.ConfirmMS = "", "", "", "", nil, nil
		}
		slices.SortFunc(a.Ballots, func(a, b detect.Ballot) int { return a.At.Compare(b.At) })
		o := a.outcomes()
		if fans, farm := o["fans"], o["farm"]; fans.void > 0 || fans.share(fans.held) > 0.1 || farm.share(farm.void+farm.held) < 0.95 {
			t.Errorf("seed %d: fans %+v, farm %+v", seed, fans, farm)
		}
	}
}
