package ballotbox

import (
	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// usedTurns are turns of one period, as box.lua counts them.
type usedTurns struct {
	start, used int64
	entries     map[string]int
}

// newestTurns are the turns that casts have used in their newest period; casts
// are in the order of their instants, at least one. A withdrawn ballot has given
// its turn back, a void one has not.
func newestTurns(c *contest.Contest, casts []voting.Cast) usedTurns {
	t := usedTurns{start: periodStart(c, casts[len(casts)-1].At()), entries: map[string]int{}}
	for _, cast := range casts {
		if cast.Position.Millis >= t.start && cast.Standing != voting.Withdrawn {
			t.used++
			t.entries[cast.Entry]++
		}
	}
	return t
}

// overLimit are the casts, in the order of their instants, that one voter could
// not have cast: over the rules' turns of a period, or of a period and an entry.
// What is void or withdrawn already is not among them, nor what an organizer has decided.
func overLimit(c *contest.Contest, casts []voting.Cast) (over []voting.Cast) {
	periods := map[int64]*usedTurns{}
	for _, cast := range casts {
		start := periodStart(c, cast.At())
		t := periods[start]
		if t == nil {
			t = &usedTurns{entries: map[string]int{}}
			periods[start] = t
		}
		if cast.Standing == voting.Withdrawn {
			continue
		}
		if t.used >= int64(c.Rules.Ballots.Max) || t.entries[cast.Entry] >= c.Rules.PerEntry {
			if cast.Standing != voting.Void && !cast.Ruled {
				over = append(over, cast)
			}
			continue
		}
		t.used++
		t.entries[cast.Entry]++
	}
	return over
}
