package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/jsonread"
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

// readJSON reads what appendJSON writes. Other members fail.
func (s *Seen) readJSON(r *jsonread.Reader) {
	r.Object()
	for name, ok := r.Member(); ok; name, ok = r.Member() {
		switch string(name) {
		case "level":
			s.Level = r.Text()
		case "evidence":
			s.Evidence.ReadJSON(r)
		default:
			r.Fail()
		}
	}
}

// Cast counts ballot at most once. A nil error means the outcome is the store's
// word: on an accepted ballot, tally, voter, ledger and evidence are written, and
// on a replica where there is a cluster, unless the outcome is Pending. On an error,
// or then, it may have been counted: cast the same ballot again to learn which.
func (b *Boxes) Cast(ctx context.Context, s *registry.Stored, ballot voting.Ballot) (o voting.Outcome, err error) {
	err = b.CastInto(ctx, s, &ballot, &o)
	return o, err
}

// CastInto is Cast for thousands at a time, who have the ballot and room for its outcome
// elsewhere than on their stacks. The ballot's voter is the one it was cast for in the end.
func (b *Boxes) CastInto(ctx context.Context, s *registry.Stored, ballot *voting.Ballot, o *voting.Outcome) error {
	*o = voting.Outcome{}
	if ballot.Standing != voting.Counted && ballot.Standing != voting.Held {
		return fmt.Errorf("cast: %w: %q", voting.ErrUnknownStanding, ballot.Standing)
	}
	around := time.Now()
	for range 4 { // a joined voter is nobody else's, one period holds the clock, and another ballot of the voter's is soon done
		box := boxOf(ballot.Voter, s.Contest.Boxes)
		parts := spareParts.Get().(*castParts)
		if err := parts.put(s, b.frames.of(s.Contest.ID, box), ballot, around); err != nil {
			return fmt.Errorf("cast: %w", err)
		}
		var r castReply
		err := b.ask(ctx, s, box, func(ctx context.Context) (string, error) {
			err := r.of(b.cast.RunTogether(ctx, &parts.shared, parts.own))
			return r.code, err
		})
		if err == nil { // else the call may be on its way still
			spareParts.Put(parts)
		}
		if errors.Is(err, store.ErrUnconfirmed) {
			return pending(s, box, ballot, &r, o, err)
		}
		if err != nil {
			return err
		}
		switch r.code {
		case "joined":
			ballot.Voter = r.into
		case "bounds":
			// This server's clock is days away from the store's, which is the one
			// that counts.
			around = time.UnixMilli(r.now)
		case "again":
		default:
			return outcome(s, box, ballot, &r, o)
		}
	}
	return fmt.Errorf("cast: %w: others of the voter are under way", store.ErrOverloaded)
}

// castParts are a cast as cast.lua takes it: what it shares with all others of the box,
// and its own.
type castParts struct {
	shared, own store.Part
	words       []byte    // what is joined, and own's one argument
	joined      [2][]byte // parts of it
}

// spareParts are those whose calls are back: they have their room.
var spareParts = sync.Pool{New: func() any { return &castParts{} }}

// put puts a cast's in. Its variables are gone from the stack while the cast waits.
//
//go:noinline
func (p *castParts) put(s *registry.Stored, f *frame, ballot *voting.Ballot, around time.Time) (err error) {
	p.shared.Keys = f.shared // everybody's: never written to
	p.shared.Args.Reset()
	p.own.Keys.Reset()
	p.own.Args.Reset()
	bounds := s.Contest.Periods(around)
	p.shared.Args.Int(int64(len(bounds)))
	for _, bound := range bounds {
		p.shared.Args.Int(bound.UnixMilli())
	}

	var key [128]byte
	p.own.Keys.Bytes(f.keys.appendVoters(key[:0], ballot.Voter))
	life := ""
	if c := ballot.Solved; c != nil {
		p.own.Keys.Text(f.keys.solved(c.ID))
		life = strconv.FormatInt(c.Life.Milliseconds(), 10)
	}
	why := strings.Join(ballot.Reasons, " ")
	entry, _ := s.Contest.Entry(ballot.Entry)
	words := appendCastRecord(slices.Grow(p.words[:0], 640), ballot, why, entry.School)
	record := len(words)
	seen := Seen{Level: ballot.Level, Evidence: ballot.Evidence}
	if words, err = seen.appendJSON(words); err != nil {
		return err
	}
	words = append(words, '\n')
	evidence := len(words)

	words = append(append(words, ballot.ID[:]...), ballot.Voter[:]...)
	more := why != "" || ballot.Refuse != "" || life != ""
	if more {
		words = append(words, '+')
	}
	letter := ballotLetters[ballot.Standing]
	if ballot.Present {
		letter &^= capital
	}
	words = append(append(words, letter), ballot.Entry...)
	if more {
		for _, text := range [...]string{why, string(ballot.Refuse), life} {
			words = append(append(words, '|'), text...)
		}
	}
	p.words, p.joined = words, [...][]byte{words[:record:record], words[record:evidence:evidence]}
	p.own.Joined = p.joined[:]
	p.own.Args.Bytes(words[evidence:])
	return nil
}

// appendCastRecord writes the ledger's record of a cast, as parseRecord reads it.
func appendCastRecord(b []byte, ballot *voting.Ballot, why, school string) []byte {
	actor, policy := voting.ActorVoter, ""
	if ballot.Standing == voting.Held {
		actor, policy = voting.ActorScreen, ballot.Policy
	}
	for _, value := range [...]string{string(actor), why, "", string(ballot.Standing), ballot.Entry, school, mark(ballot.Present), policy, ""} {
		b = append(append(b, value...), '|')
	}
	return append(append(b, ballot.ID[:]...), ballot.Voter[:]...)
}

// accepted is what cast.lua says of a ballot that it has just counted, or held.
const accepted = "accepted"

// castReply is a reply of cast.lua.
type castReply struct {
	code                           string
	now, most, next, opens, closes int64 // of the box; instants in ms
	used, offset                   int64
	into                           voting.Voter // of `joined`
	first                          ballotValues // of `duplicate`
}

// of reads it: what is said to all ballots of a call, and the ballot's own
// answer. With [store.ErrUnconfirmed] comes what is not confirmed.
//
//go:noinline
func (r *castReply) of(raw store.Reply) error {
	*r = castReply{}
	v := raw.Values()
	answers := v.List()
	v.List()
	r.code = v.Text() // the state of the box, where an answer follows
	var err error
	switch {
	case answers > 1:
		r.now, r.most, r.next, r.opens, r.closes = v.Int(), v.Int(), v.Int(), v.Int(), v.Int()
		if offset, first := v.Number(); first {
			r.code, r.used, r.offset = accepted, 1, offset
		} else if answer := v.Text(); v.Err() == nil {
			err = r.read(answer)
		}
	case r.code == "bounds":
		r.now = v.Int()
	}
	if err := errors.Join(v.Err(), err); err != nil {
		return err
	}
	return raw.Err()
}

// read reads a ballot's own answer.
func (r *castReply) read(answer string) (err error) {
	var rest string
	r.code, rest, _ = strings.Cut(answer, "|")
	switch r.code {
	case "joined":
		if copy(r.into[:], rest) != len(r.into) {
			return errors.New("cast: the box joins the voter to nobody")
		}
		return nil
	case "again":
		return nil
	}
	used, rest, _ := strings.Cut(rest, "|")
	if r.used, err = parseCount(used); err != nil {
		return err
	}
	switch r.code {
	case accepted:
		r.offset, err = parseCount(rest)
	case "duplicate":
		values := strings.Split(rest, "|")
		if len(values) != 6 {
			return fmt.Errorf("cast: %d values describe a ballot", len(values))
		}
		var err1, err2 error
		r.first = ballotValues{standing: values[0], entry: values[3], reasons: values[4], present: values[5] == "1"}
		r.first.at, err1 = parseCount(values[1])
		r.first.offset, err2 = parseCount(values[2])
		err = errors.Join(err1, err2)
	}
	return err
}

// pending reads a reply that no replica has confirmed. An accepted ballot is
// pending; anything else is not said, since what it rests on may be lost.
func pending(s *registry.Stored, box int, ballot *voting.Ballot, r *castReply, o *voting.Outcome, unconfirmed error) error {
	switch r.code {
	case accepted, "duplicate":
		err := outcome(s, box, ballot, r, o)
		o.Pending = true
		return err
	}
	return unconfirmed
}

// outcome reads the reply of cast.lua.
func outcome(s *registry.Stored, box int, ballot *voting.Ballot, r *castReply, o *voting.Outcome) (err error) {
	o.Now, o.Remaining = instant(r.now), int(max(r.most-r.used, 0))
	if r.next > 0 && r.next < r.closes {
		o.NextAt = instant(r.next)
	}
	switch r.code {
	case accepted:
		o.Cast = voting.Cast{
			Ballot: ballot.ID, Voter: ballot.Voter, Entry: ballot.Entry, Standing: ballot.Standing,
			Reasons: ballot.Reasons, Present: ballot.Present, Position: positionIn(s, box, r.now, r.offset),
		}
		return nil
	case "duplicate":
		if o.Cast, err = r.first.cast(s, box); err != nil {
			*o = voting.Outcome{}
			return err
		}
		o.Cast.Ballot, o.Cast.Voter, o.Duplicate = ballot.ID, ballot.Voter, true
		return nil
	case string(voting.PhaseClosed):
		if r.now < min(r.opens, r.closes) { // closed by hand before it opened, it has the instant of that as closes
			o.OpensAt = instant(r.opens)
		} else {
			o.ClosedAt = instant(r.closes)
		}
		o.Refused = voting.PhaseClosed
		return nil
	case string(voting.AlreadyVoted), string(voting.BallotReused):
		o.Refused = voting.Code(r.code)
		return nil
	case voting.ReasonChallengeUsed:
		o.Refused, o.Reasons = voting.Rejected, []string{r.code}
		return nil
	default:
		if ballot.Refuse != "" && r.code == string(ballot.Refuse) {
			o.Refused = ballot.Refuse
			if o.Refused == voting.Rejected {
				o.Reasons = ballot.Reasons
			}
			return nil
		}
		*o = voting.Outcome{}
		return fmt.Errorf("cast: unknown reply %q", r.code)
	}
}

// ballotValues are the values that describe a ballot in a script's reply.
type ballotValues struct {
	standing       string
	at, offset     int64
	entry, reasons string
	present        bool
}

func (b ballotValues) cast(s *registry.Stored, box int) (voting.Cast, error) {
	standing, err := voting.ParseStanding(b.standing)
	if err != nil {
		return voting.Cast{}, fmt.Errorf("ballot box: %w", err)
	}
	return voting.Cast{
		Entry: b.entry, Standing: standing, Reasons: reasons(b.reasons), Present: b.present,
		Position: positionIn(s, box, b.at, b.offset),
	}, nil
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
