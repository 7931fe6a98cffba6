// Package detect looks back over what was cast and tells farms from crowds.
//
// It is pure, and the same code runs offline over a ballot log, every minute
// while voting goes on, and whole at the close.
package detect

import (
	"time"

	"github.com/joute/joute/antifraud"
)

// Model names the formulas and their numbers: equal versions find alike.
const Model = "1"

// Ballot is one line of the ballot log.
type Ballot struct {
	ID       string             `json:"ballot"`
	At       time.Time          `json:"at"`
	Voter    string             `json:"voter"`
	Entry    string             `json:"entry"`
	School   string             `json:"school"`
	Level    string             `json:"level"`
	Evidence antifraud.Evidence `json:"evidence"`
}

// Standing is what the detectors would have a ballot be.
type Standing string

// The standings that detectors know.
const (
	Counted Standing = "counted"
	Held    Standing = "held"
	Void    Standing = "void"
)

// Finding is what is said of one ballot.
type Finding struct {
	Ballot   string             `json:"ballot"`
	Voter    string             `json:"-"`
	Entry    string             `json:"-"`
	At       time.Time          `json:"-"`
	Score    float64            `json:"score"` // probability that the voter is a farm's
	Standing Standing           `json:"standing"`
	Reasons  []antifraud.Reason `json:"reasons,omitempty"`
	Cluster  string             `json:"cluster,omitempty"`
	Families []antifraud.Family `json:"-"` // that speak against the ballot by themselves
	Parts    []Part             `json:"-"` // what Score is made of
}

// Part is one term of a sum of log-odds.
type Part struct {
	Signal  string           `json:"signal"`
	Family  antifraud.Family `json:"family"`
	LogOdds float64          `json:"log_odds"`
}

// Cluster is a farm that was seen. Signature is nil unless members are void.
type Cluster struct {
	ID        string               `json:"cluster"`
	Entries   []string             `json:"entries"`
	Voters    int                  `json:"voters"`
	Void      int                  `json:"void"` // ballots
	Held      int                  `json:"held"`
	Families  []antifraud.Family   `json:"families"`
	From      time.Time            `json:"from"`
	To        time.Time            `json:"to"`
	Signature *antifraud.Signature `json:"-"`
}

// Report is what one run found.
type Report struct {
	Findings []Finding // of the ballots that were judged anew, in the order in which they were added
	Clusters []Cluster // all that are known
	Share    float64   // estimated share of farms among the voters
}

// Options are what a detector need not know. The zero value works.
type Options struct {
	Hold float64 // from this score on a ballot is held; 0: 0.5
	Void float64 // from this score on, and by two families, it is void; 0: 0.9
}

// Detector holds what was seen of a contest. It is not safe for concurrent use.
type Detector struct {
	ballots []Ballot
}

// New is a detector that has seen nothing.
func New(Options) *Detector { return &Detector{} }

// Add gives it ballots, in any order: clocks of boxes differ by a little.
func (d *Detector) Add(ballots ...Ballot) { d.ballots = append(d.ballots, ballots...) }

// Run judges what the ballots added since the last run touch, and costs what they
// are, not what the contest is. Findings that did not change are not told again.
func (d *Detector) Run() Report { return d.Whole() }

// Whole judges every ballot anew.
func (d *Detector) Whole() Report {
	var r Report
	if len(d.ballots) == 0 {
		return r
	}
	t := tabulate(d.ballots)
	c := newCrowd(t)
	farms := seek(c, newIndex(c))
	score := make([]float64, len(t.voters))
	for _, f := range farms {
		for n, v := range f.who {
			w := f.w[n]
			if !f.strong || !f.voids(n) {
				w = min(w, 0.89)
			}
			if f.strong && !f.seen(n) {
				w = w * w
			}
			score[v] = 1 - (1-score[v])*(1-w)
		}
	}
	r.Findings = make([]Finding, len(d.ballots))
	for i := range d.ballots {
		b, v := &d.ballots[i], t.voterOf[i]
		f := Finding{Ballot: b.ID, Voter: b.Voter, Entry: b.Entry, At: b.At, Standing: Counted, Score: score[v]}
		switch {
		case score[v] >= 0.9:
			f.Standing = Void
		case score[v] >= 0.5:
			f.Standing = Held
		}
		r.Findings[i] = f
	}
	return r
}

// voids tells whether two families speak against a member by themselves, one of
// them neither account nor tempo.
func (f *farm) voids(n int) bool {
	against, other := 0, false
	for family, x := range f.own[n] {
		if f.evidence.firm[family] && x > 0.25 {
			against++
			other = other || family != byAccount && family != byTempo
		}
	}
	return against >= 2 && other
}

func (f *farm) seen(n int) bool {
	for family, x := range f.own[n] {
		if x > 1 && family != byNetwork {
			return true
		}
	}
	return false
}
