package sweep

import (
	"fmt"
	"testing"
	"time"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/voting"
)

// blind finds nothing, and costs nothing: what is left is the judge's own cost.
type blind struct{ since int }

func (b *blind) Add(ballots ...detect.Ballot) { b.since += len(ballots) }
func (b *blind) Run() detect.Report           { return detect.Report{} }
func (b *blind) Whole() detect.Report         { return detect.Report{} }

// BenchmarkSweep is a minute with 1,000 ballots, of a contest that has so many
// already: it must cost the same.
func BenchmarkSweep(b *testing.B) {
	for _, before := range []int{0, 100_000, 400_000} {
		b.Run(fmt.Sprint(before), func(b *testing.B) {
			j, at := NewJudge(day, &blind{}), int64(0)
			minute := func(n int) {
				for range n {
					at++
					ballot := ballotNamed(fmt.Sprint(at))
					j.Read(voting.Record{
						Position: voting.Position{Millis: noon.UnixMilli() + at, Offset: at}, Kind: voting.KindCast, Voter: ballot.Voter, Ballot: ballot.ID,
						Entry: "n-1", School: "north", Standing: voting.Counted, Actor: voting.ActorVoter,
					}, "device", detect.Ballot{}.Evidence)
				}
				if _, err := j.Sweep(noon.Add(time.Hour), false); err != nil {
					b.Fatal(err)
				}
			}
			minute(before)
			for b.Loop() {
				minute(1000)
			}
		})
	}
}
