package detect_test

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// Of a farm of one vote a voter, two a device, some come by another way than the school's link. That
// they do says something for them; what their devices and addresses say, which only the farm has, it does not take back.
func TestWhole_AnotherWayDoesNotExcuseLooks(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 4000}, seed)
		pace, k := a.pace(), 0
		entries := []string{a.liked(0), a.liked(2), a.liked(4)}
		ways := []antifraud.Referrer{antifraud.ReferrerSite, antifraud.ReferrerSocial, antifraud.ReferrerDirect}
		come := func(group string, n int, byLink bool) {
			before := len(a.Ballots)
			a.add(group, true, n, 0, 8*1440, func(e *antifraud.Evidence) {
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("proxy ", k*7%60), fmt.Sprint("block ", k*7%60), uint32(k%9), antifraud.NetResidential
				e.Device, e.DwellMS = fmt.Sprint("emulator ", k%150), a.paced(pace, 0.8)
				if e.Via, e.Referrer = "the school's", antifraud.ReferrerShare; !byLink {
					e.Via, e.Referrer = "", ways[k%len(ways)]
				}
				k++
			})
			for i := range a.Ballots[before:] {
				a.Ballots[before+i].Entry = entries[i%3]
			}
		}
		come("by the link", 210, true)
		come("by others", 90, false)
		for group, o := range a.outcomes() {
			least, farm := map[string]float64{"by the link": 0.9, "by others": 0.5}[group] // of the others a seventh to a third where looks counted for less
			if farm && o.share(o.void+o.held) < least || !farm && (o.void > 0 || o.share(o.held) > 0.01) {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}
