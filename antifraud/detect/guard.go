package detect

import "time"

// What automatic holding may do to the ballots of an hour when little speaks against
// them: a held ballot does not count, and whoever can make honest ballots look alike
// would take a rival's away with it. Beyond these shares a person is asked instead.
const (
	guardEntry   = 0.05
	guardContest = 0.02

	// guardLeast may be held in any hour: 5 % of a small entry's ballots is less than
	// one, and one that is wrong is answered by its voter.
	guardLeast = 5
)

// Scope says whose ballots are too many.
type Scope string

// The scopes.
const (
	ScopeEntry   Scope = "entry"
	ScopeContest Scope = "contest"
)

// Lacks tells whether a finding would hold a ballot on evidence of less than two
// families.
func (f Finding) Lacks() bool { return f.Standing == Held && len(f.Families) < 2 }

// Guard counts, by the hour in which they were cast, ballots and those of them that
// would be held lacking two families. What it says depends on these counts alone,
// whatever the order in which they came. The zero value has seen nothing.
type Guard struct {
	entries map[guarded]*hourly
	contest map[int64]*hourly
}

type guarded struct {
	entry string
	hour  int64
}

type hourly struct{ ballots, lacking int }

// beyond is an exact comparison: 5 of 100 are not beyond 5 %.
func (h *hourly) beyond(share float64) bool {
	return h != nil && h.lacking > guardLeast && float64(h.lacking) > share*float64(h.ballots)
}

// Hour is the beginning of an instant's hour, in UTC.
func Hour(at time.Time) time.Time { return at.UTC().Truncate(time.Hour) }

// Cast says that a ballot was cast.
func (g *Guard) Cast(entry string, at time.Time) { g.count(entry, at, hourly{ballots: 1}) }

// Lack says that by more ballots, or fewer, of those cast then would be held lacking
// two families.
func (g *Guard) Lack(entry string, at time.Time, by int) { g.count(entry, at, hourly{lacking: by}) }

func (g *Guard) count(entry string, at time.Time, by hourly) {
	if g.entries == nil {
		g.entries, g.contest = map[guarded]*hourly{}, map[int64]*hourly{}
	}
	hour := Hour(at).Unix()
	place := guarded{entry, hour}
	if g.entries[place] == nil {
		g.entries[place] = &hourly{}
	}
	if g.contest[hour] == nil {
		g.contest[hour] = &hourly{}
	}
	for _, h := range []*hourly{g.entries[place], g.contest[hour]} {
		h.ballots += by.ballots
		h.lacking += by.lacking
	}
}

// Stops tells whether no ballot for the entry, cast in the hour of an instant, may be
// held on less than two families, and whose ballots are too many.
func (g *Guard) Stops(entry string, at time.Time) (Scope, bool) {
	hour := Hour(at).Unix()
	switch {
	case g.entries[guarded{entry, hour}].beyond(guardEntry):
		return ScopeEntry, true
	case g.contest[hour].beyond(guardContest):
		return ScopeContest, true
	}
	return "", false
}
