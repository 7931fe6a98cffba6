package detect_test

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/farmlab"
)

// A dozen phones in one flat vote the oftener the plainer: that each has a roomful of votes at
// the one address does not make rooms of them. A dormitory is people.
func TestWhole_ManyVotesOfOneFlat(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		for _, votes := range []int{60, 240, 480} {
			a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 8, Ballots: 5, Voters: 2500}, seed)
			pace := a.pace()
			at := func(home string) func(e *antifraud.Evidence) {
				return func(e *antifraud.Evidence) {
					e.Net, e.Block, e.ASN, e.NetKind = home, "block of "+home, 1, antifraud.NetResidential
				}
			}
			a.add("flat", true, votes, 1, 5*24*60, func(e *antifraud.Evidence) {
				device := a.r.IntN(12)
				at("flat")(e)
				e.Device, e.Agent = fmt.Sprint("phone ", device), fmt.Sprint("agent of phone ", device%3)
				e.DwellMS, e.ConfirmMS = a.paced(0.35*pace, 0.5), nil
			})
			a.add("dormitory", false, 240, 2, 3*24*60, at("dormitory"))
			got := a.outcomes()
			if o := got["flat"]; o.share(o.void+o.held) < 0.95 {
				t.Errorf("seed %d, %d votes: of the flat %+v", seed, votes, o)
			}
			delete(got, "flat")
			for group, o := range got {
				if o.void > 0 || o.share(o.held) > 0.01 {
					t.Errorf("seed %d, %d votes: of honest %s %+v", seed, votes, group, o)
				}
			}
		}
	}
}
