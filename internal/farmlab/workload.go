// Package farmlab is the laboratory in which detectors of farms are tried: it
// makes up contests with honest crowds and farms in them, and scores what a
// detector says of their ballots.
//
// It is pure and seeded: equal seeds give equal workloads. Its numbers are
// invented, and drawn anew for each seed, so that a detector that is good on many
// seeds is good at a mechanism and not at one file.
package farmlab

import (
	"cmp"
	"slices"

	"github.com/joute/joute/antifraud/detect"
)

// Label is the truth about a voter, which no detector sees.
type Label struct {
	Farm  bool
	Group string // a kind of crowd or of farm, or background
}

// Workload is a contest that is over, and the truth about it.
type Workload struct {
	Contest []byte          // the document, YAML
	Ballots []detect.Ballot // in the order of their time
	Labels  map[string]Label
}

// Make plays mix, and is the same for the same seed.
func Make(mix Mix, seed uint64) *Workload {
	return newWorld(mix, seed).play()
}

func (w *world) play() *Workload {
	w.on("background")
	w.background()
	for i, crowd := range w.mix.Crowds {
		w.on("crowd", crowd.Kind, i)
		w.crowd(crowd)
	}
	for i, farm := range w.mix.Farms {
		w.on("farm", farm.Kind, i)
		w.farm(farm)
	}
	w.on("members")
	w.forgetMembers()
	slices.SortStableFunc(w.ballots, func(a, b detect.Ballot) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	return &Workload{Contest: w.document(), Ballots: w.ballots, Labels: w.voted()}
}

// Placebo are labels that call a random share of the honest voters a farm, and
// leave true farms out: a detector must find of them no more than it finds of
// any honest voter. Groups are kept.
func (w *Workload) Placebo(share float64, seed uint64) map[string]Label {
	random := source(seed, "placebo")
	labels := map[string]Label{}
	seen := map[string]bool{}
	for _, b := range w.Ballots { // not over the map, whose order is another each time
		label := w.Labels[b.Voter]
		if label.Farm || seen[b.Voter] {
			continue
		}
		seen[b.Voter] = true
		label.Farm = random.Float64() < share
		labels[b.Voter] = label
	}
	return labels
}
