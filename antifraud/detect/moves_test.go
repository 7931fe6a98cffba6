package detect

import (
	"math"
	"testing"

	"github.com/joute/joute/antifraud"
)

// Whoever follows in bulk and is followed back between two ballots, or leaves all of them
// again, has a worse account than the same numbers alone say; whoever becomes known has not.
func TestTable_AccountsThatMoveTogetherAreWorse(t *testing.T) {
	profile := func(followers, following int64) antifraud.Evidence {
		return antifraud.Evidence{Profile: &antifraud.EvidenceProfile{Followers: &followers, Following: &following}}
	}
	first := profile(300, 320)
	unknown := antifraud.Evidence{Profile: &antifraud.EvidenceProfile{Followers: ms(900)}}
	for _, row := range []struct {
		name    string
		later   []antifraud.Evidence // at later ballots
		churned bool
	}{
		{"as it was", []antifraud.Evidence{profile(303, 325)}, false},
		{"follows 400 and is followed back", []antifraud.Evidence{profile(650, 720)}, true},
		{"and leaves them again", []antifraud.Evidence{profile(303, 325), profile(650, 720), profile(310, 330)}, true},
		{"unfollows in bulk", []antifraud.Evidence{profile(120, 110)}, true},
		{"becomes known", []antifraud.Evidence{profile(5000, 330)}, false},
		{"follows many who do not care", []antifraud.Evidence{profile(310, 900)}, false},
		{"one number is not told", []antifraud.Evidence{unknown}, false},
		{"no profile any more", []antifraud.Evidence{{}}, false},
		{"more than there are people", []antifraud.Evidence{profile(math.MaxInt64, math.MaxInt64)}, true},
	} {
		ballots := []Ballot{vote("alone", "e", 0, first), vote("v", "e", 1, first)}
		for n, e := range row.later {
			ballots = append(ballots, vote("v", "e", float64(10*(n+1)), e))
		}
		ballots[1], ballots[len(ballots)-1] = ballots[len(ballots)-1], ballots[1] // in any order
		_, table := tableOf(ballots...)
		want := table.account[0]
		if row.churned {
			want += churnOdds
		}
		if got := table.account[1]; !near(got, want) {
			t.Errorf("%s: %v, want %v", row.name, got, want)
		}
	}
}
