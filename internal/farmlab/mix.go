package farmlab

import "github.com/joute/joute/contest"

// Mix says what a contest is like and who comes. What is zero is drawn from the
// seed, where zero is no sensible value of it.
type Mix struct {
	Entries, Schools int
	Days             int  // that voting is open
	Ballots          int  // of a voter in a period
	Daily            bool // the period is a day, not the contest
	Voters           int  // of the background: honest, without a cohort
	Crowds, Farms    []Cohort
	Members          Members

	// Of is a contest that is there already: its schools, entries, rules, campuses
	// and voting hours are played, and the numbers of such above are not looked at.
	Of *contest.Contest
}

// Cohort is a group that does something together. Voters 0 is drawn.
type Cohort struct {
	Kind   string
	Voters int
}

// Members says which members of evidence are there.
type Members struct {
	NoDevice, NoAgent, NoDwell, NoVia, NoReferrer bool
	NoConfirm, NoVisible                          bool
	UnknownNets                                   float64 // share of the networks whose kind no table knows
	Profiles                                      float64 // share of the honest voters whose pass carries a profile
	Email                                         float64 // share of the honest voters who proved an address
	Present                                       float64 // share of those on a campus who were in the hall
}

// The kinds of [Cohort] that are honest.
var Crowds = []string{"campus", "viral", "fanclub", "computer-room", "carrier", "radio", "family", "bus"}

// The kinds of [Cohort] that are farms.
var Farms = []string{
	"burst", "drip", "camouflage", "single", "aged", "churn", "spoof", "hoard", "lone", "lone-campus", "link", "proxies", "false-flag",
}

func cohorts(kinds ...string) []Cohort {
	all := make([]Cohort, len(kinds))
	for i, kind := range kinds {
		all[i].Kind = kind
	}
	return all
}

// Random is a mix of the seed's own: any size, any members, any company. One in
// six has no farm at all.
func Random(seed uint64) Mix {
	r := source(seed, "mix")
	chance := func(p float64) bool { return r.Float64() < p }
	m := Mix{
		Entries: int(6 * pow(4000.0/6, r.Float64()*r.Float64())),
		Days:    3 + r.IntN(33),
		Ballots: []int{1, 1, 2, 3, 5, 20, 100_000}[r.IntN(7)],
		Daily:   chance(0.25),
		Voters:  int(1500 * pow(12, r.Float64())),
	}
	m.Schools = min(3+r.IntN(max(1, m.Entries-2)), 500)
	m.Members = Members{
		NoDevice: chance(0.15), NoAgent: chance(0.1), NoDwell: chance(0.15), NoVia: chance(0.15), NoReferrer: chance(0.15),
		NoConfirm: chance(0.4), NoVisible: chance(0.4),
	}
	if chance(0.5) {
		m.Members.UnknownNets = r.Float64()
	}
	if chance(0.35) {
		m.Members.Profiles = 0.4 + 0.6*r.Float64()
	}
	if chance(0.2) {
		m.Members.Email = r.Float64()
	}
	if chance(0.3) {
		m.Members.Present = 0.7 * r.Float64()
	}
	for _, kind := range Crowds {
		if chance(0.6) {
			m.Crowds = append(m.Crowds, Cohort{Kind: kind})
		}
	}
	if clean := chance(1.0 / 6); clean {
		return m
	}
	for _, kind := range Farms {
		if chance(0.5) {
			m.Farms = append(m.Farms, Cohort{Kind: kind})
		}
	}
	return m
}
