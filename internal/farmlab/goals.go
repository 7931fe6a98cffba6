package farmlab

import (
	"fmt"
	"math"
	"slices"

	"github.com/joute/joute/antifraud/detect"
)

// Row is one line of an evaluation: a measure, what it should be and what it is.
type Row struct {
	Measure, Goal, Figure string
	OK                    bool
}

// Goals are what a detector has to reach on a kind of contest. The zero value asks
// only that the honest are spared and the result is right.
type Goals struct {
	F1          float64 // of the voters void or held, at least
	FarmCounted float64 // share of the farms' ballots, at most
	Devices     bool    // evidence has devices: those who cheat alone can be seen
}

// The goals of a contest without profiles, and with.
var (
	Plain    = Goals{F1: 0.85, FarmCounted: 0.05, Devices: true}
	Profiled = Goals{F1: 0.93, FarmCounted: 0.05, Devices: true}
)

// GoalsOf are the goals of a mix.
func GoalsOf(m Mix) Goals {
	g := Plain
	if m.Members.Profiles > 0.5 {
		g = Profiled
	}
	if m.Members.NoDevice {
		g.Devices = false
		g.F1, g.FarmCounted = 0.90, 0.08 // with profiles: nothing else is left to go by
	}
	if onlyLone(m.Farms) {
		g.FarmCounted = 0.2 // of those on a campus three in ten may be missed
	}
	return g
}

func onlyLone(farms []Cohort) bool {
	return !slices.ContainsFunc(farms, func(f Cohort) bool { return f.Kind != "lone" && f.Kind != "lone-campus" })
}

// spared are the crowds of which no ballot may be void.
var spared = []string{"campus", "viral", "radio", "computer-room"}

// Check holds the figures of one workload against goals. Where no farm is, it
// asks that nobody is void.
func (g Goals) Check(f Figures) []Row {
	var rows []Row
	least := func(measure string, figure, goal float64) {
		rows = append(rows, Row{measure, fmt.Sprintf(">= %.3g", goal), round(figure), figure >= goal})
	}
	most := func(measure string, figure, goal float64) {
		rows = append(rows, Row{measure, fmt.Sprintf("<= %.3g", goal), round(figure), figure <= goal})
	}
	if f.farms() > 0 {
		if g.F1 > 0 {
			least("void and held, F1", f.VoidHeld.F1, g.F1)
			most("farm ballots counted", f.Result.FarmCounted, g.FarmCounted)
		}
		least("void, precision", f.Void.Precision, 0.995)
	} else {
		most("honest ballots void", f.Result.HonestVoid, 0)
	}
	most("honest ballots held", f.Result.HonestHeld, 0.01)
	for _, crowd := range spared {
		if group, ok := f.Groups[crowd]; ok {
			most(crowd+" void", group.Void, 0)
		}
	}
	if club, ok := f.Groups["fanclub"]; ok {
		most("fan club void or held", club.VoidHeld, 0.1)
	}
	if g.Devices {
		if lone, ok := f.Groups["lone"]; ok {
			least("lone cheaters void or held", lone.VoidHeld, 0.95)
		}
		if lone, ok := f.Groups["lone-campus"]; ok {
			least("those on a campus", lone.VoidHeld, 0.7)
		}
	}
	least("Kendall's tau", f.Result.Tau, 0.97)
	rows = append(rows, Row{"winner", "right", map[bool]string{true: "right", false: "wrong"}[f.Result.Winner], f.Result.Winner})
	most("calibration error", f.ECE, 0.03)
	return rows
}

// farms are how many voters were a farm's.
func (f Figures) farms() int {
	n := 0
	for _, group := range f.Groups {
		if group.Farm {
			n += group.Voters
		}
	}
	return n
}

// CheckPlacebo compares what is found of labels that mean nothing with what is
// found of the other honest voters: within chance they are the same.
func CheckPlacebo(w *Workload, findings []detect.Finding, seed uint64) Row {
	labels := w.Placebo(0.2, seed)
	honest := make([]detect.Ballot, 0, len(w.Ballots))
	for _, b := range w.Ballots {
		if _, ok := labels[b.Voter]; ok {
			honest = append(honest, b)
		}
	}
	found := map[string]bool{}
	for _, f := range findings {
		if f.Standing != detect.Counted {
			found[f.Ballot] = true
		}
	}
	called := map[string]bool{}
	for _, b := range honest {
		if found[b.ID] {
			called[b.Voter] = true
		}
	}
	n, hits := map[bool]int{}, map[bool]int{}
	for voter, label := range labels {
		n[label.Farm]++
		if called[voter] {
			hits[label.Farm]++
		}
	}
	recall, others := ratio(hits[true], n[true]), ratio(hits[false], n[false])
	// Four standard errors of the difference of two shares; a share of none counts one hit.
	p := float64(max(1, hits[true]+hits[false])) / float64(max(1, n[true]+n[false]))
	chance := 4 * math.Sqrt(p*(1-p)*(1/float64(max(1, n[true]))+1/float64(max(1, n[false]))))
	return Row{
		"placebo, recall", fmt.Sprintf("%s +- %.2g", round(others), chance), round(recall),
		math.Abs(recall-others) <= chance,
	}
}

func round(x float64) string { return fmt.Sprintf("%.4g", math.Round(x*1e4)/1e4) }

// CheckRival tells how many of the honest ballots are void for entries that a
// farm was hired for to have them thrown out. False where there is no such farm.
func CheckRival(r Run) (Row, bool) {
	hired := map[string]bool{}
	for _, b := range r.Ballots {
		if r.Labels[b.Voter].Group == "false-flag" {
			hired[b.Entry] = true
		}
	}
	void := map[string]bool{}
	for _, f := range r.Findings {
		void[f.Ballot] = f.Standing == detect.Void
	}
	lost := 0
	for _, b := range r.Ballots {
		if hired[b.Entry] && !r.Labels[b.Voter].Farm && void[b.ID] {
			lost++
		}
	}
	return Row{"rival's honest ballots void", "0", fmt.Sprint(lost), lost == 0}, len(hired) > 0
}
