package detect_test

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// A program may give each of its devices an address or two of its own: so does an office, and
// reads like people.
func TestWhole_AProgramKeepsItsDevicesToItsAddresses(t *testing.T) {
	for _, devices := range []int{30, 12, 6} {
		for seed := uint64(1); seed <= 3; seed++ {
			a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 12, Ballots: 1, Voters: 3000}, seed)
			pace, k := a.pace(), 0
			a.add("farm", true, 200, 3, 120, func(e *antifraud.Evidence) {
				e.Net, e.Block, e.ASN, e.NetKind = fmt.Sprint("rented ", k%12), "rented block", 1, antifraud.NetHosting
				e.Device, e.Agent = fmt.Sprint("rack ", k%devices), fmt.Sprint("agent of rack ", k%4)
				e.DwellMS = a.paced(0.3*pace, 0.1)
				k++
			})
			for group, o := range a.outcomes() {
				if group == "farm" && o.share(o.void) < 0.9 || group != "farm" && (o.void > 0 || o.share(o.held) > 0.01) {
					t.Errorf("%d devices, seed %d: %s %+v", devices, seed, group, o)
				}
			}
		}
	}
}
