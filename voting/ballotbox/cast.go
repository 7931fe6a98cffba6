package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/jsonwrite"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// Seen is what the evidence stream keeps of an attempt.
type Seen struct {
	Level    string             `json:"level"`
	Evidence antifraud.Evidence `json:"evidence"`
}

// appendJSON writes s behind b, as json.Marshal does.
func (s *Seen) appendJSON(b []byte) ([]byte, error) {
	b = jsonwrite.Text(append(b, `{"level":`...), s.Level)
	b, err := s.Evidence.AppendJSON(jsonwrite.Name(b, "evidence"))
	return append(b, '}'), err
}

// Cast counts ballot at most once. A nil error means the outcome is the store's
// word: on an accepted ballot, tally, voter, ledger and evidence are written, and
// on a replica where there is a cluster, unless the outcome is Pending. On an error,
// or then, it may have been counted: cast the same ballot again to learn which.
func (b *Boxes) Cast(ctx context.Context, s *registry.Stored, ballot voting.Ballot) (voting.Outcome, error) {
	if ballot.Standing != voting.Counted && ballot.Standing != voting.Held {
		return voting.Outcome{}, fmt.Errorf("cast: %w: %q", voting.ErrUnknownStanding, ballot.Standing)
	}
	seen := Seen{Level: ballot.Level, Evidence: ballot.Evidence}
	evidence, err := seen.appendJSON(make([]byte, 0, 512))
	if err != nil {
		return voting.Outcome{}, fmt.Errorf("cast: %w", err)
	}
	entry, _ := s.Contest.Entry(ballot.Entry)
	around := time.Now()
	for attempt := 0; ; attempt++ {
		box := boxOf(ballot.Voter, s.Contest.Boxes)
		keys := keysOf(s.Contest.ID, box)
		args := []any{
			ballot.Voter[:], ballot.ID[:], ballot.Entry, entry.School,
			string(ballot.Standing), strings.Join(ballot.Reasons, " "), string(ballot.Refuse), evidence, mark(ballot.Present), ballot.Policy,
		}
		touched := keys.common(keys.voters(ballot.Voter), keys.ballots(ballot.ID), keys.evidence, keys.held)
		life := ""
		if c := ballot.Solved; c != nil {
			touched, life = append(touched, keys.solved(c.ID)), strconv.FormatInt(c.Life.Milliseconds(), 10)
		}
		args = append(args, life)
		for _, bound := range s.Contest.Periods(around) {
			args = append(args, bound.UnixMilli())
		}
		reply, err := b.reply(ctx, s, box, b.cast, touched, args...)
		if errors.Is(err, store.ErrUnconfirmed) {
			return pending(s, box, ballot, reply, err)
		}
		if err != nil {
			return voting.Outcome{}, err
		}
		switch reply.code() {
		case "joined":
			if ballot.Voter, err = reply.voter(1); err != nil {
				return voting.Outcome{}, err
			}
		case "bounds":
			// This server's clock is days away from the store's, which is the one
			// that counts.
			now, err := reply.integer(1)
			if err != nil {
				return voting.Outcome{}, err
			}
			around = time.UnixMilli(now)
		default:
			return outcome(s, box, ballot, reply)
		}
		if attempt > 2 { // a joined voter is nobody else's, and one period holds the clock
			return voting.Outcome{}, fmt.Errorf("cast: the box keeps answering %q", reply.code())
		}
	}
}

// pending reads a reply that no replica has confirmed. An accepted ballot is
// pending; anything else is not said, since what it rests on may be lost.
func pending(s *registry.Stored, box int, ballot voting.Ballot, r reply, unconfirmed error) (voting.Outcome, error) {
	switch r.code() {
	case "counted", "held", "duplicate":
		o, err := outcome(s, box, ballot, r)
		o.Pending = true
		return o, err
	}
	return voting.Outcome{}, unconfirmed
}

// outcome reads the reply of cast.lua.
func outcome(s *registry.Stored, box int, ballot voting.Ballot, r reply) (voting.Outcome, error) {
	var numbers [7]int64
	for i := 1; i < len(numbers); i++ {
		n, err := r.integer(i)
		if err != nil {
			return voting.Outcome{}, err
		}
		numbers[i] = n
	}
	now, used, most, next, opens, closes := numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]
	o := voting.Outcome{Now: time.UnixMilli(now).UTC(), Used: int(used), Remaining: int(max(most-used, 0))}
	if next > 0 && next < closes {
		o.NextAt = time.UnixMilli(next).UTC()
	}
	switch code := r.code(); code {
	case "counted", "held", "duplicate":
		cast, err := r.cast(s, box)
		if err != nil {
			return voting.Outcome{}, err
		}
		cast.Ballot, cast.Voter = ballot.ID, ballot.Voter
		o.Cast, o.Duplicate = cast, code == "duplicate"
		return o, nil
	case string(voting.PhaseClosed):
		if now < opens {
			o.OpensAt = time.UnixMilli(opens).UTC()
		} else {
			o.ClosedAt = time.UnixMilli(closes).UTC()
		}
		o.Refused = voting.PhaseClosed
		return o, nil
	case string(voting.AlreadyVoted), string(voting.BallotReused):
		o.Refused = voting.Code(code)
		return o, nil
	case voting.ReasonChallengeUsed:
		o.Refused, o.Reasons = voting.Rejected, []string{code}
		return o, nil
	default:
		if ballot.Refuse != "" && code == string(ballot.Refuse) {
			o.Refused = ballot.Refuse
			if o.Refused == voting.Rejected {
				o.Reasons = ballot.Reasons
			}
			return o, nil
		}
		return voting.Outcome{}, fmt.Errorf("cast: unknown reply %q", code)
	}
}

// mark is a flag as the scripts take it.
func mark(set bool) string {
	if set {
		return "1"
	}
	return ""
}

// reasons splits the codes as the store keeps them.
func reasons(text string) []string { return strings.Fields(text) }
