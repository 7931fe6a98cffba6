package ballotbox

import (
	"strconv"

	"github.com/google/uuid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/voting"
)

// derived is what the records of one box make of its voters and ballots. It is the
// scripts' arithmetic done again: to mend what a crash has torn, and to restore
// what was lost.
type derived struct {
	c       *contest.Contest
	of      func(voting.Voter) bool // whose records matter; nil: everybody's
	ballots map[ballotKey]*voting.Cast
	casts   map[voting.Voter][]*voting.Cast // in the order of the ledger
	into    map[voting.Voter]voting.Voter   // who a voter is, when it is another one
	joins   []voting.Record                 // that said so
}

// ballotKey is a ballot's name: ids are the callers' own.
type ballotKey struct {
	voter  voting.Voter
	ballot uuid.UUID
}

func derive(c *contest.Contest, of func(voting.Voter) bool) *derived {
	return &derived{
		c: c, of: of, ballots: map[ballotKey]*voting.Cast{},
		casts: map[voting.Voter][]*voting.Cast{}, into: map[voting.Voter]voting.Voter{},
	}
}

// add takes the next record of the box.
func (d *derived) add(r voting.Record) {
	if r.Voter == (voting.Voter{}) || d.of != nil && !d.of(r.Voter) {
		return
	}
	if r.Kind == voting.KindJoin {
		d.into[r.Voter] = r.Into
		d.joins = append(d.joins, r)
	}
	if !r.NamesBallot() {
		return
	}
	key := ballotKey{r.Voter, r.Ballot}
	if r.Kind == voting.KindCast {
		cast := &voting.Cast{
			Ballot: r.Ballot, Voter: r.Voter, Entry: r.Entry, Standing: r.Standing, Reasons: r.Reasons,
			Present: r.Present, Position: r.Position,
		}
		d.ballots[key] = cast
		d.casts[r.Voter] = append(d.casts[r.Voter], cast)
	} else if cast := d.ballots[key]; cast != nil {
		cast.Standing, cast.Reasons, cast.Ruled = r.Standing, r.Reasons, r.Actor == voting.ActorOrganizer
	}
}

// heldScore is the ballot's place among those held, empty for one that is not.
func heldScore(cast *voting.Cast) string {
	if cast.Standing != voting.Held {
		return ""
	}
	return strconv.FormatInt(cast.Position.Millis, 10)
}

// voterText is what box.lua keeps of a voter: its turns, or who it is; empty for
// one that has done nothing. The turns are those of all casts of the voter and of
// whoever was joined to it, in the order of their instants.
func (d *derived) voterText(voter voting.Voter, all []voting.Cast) string {
	if other, joined := d.into[voter]; joined {
		return joinedText(other)
	}
	if len(all) == 0 {
		return ""
	}
	return turnsText(d.c, newestTurns(d.c, all))
}

// castsBy are the casts of one voter in this box.
func (d *derived) castsBy(voter voting.Voter) []voting.Cast {
	casts := make([]voting.Cast, len(d.casts[voter]))
	for i, cast := range d.casts[voter] {
		casts[i] = *cast
	}
	return casts
}

// tallyFields is a tally as the scripts keep it.
func tallyFields(c *contest.Contest, t *voting.Tally) (fields []any) {
	for entry, n := range t.Votes {
		fields = append(fields, entry, n)
		if c.Scoring.Ties == contest.TiesEarliest {
			fields = append(fields, entry+"/last", t.Last[entry])
		}
	}
	for entry, n := range t.Home {
		fields = append(fields, entry+"/home", n)
	}
	return append(fields, "/held", t.Held, "/void", t.Void, "/withdrawn", t.Withdrawn)
}
