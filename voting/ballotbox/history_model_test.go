package ballotbox

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/joute/joute/voting"
)

// Of a voter in these histories: two ballots that count, each for another entry, any
// of four ids.
const (
	historyRules = "rules: {ballots: {max: 2}, per_entry: 1, undo: 24h}"
	historyMax   = 2
	historyIDs   = 4
)

// asked is one call about one voter.
type asked struct {
	what  string // cast, find, or the standing to come to
	id    int    // which of the voter's ballot ids
	entry string // of a cast
}

// told is what came back. Nothing known: it may have been done, or may be at any
// later time, or never.
type told struct {
	unknown   bool
	code      string // how the ballot stands, or why not
	again     bool   // it had been cast before
	position  voting.Position
	remaining int // after a cast
}

// voterState is one voter as the rules have it. It is compared by ==.
type voterState [historyIDs]struct {
	entry    string // empty: never counted
	standing voting.Standing
	position voting.Position // zero: no answer has told it yet
}

// turns is what the voter has used, of all and of an entry.
func (s voterState) turns(entry string) (used, ofEntry int) {
	for _, ballot := range s {
		if ballot.entry == "" || ballot.standing == voting.Withdrawn {
			continue
		}
		if used++; ballot.entry == entry {
			ofEntry++
		}
	}
	return used, ofEntry
}

// voterModel says which answers a voter may get, one call after another.
var voterModel = porcupine.Model{
	Init: func() any { return voterState{} },
	Step: func(state, input, output any) (bool, any) {
		s, call, got := state.(voterState), input.(asked), output.(told)
		want := told{code: ErrNoSuchBallot.Error()}
		ballot := &s[call.id]
		switch before := *ballot; {
		case call.what == "cast":
			used, ofEntry := s.turns(call.entry)
			switch {
			case before.entry == "" && (used >= historyMax || ofEntry >= 1):
				want.code = string(voting.AlreadyVoted)
			case before.entry == "":
				ballot.entry, ballot.standing = call.entry, voting.Counted
				want.code = string(voting.Counted)
				used++
			case before.entry != call.entry:
				want.code = string(voting.BallotReused)
			default:
				want.code, want.again = string(before.standing), true
			}
			want.remaining = historyMax - used
		case before.entry == "":
		case call.what == "find":
			want.code = string(before.standing)
		case before.standing == voting.Void && call.what == string(voting.Withdrawn):
			want.code = ErrUndoExpired.Error()
		default:
			if before.standing != voting.Withdrawn {
				ballot.standing = voting.Standing(call.what)
			}
			want.code = string(ballot.standing)
		}
		if got.unknown {
			return true, s
		}
		// A place in the ledger is told with every answer that says how a ballot stands,
		// and is always the first one.
		if _, err := voting.ParseStanding(want.code); err == nil {
			if ballot.position == (voting.Position{}) {
				ballot.position = got.position
			}
			want.position = ballot.position
			if want.position == (voting.Position{}) {
				return false, s
			}
		}
		return got == want, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// history is what several clients did for one voter.
type history []porcupine.Operation

// legal says whether one order of the calls explains every answer.
func (h history) legal() porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(voterModel, h, time.Minute)
}

// never is when a call ends whose outcome nobody knows: it may happen at any time.
const never = math.MaxInt64

func (h history) String() (text string) {
	for _, op := range h {
		text += fmt.Sprintf("client %d, %d to %d: %s\n", op.ClientId, op.Call, op.Return, voterModel.DescribeOperation(op.Input, op.Output))
	}
	return text
}
