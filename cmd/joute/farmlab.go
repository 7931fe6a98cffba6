package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/joute/joute/internal/farmlab"
)

type farmlabCmd struct {
	Make  farmlabMakeCmd  `cmd:"" help:"Make up a contest with honest crowds and farms in it, and the truth about each voter."`
	Score farmlabScoreCmd `cmd:"" help:"Compare what a detector said of a workload's ballots with the truth."`

	Play     farmlabPlayCmd     `cmd:"" help:"Play a farm that learns, at a server or in memory, and tell what a vote costs it."`
	Networks farmlabNetworksCmd `cmd:"" help:"Write the list by which a server knows the networks of the laboratory's voters."`
	Costs    farmlabCostsCmd    `cmd:"" help:"Print the prices of what farms buy."`
}

func (farmlabCmd) Help() string {
	return "A workload is a folder: contest.yaml, ballots.ndjson.gz (a ballot log) and labels.csv (voter, farm 0 or 1,\n" +
		"group). docs/LABORATORY.md says who is in it and what its figures mean."
}

// randomMix is a preset of no name: the seed draws the contest too.
const randomMix = "random"

type farmlabMakeCmd struct {
	Seed   uint64 `default:"1" help:"The same seed makes the same workload."`
	Preset string `default:"school" placeholder:"NAME" help:"What the contest is like; random draws that from the seed too."`
	Out    string `required:"" placeholder:"DIR" help:"The folder of the workload. It is made, and its files are replaced."`
}

func (farmlabMakeCmd) Help() string {
	var text strings.Builder
	text.WriteString("Presets:\n")
	for _, p := range farmlab.Presets {
		fmt.Fprintf(&text, "\n  %-12s  %s", p.Name, p.What)
	}
	fmt.Fprintf(&text, "\n  %-12s  %s", randomMix, "whatever the seed draws")
	return text.String()
}

func (cmd farmlabMakeCmd) Run(m *Main) error {
	mix := farmlab.Random(cmd.Seed)
	if cmd.Preset != randomMix {
		preset, ok := farmlab.Named(cmd.Preset)
		if !ok {
			names := []string{randomMix}
			for _, p := range farmlab.Presets {
				names = append(names, p.Name)
			}
			return fmt.Errorf("--preset: there is no %q; expected %s", cmd.Preset, strings.Join(names, ", "))
		}
		mix = preset.Mix
	}
	w := farmlab.Make(mix, cmd.Seed)
	if err := w.Write(cmd.Out); err != nil {
		return err
	}
	farms := 0
	for _, label := range w.Labels {
		if label.Farm {
			farms++
		}
	}
	fmt.Fprintf(m.Stderr, "joute: %s: %d ballots of %d voters, %d of them of farms\n", cmd.Out, len(w.Ballots), len(w.Labels), farms)
	return nil
}

type farmlabScoreCmd struct {
	Workload string `arg:"" help:"The folder of the workload."`
	Verdicts string `arg:"" help:"What the detector said, as joute detect writes it: NDJSON, may be gzip."`
}

func (farmlabScoreCmd) Help() string {
	return "Prints one JSON document: precision, recall and F1 of the voters void, and void or held; the area under the ROC curve; each\n" +
		"group; what the public would see; the calibration of the scores. Exit status 1 when verdicts of ballots are missing, or are of\n" +
		"ballots that are not in the workload."
}

func (cmd farmlabScoreCmd) Run(m *Main) error {
	w, err := farmlab.Read(cmd.Workload)
	if err != nil {
		return err
	}
	findings, err := farmlab.ReadFindings(cmd.Verdicts)
	if err != nil {
		return err
	}
	figures := farmlab.Score(w.Ballots, w.Labels, findings)
	lines := json.NewEncoder(m.Stdout)
	lines.SetIndent("", " ")
	if err := lines.Encode(figures); err != nil {
		return err
	}
	if figures.Missing > 0 {
		return fmt.Errorf("%s: %d of %d ballots have no verdict, and are in no other figure", cmd.Verdicts, figures.Missing, figures.Ballots)
	}
	if figures.Unknown > 0 {
		return fmt.Errorf("%s: %d verdicts are on ballots that %s does not have", cmd.Verdicts, figures.Unknown, cmd.Workload)
	}
	return nil
}
