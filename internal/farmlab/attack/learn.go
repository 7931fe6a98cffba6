package attack

import (
	"slices"

	"github.com/joute/joute/antifraud"
)

const (
	// changes is how many tells a farm changes after a round.
	changes = 2

	// content is the share of surviving votes from which a farm leaves well alone.
	content = 0.9
)

// hints are the tells that coarse reasons point at; the others point at none.
var hints = map[antifraud.Reason][]Tell{
	antifraud.ReasonUnproven:  {Accounts},
	antifraud.ReasonKnownFarm: {Addresses, Devices}, // what is bought is what is met again
	"cap":                     {Addresses},
}

// learn tells which tells to change, the worst first, by what became of votes: those
// that tried the next grade of a tell against those that did not. Where nothing is
// learnt from them, reasons decide, and else the order of [Tell]: what sellers of
// votes are asked for first. Votes for others say nothing: they stand because of whom
// they are for, and a farm that went by them would take its decoys for a success. can
// tells which tells have a next grade.
func learn(p Plan, votes []vote, fates []Fate, can func(Plan, Tell) bool) []Tell {
	type sums struct{ n, survived float64 }
	var tried, kept [tells]sums
	hinted := [tells]float64{}
	paid, survived := 0.0, 0.0
	for i, v := range votes {
		if !v.own {
			continue
		}
		alive := 0.0
		if fates[i].Standing == Counted {
			alive = 1
		}
		paid, survived = paid+1, survived+alive
		for _, reason := range fates[i].Reasons {
			for _, t := range hints[reason] {
				hinted[t]++
			}
		}
		for t := range p {
			into := &kept[t]
			if v.act.Plan[t] > p[t] {
				into = &tried[t]
			}
			into.n, into.survived = into.n+1, into.survived+alive
		}
	}
	if paid == 0 || survived >= content*paid {
		return nil
	}
	type ranked struct {
		tell Tell
		gain float64
	}
	var order []ranked
	for t := range Tell(tells) {
		if !can(p, t) {
			continue
		}
		// A few votes say little: as if four more of each had fared as all did.
		all := survived / paid
		share := func(s sums) float64 { return (s.survived + 4*all) / (s.n + 4) }
		gain := share(tried[t]) - share(kept[t]) + 0.05*hinted[t]/paid
		order = append(order, ranked{t, gain})
	}
	slices.SortStableFunc(order, func(a, b ranked) int {
		switch {
		case a.gain > b.gain:
			return -1
		case a.gain < b.gain:
			return 1
		}
		return 0
	})
	var worst []Tell
	for _, r := range order[:min(changes, len(order))] {
		worst = append(worst, r.tell)
	}
	return worst
}
