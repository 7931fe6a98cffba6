package attack

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is a farm that learned against us, and the same against a cap.
type Report struct {
	Profile string  `json:"profile"`
	Seed    uint64  `json:"seed"`
	Votes   int     `json:"votes"` // in a round
	Costs   Costs   `json:"costs"`
	Ours    Outcome `json:"ours"`
	Capped  Outcome `json:"capped"` // DailyCap ballots a day and address, and nothing else
}

// The goals of a farm that learned for five rounds.
const (
	MostSurviving = 0.20
	LeastTimes    = 10
	MostDetect    = 5 * time.Minute
)

// TwoInAll is [Campaign.Tells] of a farm that changes its two worst tells and no others.
const TwoInAll = 2

// Surviving is the share of the last round's votes that count at the end.
func (r *Report) Surviving() float64 {
	if len(r.Ours.Rounds) == 0 {
		return 0
	}
	return r.Ours.Rounds[len(r.Ours.Rounds)-1].Surviving
}

// cheapest is the round in which a vote that counts at the end cost least: a farm that
// knows that stops learning there. Nil: no vote counts.
func (o Outcome) cheapest() *float64 {
	var least *float64
	for i := range o.Rounds {
		if p := o.Rounds[i].Price; p != nil && (least == nil || *p < *least) {
			least = p
		}
	}
	return least
}

func (o Outcome) last() *float64 {
	if len(o.Rounds) == 0 {
		return nil
	}
	return o.Rounds[len(o.Rounds)-1].Price
}

// Times is how many times what a surviving vote costs under the cap it costs here, in
// the last round of each; 0 where no vote survives the cap. Endless says that none
// survives here.
func (r *Report) Times() (times float64, endless bool) { return ratio(r.Ours.last(), r.Capped.last()) }

// LeastTimes is the same of the cheapest rounds of each.
func (r *Report) LeastTimes() (times float64, endless bool) {
	return ratio(r.Ours.cheapest(), r.Capped.cheapest())
}

func ratio(ours, capped *float64) (float64, bool) {
	switch {
	case capped == nil || *capped == 0:
		return 0, false
	case ours == nil:
		return 0, true
	}
	return *ours / *capped, false
}

// Table writes the report for people.
func (r *Report) Table(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s, seed %d, %d votes a round\tvotes\tchallenged\trejected\tvoid\theld\tproved\tcounted\tasked\tsurviving\tspent\ta vote\tseen after\tchanged\n", r.Profile, r.Seed, r.Votes)
	for _, side := range []struct {
		name string
		Outcome
	}{{"here", r.Ours}, {fmt.Sprintf("cap of %d", DailyCap), r.Capped}} {
		for i, round := range side.Rounds {
			fmt.Fprintf(t, "  %s, round %d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f %%\t%.2f\t%s\t%s\t%s\n", side.name, i+1, round.Votes, round.Challenges, round.Rejected,
				round.Void, round.Held, round.Proved, round.Counted, round.Asked, 100*round.Surviving, round.Spent, money(round.Price), seconds(round.DetectSeconds), strings.Join(round.Changed, ", "))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	h := r.Ours.Honest
	_, err := fmt.Fprintf(to, "  the farm's votes not counted at the end: %.0f %%; a surviving vote costs %s what it costs under the cap in the last round, %s in the cheapest of each (a person's vote is sold for %.2f)\n"+
		"  of %d honest ballots: %d asked for a challenge, %d rejected; %d were held when somebody could look, %d of these proved an address; %d held, %d void at the end, a person is asked about %d\n",
		100*r.Ours.Recall, times(r.Times()), times(r.LeastTimes()), r.Costs.PersonVote, h.Ballots, h.Challenged, h.Rejected, h.EverHeld, h.Proved, h.Held, h.Void, h.Asked)
	return err
}

func money(price *float64) string {
	if price == nil {
		return "none counts"
	}
	return fmt.Sprintf("%.3f", *price)
}

func seconds(s *float64) string {
	if s == nil {
		return "-"
	}
	return time.Duration(*s * float64(time.Second)).Round(time.Second).String()
}

func times(x float64, endless bool) string {
	if endless {
		return "endlessly many times"
	}
	return fmt.Sprintf("%.1f times", x)
}
