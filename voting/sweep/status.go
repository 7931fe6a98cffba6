package sweep

import (
	"cmp"
	"slices"
	"time"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/voting"
)

// someStopped is how many ballots a stop names: enough to look at, and a status stays
// small.
const someStopped = 100

// Status is where the judge is, but for what only the sweeper knows.
func (j *Judge) Status() Status {
	s := Status{
		Policy: j.settings.Policy, Model: j.settings.Model, Observe: j.settings.Observe,
		Canaries: len(j.alarms), Stopped: j.stops(),
	}
	for ballot, f := range j.against {
		_, stopped := j.stopped[ballot]
		switch {
		case stopped || j.canaries[f.Voter]:
		case f.Standing == detect.Void:
			s.Would.Void++
		default:
			s.Would.Held++
		}
	}
	return s
}

// stops are the hours in which the guard keeps ballots from being held, by hour and entry.
func (j *Judge) stops() []Stop {
	type place struct {
		hour  time.Time
		entry string
	}
	found := map[place]*Stop{}
	ballots := make([]Ballot, 0, len(j.stopped))
	for ballot := range j.stopped {
		ballots = append(ballots, ballot)
	}
	slices.SortFunc(ballots, Ballot.compare)
	for _, ballot := range ballots {
		f := j.against[ballot]
		at := place{detect.Hour(f.At), f.Entry}
		if found[at] == nil {
			found[at] = &Stop{Entry: f.Entry, Hour: voting.FormatTime(at.hour), Scope: j.stopped[ballot]}
		}
		stop := found[at]
		if stop.Ballots++; len(stop.Some) < someStopped {
			stop.Some = append(stop.Some, ballot.ID.String()+"/"+ballot.Voter.String())
		}
	}
	stops := make([]Stop, 0, len(found))
	for _, stop := range found {
		stops = append(stops, *stop)
	}
	slices.SortFunc(stops, func(x, y Stop) int { return cmp.Or(cmp.Compare(y.Hour, x.Hour), cmp.Compare(x.Entry, y.Entry)) })
	return stops
}
