// Package detect looks back over what was cast and tells farms from crowds.
//
// A farm is looked for as a hand: ballots of many voters cast as one. A cohort (an
// entry, a link, an address block, some hours, two entries voted for together) is
// suspect when its members look unlike the contest's crowd, never because it is
// large or fast. From the suspicious members of one, a mixture of a hand and the
// crowd is fitted by EM; the hand stands when two families of evidence say that its
// composition is not the crowd's (docs/ANTIFRAUD.md).
//
// It is pure, and the same code runs offline over a ballot log, every minute
// while voting goes on, and whole at the close. Equal calls find alike.
package detect

import (
	"time"

	"github.com/joute/joute/antifraud"
)

// Model names the formulas and their numbers: equal versions find alike.
const Model = "15"

// Ballot is one line of the ballot log. ID, Voter and Entry are never empty; any of
// the evidence may be.
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
	Families []antifraud.Family `json:"-"` // that speak against the voter by themselves
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
	Clusters []Cluster // all that the run saw
	Share    float64   // estimated share of farms among the voters that were judged
}

// Options are what a detector need not know. The zero value works.
type Options struct {
	Hold float64 // from this score on a ballot is held; 0: 0.5
	Void float64 // from this score on, and by two families, it is void; 0: 0.9
}

// Detector holds what was seen of a contest. It is not safe for concurrent use.
type Detector struct {
	hold, void float64

	log     log
	said    []said  // by record: what was found last
	judged  int     // records that were there at the last run
	whole   int     // records that were there when all were judged last
	cluster []int32 // by voter of the log: the cluster they were last in; unseen: none
	ids     []string
}

// said is a finding as it is remembered.
type said struct {
	score    float32
	cluster  int32
	standing uint8 // place in standings
	families uint8 // a bit for each that speaks against the voter
}

var standings = [...]Standing{Counted, Held, Void}

// New is a detector that has seen nothing.
func New(o Options) *Detector {
	d := &Detector{hold: o.Hold, void: o.Void}
	if d.hold == 0 {
		d.hold = 0.5
	}
	if d.void == 0 {
		d.void = 0.9
	}
	return d
}

// Add gives it ballots, in any order: clocks of boxes differ by a little.
func (d *Detector) Add(ballots ...Ballot) {
	for i := range ballots {
		d.log.add(&ballots[i])
		d.said = append(d.said, said{cluster: unseen})
	}
	for len(d.cluster) < d.log.voters.count() {
		d.cluster = append(d.cluster, unseen)
	}
}

const (
	recent  = 10_000 // ballots before the new ones that a run judges with them
	sampled = 5_000  // ballots of all the time before, for what the crowd is like
	growth  = 4      // all are judged again when a fourth more have come
)

// Run judges what was added since the last run, with what came shortly before, the
// farms that are known, and a sample of all the rest, each with all ballots of its
// voter. So it costs what is new and, besides, some 15,000 to 20,000 voters and the
// known farms; all is judged each time that a fourth more has come, so that over a
// contest a ballot is judged a bounded number of times. Findings that did not change
// are not told again, nor is a new ballot told that nothing speaks against.
func (d *Detector) Run() Report {
	n := len(d.log.records)
	if n-d.whole > d.whole/growth || n <= recent && n > d.judged {
		return d.judge(d.all(), true)
	}
	if n == d.judged {
		return Report{}
	}
	return d.judge(d.lately(), true)
}

// Whole judges every ballot anew and tells a finding of each.
func (d *Detector) Whole() Report { return d.judge(d.all(), false) }

func (d *Detector) all() []int32 {
	d.whole = len(d.log.records)
	places := make([]int32, d.whole)
	for i := range places {
		places[i] = int32(i)
	}
	return places
}

// lately are the places of the records that a run judges: of each voter it meets,
// all ballots.
func (d *Detector) lately() []int32 {
	l := &d.log
	met := make([]bool, len(l.records))
	var places []int32
	meet := func(i int32) {
		for i = l.last[l.records[i].voter]; i != unseen && !met[i]; i = l.records[i].before {
			met[i] = true
			places = append(places, i)
		}
	}
	from := max(0, d.judged-recent)
	for i := from; i < len(l.records); i++ {
		meet(int32(i))
	}
	for i := range from {
		if d.cluster[l.records[i].voter] != unseen || i%max(1, from/sampled) == 0 {
			meet(int32(i))
		}
	}
	return places
}
