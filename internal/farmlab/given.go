package farmlab

import (
	"time"

	"github.com/joute/joute/contest"
)

// asked makes the numbers of a mix those of the contest it is of. Ballots an hour
// are played as so many a day: nobody comes back every hour.
func (m *Mix) asked() {
	c := m.Of
	m.Entries, m.Schools = len(open(c)), len(c.Schools)
	m.Ballots, m.Daily = c.Rules.Ballots.Max, c.Rules.Ballots.Per != contest.PerContest
	voting := c.Phases.Voting.Closes.Sub(c.Phases.Voting.Opens)
	m.Days = int((voting + 24*time.Hour - 1) / (24 * time.Hour))
}

// open are the entries that people can vote for.
func open(c *contest.Contest) []contest.Entry {
	var entries []contest.Entry
	for _, e := range c.Entries {
		if !e.Hidden {
			entries = append(entries, e)
		}
	}
	return entries
}

// entriesOf puts the schools and entries of a contest in the place of those made
// up. A campus that the document does not name is a network like any other.
func (w *world) entriesOf(c *contest.Contest) {
	places := map[string]int{}
	named := map[string]bool{}
	for _, campus := range c.Antifraud.Campuses {
		named[campus.School] = true
	}
	for i, s := range c.Schools {
		places[s.ID], w.schools[i].id = i, s.ID
		for j := range w.schools[i].campus {
			kind := w.schools[i].campus[j].kind
			switch {
			case named[s.ID]:
				kind = "campus"
			case kind == "campus":
				kind = "unknown"
			}
			w.schools[i].campus[j].kind = kind
		}
	}
	for i, e := range open(c) {
		w.entries[i] = entry{e.ID, places[e.School]}
	}
}
