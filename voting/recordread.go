package voting

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/joute/joute/internal/jsonread"
)

// recordJSON is the wire form of the contract as it is read; positions, times and
// voters are text.
type recordJSON struct {
	Position Position   `json:"position"`
	Kind     Kind       `json:"kind"`
	Ballot   *uuid.UUID `json:"ballot"`
	At       string     `json:"at"`
	Entry    string     `json:"entry"`
	School   string     `json:"school"`
	Voter    *Voter     `json:"voter"`
	Into     *Voter     `json:"into"`
	Standing Standing   `json:"standing"`
	Reasons  []string   `json:"reasons"`
	Actor    Actor      `json:"actor"`
	Version  int        `json:"version"`
	Present  bool       `json:"present"`
	Policy   string     `json:"policy"`
	Model    string     `json:"model"`
}

// UnmarshalJSON reads a ledger line. Members it does not know are skipped, as
// readers of the ledger must; the time is part of the position.
func (r *Record) UnmarshalJSON(data []byte) error {
	if r.read(data) {
		return nil
	}
	return r.decode(data)
}

func (r *Record) decode(data []byte) error {
	var line recordJSON
	if err := json.Unmarshal(data, &line); err != nil {
		return fmt.Errorf("ledger record: %w", err)
	}
	*r = Record{
		Position: line.Position, Kind: line.Kind, Entry: line.Entry, School: line.School,
		Standing: line.Standing, Reasons: line.Reasons, Actor: line.Actor, Version: line.Version, Present: line.Present,
		Policy: line.Policy, Model: line.Model,
	}
	if line.Ballot != nil {
		r.Ballot = *line.Ballot
	}
	if line.Voter != nil {
		r.Voter = *line.Voter
	}
	if line.Into != nil {
		r.Into = *line.Into
	}
	return nil
}

// read reads a line as MarshalJSON writes it, without reflection; a fuzz test holds
// it against the tags. Not ok: nothing is known of it.
func (r *Record) read(line []byte) (ok bool) {
	*r = Record{}
	var err error
	from := jsonread.New(line)
	from.Object()
	for name, more := from.Member(); more && err == nil; name, more = from.Member() {
		switch string(name) {
		case "position":
			r.Position, err = ParsePosition(string(from.Bytes()))
		case "kind":
			r.Kind = word(from.Bytes(), KindCast)
		case "ballot":
			r.Ballot, err = uuid.ParseBytes(from.Bytes())
		case "at":
			from.Bytes()
		case "entry":
			r.Entry = from.Text()
		case "school":
			r.School = from.Text()
		case "voter":
			err = r.Voter.UnmarshalText(from.Bytes())
		case "into":
			err = r.Into.UnmarshalText(from.Bytes())
		case "standing":
			r.Standing = word(from.Bytes(), Counted)
		case "reasons":
			r.Reasons = from.Texts()
		case "actor":
			r.Actor = word(from.Bytes(), ActorVoter)
		case "version":
			r.Version = int(from.Int())
		case "present":
			r.Present = from.Bool()
		case "policy":
			r.Policy = from.Text()
		case "model":
			r.Model = from.Text()
		default:
			from.Fail()
		}
	}
	return err == nil && from.End()
}

// word is a text that nearly always is the usual one, of which no copy is made then.
func word[T ~string](text []byte, usual T) T {
	if string(text) == string(usual) {
		return usual
	}
	return T(text)
}
