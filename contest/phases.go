package contest

import "time"

// Phases are the windows of a contest. Entries is nil when entries come from the organizer alone.
type Phases struct {
	Entries *Window
	Voting  Window
}

// Window is a half-open span of time: Opens <= t < Closes.
type Window struct {
	Opens, Closes time.Time
}

// Contains tells whether t lies in the window.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.Opens) && t.Before(w.Closes) }

// Phase is where a contest is in its life.
type Phase string

const (
	PhaseUpcoming  Phase = "upcoming"
	PhaseEntries   Phase = "entries"
	PhaseBetween   Phase = "between" // entries are in, voting is not open yet
	PhaseVoting    Phase = "voting"
	PhaseClosed    Phase = "closed"
	PhasePublished Phase = "published"
)

// Phase is the contest's phase at now, by the document. A contest closed by hand
// closed earlier than its document says: whoever keeps that instant decides first.
func (c *Contest) Phase(now time.Time, published bool) Phase {
	entries, voting := c.Phases.Entries, c.Phases.Voting
	switch {
	case published:
		return PhasePublished
	case !now.Before(voting.Closes):
		return PhaseClosed
	case !now.Before(voting.Opens):
		return PhaseVoting
	case entries == nil || now.Before(entries.Opens):
		return PhaseUpcoming
	case now.Before(entries.Closes):
		return PhaseEntries
	default:
		return PhaseBetween
	}
}
