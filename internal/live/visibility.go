package live

import (
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// Viewer is who looks.
type Viewer int

// The viewers, from least to most trusted with numbers.
const (
	Public    Viewer = iota
	Voter            // a pass that has cast a ballot in this contest
	Organizer        // the organizer's key
)

var viewers = []Viewer{Public, Voter, Organizer}

// sight is what a viewer may see of a count.
type sight struct {
	phase   contest.Phase
	tally   *voting.Tally // nil: no number at all
	frozen  bool          // tally is the one of the freezing instant
	trendAt time.Time     // the instant trends look back from; zero: there are none yet
}

// see is the one rule of who sees which numbers. Every public path shows what
// it says and nothing else.
//
//   - Organizers see the live numbers.
//   - After the close everybody does.
//   - Before it, nobody else under after_close, and only voters under after_ballot.
//   - Who sees numbers sees those of the freezing instant once it has come.
//
// When voting ends is the boxes' word: they know of a moved or early close at
// its very instant, the document of another server up to half a second later.
func see(s *registry.Stored, count ballotbox.Count, v Viewer) sight {
	c := s.Contest
	over := !count.Now.Before(count.Closes)
	seen := sight{phase: s.Phase(count.Now), tally: count.Live}
	switch {
	case over && seen.phase != contest.PhasePublished:
		seen.phase = contest.PhaseClosed
	case !over && seen.phase == contest.PhaseClosed:
		seen.phase = contest.PhaseVoting
	}
	switch {
	case over:
		seen.trendAt = count.Closes
	case seen.phase == contest.PhaseVoting:
		// To the minute, so that all servers look back to the same one.
		seen.trendAt = count.Now.Truncate(time.Minute)
	}
	if v == Organizer || over {
		return seen
	}

	visible := false
	switch c.Results.Visibility {
	case contest.VisibleLive:
		visible = true
	case contest.VisibleAfterBallot:
		visible = v == Voter
	}
	freezes := c.FreezesAt()
	frozen := count.Frozen != nil || (!freezes.IsZero() && !count.Now.Before(freezes))
	switch {
	case !visible:
		return sight{phase: seen.phase}
	case frozen && count.Frozen == nil:
		// The document says frozen and not every box does yet: for the moment
		// between, no number is better than a live one.
		return sight{phase: seen.phase}
	case frozen:
		return sight{phase: seen.phase, tally: count.Frozen, frozen: true, trendAt: count.Frozen.At}
	default:
		return seen
	}
}
