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
	p := playing{
		Campaign: c, ground: g, doors: map[string]Fate{},
		shop:  newShop(c.Market, c.Costs, c.Market.Modest(), c.Votes),
		crowd: &audience{group: map[string]string{}, answers: map[string]Answer{}, held: map[string]bool{}},
	}
	p.shop.stubborn, p.shop.capped, p.shop.tells, p.shop.noInboxes = c.Stubborn, c.Capped, c.Tells, c.NoInboxes
	plan, changed := c.Plan, []Tell(nil)
	if c.NoInboxes {
		plan[Accounts] = 0
	}
	opens := c.Market.Opens()
	span := c.Market.Closes().Sub(opens) / time.Duration(c.Rounds)
	for r := range c.Rounds {
		round, fates, err := p.round(ctx, plan, opens.Add(time.Duration(r)*span), opens.Add(time.Duration(r+1)*span))
		if err != nil {
			return p.out, fmt.Errorf("round %d: %w", r+1, err)
		}
		round.Plan, round.Changed = plan.words(), words(changed)
		p.out.Rounds = append(p.out.Rounds, round)
		if changed = nil; !c.Stubborn {
			plan, changed = p.learn(plan, fates)
		}
	}
	if err := g.Close(ctx); err != nil {
		return p.out, fmt.Errorf("close: %w", err)
	}
	if err := p.answerAll(ctx); err != nil {
		return p.out, fmt.Errorf("after the close: %w", err)
	}
	if err := p.count(ctx); err != nil {
		return p.out, fmt.Errorf("after the close: %w", err)
	}
	var err error
	p.out.Honest, err = p.crowd.end(ctx, g)
	return p.out, err
}

// playing is a campaign that goes on.
type playing struct {
	Campaign
	ground Ground
	shop   *shop
	crowd  *audience
	waves  [][]vote        // of each round so far
	doors  map[string]Fate // of votes that are in no box
	out    Outcome
}

// round plays one wave among the crowd, and tells what became of its votes by then.
func (p *playing) round(ctx context.Context, plan Plan, from, to time.Time) (round Round, fates []Fate, err error) {
	before := p.shop.spent
	votes := p.shop.order(plan, from, to)
	p.waves = append(p.waves, votes)
	answers, err := cast(ctx, p.ground, p.crowd, votes, p.between(from, to))
	if err != nil {
		return round, nil, err
	}
	for i, a := range answers {
		p.shop.spent += float64(a.Challenges) * p.Costs.Challenge
		round.Challenges += a.Challenges
		if a.Standing == Rejected || a.Standing == Refused {
			p.doors[votes[i].act.ID] = Fate{Standing: a.Standing, Reasons: a.Reasons}
		}
	}
	if err := p.ground.Rest(ctx, to); err != nil {
		return round, nil, err
	}
	if round.Proved, err = p.shop.answer(ctx, p.ground, votes); err != nil {
		return round, nil, err
	}
	round.Spent = p.shop.spent - before
	if !p.NoInboxes {
		if err := p.crowd.answer(ctx, p.ground); err != nil {
			return round, nil, err
		}
	}
	if fates, err = fatesOf(ctx, p.ground, votes, p.doors); err != nil {
		return round, nil, err
	}
	round.Seen = surviving(votes, fates)
	return round, fates, nil
}

// learn is the plan for the next round, after what became of the last, and its tells that changed.
func (p *playing) learn(plan Plan, fates []Fate) (_ Plan, changed []Tell) {
	last := len(p.waves) - 1
	p.shop.content = p.out.Rounds[last].Seen >= content
	for _, t := range learn(plan, p.waves[last], fates, p.shop.can) {
		if p.shop.can(plan, t) { // the one before may have been its last
			plan[t]++
			p.shop.changed[t] = true
			changed = append(changed, t)
		}
	}
	return plan, changed
}

// answerAll has voters answer what the last look holds: they may until results are published.
func (p *playing) answerAll(ctx context.Context) error {
	for r, votes := range p.waves {
		before := p.shop.spent
		proved, err := p.shop.answer(ctx, p.ground, votes)
		if err != nil {
			return err
		}
		p.out.Rounds[r].Proved += proved
		p.out.Rounds[r].Spent += p.shop.spent - before
	}
	if p.NoInboxes {
		return nil
	}
	return p.crowd.answer(ctx, p.ground)
}

// count ends the rounds by what became of their votes.
func (p *playing) count(ctx context.Context) error {
	caught, all := 0, 0
	for r, votes := range p.waves {
		fates, err := fatesOf(ctx, p.ground, votes, p.doors)
		if err != nil {
			return err
		}
		round := &p.out.Rounds[r]
		round.end(votes, fates)
		all += round.Votes
		caught += round.Votes - round.Counted
	}
	p.out.Recall = float64(caught) / float64(max(1, all))
	return nil
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
