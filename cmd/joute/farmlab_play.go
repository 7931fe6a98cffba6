package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/joute/joute/internal/client"
	"github.com/joute/joute/internal/farmlab"
	"github.com/joute/joute/internal/farmlab/arena"
	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/internal/farmlab/play"
)

type farmlabPlayCmd struct {
	connection
	Offline  bool          `help:"Play in memory instead of at a server: days are over in a minute or so."`
	Profile  string        `default:"burst" placeholder:"NAME" help:"How the farm begins; all plays one after another."`
	Seed     uint64        `default:"1" help:"The same seed brings the same crowd and the same farm."`
	Rounds   int           `default:"5" help:"How often the farm comes, a day each."`
	Round    time.Duration `default:"2m" help:"How long a day lasts at a server."`
	Votes    int           `default:"200" help:"Votes that the farm sells a round."`
	Voters   int           `placeholder:"N" help:"Honest voters beside the crowds that come together: 1500 in memory, 600 at a server."`
	Tells    int           `placeholder:"N" help:"The farm changes N tells in all, each as far as it goes, not two more after each round."`
	Stubborn bool          `help:"The farm learns nothing, and comes again with the tools it has."`
	Costs    string        `placeholder:"FILE" help:"Prices of what a farm buys, YAML; without it those of the program. joute farmlab costs prints them."`
	Out      string        `placeholder:"FILE" help:"Write the reports here too, a JSON list; - is standard output, and the tables go to standard error."`
}

func (farmlabPlayCmd) Help() string {
	var text strings.Builder
	text.WriteString("A farm buys votes for one entry among an honest crowd. After each round it reads every answer and standing that\n" +
		"its voters can see, and changes its two worst tells; with --tells it changes so many in all. Prints what became of\n" +
		"its votes and what one costs that still counts at the end, here and under a cap of ten ballots a day and address.\n\n" +
		"At a server it makes a contest of its own, farmlab-…, closes it and leaves it there. All voters are on this machine and\n" +
		"say by X-Forwarded-For where they come from: the server must be started with --trusted-proxies 127.0.0.1/32,::1/128\n" +
		"(or this machine's address), and to know kinds of networks with --networks DIR, where joute farmlab networks wrote its\n" +
		"list. With --sweep-every 5s its detectors keep up with days of two minutes. Inboxes are bought in memory only.\n\nProfiles:\n")
	for _, p := range attack.Profiles {
		fmt.Fprintf(&text, "\n  %-12s  %s", p.Name, p.What)
	}
	return text.String()
}

func (cmd farmlabPlayCmd) Run(ctx context.Context, m *Main) error {
	profiles, costs, err := cmd.validate()
	if err != nil {
		return err
	}
	reports, tables := []attack.Report{}, m.Stdout
	if cmd.Out == "-" {
		tables = m.Stderr // what is on standard output can be read by a program
	}
	for _, p := range profiles {
		var report attack.Report
		if cmd.Offline {
			report, err = arena.Trial{
				Profile: p, Costs: costs, Seed: cmd.Seed, Rounds: cmd.Rounds, Votes: cmd.Votes, Voters: cmd.Voters, Options: arena.Quick, Tells: cmd.Tells, Stubborn: cmd.Stubborn,
			}.Run(ctx)
		} else {
			report, err = cmd.live(ctx, m, p, costs)
		}
		if err != nil {
			return err
		}
		if err := report.Table(tables); err != nil {
			return err
		}
		reports = append(reports, report)
	}
	if cmd.Out == "" {
		return nil
	}
	return m.writeWhole(cmd.Out, func(to *bufio.Writer) error {
		lines := json.NewEncoder(to)
		lines.SetIndent("", " ")
		return lines.Encode(reports)
	})
}

// validate reports all faults at once.
func (cmd farmlabPlayCmd) validate() (profiles []attack.Profile, costs attack.Costs, err error) {
	var faults []error
	between := func(flag string, n, least, most int) {
		if n < least || n > most {
			faults = append(faults, fmt.Errorf("%s: expected %d to %d, found %d", flag, least, most, n))
		}
	}
	between("--rounds", cmd.Rounds, 1, 20)
	between("--tells", cmd.Tells, 0, 9)
	between("--votes", cmd.Votes, 10, 5000)
	if cmd.Voters != 0 {
		between("--voters", cmd.Voters, 50, 100_000)
	}
	if cmd.Round < 10*time.Second || cmd.Round > 24*time.Hour {
		faults = append(faults, fmt.Errorf("--round: expected 10s to 24h, found %v", cmd.Round))
	}
	if profiles = attack.Profiles; cmd.Profile != "all" {
		p, err := attack.Named(cmd.Profile)
		if err != nil {
			faults = append(faults, fmt.Errorf("--profile: %w", err))
		}
		profiles = []attack.Profile{p}
	}
	costs, err = readCosts(cmd.Costs)
	return profiles, costs, errors.Join(append(faults, err)...)
}

// readCosts are the prices of a file, or the program's.
func readCosts(file string) (attack.Costs, error) {
	if file == "" {
		return attack.BuiltinCosts(), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return attack.Costs{}, fmt.Errorf("--costs: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return attack.Costs{}, fmt.Errorf("--costs: %w", err)
	}
	costs, err := attack.ParseCosts(text)
	if err != nil {
		return costs, fmt.Errorf("%s: %w", file, err)
	}
	return costs, nil
}

// live plays one farm at the server, and the same one under a cap.
func (cmd farmlabPlayCmd) live(ctx context.Context, m *Main, p attack.Profile, costs attack.Costs) (attack.Report, error) {
	report := attack.Report{Profile: p.Name, Seed: cmd.Seed, Votes: cmd.Votes, Costs: costs}
	server, err := client.New(cmd.Server, cmd.Key)
	if err != nil {
		return report, err
	}
	defer server.Close()
	mix := play.Mix(cmd.Rounds, cmd.Voters)
	campaign := func(market *farmlab.Market) attack.Campaign {
		return attack.Campaign{Market: market, Costs: costs, Plan: p.Plan, Rounds: cmd.Rounds, Votes: cmd.Votes, Tells: cmd.Tells, Stubborn: cmd.Stubborn, NoInboxes: true}
	}
	market := farmlab.OpenMarket(mix, cmd.Seed)
	ground, kinds, err := play.Sandbox(ctx, server, market, play.Options{Round: cmd.Round})
	if err != nil {
		return report, err
	}
	defer ground.Leave()
	fmt.Fprintf(m.Stderr, "joute: %s: %d rounds of %v at %s\n", ground.Contest(), cmd.Rounds, cmd.Round, cmd.Server)
	if !kinds {
		fmt.Fprintln(m.Stderr, "joute: the server knows no kinds of the laboratory's networks (--networks): all of them are unknown to it")
	}
	if report.Ours, err = campaign(market).Play(ctx, ground); err != nil {
		return report, err
	}
	report.Capped, err = campaign(farmlab.OpenMarket(mix, cmd.Seed)).UnderCap().Play(ctx, attack.NewCapped(attack.DailyCap))
	return report, err
}

type farmlabNetworksCmd struct {
	Out string `required:"" placeholder:"DIR" help:"The folder: it is made where there is none, and farmlab.txt in it is made or replaced."`
}

func (farmlabNetworksCmd) Help() string {
	return "The laboratory's voters come from networks for benchmarks and documents. With serve --networks DIR a server knows of which\n" +
		"kind each of them is. Not for servers that people vote at."
}

func (cmd farmlabNetworksCmd) Run() error {
	if err := play.WriteNetworks(cmd.Out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

type farmlabCostsCmd struct{}

func (farmlabCostsCmd) Help() string { return "A table to edit, and to give to play --costs." }

func (farmlabCostsCmd) Run(m *Main) error {
	_, err := m.Stdout.Write(attack.CostsText())
	return err
}
