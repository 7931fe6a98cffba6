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
	around := time.Now()
	for range 4 { // a joined voter is nobody else's, one period holds the clock, and another ballot of the voter's is soon done
		box := boxOf(ballot.Voter, s.Contest.Boxes)
		shared, own := castParts(s, box, ballot, evidence, around)
		var r castReply
		_, err := b.ask(ctx, s, box, func(ctx context.Context) (reply, error) {
			raw, err := b.cast.RunTogether(ctx, &shared, own).Slice()
			r = castReplyOf(raw)
			return r.reply, err
		})
		if errors.Is(err, store.ErrUnconfirmed) {
			return pending(s, box, ballot, r, err)
		}
		if err != nil {
			return voting.Outcome{}, err
		}
		switch r.code() {
		case "joined":
			if ballot.Voter, err = r.voter(1); err != nil {
				return voting.Outcome{}, err
			}
		case "bounds":
			// This server's clock is days away from the store's, which is the one
			// that counts.
			now, err := r.integer(1)
			if err != nil {
				return voting.Outcome{}, err
			}
			around = time.UnixMilli(now)
		case "again":
		default:
			return outcome(s, box, ballot, r)
		}
	}
	return voting.Outcome{}, errors.New("cast: the box keeps sending the ballot elsewhere")
}

// castParts is a cast as cast.lua takes it: what it shares with all others of the box,
// and its own.
func castParts(s *registry.Stored, box int, ballot voting.Ballot, evidence []byte, around time.Time) (shared, own store.Part) {
	keys := keysOf(s.Contest.ID, box)
	for _, key := range keys.common(keys.evidence, keys.held) {
		shared.Keys.Text(key)
	}
	bounds := s.Contest.Periods(around)
	shared.Args.Int(int64(len(bounds)))
	for _, bound := range bounds {
		shared.Args.Int(bound.UnixMilli())
	}

	own.Keys.Text(keys.voters(ballot.Voter))
	own.Keys.Text(keys.ballots(ballot.ID))
	how, life := how(ballot), ""
	if c := ballot.Solved; c != nil {
		own.Keys.Text(keys.solved(c.ID))
		life = strconv.FormatInt(c.Life.Milliseconds(), 10)
	}
	why := strings.Join(ballot.Reasons, " ")
	if why != "" || ballot.Refuse != "" || life != "" {
		how += "|" + why + "|" + string(ballot.Refuse) + "|" + life
	}
	entry, _ := s.Contest.Entry(ballot.Entry)
	own.Args.Grow(len(evidence) + 300)
	own.Args.Bytes(ballot.Voter[:])
	own.Args.Bytes(ballot.ID[:])
	own.Args.Text(ballot.Entry)
	own.Args.Text(castRecord(ballot, why, entry.School))
	own.Args.Bytes(evidence)
	own.Args.Text(how)
	return shared, own
}

// castRecord is the ledger's record of a cast, as parseRecord reads it.
func castRecord(ballot voting.Ballot, why, school string) string {
	actor, policy := voting.ActorVoter, ""
	if ballot.Standing == voting.Held {
		actor, policy = voting.ActorScreen, ballot.Policy
	}
	return string(actor) + "|" + why + "||" + string(ballot.Standing) + "|" + ballot.Entry + "|" + school + "|" + mark(ballot.Present) +
		"|" + policy + "||" + string(ballot.ID[:]) + string(ballot.Voter[:])
}

// how is the letter of the standing that a ballot is cast with.
func how(ballot voting.Ballot) string {
	letter := ballotLetters[ballot.Standing]
	if ballot.Present {
		letter &^= capital
	}
	return string(rune(letter))
}

// castReply is a reply of cast.lua: the ballot's own, and what it says of the box.
type castReply struct {
	reply
	shared reply
}

func castReplyOf(raw []any) (r castReply) {
	values := func(i int) reply {
		if i < len(raw) {
			if v, ok := raw[i].([]any); ok {
				return v
			}
		}
		return nil
	}
	if r.shared, r.reply = values(0), values(1); len(raw) == 1 {
		r.reply = r.shared
	}
	return r
}

// pending reads a reply that no replica has confirmed. An accepted ballot is
// pending; anything else is not said, since what it rests on may be lost.
func pending(s *registry.Stored, box int, ballot voting.Ballot, r castReply, unconfirmed error) (voting.Outcome, error) {
	switch r.code() {
	case "counted", "held", "duplicate":
		o, err := outcome(s, box, ballot, r)
		o.Pending = true
		return o, err
	}
	return voting.Outcome{}, unconfirmed
}

// outcome reads the reply of cast.lua.
func outcome(s *registry.Stored, box int, ballot voting.Ballot, r castReply) (voting.Outcome, error) {
	used, err := r.integer(1)
	if err != nil {
		return voting.Outcome{}, err
	}
	var of [6]int64 // what is said of the box; the first is a text
	for i := 1; i < len(of); i++ {
		if of[i], err = r.shared.integer(i); err != nil {
			return voting.Outcome{}, err
		}
	}
	now, most, next, opens, closes := of[1], of[2], of[3], of[4], of[5]
	o := voting.Outcome{Now: time.UnixMilli(now).UTC(), Used: int(used), Remaining: int(max(most-used, 0))}
	if next > 0 && next < closes {
		o.NextAt = time.UnixMilli(next).UTC()
	}
	switch code := r.code(); code {
	case "counted", "held":
		offset, err := r.integer(2)
		if err != nil {
			return voting.Outcome{}, err
		}
		o.Cast = voting.Cast{
			Ballot: ballot.ID, Voter: ballot.Voter, Entry: ballot.Entry, Standing: ballot.Standing,
			Reasons: ballot.Reasons, Present: ballot.Present, Position: positionIn(s, box, now, offset),
		}
		return o, nil
	case "duplicate":
		if o.Cast, err = r.cast(s, box, 2); err != nil {
			return voting.Outcome{}, err
		}
		o.Cast.Ballot, o.Cast.Voter, o.Duplicate = ballot.ID, ballot.Voter, true
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

// positionIn is where in a box's ledger a record is.
func positionIn(s *registry.Stored, box int, at, offset int64) voting.Position {
	return voting.Position{Epoch: s.EpochAt(box, offset), Box: box, Millis: at, Offset: offset}
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
