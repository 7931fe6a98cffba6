package registry

import (
	"time"

	"github.com/joute/joute/contest"
)

// Stored is one version of a contest as the store keeps it. It is never changed
// after it was read; a new version is a new Stored.
type Stored struct {
	Contest     *contest.Contest
	Version     int       // 1, 2, 3, …
	Epoch       int64     // of the contest's ledger in this store
	ClosedAt    time.Time // by an organizer, before the document's own close; else zero
	PublishedAt time.Time // zero until the ledger is public
	ForgottenAt time.Time // zero until the personal data is to be deleted; no more may be kept since
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
