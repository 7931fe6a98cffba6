package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/joute/joute/voting/ledger"
)

type verifyCmd struct {
	Dir        string   `arg:"" help:"Data folder of a server, its folder of ledgers, or the ledger of one contest."`
	PublicKey  string   `placeholder:"KEY" help:"The key that must have signed, as the server shows it (ledger_key). Without, the one found beside the ledger is used, and printed."`
	Checkpoint []string `placeholder:"FILE" sep:"none" help:"A checkpoint that was kept when it was seen: the ledger must go on from it. May be given several times."`
	JSON       bool     `name:"json" help:"Print one JSON document instead of tables."`
}

func (verifyCmd) Help() string {
	return "Needs no server and no key of ours. Checks every line, hash, root and signature, and that no file is there which should\n" +
		"not be; prints how many records each box has, its root, and the tally they prove. Anything that is not as it was signed is told\n" +
		"with its place, exit status 1. Records behind the newest checkpoint are told, and not proved.\n" +
		"Who signs could show different people different ledgers, or go back to an older one. Keep a checkpoint when you see one\n" +
		"(GET /v1/contests/CONTEST/checkpoint), compare it with those of others, and give it as --checkpoint."
}

func (cmd verifyCmd) Run(_ context.Context, m *Main) error {
	seen, err := readCheckpoints(cmd.Checkpoint)
	if err != nil {
		return err
	}
	report, fault := ledger.Verify(cmd.Dir, ledger.Options{PublicKey: cmd.PublicKey, Checkpoints: seen})
	if len(report.Contests) == 0 {
		return fault
	}
	if cmd.JSON {
		err = json.NewEncoder(m.Stdout).Encode(report)
	} else {
		for _, proof := range report.Contests {
			if err = printProof(m, proof); err != nil {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	return fault
}

// readCheckpoints reads the files that were kept of checkpoints.
func readCheckpoints(paths []string) ([]ledger.Seen, error) {
	var seen []ledger.Seen
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("--checkpoint: %w", err)
		}
		seen = append(seen, ledger.Seen{Name: path, Note: text})
	}
	return seen, nil
}

func printProof(m *Main, p ledger.Proof) error {
	table := tabwriter.NewWriter(m.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\n", printable(p.Contest))
	if p.Key != "" {
		fmt.Fprintf(table, "key\t%s\n", printable(p.Key))
	}
	if len(p.Faults) > 0 {
		fmt.Fprintln(table, "not proved")
		return table.Flush()
	}
	for _, box := range p.Boxes {
		behind := ""
		if box.Behind > 0 {
			behind = fmt.Sprintf("\t%d records behind the checkpoint, not proved", box.Behind)
		}
		if box.Torn {
			behind += "\tand what a crash has torn"
		}
		fmt.Fprintf(table, "box %d\t%d records\t%s%s\n", box.Box, box.Size, box.Root, behind)
	}
	for _, name := range p.Seen {
		fmt.Fprintf(table, "goes on from\t%s\n", printable(name))
	}
	for _, row := range []struct {
		what  string
		count int64
	}{{"counted", p.Tally.Counted}, {"held", p.Tally.Held}, {"void", p.Tally.Void}, {"withdrawn", p.Tally.Withdrawn}} {
		fmt.Fprintf(table, "%s\t%d\n", row.what, row.count)
	}
	for _, entry := range slices.Sorted(maps.Keys(p.Tally.Entries)) {
		fmt.Fprintf(table, "entry %s\t%d\n", printable(entry), p.Tally.Entries[entry])
	}
	fmt.Fprintln(table, "proved")
	return table.Flush()
}
