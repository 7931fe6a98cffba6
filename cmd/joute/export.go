package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/joute/joute/voting"
)

type exportCmd struct {
	connection `embed:""`
	Contest    string `arg:"" help:"Id of the contest."`
	Evidence   bool   `help:"Write the ballot log instead: accepted ballots with what was seen of each, for detectors."`
	After      string `placeholder:"POSITION" help:"Go on after this position: that of the last record you have. Ledger only."`
}

func (exportCmd) Help() string {
	return "A connection that breaks is taken up again where it broke: no record is left out, none comes twice.\n" +
		"Exit status 0 means that the export is complete."
}

// Run writes whole lines only. When it fails, what is on standard output is a
// beginning of the ledger, and --after goes on from its last line.
func (cmd exportCmd) Run(ctx context.Context, m *Main) error {
	if cmd.Evidence && cmd.After != "" {
		return errors.New("--after is of the ledger: the ballot log has no positions")
	}
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	out := bufio.NewWriterSize(m.Stdout, 64<<10)
	write := func(line []byte) error {
		if _, err := out.Write(line); err != nil {
			return err
		}
		return out.WriteByte('\n')
	}
	if cmd.Evidence {
		err = server.Evidence(ctx, cmd.Contest, write)
	} else {
		err = server.Ledger(ctx, cmd.Contest, cmd.After, func(line []byte, _ voting.Record) error { return write(line) })
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("export is not complete: %w", err)
	}
	return nil
}
