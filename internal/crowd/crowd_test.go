package crowd

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/joute/joute/contest"
)

const document = `{
	"id": "c", "title": "C",
	"phases": {"voting": {"opens": "2026-01-01T00:00:00Z", "closes": "2036-01-01T00:00:00Z"}},
	"schools": [{"id": "big", "name": "Big", "students": 20000}, {"id": "small", "name": "Small", "students": 2000}, {"id": "empty", "name": "No entry"}],
	"entries": [
		{"id": "big-1", "school": "big", "title": "B1"}, {"id": "big-2", "school": "big", "title": "B2"},
		{"id": "small-1", "school": "small", "title": "S1"}, {"id": "gone", "school": "small", "title": "Hidden", "hidden": true}]
}`

const step = 100 * time.Millisecond

// come lets so much time pass and returns who came in each second.
func come(t *testing.T, rate float64, seed uint64, seconds int) [][]Visitor {
	t.Helper()
	c, err := contest.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	people := New(c, rate, seed)
	came := make([][]Visitor, seconds)
	for s := range came {
		for range int(time.Second / step) {
			came[s] = append(came[s], people.Step(step)...)
		}
	}
	return came
}

func TestCrowd_IsTheSameForTheSameSeed(t *testing.T) {
	first := come(t, 20, 7, 30)
	if !reflect.DeepEqual(first, come(t, 20, 7, 30)) {
		t.Error("the same seed brought another crowd")
	}
	if reflect.DeepEqual(first, come(t, 20, 8, 30)) {
		t.Error("another seed brought the same crowd")
	}
}

func TestCrowd_ComesInWavesAtAboutTheRate(t *testing.T) {
	const rate, seconds = 50, 1200
	var bySecond []int
	total := 0
	for _, visitors := range come(t, rate, 1, seconds) {
		bySecond = append(bySecond, len(visitors))
		total += len(visitors)
	}
	if mean := float64(total) / seconds; mean < rate/2 || mean > rate*2 {
		t.Errorf("%.1f came a second, asked for %d", mean, rate)
	}
	slices.Sort(bySecond)
	median, busy := bySecond[seconds/2], bySecond[seconds*99/100]
	// Independent visitors at a steady rate would stay below median + 3 * sqrt(median).
	if busy < 2*median {
		t.Errorf("no waves: %d came in a usual second, %d in a busy one", median, busy)
	}
}

func TestCrowd_VotesForItsOwnSchoolMostly(t *testing.T) {
	votes, own, total := map[string]int{}, 0, 0
	for _, visitors := range come(t, 50, 1, 300) {
		for _, v := range visitors {
			votes[v.Entry]++
			total++
			if v.Entry == v.School+"-1" || v.Entry == v.School+"-2" {
				own++
			}
			if _, err := netip.ParseAddr(v.Address); err != nil {
				t.Fatalf("address %q: %v", v.Address, err)
			}
			if !v.Client.Referrer.Known() || *v.Client.DwellMS <= 0 || *v.Client.ConfirmMS <= 0 || v.Agent == "" {
				t.Fatalf("not what a page sees: %+v", v)
			}
		}
	}
	if share := float64(own) / float64(total); share < 0.8 || share > 0.98 {
		t.Errorf("%.0f%% voted for their own school", 100*share)
	}
	if votes["gone"] > 0 || votes["big-1"] == 0 || votes["big-2"] == 0 || votes["small-1"] == 0 || len(votes) != 3 {
		t.Errorf("votes %v", votes)
	}
}
