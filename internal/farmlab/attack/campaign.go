package attack

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// Campaign is a farm against one ground.
type Campaign struct {
	Market *farmlab.Market // whose crowd votes too
	Costs  Costs
	Plan   Plan
	Rounds int
	Votes  int // in a round

	// Capped says that nothing but [DailyCap] stands against the farm, and that it knows
	// it: an address of a data centre takes as many votes as the cap lets through.
	Capped bool

	// Tells is how many tells it changes in all, each through all its grades; 0: as many
	// as it takes. After a round it is never more than two.
	Tells int

	// Stubborn comes again with the tools it has, and changes none.
	Stubborn bool
	// NoInboxes says that the ground takes no proofs: the farm cannot buy any.
	NoInboxes bool
}

// Round is what a wave was, and what became of it.
type Round struct {
	Plan       map[string]string `json:"plan"`
	Changed    []string          `json:"changed"`    // tells, since the round before
	Votes      int               `json:"votes"`      // for who pays, attempted
	Decoys     int               `json:"decoys"`     // for others, for the looks of it
	Challenges int               `json:"challenges"` // that were solved
	Rejected   int               `json:"rejected"`   // at the door
	Refused    int               `json:"refused"`    // by the rules
	Void       int               `json:"void"`       // at the end
	Held       int               `json:"held"`
	Proved     int               `json:"proved"` // were held, and answered with an inbox
	Asked      int               `json:"asked"`  // of those counted: found, and left to a person by the guard
	Counted    int               `json:"counted"`
	Seen       float64           `json:"seen_surviving"` // share of Votes that the farm saw counted when the round was over
	Surviving  float64           `json:"surviving"`      // share of Votes counted at the end
	Spent      float64           `json:"spent"`
	Price      *float64          `json:"price"` // of a vote counted at the end; null: none is

	// DetectSeconds is from the 50th ballot of the wave until half of its ballots were
	// not counted any more; null: they never were so few, or it had fewer ballots.
	DetectSeconds *float64 `json:"detect_seconds"`
}

// Honest is what became of the crowd's attempts.
type Honest struct {
	Ballots    int            `json:"ballots"`
	Challenged int            `json:"challenged"`
	Rejected   int            `json:"rejected"`
	Held       int            `json:"held"`      // still
	EverHeld   int            `json:"ever_held"` // when somebody could look
	Proved     int            `json:"proved"`    // of those, answered with a proof
	Asked      int            `json:"asked"`     // counted, and left to a person by the guard
	Void       int            `json:"void"`
	Groups     map[string]int `json:"not_counted_by_group"` // rejected, held or void
}

// Outcome is a campaign that is over.
type Outcome struct {
	Rounds []Round `json:"rounds"`
	Honest Honest  `json:"honest"`
	Recall float64 `json:"recall"` // share of the farm's ballots for who pays that are not counted at the end
}

// Play plays every round on g, with the crowd among it, and closes the contest.
func (c Campaign) Play(ctx context.Context, g Ground) (Outcome, error) {
	opens := c.Market.Opens()
	span := c.Market.Closes().Sub(opens) / time.Duration(c.Rounds)
	s := newShop(c.Market, c.Costs, c.Market.Modest(), c.Votes)
	var out Outcome
	var waves [][]vote
	crowd := &audience{group: map[string]string{}, answers: map[string]Answer{}, held: map[string]bool{}}
	plan, changed := c.Plan, []Tell(nil)
	s.stubborn, s.capped, s.tells = c.Stubborn, c.Capped, c.Tells
	if s.noInboxes = c.NoInboxes; c.NoInboxes {
		plan[Accounts] = 0
	}
	doors := map[string]Fate{} // of votes that are in no box
	for r := range c.Rounds {
		from, to := opens.Add(time.Duration(r)*span), opens.Add(time.Duration(r+1)*span)
		before := s.spent
		votes := s.order(plan, from, to)
		answers, err := cast(ctx, g, crowd, votes, c.between(from, to))
		if err != nil {
			return out, fmt.Errorf("round %d: %w", r+1, err)
		}
		round := Round{Plan: plan.words(), Changed: words(changed)}
		for i, a := range answers {
			s.spent += float64(a.Challenges) * c.Costs.Challenge
			round.Challenges += a.Challenges
			if a.Standing == Rejected || a.Standing == Refused {
				doors[votes[i].act.ID] = Fate{Standing: a.Standing, Reasons: a.Reasons}
			}
		}
		if err := g.Rest(ctx, to); err != nil {
			return out, fmt.Errorf("round %d: %w", r+1, err)
		}
		if round.Proved, err = s.answer(ctx, g, votes); err != nil {
			return out, fmt.Errorf("round %d: %w", r+1, err)
		}
		round.Spent = s.spent - before
		if !c.NoInboxes {
			if err := crowd.answer(ctx, g); err != nil {
				return out, fmt.Errorf("round %d: %w", r+1, err)
			}
		}
		fates, err := fatesOf(ctx, g, votes, doors)
		if err != nil {
			return out, fmt.Errorf("round %d: %w", r+1, err)
		}
		round.Seen = surviving(votes, fates)
		if changed = nil; !c.Stubborn {
			s.content = round.Seen >= content
			for _, t := range learn(plan, votes, fates, s.can) {
				if s.can(plan, t) { // the one before may have been its last
					plan[t]++
					s.changed[t] = true
					changed = append(changed, t)
				}
			}
		}
		waves, out.Rounds = append(waves, votes), append(out.Rounds, round)
	}
	if err := g.Close(ctx); err != nil {
		return out, fmt.Errorf("close: %w", err)
	}
	// What the last look holds its voters may still answer, until results are published.
	for r, votes := range waves {
		before := s.spent
		proved, err := s.answer(ctx, g, votes)
		if err != nil {
			return out, fmt.Errorf("after the close: %w", err)
		}
		out.Rounds[r].Proved += proved
		out.Rounds[r].Spent += s.spent - before
	}
	if !c.NoInboxes {
		if err := crowd.answer(ctx, g); err != nil {
			return out, fmt.Errorf("after the close: %w", err)
		}
	}
	caught, all := 0, 0
	for r, votes := range waves {
		fates, err := fatesOf(ctx, g, votes, doors)
		if err != nil {
			return out, fmt.Errorf("after the close: %w", err)
		}
		out.Rounds[r].end(votes, fates)
		all += out.Rounds[r].Votes
		caught += out.Rounds[r].Votes - out.Rounds[r].Counted
	}
	out.Recall = float64(caught) / float64(max(1, all))
	var err error
	out.Honest, err = crowd.end(ctx, g)
	return out, err
}

// UnderCap is the same farm where nothing but the cap stands against it, and it begins
// as cheaply as it can.
func (c Campaign) UnderCap() Campaign {
	c.Plan, c.Capped = cheapest, true
	return c
}

// between are the crowd's ballots of a span.
func (c Campaign) between(from, to time.Time) []Act {
	all := c.Market.Ballots
	after := func(at time.Time) int {
		n, _ := slices.BinarySearchFunc(all, at, func(b detect.Ballot, at time.Time) int { return b.At.Compare(at) })
		return n
	}
	var acts []Act
	for _, b := range all[after(from):after(to)] {
		acts = append(acts, Act{Ballot: b, Issued: b.At.Add(-20 * time.Second), Group: c.Market.Labels[b.Voter].Group})
	}
	return acts
}

// cast plays a wave among the crowd and returns the answers to the wave.
func cast(ctx context.Context, g Ground, crowd *audience, votes []vote, others []Act) ([]Answer, error) {
	place := map[string]int{}
	acts := others
	for i, v := range votes {
		place[v.act.ID] = i
		acts = append(acts, v.act)
	}
	slices.SortStableFunc(acts, func(a, b Act) int { return a.At.Compare(b.At) })
	told, err := g.Cast(ctx, acts)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(votes))
	for i, act := range acts {
		if at, ours := place[act.ID]; ours {
			answers[at] = told[i]
		} else {
			crowd.heard(act, told[i])
		}
	}
	return answers, nil
}

func fatesOf(ctx context.Context, g Ground, votes []vote, doors map[string]Fate) ([]Fate, error) {
	var ids []string
	for _, v := range votes {
		if _, out := doors[v.act.ID]; !out {
			ids = append(ids, v.act.ID)
		}
	}
	known, err := g.Ask(ctx, ids)
	if err != nil {
		return nil, err
	}
	fates := make([]Fate, len(votes))
	for i, v := range votes {
		fate, in := known[v.act.ID]
		if !in {
			fate = doors[v.act.ID]
		}
		fates[i] = fate
	}
	return fates, nil
}

func surviving(votes []vote, fates []Fate) float64 {
	all, alive := 0, 0
	for i, v := range votes {
		if v.own {
			all++
			if fates[i].Standing == Counted {
				alive++
			}
		}
	}
	return float64(alive) / float64(max(1, all))
}

func words(of []Tell) []string {
	names := []string{}
	for _, t := range of {
		names = append(names, t.String())
	}
	return names
}
