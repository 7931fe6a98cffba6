package main

import (
	"context"
	"fmt"
	"time"

	"github.com/joute/joute/internal/farmlab"
	"github.com/joute/joute/internal/farmlab/arena"
	"github.com/joute/joute/internal/farmlab/attack"
)

// readings are the two of a farm that "changes its two worst tells": two more after each
// round, or two in all.
var readings = []struct {
	name  string
	tells int
}{{"two tells more after each round", 0}, {"two tells in all", attack.TwoInAll}}

// attacks plays farms in memory, through screening, door and detectors: a burst that
// comes again with the same tools, then each farm that learns.
func (t *table) attacks(seed uint64) error {
	if err := t.burst(seed); err != nil {
		return err
	}
	for _, p := range attack.Profiles {
		for _, reading := range readings {
			r, err := arena.Trial{Profile: p, Costs: attack.BuiltinCosts(), Seed: seed, Tells: reading.tells, Options: arena.Quick}.Run(context.Background())
			if err != nil {
				return err
			}
			t.head(fmt.Sprintf("a farm that learns, %s, %s, seed %d", p.Name, reading.name, seed))
			t.add(atMost("round 5, votes that count at the end", r.Surviving(), attack.MostSurviving))
			t.add(priced("a surviving vote against the cap, round 5", r.Times))
			t.add(priced("the same, the cheapest rounds", r.LeastTimes))
			h := r.Ours.Honest
			t.add(atMost("honest ballots rejected or void", float64(h.Rejected+h.Void)/float64(max(1, h.Ballots)), 0))
			t.add(atMost(fmt.Sprintf("honest ballots held at the end (%d ever, %d proved)", h.EverHeld, h.Proved), float64(h.Held)/float64(max(1, h.Ballots)), 0.01))
			t.end()
		}
	}
	return nil
}

// burst is a burst of 200, and the next wave of the same farm, with detectors that look
// every minute as a server's do.
func (t *table) burst(seed uint64) error {
	r, err := arena.Trial{
		Profile: attack.Profiles[0], Costs: attack.BuiltinCosts(), Seed: seed, Rounds: 2, Votes: 200, Stubborn: true, Options: arena.Options{Every: time.Minute},
	}.Run(context.Background())
	if err != nil {
		return err
	}
	first, next, h := r.Ours.Rounds[0], r.Ours.Rounds[1], r.Ours.Honest
	t.head(fmt.Sprintf("a burst of %d, and again, seed %d", r.Votes, seed))
	t.add(detection(first))
	rejected := float64(next.Rejected) / float64(max(1, next.Votes))
	t.add(farmlab.Row{Measure: "its next wave rejected", Goal: ">= 0.95", Figure: fmt.Sprintf("%.3f", rejected), OK: rejected >= 0.95})
	t.add(farmlab.Row{Measure: "honest ballots rejected", Goal: "0", Figure: fmt.Sprintf("%d of %d", h.Rejected, h.Ballots), OK: h.Rejected == 0})
	t.end()
	return nil
}

// detection is how long after its 50th ballot a wave was void. One that the door ended
// before had none.
func detection(r attack.Round) farmlab.Row {
	row := farmlab.Row{Measure: "void after its 50th ballot", Goal: fmt.Sprintf("<= %v", attack.MostDetect), Figure: "never"}
	switch took := r.DetectSeconds; {
	case took != nil:
		row.Figure = time.Duration(*took * float64(time.Second)).Round(time.Second).String()
		row.OK = *took <= attack.MostDetect.Seconds()
	case r.Void+r.Held+r.Counted < attack.Quorum && r.Counted == 0:
		row.Figure, row.OK = fmt.Sprintf("before: %d were taken, the rest rejected", r.Void+r.Held), true
	}
	return row
}

func atMost(measure string, figure, goal float64) farmlab.Row {
	return farmlab.Row{Measure: measure, Goal: fmt.Sprintf("<= %.3g", goal), Figure: fmt.Sprintf("%.4f", figure), OK: figure <= goal}
}

func priced(measure string, of func() (times float64, endless bool)) farmlab.Row {
	times, endless := of()
	row := farmlab.Row{Measure: measure, Goal: fmt.Sprintf(">= %d x", attack.LeastTimes), Figure: fmt.Sprintf("%.1f x", times), OK: endless || times >= attack.LeastTimes}
	if endless {
		row.Figure = "none survives"
	}
	return row
}
