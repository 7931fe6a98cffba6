package faulttest

import (
	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// Survey is what the ledger has of what voters were told.
type Survey struct {
	Casts int // ballots in the ledger
	Lost  int // acknowledged, and not where the answer said
	Twice int // ballots or voters that come a second time
}

// Survey compares the ledger, given to it record by record, with the answers.
func (t Told) Survey(ledger func(yield func(voting.Record))) Survey {
	var s Survey
	place, voters := map[uuid.UUID]voting.Position{}, map[voting.Voter]bool{}
	ledger(func(r voting.Record) {
		if r.Kind != voting.KindCast {
			return
		}
		if _, twice := place[r.Ballot]; twice || voters[r.Voter] {
			s.Twice++
		}
		place[r.Ballot], voters[r.Voter] = r.Position, true
		s.Casts++
	})
	for ballot, position := range t.Ballots {
		if place[ballot] != position {
			s.Lost++
		}
	}
	return s
}
