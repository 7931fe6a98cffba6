package detect

import (
	"fmt"
	"testing"

	"github.com/joute/joute/antifraud"
)

// Whose votes are for what a farm is for, too, have to gain more by being apart from it: its own members' are.
func TestCompany_WhoVotesForNothingOfTheFarmsIsApartForLess(t *testing.T) {
	for same, want := range map[int]float64{0: eachOfOthers, 3: eachOfOthers, 4: eachApart, 10: eachApart} {
		var ballots []Ballot
		for k := range 10 {
			for n := range 3 {
				ballots = append(ballots, vote(fmt.Sprint("farm", k), fmt.Sprint("paid", n), float64(k), antifraud.Evidence{}))
				entry := fmt.Sprint("liked", n)
				if n == 0 && k < same {
					entry = "paid1"
				}
				ballots = append(ballots, vote(fmt.Sprint("friend", k), entry, float64(k), antifraud.Evidence{}))
			}
		}
		l, table := tableOf(ballots...)
		c := newCrowd(table)
		x := &company{ways: newWays(c), farm: newWays(c)}
		for v := range int32(c.n) {
			of := x.ways
			if l.voters.text(table.voter.log[v])[0:4] == "farm" {
				of = x.farm
			}
			of.add(v, 1)
		}
		if got := x.apart(); got != want {
			t.Errorf("%d of 30 votes: %v, want %v", same, got, want)
		}
	}
}
