package arena

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/farmlab"
	"github.com/joute/joute/internal/farmlab/attack"
)

// Trial is a farm that learns, in a contest in memory that is open for a day a round.
type Trial struct {
	Profile attack.Profile
	Costs   attack.Costs
	Seed    uint64
	Rounds  int // 0: 5
	Votes   int // in a round; 0: 200
	Voters  int // of the crowd, beside its cohorts; 0: 1,500
	Members farmlab.Members
	Options Options

	Tells    int  // see [attack.Campaign]
	Stubborn bool // it comes again with the tools it has
}

// crowds come to every trial: what a rule that is too simple takes for a farm. The
// shares are of the voters that come by themselves.
var crowds = map[string]float64{"campus": 0.25, "viral": 0.25, "computer-room": 0, "carrier": 0.1, "family": 0}

func (t Trial) mix() farmlab.Mix {
	m := farmlab.Mix{Entries: 12, Schools: 9, Days: t.Rounds, Ballots: 1, Voters: t.Voters, Members: t.Members}
	for kind, share := range crowds {
		m.Crowds = append(m.Crowds, farmlab.Cohort{Kind: kind, Voters: max(30, int(share*float64(t.Voters)))})
	}
	slices.SortFunc(m.Crowds, func(a, b farmlab.Cohort) int { return strings.Compare(a.Kind, b.Kind) })
	return m
}

// Run plays the farm here, and the same farm against a cap on ballots a day and address.
func (t Trial) Run(ctx context.Context) (attack.Report, error) {
	if t.Rounds == 0 {
		t.Rounds = 5
	}
	if t.Votes == 0 {
		t.Votes = 200
	}
	if t.Voters == 0 {
		t.Voters = 1500
	}
	report := attack.Report{Profile: t.Profile.Name, Seed: t.Seed, Votes: t.Votes, Costs: t.Costs}
	play := func(capped bool, g func(*contest.Contest) attack.Ground) (attack.Outcome, error) {
		market := farmlab.OpenMarket(t.mix(), t.Seed) // anew: each finds the same
		c, err := contest.Parse(market.Contest)
		if err != nil {
			return attack.Outcome{}, fmt.Errorf("trial: %w", err)
		}
		campaign := attack.Campaign{Market: market, Costs: t.Costs, Plan: t.Profile.Plan, Rounds: t.Rounds, Votes: t.Votes, Tells: t.Tells, Stubborn: t.Stubborn}
		if capped {
			campaign = campaign.UnderCap()
		}
		return campaign.Play(ctx, g(c))
	}
	var err error
	if report.Ours, err = play(false, func(c *contest.Contest) attack.Ground { return New(c, t.Options) }); err != nil {
		return report, err
	}
	report.Capped, err = play(true, func(*contest.Contest) attack.Ground { return attack.NewCapped(attack.DailyCap) })
	return report, err
}

// Quick looks back as a server does, but at fewer than twenty new ballots an hour after the
// last look only: a burst is met within minutes, and a trial of days takes seconds.
var Quick = Options{Every: time.Minute, Few: 20, Lull: time.Hour}
