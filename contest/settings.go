package contest

import (
	"net/netip"
	"slices"
	"time"
)

// Rules say how often one voter may vote.
type Rules struct {
	Ballots  Ballots
	PerEntry int           // most of those for one entry in one period
	Undo     time.Duration // how long a ballot may be taken back; 0 = never
}

// Ballots is how many ballots one voter has in one period.
type Ballots struct {
	Max int
	Per Period
}

// Period is the span over which a voter's ballots are counted.
type Period string

const (
	PerContest Period = "contest"
	PerDay     Period = "day" // civil days of the contest's time zone
	PerHour    Period = "hour"
)

// Level is how well a voter is known. Levels are ordered: device, email, partner.
type Level string

const (
	LevelDevice  Level = "device"
	LevelEmail   Level = "email"
	LevelPartner Level = "partner"
)

var levels = []Level{LevelDevice, LevelEmail, LevelPartner}

// AtLeast tells whether l proves as much as least. An unknown level proves
// nothing, and nothing satisfies an unknown requirement.
func (l Level) AtLeast(least Level) bool {
	have, need := slices.Index(levels, l), slices.Index(levels, least)
	return need >= 0 && have >= need
}

// Partner is the site that signs passes for its own members.
type Partner struct {
	Secret string // HS256 key; in no view of the document but the one that says so
}

// Scoring turns votes into ranks.
type Scoring struct {
	Schools SchoolScoring
	Ties    Ties
}

// SchoolScoring is how a school's score comes from its entries' votes.
type SchoolScoring struct {
	By          ScoreBy
	Per         int // votes for each so many students
	BestEntries int // only the N most voted entries make the sum; 0 = all of them
}

// ScoreBy tells whether size matters.
type ScoreBy string

const (
	ByTotal      ScoreBy = "total"
	ByPerStudent ScoreBy = "per_student"
)

// Ties is what happens between equal scores.
type Ties string

const (
	TiesShared   Ties = "shared"   // 1, 1, 3
	TiesEarliest Ties = "earliest" // the side whose last still-counted ballot is oldest first
)

// Results is what the public may see, and when.
type Results struct {
	Visibility Visibility
	Freeze     time.Duration // the public numbers stand still this long before the close
}

// Visibility is when numbers and ranks are public, from most to least open.
type Visibility string

const (
	VisibleLive        Visibility = "live"
	VisibleAfterBallot Visibility = "after_ballot"
	VisibleAfterClose  Visibility = "after_close"
)

var visibilities = []Visibility{VisibleLive, VisibleAfterBallot, VisibleAfterClose}

// Embed says which other sites' pages may show the contest.
type Embed struct {
	Origins []string // exact origins, lower case, default port dropped
	Only    bool     // no page of another origin may frame anything
}

// Community is the brand's own opt-in, apart from the vote and never a condition of it.
type Community struct {
	Name     string
	OptIn    Text
	Under15  Under15
	ShowFans bool
}

// Under15 is what a voter who says to be under 15 gets to see of the opt-in.
type Under15 string

const (
	Under15Hide   Under15 = "hide"
	Under15Parent Under15 = "parent"
)

// Antifraud is what the contest asks of screening.
type Antifraud struct {
	Policy       Policy
	Hold         time.Duration // a held ballot counts after this unless something speaks against it
	Campuses     []Campus      // never public
	PresenceUses int           // how often one presence code may be used
	Canaries     []string      // pseudonyms of voters known to be honest, whom neither screening nor detectors may hold, reject or void; never public
}

// Campus is where thousands of honest voters share one address.
type Campus struct {
	School string
	CIDRs  []netip.Prefix // masked
}

// Links are shown on pages. Contact is an e-mail address or a URL.
type Links struct {
	Rules, Privacy, Contact string
}
