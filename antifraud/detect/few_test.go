package detect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// among are votes for one entry of a quiet contest, one after another by these gaps and
// reading times, in seconds, from one address.
func among(w *farmlab.Workload, votes int, name string, kind antifraud.NetKind, device func(n int) string, gap, dwell func() float64) []detect.Ballot {
	ballots := append([]detect.Ballot(nil), w.Ballots...)
	like := w.Ballots[len(w.Ballots)/3]
	at := like.At
	for n := range votes {
		b := like
		b.ID, b.Voter, b.At = fmt.Sprint(name, "-", n), fmt.Sprint(name, n), at
		read := int64(dwell() * 1000)
		b.Evidence = antifraud.Evidence{Net: name, Block: name, NetKind: kind, Device: device(n), Agent: like.Evidence.Agent, Referrer: antifraud.ReferrerDirect, DwellMS: &read}
		ballots = append(ballots, b)
		at = at.Add(time.Duration(gap() * float64(time.Second)))
	}
	return ballots
}

// One person who clears the storage of a phone at home is held or void from five votes on. A few
// who share a room of machines at their school, or a home, are not.
func TestWhole_AFewVotesOfOneMachine(t *testing.T) {
	found := map[string]int{}
	const seeds = 12
	for seed := uint64(1); seed <= seeds; seed++ {
		w := farmlab.Make(farmlab.Mix{Entries: 8, Schools: 6, Days: 8, Ballots: 1, Voters: 1300}, seed)
		r := rand.New(rand.NewPCG(seed, 12))
		people := func() float64 { return 25 * math.Exp(0.7*r.NormFloat64()) } // they take their time
		program := func() float64 { return 3 * math.Exp(0.35*r.NormFloat64()) }
		steps, chance := func() float64 { return 30 + 20*r.Float64() }, func() float64 { return 300 * r.ExpFloat64() }
		one, own := func(int) string { return "machine" }, func(n int) string { return fmt.Sprint("own", n) }
		for name, ballots := range map[string][]detect.Ballot{
			"alone":     among(w, 5, "alone", antifraud.NetResidential, one, steps, program),
			"at school": among(w, 6, "at school", antifraud.NetCampus, one, steps, program),
			"room":      among(w, 8, "room", antifraud.NetCampus, one, chance, people),
			"family":    among(w, 6, "family", antifraud.NetResidential, own, chance, program),
		} {
			for _, f := range whole(ballots).Findings {
				if f.Standing != detect.Counted && f.Voter == name+"1" {
					found[name]++
				}
			}
		}
	}
	t.Logf("held or void, of %d: %v", seeds, found)
	if found["alone"] < seeds*9/10 || found["at school"] < seeds*9/10 || found["room"] > 0 || found["family"] > 0 {
		t.Errorf("held or void, of %d: %v", seeds, found)
	}
}
