package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/joute/joute/internal/farmlab/arena"
)

type rehearseCmd struct {
	File     string `arg:"" name:"file" help:"The contest document, YAML or JSON; - is standard input."`
	Seed     uint64 `default:"1" help:"The same seed brings the same crowd and the same farms."`
	Voters   int    `default:"1500" help:"Honest voters beside the crowds that come together, such as a campus."`
	Networks bool   `name:"known-networks" help:"The server of the rehearsal knows which networks are data centres, carriers and homes."`
	JSON     bool   `name:"json" help:"Print one JSON document instead of a table."`
}

func (rehearseCmd) Help() string {
	return "Plays your contest from opening to close, in memory and in a minute: a crowd with campuses, spikes and computer rooms, and\n" +
		"farms that buy votes, all made up; your entries, schools, rules, campuses and policy. Says what would be held, void and\n" +
		"rejected, by school and by reason, and how many honest ballots would be among it. Faults of the document are printed as\n" +
		"apply prints them. It needs no server, and changes nothing. Another --seed is another crowd: look at some."
}

func (cmd rehearseCmd) Run(ctx context.Context, m *Main) error {
	documents, err := m.readDocuments([]string{cmd.File})
	if err != nil {
		return err
	}
	if cmd.Voters < 100 || cmd.Voters > 50_000 {
		return fmt.Errorf("--voters: expected 100 to 50000, found %d", cmd.Voters)
	}
	rehearsed, err := arena.Rehearsal{Contest: documents[0].contest, Seed: cmd.Seed, Voters: cmd.Voters, Networks: cmd.Networks}.Run(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	if cmd.JSON {
		lines := json.NewEncoder(m.Stdout)
		lines.SetIndent("", " ")
		return lines.Encode(rehearsed)
	}
	return rehearsed.Table(m.Stdout)
}
