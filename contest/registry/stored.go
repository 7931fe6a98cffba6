package registry

import (
	"slices"
	"time"

	"github.com/joute/joute/contest"
)

// Stored is one version of a contest as the store keeps it. It is never changed
// after it was read; a new version is a new Stored.
type Stored struct {
	Contest     *contest.Contest
	Version     int       // 1, 2, 3, …
	Epoch       int64     // of the contest's ledger in this store
	Epochs      []Epoch   // all of them, oldest first, Epoch last; nil when there was no other
	ClosedAt    time.Time // by an organizer, before the document's own close; else zero
	PublishedAt time.Time // zero until the ledger is public
	ForgottenAt time.Time // zero until the personal data is to be deleted; no more may be kept since

	// ConfiguredAt is when all its ballot boxes had been set up; zero: perhaps never.
	// One that is missing since then was lost.
	ConfiguredAt time.Time
}

// Same tells whether both are one version as it was read once. What was read twice
// may be told apart although nothing has changed.
func (s *Stored) Same(o *Stored) bool {
	return s.Contest == o.Contest && s.Version == o.Version && s.Epoch == o.Epoch &&
		s.ClosedAt == o.ClosedAt && s.PublishedAt == o.PublishedAt && s.ForgottenAt == o.ForgottenAt
}

// Epoch is a stretch of a contest's ledger: what was recorded in one store, from
// its making to its loss. A restored store begins another, so that no position
// is ever of two records.
type Epoch struct {
	Number int64   `json:"epoch"` // unix seconds, growing
	First  []int64 `json:"first"` // offset, in each box, of its first record, there already or to come
}

// EpochAt is the epoch of the record with an offset in a box.
func (s *Stored) EpochAt(box int, offset int64) int64 {
	for i := len(s.Epochs) - 1; i > 0; i-- {
		if e := s.Epochs[i]; box < len(e.First) && offset >= e.First[box] {
			return e.Number
		}
	}
	if len(s.Epochs) > 0 {
		return s.Epochs[0].Number
	}
	return s.Epoch
}

// NextEpoch is the epochs of the contest once a store is made again from a ledger
// of so many records in each box.
func (s *Stored) NextEpoch(now time.Time, records []int64) []Epoch {
	first := make([]int64, len(records))
	for box, n := range records {
		first[box] = n + 1
	}
	next := s.Epochs
	if len(next) == 0 {
		next = []Epoch{{Number: s.Epoch, First: slices.Repeat([]int64{1}, len(records))}}
	}
	next = slices.Clone(next)
	number := max(now.Unix(), s.Epoch+1)
	// One that has not a record, and never will, was nobody's.
	for len(next) > 1 && slices.Equal(next[len(next)-1].First, first) {
		next = next[:len(next)-1]
	}
	return append(next, Epoch{Number: number, First: first})
}

// Forgotten says that the contest's personal data is deleted, or about to be.
// Nothing that is of a person may be written any more.
func (s *Stored) Forgotten() bool { return !s.ForgottenAt.IsZero() }

// Phase is the contest's phase at now, an instant of the store's clock.
func (s *Stored) Phase(now time.Time) contest.Phase {
	published := !s.PublishedAt.IsZero()
	if !published && !s.ClosedAt.IsZero() && !now.Before(s.ClosedAt) {
		return contest.PhaseClosed
	}
	return s.Contest.Phase(now, published)
}

// Closes is when voting ends or ended.
func (s *Stored) Closes() time.Time {
	if !s.ClosedAt.IsZero() && s.ClosedAt.Before(s.Contest.Phases.Voting.Closes) {
		return s.ClosedAt
	}
	return s.Contest.Phases.Voting.Closes
}
