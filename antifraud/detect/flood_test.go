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

// A farm is seen however much of a contest it is, by those who vote for others. A spike that
// is as much of it is not one.
func TestWhole_AFarmThatIsMostOfAContest(t *testing.T) {
	machines := func(a *added, pace float64) func(e *antifraud.Evidence) {
		return func(e *antifraud.Evidence) {
			n := a.r.IntN(40)
			e.Net, e.Block = fmt.Sprint("home ", a.r.Int64()), fmt.Sprint("block ", a.r.Int64())
			e.Device, e.Agent = fmt.Sprint("machine ", n), a.one().Agent
			e.DwellMS, e.ConfirmMS = a.paced(0.4*pace, 0.5), nil
		}
	}
	one := func(a *added, _ float64) func(e *antifraud.Evidence) {
		like := a.one()
		return func(e *antifraud.Evidence) {
			dwell := int64(900)
			e.Net, e.Block, e.ASN, e.NetKind = "flat", "block of the flat", 1, antifraud.NetResidential
			e.Device, e.Agent, e.DwellMS, e.ConfirmMS = "machine", like.Agent, &dwell, nil
		}
	}
	people := func(a *added, pace float64) func(e *antifraud.Evidence) {
		return func(e *antifraud.Evidence) {
			e.Via, e.Referrer = "the spike's", antifraud.ReferrerDirect
			e.DwellMS, e.ConfirmMS = a.paced(0.7*pace, 0.7), nil
		}
	}
	for _, row := range []struct {
		name   string
		farm   bool
		votes  int
		member func(a *added, pace float64) func(e *antifraud.Evidence)
	}{
		{"two thirds, by homes", true, 1400, machines},
		{"seven eighths, by homes", true, 5000, machines},
		{"seven eighths, of one machine", true, 5000, one},
		{"a spike of two thirds", false, 1400, people},
		{"a spike of seven eighths", false, 5000, people},
	} {
		for seed := uint64(1); seed <= 2; seed++ {
			a := joined(farmlab.Mix{Entries: 12, Schools: 12, Days: 8, Ballots: 1, Voters: 700}, seed)
			a.add("added", row.farm, row.votes, 1, 5*24*60, row.member(a, a.pace()))
			got := a.outcomes()
			if o := got["added"]; row.farm && o.share(o.void+o.held) < 0.95 {
				t.Errorf("%s, seed %d: %+v", row.name, seed, o)
			}
			for group, o := range got {
				if (group != "added" || !row.farm) && (o.void > 0 || o.share(o.held) > 0.02) {
					t.Errorf("%s, seed %d: of honest %s %+v", row.name, seed, group, o)
				}
			}
		}
	}
}
