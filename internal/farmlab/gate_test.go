package farmlab_test

import (
	"testing"

	"github.com/joute/joute/internal/farmlab"
)

// gateSeeds are of this test alone. Whoever tunes a detector uses others: figures
// of seeds that were looked at prove nothing.
var gateSeeds = []uint64{0x5eed_0001, 0x5eed_0002, 0x5eed_0003}

// gated are the contests that the detector must be good at before a change is
// kept; the others are in `make eval`.
var gated = []string{"school", "one-vote", "daily", "profiles", "bare", "unknown-nets", "rivals", "cheaters", "quiet", "crowds", "finale", "hidden"}

// TestDetector_ReachesItsGoals holds the project's detector to the goals of each
// contest, with fewer people than in `make eval`: it takes half a minute.
func TestDetector_ReachesItsGoals(t *testing.T) {
	for _, name := range gated {
		t.Run(name, func(t *testing.T) {
			preset, ok := farmlab.Named(name)
			if !ok {
				t.Fatal("there is no such preset")
			}
			preset.Mix.Voters /= 2
			var runs []farmlab.Run
			var rows []farmlab.Row
			for _, seed := range gateSeeds {
				run := farmlab.Judge(farmlab.Make(preset.Mix, seed))
				rows = append(rows, farmlab.CheckPlacebo(run.Workload, run.Findings, seed))
				if row, ok := farmlab.CheckRival(run); ok {
					rows = append(rows, row)
				}
				runs = append(runs, run)
			}
			for _, row := range append(rows, farmlab.GoalsOf(preset.Mix).Check(farmlab.Pool(runs...))...) {
				if !row.OK {
					t.Errorf("%s: %s, want %s", row.Measure, row.Figure, row.Goal)
				}
			}
		})
	}
}
