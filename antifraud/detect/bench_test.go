package detect_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// long is a contest of at least so many ballots, a fiftieth of them farms'.
var long = sync.OnceValue(func() []detect.Ballot {
	mix := farmlab.Mix{
		Entries: 300, Schools: 100, Days: 30, Ballots: 5, Voters: 140_000,
		Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 2000}, {Kind: "viral", Voters: 3000}},
		Farms:  []farmlab.Cohort{{Kind: "burst", Voters: 600}, {Kind: "proxies", Voters: 600}, {Kind: "drip", Voters: 600}},
	}
	return farmlab.Make(mix, 1).Ballots
})

func BenchmarkWhole(b *testing.B) {
	all := long()
	ballots := spread(all, 20_000)
	for b.Loop() {
		d := detect.New(detect.Options{})
		d.Add(ballots...)
		d.Whole()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(ballots)), "us/ballot")
}

// BenchmarkRun is a minute of 200 ballots, after so many: what a run looks at must
// not grow with the contest.
func BenchmarkRun(b *testing.B) {
	const minute = 200
	all := long()
	for _, before := range []int{50_000, 200_000} {
		b.Run(fmt.Sprint(before), func(b *testing.B) {
			if len(all) < before+before/5 {
				b.Fatalf("there are %d ballots", len(all))
			}
			ballots := all[len(all)-before-before/5:]
			d, next := detect.New(detect.Options{}), before
			d.Add(ballots[:before]...)
			d.Run()
			looked := 0
			for b.Loop() {
				if next+minute > len(ballots) {
					b.Fatal("more minutes than there are ballots for: a fewer with -benchtime 5x")
				}
				d.Add(ballots[next : next+minute]...)
				next += minute
				looked += d.Costs()
				d.Run()
			}
			b.ReportMetric(float64(looked)/float64(b.N), "ballots/run")
		})
	}
}

// spread are so many of the ballots, from all of their time.
func spread(ballots []detect.Ballot, n int) []detect.Ballot {
	var some []detect.Ballot
	for i := range n {
		some = append(some, ballots[i*len(ballots)/n])
	}
	return slices.Clip(some)
}
