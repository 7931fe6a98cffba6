package farmlab

import (
	"testing"

	"github.com/joute/joute/antifraud/detect"
)

// told are findings of a detector that calls voters by what say tells of them.
func told(w *Workload, say func(Label, detect.Ballot) detect.Standing) Run {
	run := Run{Workload: w}
	for _, b := range w.Ballots {
		f := detect.Finding{Ballot: b.ID, Standing: say(w.Labels[b.Voter], b)}
		if f.Standing != detect.Counted {
			f.Score = 1
		}
		run.Findings = append(run.Findings, f)
	}
	return run
}

func missed(rows []Row) map[string]bool {
	all := map[string]bool{}
	for _, r := range rows {
		if !r.OK {
			all[r.Measure] = true
		}
	}
	return all
}

func TestCheck_TheTruthReachesEveryGoal(t *testing.T) {
	for _, p := range Presets {
		p.Mix.Voters /= 8
		run := told(Make(p.Mix, 1), func(l Label, _ detect.Ballot) detect.Standing {
			if l.Farm {
				return detect.Void
			}
			return detect.Counted
		})
		rows := GoalsOf(p.Mix).Check(Pool(run))
		rows = append(rows, CheckPlacebo(run.Workload, run.Findings, 1))
		if row, ok := CheckRival(run); ok {
			rows = append(rows, row)
		}
		if m := missed(rows); len(m) > 0 {
			t.Errorf("%s: %v", p.Name, m)
		}
	}
}

// Each wrong detector misses the goals that are there for it.
func TestCheck_FaultsMissTheirGoals(t *testing.T) {
	mix := Presets[0].Mix
	mix.Voters = 2000
	w := Make(mix, 1)
	group := func(kind string, standing detect.Standing) func(Label, detect.Ballot) detect.Standing {
		return func(l Label, _ detect.Ballot) detect.Standing {
			switch {
			case l.Group == kind:
				return standing
			case l.Farm:
				return detect.Void
			}
			return detect.Counted
		}
	}
	for name, c := range map[string]struct {
		say  func(Label, detect.Ballot) detect.Standing
		miss string
	}{
		"blind":                {func(Label, detect.Ballot) detect.Standing { return detect.Counted }, "void and held, F1"},
		"voids a campus":       {group("campus", detect.Void), "campus void"},
		"voids a viral spike":  {group("viral", detect.Void), "viral void"},
		"voids a class":        {group("computer-room", detect.Void), "computer-room void"},
		"holds the fan club":   {group("fanclub", detect.Held), "fan club void or held"},
		"holds the background": {group("background", detect.Held), "honest ballots held"},
		"spares the lone":      {group("lone", detect.Counted), "lone cheaters void or held"},
		"spares who cheats on a campus": {
			group("lone-campus", detect.Counted), "those on a campus"},
	} {
		if m := missed(Plain.Check(told(w, c.say).Figures())); !m[c.miss] {
			t.Errorf("%s: misses %v, want %q among them", name, m, c.miss)
		}
	}
	punished := told(w, func(l Label, b detect.Ballot) detect.Standing { return detect.Void })
	if row, ok := CheckRival(punished); !ok || row.OK {
		t.Errorf("who voids everything does not hurt the rival: %v", row)
	}
	// A detector that knows the labels of the placebo finds more of them than of others.
	labels := w.Placebo(0.2, 1)
	knows := told(w, func(_ Label, b detect.Ballot) detect.Standing {
		if labels[b.Voter].Farm && b.ID[0] < '4' {
			return detect.Held
		}
		return detect.Counted
	})
	if row := CheckPlacebo(w, knows.Findings, 1); row.OK {
		t.Errorf("labels that mean nothing were found: %v", row)
	}
}

func TestCheck_CleanContestsVoidNobody(t *testing.T) {
	quiet, _ := Named("quiet")
	quiet.Mix.Voters = 500
	w := Make(quiet.Mix, 1)
	one := w.Ballots[7].ID
	run := told(w, func(_ Label, b detect.Ballot) detect.Standing {
		if b.ID == one {
			return detect.Void
		}
		return detect.Counted
	})
	if m := missed(Plain.Check(run.Figures())); !m["honest ballots void"] {
		t.Errorf("one void ballot of an honest voter is not seen: %v", m)
	}
}
