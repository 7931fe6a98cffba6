package farmlab

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud/detect"
)

// oracle is told which voters make up each farm, and judges every voter by what
// the others of that farm and the honest have in common: how far a detector could
// get that had found the farms. It is naive Bayes, the voter left out.
type oracle struct {
	cohort map[string]string             // of a voter: the farm, or ""
	traits map[string]map[trait]bool     // of a voter
	size   map[string]int                // of a cohort
	votes  map[string]map[trait]int      // of a cohort: voters with a trait
	novel  map[string]map[string]float64 // of a cohort: share of voters whose trait of a kind is nobody else's there
}

type trait struct{ kind, value string }

func newOracle(w *Workload) *oracle {
	o := &oracle{map[string]string{}, map[string]map[trait]bool{}, map[string]int{}, map[string]map[trait]int{}, map[string]map[string]float64{}}
	for _, b := range w.Ballots {
		label := w.Labels[b.Voter]
		cohort := ""
		if label.Farm {
			cohort = label.Group
		}
		if o.traits[b.Voter] == nil {
			o.traits[b.Voter], o.cohort[b.Voter] = map[trait]bool{}, cohort
			o.size[cohort]++
		}
		if o.votes[cohort] == nil {
			o.votes[cohort], o.novel[cohort] = map[trait]int{}, map[string]float64{}
		}
		for _, t := range traitsOf(b) {
			if !o.traits[b.Voter][t] {
				o.traits[b.Voter][t] = true
				o.votes[cohort][t]++
			}
		}
	}
	for cohort, votes := range o.votes {
		for t, n := range votes {
			if n == 1 { // Good and Turing: what was met once is like what was never met
				o.novel[cohort][t.kind] += 1 / float64(o.size[cohort])
			}
		}
	}
	return o
}

func traitsOf(b detect.Ballot) []trait {
	e := b.Evidence
	all := []trait{
		{"device", e.Device}, {"agent", e.Agent}, {"net", e.Net}, {"block", e.Block}, {"via", e.Via}, {"referrer", string(e.Referrer)},
		{"entry", b.Entry}, {"hours", b.At.Truncate(3 * time.Hour).String()}, {"dwell", ""},
	}
	if e.DwellMS != nil {
		all[len(all)-1].value = fmt.Sprint(int(3 * math.Log(float64(*e.DwellMS)+1)))
	}
	if p := e.Profile; p != nil {
		all = append(all, trait{"profile", fmt.Sprint(int(math.Log1p(float64(*p.Followers))), int(math.Log1p(float64(*p.Following))), *p.Posts > 3, *p.HasBio)})
	}
	return all
}

// logOdds is how much more a voter is like a farm than like the honest.
func (o *oracle) logOdds(voter, farm string) float64 {
	in, honest := 0, 0 // who is left out of which counts
	switch o.cohort[voter] {
	case farm:
		in = 1
	case "":
		honest = 1
	}
	size, people := float64(o.size[farm]-in+1), float64(o.size[""]-honest+1)
	sums, n := map[string]float64{}, map[string]int{}
	for t := range o.traits[voter] {
		there, elsewhere := float64(o.votes[farm][t]-in), float64(o.votes[""][t]-honest)
		fresh := math.Max(0.5/size, o.novel[farm][t.kind])
		freshElsewhere := math.Max(0.5/people, o.novel[""][t.kind])
		p := elsewhere / people
		if elsewhere == 0 {
			p = freshElsewhere / people
		}
		gain := math.Log((0.95*there/size + math.Min(1, math.Max(0.05, fresh))*p) / p)
		if there == 0 && elsewhere == 0 {
			gain = math.Log(fresh / freshElsewhere)
		}
		sums[t.kind] += gain
		n[t.kind]++
	}
	sum := math.Log(float64(o.size[farm]) / float64(o.size[""]))
	for kind, gain := range sums {
		sum += max(-4, min(6, gain/float64(n[kind])))
	}
	return sum
}

func (o *oracle) f1() float64 {
	right, called, farms := 0, 0, 0
	for voter, cohort := range o.cohort {
		best := math.Inf(-1)
		for farm := range o.size {
			if farm != "" {
				best = max(best, o.logOdds(voter, farm))
			}
		}
		if cohort != "" {
			farms++
		}
		if best > 0 {
			called++
			if cohort != "" {
				right++
			}
		}
	}
	return 2 * float64(right) / float64(max(1, called+farms))
}

// A goal that nobody could reach would be a fault of the generators.
func TestOracle_GoalsCanBeReached(t *testing.T) {
	for _, p := range Presets {
		if len(p.Mix.Farms) == 0 {
			continue
		}
		p.Mix.Voters /= 4
		f1 := newOracle(Make(p.Mix, 1)).f1()
		t.Logf("%s: F1 %.3f", p.Name, f1)
		if goal := GoalsOf(p.Mix).F1; f1 < (1+goal)/2 {
			t.Errorf("%s: who is told the farms reaches an F1 of %.3f, and the goal is %.2f", p.Name, f1, goal)
		}
	}
}

func TestOracle_OnRealVotes(t *testing.T) {
	folders, _ := filepath.Glob(filepath.Join(shared, "workloads", "*"))
	if len(folders) == 0 {
		t.Skip("no workloads on real votes here")
	}
	for _, folder := range folders {
		w, err := Read(folder)
		if err != nil {
			t.Fatal(err)
		}
		f1 := newOracle(w).f1()
		t.Logf("%s: F1 %.3f", strings.TrimPrefix(folder, shared), f1)
		if f1 < 0.9 {
			t.Errorf("%s: who is told the farms reaches an F1 of %.3f alone", folder, f1)
		}
	}
}
