package voting

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Kind is what a ledger record says happened.
type Kind string

// The kinds of ledger records. Readers skip kinds they do not know.
const (
	KindCast      Kind = "cast"
	KindHold      Kind = "hold"
	KindRelease   Kind = "release"
	KindVoid      Kind = "void"
	KindReinstate Kind = "reinstate"
	KindWithdraw  Kind = "withdraw"
	KindOpen      Kind = "open"
	KindClose     Kind = "close"
	KindRules     Kind = "rules"
	KindPublish   Kind = "publish"
	KindJoin      Kind = "join"   // Voter was found to be the voter Into
	KindForget    Kind = "forget" // evidence and appeals of the box were deleted
)

// Record is one line of the ledger. Standing is the ballot's standing after
// this record, on every record that names a ballot: the tally is the number of
// ballots whose last standing is counted.
type Record struct {
	Position Position
	Kind     Kind
	Ballot   uuid.UUID // zero on records that name no ballot
	Entry    string
	School   string
	Voter    Voter
	Standing Standing
	Reasons  []string
	Actor    Actor
	Present  bool  // on a cast: the pass had been in the hall
	Into     Voter // on join: who Voter is; ballots cast before stay Voter's
	Version  int   // of the contest document, on open and rules

	Policy string // version of the policy, where screen or detector decided
	Model  string // version of the detector's formulas, where it decided
}

// recordJSON is the wire form of the contract; positions, times and voters are text.
type recordJSON struct {
	Position Position   `json:"position"`
	Kind     Kind       `json:"kind"`
	Ballot   *uuid.UUID `json:"ballot,omitempty"`
	At       string     `json:"at"`
	Entry    string     `json:"entry,omitempty"`
	School   string     `json:"school,omitempty"`
	Voter    *Voter     `json:"voter,omitempty"`
	Into     *Voter     `json:"into,omitempty"`
	Standing Standing   `json:"standing,omitempty"`
	Reasons  []string   `json:"reasons,omitempty"`
	Actor    Actor      `json:"actor"`
	Version  int        `json:"version,omitempty"`
	Present  bool       `json:"present,omitempty"`
	Policy   string     `json:"policy,omitempty"`
	Model    string     `json:"model,omitempty"`
}

// TimeFormat is RFC 3339 with milliseconds, the precision of the store's clock
// as Joute uses it.
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"

// FormatTime writes t in UTC in [TimeFormat].
func FormatTime(t time.Time) string { return t.UTC().Format(TimeFormat) }

// MarshalJSON writes the record as one ledger line, without the newline.
func (r Record) MarshalJSON() ([]byte, error) {
	line := recordJSON{
		Position: r.Position, Kind: r.Kind, At: FormatTime(r.Position.At()),
		Entry: r.Entry, School: r.School, Standing: r.Standing, Reasons: r.Reasons,
		Actor: r.Actor, Version: r.Version, Present: r.Present, Policy: r.Policy, Model: r.Model,
	}
	if r.NamesBallot() {
		line.Ballot, line.Voter = &r.Ballot, &r.Voter
	}
	if r.Kind == KindJoin {
		line.Voter, line.Into = &r.Voter, &r.Into
	}
	return json.Marshal(line)
}

// UnmarshalJSON reads a ledger line. Members it does not know are skipped, as
// readers of the ledger must; the time is part of the position.
func (r *Record) UnmarshalJSON(data []byte) error {
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

// NamesBallot reports whether the record is about one ballot (else about the
// whole box).
func (r Record) NamesBallot() bool { return r.Standing != "" }
