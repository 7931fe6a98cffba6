package detect

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud"
)

// strayed is a crowd, a farm at e1 with as many machines and addresses, and one who
// votes for e9, by what they show; it tells whether the farm has them.
func strayed(strong bool, machines, addresses int, e antifraud.Evidence, others ...Ballot) bool {
	ballots := slices.Concat(readers(300), others)
	for v := range ballots {
		ballots[v].Evidence.Net = fmt.Sprint("home", v/2)
	}
	for n := range 40 {
		ballots = append(ballots, vote(fmt.Sprint("f", n), "e1", float64(n), antifraud.Evidence{Device: fmt.Sprint("m", n%machines), Net: fmt.Sprint("n", n%addresses)}))
	}
	h := handOf(append(ballots, vote("x", "e9", 1e6, e)))
	f := farm{strong: strong, who: slices.Clone(h.who), own: make([]terms, 40), sure: make([]float64, 40), by: make([][families]float64, 40), evidence: evidence{pool: float64(machines), addresses: float64(addresses)}}
	for range f.who {
		f.w = append(f.w, 1)
	}
	farms := []farm{f}
	h.c.strays(farms)
	x := int32(h.c.n - 1)
	in := slices.Contains(farms[0].who, x)
	if in {
		c := farms[0].confirmed[0]
		lent := farms[0].by[40][byDevice] - c.by[byDevice] + farms[0].by[40][byNetwork] - c.by[byNetwork]
		y := 40 / float64(machines) // members with the machine: a part of what it says is the stray's own
		if own := farms[0].by[40][byDevice] / (1 + y); math.Abs(farms[0].by[40][byDevice]-c.by[byDevice]-own) > 1e-9 {
			panic("what the machine says is not confirmed by who else has it")
		}
		if w := farms[0].w[40]; math.Abs(math.Log(c.w/(1-c.w))-(math.Log(w/(1-w))-lent)) > 1e-6 {
			panic("and not the probability of being a member")
		}
	}
	if in != (h.c.taken[x] > 0.5) || in && (len(farms[0].w) != 41 || len(farms[0].own) != 41 || len(farms[0].by) != 41) || len(farms[0].who) > 41 {
		panic("the farm and the crowd do not agree on who is in it")
	}
	return in
}

func TestStrays_AFarmsMachineAtAFarmsAddressIsTheFarmsAnywhere(t *testing.T) {
	both := antifraud.Evidence{Device: "m1", Net: "n1"}
	var owners []Ballot // of the same model of phone
	for n := range 60 {
		owners = append(owners, vote(fmt.Sprint("h", 500+n), "e2", float64(n), antifraud.Evidence{Device: "m1"}))
	}
	for _, row := range []struct {
		name                string
		strong              bool
		machines, addresses int
		shows               antifraud.Evidence
		others              []Ballot
		want                bool
	}{
		{"both", true, 8, 8, both, nil, true},
		{"the machine alone", true, 8, 8, antifraud.Evidence{Device: "m1", Net: "home3"}, nil, false},
		{"the address alone", true, 8, 8, antifraud.Evidence{Device: "own3", Net: "n1"}, nil, false},
		{"neither is known", true, 8, 8, antifraud.Evidence{}, nil, false},
		{"the campus' address", true, 8, 8, antifraud.Evidence{Device: "m1", Net: "n1", NetKind: antifraud.NetCampus}, nil, false},
		{"a phone that many have", true, 8, 8, both, owners, false},
		{"one machine in one home is a family's", true, 1, 1, antifraud.Evidence{Device: "m0", Net: "n0"}, nil, false},
		{"one machine through many addresses is not", true, 1, 8, antifraud.Evidence{Device: "m0", Net: "n0"}, nil, true},
		{"a farm that is held alone", false, 8, 8, both, nil, false},
	} {
		if got := strayed(row.strong, row.machines, row.addresses, row.shows, row.others...); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}
