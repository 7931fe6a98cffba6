package detect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/joute/joute/internal/farmlab"
)

// Readers of a newsletter vote for the same few of many entries, within days, each with a phone
// as people have and where people live. Nothing else is of them all, though they may be quick, as
// they know whom they vote for: that they vote in step is one thing, and no crime.
func TestWhole_ReadersOfANewsletter(t *testing.T) {
	for name, haste := range map[string]float64{"at the crowd's pace": 1, "a little quick": 0.75, "quick": 0.55} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= 3; seed++ {
				a := joined(farmlab.Mix{Entries: 100, Schools: 40, Days: 20, Ballots: 4, Voters: 3000}, seed)
				pace := a.pace()
				for k := range 200 {
					voter := fmt.Sprint("reader ", k)
					e := a.person(voter)
					e.DwellMS = a.paced(haste*pace, 0.6)
					a.Labels[voter] = farmlab.Label{Group: "readers"}
					at := a.Ballots[0].At.Add(time.Duration(120+a.r.IntN(48)) * time.Hour)
					for n := range 4 {
						b := a.Ballots[0]
						b.ID, b.Voter, b.Entry, b.Evidence = fmt.Sprint(voter, "-", n), voter, a.liked(30+5*n), e
						b.At = at.Add(time.Duration(n*40+a.r.IntN(30)) * time.Second)
						a.Ballots = append(a.Ballots, b)
					}
				}
				if o := a.outcomes()["readers"]; o.void > 0 || o.share(o.held) > 0.1 {
					t.Errorf("seed %d: %+v", seed, o)
				}
			}
		})
	}
}
