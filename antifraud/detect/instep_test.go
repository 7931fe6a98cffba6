package detect_test

import (
	"testing"

	"github.com/joute/joute/internal/farmlab"
)

// A farm that shows no more than accounts with a past, homes that it goes through and
// entries in step is held. A fan club, which is as much in step, is not.
func TestWhole_InStepThroughAPoolOfHomes(t *testing.T) {
	for _, seed := range []uint64{7, 18, 21, 26, 27, 29} { // where addresses by themselves say too little
		w := farmlab.Make(farmlab.Mix{
			Entries: 80, Schools: 20, Days: 12, Ballots: 100, Voters: 2500,
			Members: farmlab.Members{Profiles: 0.85, NoDevice: true, NoAgent: true, NoDwell: true, NoVia: true, NoReferrer: true},
			Crowds:  []farmlab.Cohort{{Kind: "fanclub", Voters: 150}, {Kind: "fanclub", Voters: 100}},
			Farms:   []farmlab.Cohort{{Kind: "aged", Voters: 160}},
		}, seed)
		got := outcomes(func(v string) string { return w.Labels[v].Group }, whole(w.Ballots).Findings)
		if o := got["aged"]; o.share(o.void+o.held) < 0.95 {
			t.Errorf("seed %d: aged %+v", seed, o)
		}
		for group, o := range got {
			if group != "aged" && (o.void > 0 || o.share(o.held) > 0.01) {
				t.Errorf("seed %d: %s %+v", seed, group, o)
			}
		}
	}
}
