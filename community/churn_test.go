package community_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/joute/joute/community"
)

func TestChurn_TellsAWaveThatComesAndGoes(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 20, 22, 30, 0, 0, time.UTC) // half past eleven at night in Paris
	now := start.Add(72 * time.Hour)
	churn := community.NewChurn(now, paris)
	add := func(kind community.Kind, fan byte, school string, after time.Duration) {
		churn.Add(community.Record{Kind: kind, Fan: community.Fan{fan}, School: school, At: start.Add(after)})
	}
	add(community.Join, 1, "lumiere", 0)                            // stays
	add(community.Join, 1, "lumiere", time.Second)                  // a record written twice
	add(community.Leave, 9, "lumiere", time.Second)                 // was never there
	add(community.Join, 2, "lumiere", time.Hour)                    // the next day
	add(community.Join, 3, "vercors", time.Hour)                    // a wave of two
	add(community.Join, 4, "vercors", time.Hour)                    //
	add(community.Leave, 3, "vercors", 2*time.Hour)                 //
	add(community.Leave, 4, "vercors", 25*time.Hour-time.Second)    // one second short of a day
	add(community.Leave, 2, "lumiere", 25*time.Hour)                // a day to the second: no wave
	add(community.Join, 3, "vercors", 71*time.Hour)                 // came back, an hour ago
	add(community.Join, 5, "vercors", 71*time.Hour)                 // and somebody new
	add(community.Leave, 5, "vercors", 71*time.Hour+30*time.Minute) // gone
	want := community.Report{
		Total: community.Movement{Joined: 6, Left: 4, Current: 2, LeftWithinDay: 3, Settled: 5},
		Schools: []community.SchoolMovement{
			{School: "lumiere", Movement: community.Movement{Joined: 2, Left: 1, Current: 1, Settled: 2}},
			{School: "vercors", Movement: community.Movement{Joined: 4, Left: 3, Current: 1, LeftWithinDay: 3, Settled: 3}},
		},
		Days: []community.Day{
			{Day: "2026-11-20", Movement: community.Movement{Joined: 1, Current: 1, Settled: 1}},
			{Day: "2026-11-21", Movement: community.Movement{Joined: 3, Left: 3, LeftWithinDay: 2, Settled: 3}},
			{Day: "2026-11-23", Movement: community.Movement{Joined: 2, Left: 1, Current: 1, LeftWithinDay: 1, Settled: 1}},
		},
	}
	if got := churn.Report(); !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	empty := community.NewChurn(now, paris).Report()
	if empty.Schools == nil || empty.Days == nil || empty.Total != (community.Movement{}) {
		t.Errorf("nobody: %+v", empty)
	}
}
