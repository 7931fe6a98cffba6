package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// A campus votes for its own, some of it by one link, where few phones show as others do; some clear
// the storage of a machine of their own and vote again, around the clock. They have the entry, the address
// and the link of very many, and there are some of these who are as quick, with a popular phone: the
// hand that begins with one machine drifts off to them. Classes at machines of one model take their time.
func TestWhole_OneMachineAmongACampus(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		a := joined(farmlab.Mix{Entries: 14, Schools: 14, Days: 30, Ballots: 3, Voters: 7000}, seed)
		for k := range a.Ballots {
			if e := &a.Ballots[k].Evidence; a.r.IntN(8) > 0 {
				e.Device = "phone of " + a.Ballots[k].Voter
			}
		}
		a.meet()
		pace, entry := a.pace(), a.liked(2)
		vote := func(group string, farm bool, n int, after, minutes float64, change func(e *antifraud.Evidence)) {
			before := len(a.Ballots)
			a.add(group, farm, n, 0, minutes, func(e *antifraud.Evidence) {
				e.Net, e.Block, e.ASN, e.NetKind = "campus", "block of the campus", 1, antifraud.NetCampus
				if e.Via, e.Referrer = "", antifraud.ReferrerSite; farm || a.r.IntN(4) == 0 {
					e.Via, e.Referrer = "the school's", antifraud.ReferrerShare
				}
				change(e)
			})
			for k := range a.Ballots[before:] {
				b := &a.Ballots[before+k]
				b.Entry, b.At = entry, b.At.Add(time.Duration(after*float64(time.Hour)))
			}
		}
		vote("campus", false, 1500, 48, 180, func(e *antifraud.Evidence) {})
		vote("viral", false, 600, 100, 240, func(e *antifraud.Evidence) {
			home := a.r.Uint64()
			e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("home ", home), fmt.Sprint("block ", home%500), uint32(home%7), antifraud.NetResidential
			e.DwellMS = a.paced(0.8*pace, 0.6)
		})
		for k := range 4 {
			vote(fmt.Sprint("class ", k, " "), false, 28, 24, 40, func(e *antifraud.Evidence) {
				e.Device, e.Agent = fmt.Sprint("room ", k), fmt.Sprint("agent of room ", k)
				e.DwellMS = a.paced([]float64{1, 1.1, 1.2, 1.5}[k]*pace, 0.4)
			})
			vote(fmt.Sprint("cheater ", k, " "), true, 20+5*k, float64(30*k), 1440, func(e *antifraud.Evidence) {
				e.Device, e.Agent = fmt.Sprint("own ", k), fmt.Sprint("agent of own ", k)
				e.DwellMS = a.paced(0.38*pace, 0.35)
			})
		}
		for group, o := range a.outcomes() {
			cheater := strings.HasPrefix(group, "cheater")
			if o.void > 0 && !cheater || cheater && o.share(o.void+o.held) < 0.7 || !cheater && o.share(o.held) > 0.02 {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}
