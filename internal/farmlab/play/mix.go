package play

import "github.com/joute/joute/internal/farmlab"

// Mix is a contest that one machine can play at a server in minutes: the crowds of
// which it depends are as large as they have to be to look like farms.
func Mix(days, people int) farmlab.Mix {
	if people == 0 {
		people = 600
	}
	return farmlab.Mix{
		Entries: 10, Schools: 9, Days: days, Ballots: 1, Voters: people,
		Crowds: []farmlab.Cohort{{Kind: "campus", Voters: 150}, {Kind: "viral", Voters: 150}, {Kind: "computer-room", Voters: 30}, {Kind: "carrier", Voters: 80}, {Kind: "family"}},
	}
}
