// Package voting holds the way from a ballot to the ledger: passes say who
// votes, ballots are cast, each leaves a record, records fold into a tally, a
// tally is shown as a leaderboard.
//
// It is pure: no Redis, no HTTP. Package ballotbox does the counting.
package voting

import (
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
)

// Standing is where a ballot stands. Only counted ballots are in the tally.
type Standing string

// The standings a ballot can have.
const (
	Counted   Standing = "counted"
	Held      Standing = "held"      // kept for review, not counted meanwhile
	Void      Standing = "void"      // taken out of the count, with a reason
	Withdrawn Standing = "withdrawn" // taken back by its voter; final

	// Pending is said in answers only, of a ballot that may yet be lost with the
	// node of a cluster that has it.
	Pending Standing = "pending"
)

// Actor is who changed a standing.
type Actor string

// The actors of ledger records.
const (
	ActorVoter     Actor = "voter"
	ActorScreen    Actor = "screen"
	ActorDetector  Actor = "detector"
	ActorOrganizer Actor = "organizer"
)

// Code names why a call was refused. It is the `code` member of the problem the
// caller reads.
type Code string

// The refusals a ballot can meet.
const (
	AlreadyVoted     Code = "already-voted"
	BallotReused     Code = "ballot-reused"
	PhaseClosed      Code = "phase-closed"
	NoSuchEntry      Code = "no-such-entry"
	IdentityLevel    Code = "identity-level"
	UndoExpired      Code = "undo-expired"
	NoSuchBallot     Code = "no-such-ballot"
	ChallengeRequest Code = "challenge-required"
	Rejected         Code = "rejected"
)

// Voter is the pseudonym of one voter in one contest: 128 bits of a keyed hash
// of what the pass proves. It is in the ledger; the key is not.
type Voter [16]byte

// voterText is lower-case base32 without padding: it survives spreadsheets,
// file names and double clicks.
var voterText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// String is the voter as written in the ledger: 26 characters.
func (v Voter) String() string { return voterText.EncodeToString(v[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (v Voter) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (v *Voter) UnmarshalText(text []byte) error {
	raw, err := voterText.DecodeString(string(text))
	// A voter has one text: the decoder skips line ends, and the last character has two bits too many.
	if err != nil || len(raw) != len(v) || len(text) != 26 || strings.IndexByte("048cgkos", text[25]) < 0 {
		return fmt.Errorf("voter: expected 26 characters of 0-9 a-v, found %d bytes", len(text))
	}
	copy(v[:], raw)
	return nil
}

// Ballot is one vote for one entry, as it goes into a ballot box.
type Ballot struct {
	ID    uuid.UUID // made by the caller: with the voter, the idempotency key
	Voter Voter
	Entry string

	// Standing is what the ballot becomes when it is accepted: Counted or Held.
	Standing Standing
	Reasons  []string // why it is held, or why Refuse is Rejected
	Policy   string   // version of the policy that holds it

	// Refuse, when set, was decided before the store was asked. It applies only
	// to a ballot the box has not seen: a repeat gets its first answer whatever
	// has changed since.
	Refuse Code

	// Solved is the challenge that was solved for the ballot; nil: none was asked
	// for. It serves once: with another ballot of this voter it is Rejected. The
	// ballot alone uses it up, once it is accepted.
	Solved *Solved

	Present  bool   // the pass had been in the hall
	Level    string // of the pass, for the ballot log
	Evidence antifraud.Evidence
}

// Solved is a challenge that was solved: its id, the same for whatever solves it,
// and how long it has to be remembered, which is until nobody can solve it any more.
type Solved struct {
	ID   [16]byte
	Life time.Duration
}

// ReasonChallengeUsed is why a ballot is Rejected whose challenge was solved for
// another one.
const ReasonChallengeUsed = "challenge-used"

// Outcome is what became of a cast. It is an accepted ballot (Refused empty) or
// a refusal that changed nothing.
type Outcome struct {
	Refused   Code
	Reasons   []string // why, of Rejected
	Duplicate bool     // this very ballot was accepted before; Cast says how
	Pending   bool     // accepted, and it may yet be lost: ask again with the same ballot

	Cast Cast // the accepted ballot; zero when refused

	Remaining int       // ballots left in the period
	NextAt    time.Time // when the next turn comes; zero when none is known
	OpensAt   time.Time // PhaseClosed before the opening
	ClosedAt  time.Time // PhaseClosed after the close
	Now       time.Time // the store's clock when it decided
}

// LogValue implements [slog.LogValuer]: what happened, and to nobody in particular.
func (o Outcome) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("outcome", o.Label()),
		slog.String("position", o.Cast.Position.String()),
	)
}

// Label is one word of a closed set for metrics: counted, held, pending, duplicate or
// the refusal's code.
func (o Outcome) Label() string {
	switch {
	case o.Refused != "":
		return string(o.Refused)
	case o.Pending:
		return string(Pending)
	case o.Duplicate:
		return "duplicate"
	default:
		return string(o.Cast.Standing)
	}
}

// Cast is an accepted ballot as its box remembers it.
type Cast struct {
	Ballot   uuid.UUID
	Voter    Voter
	Entry    string
	Standing Standing
	Reasons  []string
	Ruled    bool // an organizer has decided how it stands; set where a ballot is read, not in an answer to a cast or change
	Present  bool // the pass had been in the hall
	Position Position
}

// At is when the store accepted the ballot, to the millisecond.
func (c Cast) At() time.Time { return c.Position.At() }

// ErrUnknownStanding is returned for a standing that is none of the four.
var ErrUnknownStanding = errors.New("unknown standing")

// ParseStanding refuses what it does not know: nothing unknown is ever counted.
func ParseStanding(s string) (Standing, error) {
	switch st := Standing(s); st {
	case Counted, Held, Void, Withdrawn:
		return st, nil
	}
	return "", fmt.Errorf("%w: %q", ErrUnknownStanding, s)
}
