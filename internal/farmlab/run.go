package farmlab

import "github.com/joute/joute/antifraud/detect"

// Run is a workload that was judged.
type Run struct {
	*Workload
	Findings []detect.Finding
}

// Judge lets the project's own detector look at a workload, whole.
func Judge(w *Workload) Run {
	d := detect.New(detect.Options{})
	d.Add(w.Ballots...)
	return Run{w, d.Whole().Findings}
}

// Figures are those of one run.
func (r Run) Figures() Figures { return Score(r.Ballots, r.Labels, r.Findings) }

// Pool is the figures of several runs, as of one: a group that is small in each
// can be judged in all together. Tau is the mean; the winner is right when each is.
func Pool(runs ...Run) Figures {
	all := Run{Workload: &Workload{Labels: map[string]Label{}}}
	tau, winner := 0.0, true
	for _, r := range runs {
		for voter, label := range r.Labels { // names are long and random: no two workloads share one
			all.Labels[voter] = label
		}
		all.Ballots = append(all.Ballots, r.Ballots...)
		all.Findings = append(all.Findings, r.Findings...)
		one := r.Figures().Result
		tau, winner = tau+one.Tau/float64(len(runs)), winner && one.Winner
	}
	f := all.Figures()
	f.Result.Tau, f.Result.Winner = tau, winner
	return f
}
