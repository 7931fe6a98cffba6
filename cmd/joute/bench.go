package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/client"
)

type benchCmd struct {
	connection    `embed:""`
	Contest       string        `required:"" placeholder:"ID" help:"Id of the contest. Cast only in contests made for it: these ballots count."`
	Voters        int           `default:"1000" help:"How many voters to make up."`
	Ballots       string        `placeholder:"FILE" help:"Replay a ballot log instead: NDJSON with voter and entry on each line, may be gzip, - is standard input. Each voter's ballots stay in order."`
	Rate          float64       `placeholder:"N" help:"Ballots a second, sent whether or not the earlier ones were answered in time; latency counts from the intended instant. 0 is as fast as possible."`
	Duration      time.Duration `help:"How long made-up voters come round again; 0 is one ballot each. A log ends after it."`
	Connections   int           `default:"64" help:"How many connections cast at once."`
	PartnerSecret string        `placeholder:"SECRET" help:"Sign a partner's pass for each voter with this key of the contest; without, the server is asked for device passes first. Prefer the environment variable."`
	Seed          uint64        `default:"1" help:"Made-up voters and their choices are the same for the same seed."`
}

func (benchCmd) Help() string {
	return "A ballot without an answer (a timeout, a broken connection, a server that is busy) is sent again under the same id, as a\n" +
		"real client must. Prints one JSON document on standard output. counted is how many ballots of this run the server has\n" +
		"counted; duplicates is for how many of them that was learned from a second answer; errors are ballots whose outcome\n" +
		"stayed unknown, and make the exit status 1. Latency is until the final answer."
}

func (cmd benchCmd) validate() error {
	var faults []error
	if cmd.Voters < 1 {
		faults = append(faults, errors.New("--voters: expected at least 1"))
	}
	if cmd.Rate < 0 {
		faults = append(faults, errors.New("--rate: expected 0 or more"))
	}
	if cmd.Connections < 1 || cmd.Connections > 10_000 {
		faults = append(faults, errors.New("--connections: expected 1 to 10000"))
	}
	if cmd.Duration < 0 {
		faults = append(faults, errors.New("--duration: expected 0 or more"))
	}
	return errors.Join(faults...)
}

func (cmd benchCmd) Run(ctx context.Context, m *Main) error {
	if err := cmd.validate(); err != nil {
		return err
	}
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	c, err := server.Contest(ctx, cmd.Contest)
	if err != nil {
		return err
	}
	switch {
	case len(c.Entries) == 0:
		return fmt.Errorf("%s has no entries to vote for", c.ID)
	case cmd.PartnerSecret == "" && c.Identity != contest.LevelDevice:
		return fmt.Errorf("%s takes passes of level %s: give --partner-secret to sign them", c.ID, c.Identity)
	}
	queues, err := cmd.queues(m, c)
	if err != nil {
		return err
	}
	voters := server.Voters(c.ID, len(queues))
	defer voters.Close()
	obtain := func(ctx context.Context, _ string) (string, error) { return voters.Pass(ctx, client.Origin{}) }
	if cmd.PartnerSecret != "" {
		obtain = signer(c.ID, cmd.PartnerSecret, time.Now().Add(time.Hour+cmd.Duration))
	}
	run := load{contest: c.ID, voters: voters, rate: cmd.Rate, duration: cmd.Duration, progress: m.Stderr}
	if err := run.prepare(ctx, queues, obtain); err != nil {
		return fmt.Errorf("passes: %w", err)
	}
	summary := run.cast(ctx)
	if err := json.NewEncoder(m.Stdout).Encode(summary); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: the summary is of what was cast until then")
	case len(summary.Errors) > 0:
		return errors.New("the outcome of some ballots is unknown: see errors in the summary")
	}
	return nil
}

// queues are what each connection casts, in its order.
func (cmd benchCmd) queues(m *Main, c client.Contest) ([]queue, error) {
	if cmd.Ballots != "" {
		return m.readBallotLog(cmd.Ballots, cmd.Connections)
	}
	return cmd.makeUp(c), nil
}

// makeUp shares made-up voters out among the connections. Entries differ in
// popularity as entries do: the n-th is chosen about 1/n as often as the first.
func (cmd benchCmd) makeUp(c client.Contest) []queue {
	queues := make([]queue, min(cmd.Connections, cmd.Voters))
	for w := range queues {
		random := rand.New(rand.NewPCG(cmd.Seed, uint64(w)))
		zipf := rand.NewZipf(random, 1.01, 1, uint64(len(c.Entries)-1))
		var voters []string
		for n := w; n < cmd.Voters; n += len(queues) {
			voters = append(voters, fmt.Sprintf("bench-%d-%d", cmd.Seed, n))
		}
		queues[w] = queue{voters: voters, vote: func(k int) (vote, bool) {
			if k >= len(voters) && cmd.Duration == 0 {
				return vote{}, false
			}
			return vote{place: k*len(queues) + w, voter: voters[k%len(voters)], entry: c.Entries[zipf.Uint64()].ID}, true
		}}
	}
	return queues
}
