package attack

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// seer is told how each vote was made, and makes void where so many families of looks
// give it away as anybody could see: the best that detectors could do who never took
// somebody honest for a farm. Link, referrer and hours are none of them: people who read
// the same post have those in common too.
type seer struct {
	Capped
	families int
	wave     bool // a wave is judged by what it is at its cheapest: votes that try something dearer go with the rest
}

func (s *seer) Cast(_ context.Context, acts []Act) ([]Answer, error) {
	var cheapest *Plan
	for i := range acts {
		if p := acts[i].Plan; acts[i].Farm {
			if cheapest == nil {
				cheapest = &p
			}
			for t := range p {
				cheapest[t] = min(cheapest[t], p[t])
			}
		}
	}
	told := make([]Answer, len(acts))
	for i, act := range acts {
		told[i].Standing = Counted
		plan := act.Plan
		if s.wave && cheapest != nil {
			plan = *cheapest
		}
		if act.Farm && visible(plan) >= s.families {
			told[i].Standing = Void
		}
		s.fates[act.ID] = Fate{Standing: told[i].Standing, Cast: act.At, Since: act.At}
	}
	return told, nil
}

// visible counts the families in which a vote is unlike a person's.
func visible(p Plan) (families int) {
	network := p[Addresses] <= 2                                   // rented, or several votes each
	device := p[Devices] <= 1 || p[Devices] == 2 && p[Agents] <= 1 // several votes each, or made up under few agents
	tempo := p[Dwell] <= 1                                         // a program's
	for _, seen := range [...]bool{network, device, tempo} {
		if seen {
			families++
		}
	}
	return families
}

// A farm that changes two tells a round looks like people in two of three families before
// its last round, and five of seven in all three: who makes void what two families of looks
// give away, and never errs, keeps out none of the last round.
func TestOracle_WhatTheRulesLeaveToAFarmThatLearns(t *testing.T) {
	last := func(p Profile, families int, wave bool) (median, first float64) {
		var all []float64
		for seed := uint64(1); seed <= 5; seed++ {
			c := Campaign{Market: market(seed), Costs: BuiltinCosts(), Plan: p.Plan, Rounds: 5, Votes: 200}
			out, err := c.Play(t.Context(), &seer{*NewCapped(0), families, wave})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, out.Rounds[4].Surviving)
			first = max(first, out.Rounds[0].Surviving)
		}
		slices.Sort(all)
		return all[2], first
	}
	for _, p := range Profiles {
		row := fmt.Sprintf("%-10s", p.Name)
		for _, families := range []int{2, 1} {
			for _, wave := range []bool{false, true} {
				median, first := last(p, families, wave)
				row += fmt.Sprintf("   %d families, waves %v: %3.0f %%", families, wave, 100*median)
				perfect := p.Name != "burst" && p.Name != "inboxes" // by round 5 they look like people in all three
				if want := families == 2 || perfect; want && median < 0.8 || !want && median > 0.2 {
					t.Errorf("%s, %d families, waves %v: %.2f survive", p.Name, families, wave, median)
				}
				if wave && first > 0 { // the control: it does see them
					t.Errorf("%s, %d families: %.2f of a first round survive", p.Name, families, first)
				}
			}
		}
		t.Log(row)
	}
}
