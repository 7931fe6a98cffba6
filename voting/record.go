package voting

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/internal/jsonwrite"
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

// TimeFormat is RFC 3339 with milliseconds, the precision of the store's clock
// as Joute uses it.
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"

// FormatTime writes t in UTC in [TimeFormat]: so, as package time is several times
// as fast with the layouts it knows.
func FormatTime(t time.Time) string { return string(appendTime(make([]byte, 0, len(TimeFormat)), t)) }

func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	ms := t.Nanosecond() / 1e6
	b = t.AppendFormat(b, time.RFC3339)
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// MarshalJSON writes the record as one ledger line, without the newline: members in
// the order of recordJSON, empty ones but position, kind, at and actor left out.
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(make([]byte, 0, 384)), nil }

// AppendJSON is MarshalJSON behind b.
func (r *Record) AppendJSON(b []byte) []byte {
	b = append(r.Position.append(append(b, `{"position":"`...)), '"')
	b = jsonwrite.Text(jsonwrite.Name(b, "kind"), r.Kind)
	if r.NamesBallot() {
		b = jsonwrite.UUID(jsonwrite.Name(b, "ballot"), r.Ballot)
	}
	b = append(appendTime(append(jsonwrite.Name(b, "at"), '"'), r.Position.At()), '"')
	b = jsonwrite.GivenText(b, "entry", r.Entry)
	b = jsonwrite.GivenText(b, "school", r.School)
	if r.NamesBallot() || r.Kind == KindJoin {
		b = append(voterText.AppendEncode(append(jsonwrite.Name(b, "voter"), '"'), r.Voter[:]), '"')
	}
	if r.Kind == KindJoin {
		b = jsonwrite.Text(jsonwrite.Name(b, "into"), r.Into.String())
	}
	b = jsonwrite.GivenText(b, "standing", r.Standing)
	b = jsonwrite.GivenTexts(b, "reasons", r.Reasons)
	b = jsonwrite.Text(jsonwrite.Name(b, "actor"), r.Actor)
	if r.Version != 0 {
		b = strconv.AppendInt(jsonwrite.Name(b, "version"), int64(r.Version), 10)
	}
	b = jsonwrite.Flag(b, "present", r.Present)
	b = jsonwrite.GivenText(b, "policy", r.Policy)
	b = jsonwrite.GivenText(b, "model", r.Model)
	return append(b, '}')
}

// NamesBallot reports whether the record is about one ballot (else about the
// whole box).
func (r Record) NamesBallot() bool { return r.Standing != "" }
