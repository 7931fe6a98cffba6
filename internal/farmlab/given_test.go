package farmlab_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/farmlab"
)

// A contest that is there already is played from its opening to its close, by the clocks
// of those who vote in it.
func TestMake_PlaysTheHoursOfAGivenContest(t *testing.T) {
	const voters = 300
	play := func(opens, closes string) (*contest.Contest, *farmlab.Workload) {
		c, err := contest.Parse(fmt.Appendf(nil, `id: evening
title: Evening
timezone: Pacific/Auckland
phases:
  voting: {opens: %s, closes: %s}
schools: [{id: a, name: A}, {id: b, name: B}]
entries: [{id: a-1, school: a, title: A1}, {id: b-1, school: b, title: B1}]
`, opens, closes))
		if err != nil {
			t.Fatal(err)
		}
		return c, farmlab.Make(farmlab.Mix{Of: c, Voters: voters, Farms: []farmlab.Cohort{{Kind: "burst", Voters: 40}}}, 5)
	}
	for _, closes := range []string{"2026-06-01T06:00:07Z", "2026-06-01T06:20:00Z", "2026-06-01T09:00:00Z", "2026-06-02T07:00:00Z", "2026-06-11T06:30:00Z"} {
		c, w := play("2026-06-01T06:00:00Z", closes)
		came := map[bool]map[string]bool{false: {}, true: {}} // by whether it is a farm's
		for _, b := range w.Ballots {
			if !c.Phases.Voting.Contains(b.At) || b.At.Location() != time.UTC {
				t.Fatalf("until %s: a ballot at %v", closes, b.At)
			}
			came[w.Labels[b.Voter].Farm][b.Voter] = true
		}
		if len(came[false]) != voters || len(came[true]) != 40 {
			t.Errorf("until %s: %d of %d voters come, and %d of a farm's 40", closes, len(came[false]), voters, len(came[true]))
		}
	}

	// Its night, from one to six, is the afternoon of UTC.
	c, w := play("2026-06-01T00:00:00Z", "2026-06-15T00:00:00Z")
	asleep, honest := 0, 0
	for _, b := range w.Ballots {
		if w.Labels[b.Voter].Farm {
			continue
		}
		honest++
		if hour := b.At.In(c.Location()).Hour(); hour >= 1 && hour < 6 {
			asleep++
		}
	}
	if asleep*12 > honest { // a fifth, were it day
		t.Errorf("%d of %d honest ballots are of the night", asleep, honest)
	}
}
