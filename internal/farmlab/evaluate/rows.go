package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/joute/joute/internal/farmlab"
)

// goals of the workloads on real votes. The third kind is of a community, whose
// accounts show themselves; the last has nothing but accounts and networks.
var goals = []struct {
	name string
	farmlab.Goals
}{
	{"opp-plain", farmlab.Goals{F1: 0.85, FarmCounted: 0.05, Devices: true}},
	{"amz-plain", farmlab.Goals{F1: 0.90, FarmCounted: 0.05, Devices: true}},
	{"opp-profiles", farmlab.Goals{F1: 0.93, FarmCounted: 0.05, Devices: true}},
	{"amz-nodevice", farmlab.Goals{F1: 0.90, FarmCounted: 0.08}},
}

func (t *table) realVotes(folder string) error {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		fmt.Printf("workloads on real votes: left out, there is no %s\n\n", folder)
		return nil
	}
	for _, g := range goals {
		w, err := farmlab.Read(filepath.Join(folder, g.name))
		if err != nil {
			return err
		}
		t.head(g.name)
		run := farmlab.Judge(w)
		t.add(g.Check(split(run))...)
		t.add(farmlab.CheckPlacebo(w, run.Findings, 1))
		t.end()
	}
	return nil
}

// split tells those who cheat alone on the campus from those outside, as our own
// workloads do.
func split(run farmlab.Run) farmlab.Figures {
	labels := map[string]farmlab.Label{}
	for voter, label := range run.Labels {
		labels[voter] = label
	}
	for _, b := range run.Ballots {
		if label := labels[b.Voter]; label.Group == "lone" && b.Evidence.NetKind == "campus" {
			label.Group = "lone-campus"
			labels[b.Voter] = label
		}
	}
	return farmlab.Score(run.Ballots, labels, run.Findings)
}

// presets judges every preset, on all seeds together.
func (t *table) presets(what string, seeds ...uint64) {
	for _, p := range farmlab.Presets {
		var runs []farmlab.Run
		for _, seed := range seeds {
			runs = append(runs, farmlab.Judge(farmlab.Make(p.Mix, seed)))
		}
		t.head(fmt.Sprintf("farmlab %s, %s", p.Name, what))
		t.add(farmlab.GoalsOf(p.Mix).Check(farmlab.Pool(runs...))...)
		t.add(farmlab.CheckPlacebo(runs[0].Workload, runs[0].Findings, seeds[0]))
		if row, ok := rival(runs); ok {
			t.add(row)
		}
		t.end()
	}
}

// rival is the worst of the runs.
func rival(runs []farmlab.Run) (worst farmlab.Row, any bool) {
	for _, run := range runs {
		row, ok := farmlab.CheckRival(run)
		if ok && (!any || !row.OK) {
			worst, any = row, true
		}
	}
	return worst, any
}
