package ballotbox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
		cast.Standing, cast.Reasons = r.Standing, r.Reasons
	}
}

// ballotText is what box.lua's ballot_text says of the ballot.
func ballotText(cast *voting.Cast) string {
	value := fmt.Sprintf("%s|%d|%d|%s|%s", cast.Standing, cast.Position.Millis, cast.Position.Offset,
		cast.Entry, strings.Join(cast.Reasons, " "))
	if cast.Present {
		value += ballotMark
	}
	return value
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
	var ids strings.Builder
	for _, cast := range d.casts[voter] {
		ids.Write(cast.Ballot[:])
	}
	if other, joined := d.into[voter]; joined {
		return "=" + string(other[:]) + ids.String()
	}
	if len(all) == 0 {
		return ""
	}
	t := newestTurns(d.c, all)
	return fmt.Sprintf("%d|%d|%s|%s", t.start, t.used, entriesText(d.c, t.entries), ids.String())
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

// entriesText is the turns by entry as the scripts keep them: nothing where the
// rules do not limit them.
func entriesText(c *contest.Contest, perEntry map[string]int) string {
	var entries []string
	if c.Rules.PerEntry < c.Rules.Ballots.Max {
		for _, entry := range slices.Sorted(maps.Keys(perEntry)) {
			entries = append(entries, fmt.Sprintf("%s=%d", entry, perEntry[entry]))
		}
	}
	return strings.Join(entries, ",")
}
