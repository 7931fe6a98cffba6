// Package attack plays a farm that learns: it buys votes for one entry in rounds, reads
// every answer and standing that a voter can see, and changes its two worst tells after
// each. What it buys has prices, so that a report can say what a vote costs that is
// still counted at the end.
//
// It is pure: where its ballots are cast is a [Ground]'s, over HTTP or in memory.
package attack

import (
	"context"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
)

// Act is one attempt at a ballot: of the crowd, or of the farm.
type Act struct {
	detect.Ballot           // At is when it is cast; Evidence what a server sees of it
	Issued        time.Time // when its voter got the pass
	Farm          bool
	Group         string // as in [farmlab.Label]
	Plan          Plan   // of the farm's: how it handled each tell. No contest reads it, as none can
}

// Answer is what a voter is told at once.
type Answer struct {
	Standing   Standing
	Reasons    []antifraud.Reason // coarse ones, as a voter sees them
	Challenges int                // that were solved for it
}

// Standing is how an attempt stands, or that there is no ballot of it.
type Standing string

// The standings of an attempt.
const (
	Counted  Standing = "counted"
	Held     Standing = "held"
	Void     Standing = "void"
	Rejected Standing = "rejected" // at the door, with reasons
	Refused  Standing = "refused"  // by the contest's rules, or because it is over
)

// Fate is what became of an attempt, and when.
type Fate struct {
	Standing Standing
	Reasons  []antifraud.Reason
	Cast     time.Time // zero: there is no ballot
	Asked    bool      // it counts, and the guard asks a person whether it should; no voter is told
	Since    time.Time // it counts, or does not count: held and then void is one span
}

// Ground is a contest in which acts are played. Acts of a call are in the order of
// their time, and no call goes back in it.
type Ground interface {
	// Cast plays acts, and tells of each what its voter was answered.
	Cast(ctx context.Context, acts []Act) ([]Answer, error)
	// Rest lets time pass until an instant of the acts' clock, and until whoever looks
	// back has looked at all that was cast.
	Rest(ctx context.Context, until time.Time) error
	// Close ends voting, and lets whoever looks back have the last word.
	Close(ctx context.Context) error
	// Prove answers the holds of ballots that a proven address releases, each by its
	// voter. Of others, and where no proofs are taken, it changes nothing.
	Prove(ctx context.Context, ids []string) error
	// Ask is what the voters of ballots are told of them now, by ballot id. It names
	// none that was not accepted.
	Ask(ctx context.Context, ids []string) (map[string]Fate, error)
}
