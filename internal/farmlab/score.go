package farmlab

import (
	"maps"

	"github.com/joute/joute/antifraud/detect"
)

// Figures are what a detector's findings are worth, given the truth. A voter is
// void when any of its ballots is, and held when any is held or void.
type Figures struct {
	Ballots  int              `json:"ballots"`
	Missing  int              `json:"missing"` // ballots without a finding; they are in no other figure
	Unknown  int              `json:"-"`       // findings on no ballot of the log; they are in no figure either
	Void     Accuracy         `json:"void"`
	VoidHeld Accuracy         `json:"void_held"`
	AUC      *float64         `json:"auc"` // of the voters' highest scores; nil where one sort of voters is missing
	Groups   map[string]Group `json:"groups"`
	Result   Result           `json:"result"`
	ECE      float64          `json:"ece"` // expected calibration error of the ballots' scores, 10 bins (Naeini et al., AAAI 2015)
}

// Accuracy counts voters that were called a farm's. Nothing called has precision
// 0, as nothing speaks for it.
type Accuracy struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Group is what happened to the voters of a group, and to their ballots.
type Group struct {
	Voters   int     `json:"voters"`
	Void     float64 `json:"void"`      // share of the voters
	VoidHeld float64 `json:"void_held"` // share of the voters
	Ballots  int     `json:"ballots"`
	Counted  float64 `json:"counted"` // share of the ballots
	Farm     bool    `json:"-"`       // any of its voters is a farm's
}

// Result is what the public would see.
type Result struct {
	FarmCounted float64 `json:"farm_counted"` // share of the farms' ballots
	HonestVoid  float64 `json:"honest_void"`  // shares of the honest ballots
	HonestHeld  float64 `json:"honest_held"`
	Tau         float64 `json:"tau"`    // Kendall's, between the order by counted ballots and that without farms
	Winner      bool    `json:"winner"` // is the one of the contest without farms
}

// Score compares findings with the truth.
func Score(ballots []detect.Ballot, labels map[string]Label, findings []detect.Finding) Figures {
	found := make(map[string]*detect.Finding, len(findings))
	for i := range findings {
		found[findings[i].Ballot] = &findings[i]
	}
	f := Figures{Ballots: len(ballots)}
	unknown := maps.Clone(found)
	voters := map[string]called{}
	counted, clean := map[string]int{}, map[string]int{}
	kept := newTally()
	var bins calibration
	for i := range ballots {
		b := &ballots[i]
		verdict, ok := found[b.ID]
		if !ok {
			f.Missing++
			continue
		}
		delete(unknown, b.ID)
		label := labels[b.Voter]
		v := voters[b.Voter]
		v.score = max(v.score, verdict.Score)
		v.void = v.void || verdict.Standing == detect.Void
		v.held = v.held || verdict.Standing != detect.Counted
		voters[b.Voter] = v
		kept.add(label, verdict.Standing)
		bins.add(verdict.Score, label.Farm)
		if verdict.Standing == detect.Counted {
			counted[b.Entry]++
		}
		if !label.Farm {
			clean[b.Entry]++
		}
	}
	f.Unknown = len(unknown)
	f.Void = accuracy(voters, labels, func(v called) bool { return v.void })
	f.VoidHeld = accuracy(voters, labels, func(v called) bool { return v.held })
	f.AUC = auc(voters, labels)
	f.Groups = groups(voters, labels, kept)
	f.Result = kept.result()
	f.Result.Tau, f.Result.Winner = agreement(counted, clean)
	f.ECE = bins.error()
	return f
}

// called is what a voter was called in the end.
type called struct {
	score      float64
	void, held bool
}

func accuracy(voters map[string]called, labels map[string]Label, positive func(called) bool) Accuracy {
	right, all, farms := 0, 0, 0
	for voter, label := range labels {
		is := positive(voters[voter])
		if label.Farm {
			farms++
		}
		if is {
			all++
		}
		if is && label.Farm {
			right++
		}
	}
	a := Accuracy{Precision: ratio(right, all), Recall: ratio(right, farms)}
	if sum := a.Precision + a.Recall; sum > 0 {
		a.F1 = 2 * a.Precision * a.Recall / sum
	}
	return a
}

func groups(voters map[string]called, labels map[string]Label, kept *tally) map[string]Group {
	type sums struct{ voters, void, held int }
	counts, farms := map[string]sums{}, map[string]bool{}
	for voter, label := range labels {
		c := counts[label.Group]
		c.voters++
		if v := voters[voter]; v.void {
			c.void, c.held = c.void+1, c.held+1
		} else if v.held {
			c.held++
		}
		counts[label.Group] = c
		farms[label.Group] = farms[label.Group] || label.Farm
	}
	all := map[string]Group{}
	for name, c := range counts {
		ballots := kept.group[name]
		all[name] = Group{
			Voters: c.voters, Void: ratio(c.void, c.voters), VoidHeld: ratio(c.held, c.voters),
			Ballots: ballots.all, Counted: ratio(ballots.counted, ballots.all), Farm: farms[name],
		}
	}
	return all
}

// tally counts ballots by truth and standing.
type tally struct {
	standing map[bool]map[detect.Standing]int // by whether a farm's
	all      map[bool]int
	group    map[string]struct{ all, counted int }
}

func newTally() *tally {
	return &tally{
		standing: map[bool]map[detect.Standing]int{true: {}, false: {}},
		all:      map[bool]int{}, group: map[string]struct{ all, counted int }{},
	}
}

func (t *tally) add(label Label, standing detect.Standing) {
	t.standing[label.Farm][standing]++
	t.all[label.Farm]++
	g := t.group[label.Group]
	g.all++
	if standing == detect.Counted {
		g.counted++
	}
	t.group[label.Group] = g
}

func (t *tally) result() Result {
	return Result{
		FarmCounted: ratio(t.standing[true][detect.Counted], t.all[true]),
		HonestVoid:  ratio(t.standing[false][detect.Void], t.all[false]),
		HonestHeld:  ratio(t.standing[false][detect.Held], t.all[false]),
	}
}

func ratio(part, of int) float64 { return float64(part) / float64(max(1, of)) }
