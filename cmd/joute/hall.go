package main

import (
	"context"
	"fmt"
	"time"
)

type hallCmd struct {
	connection `embed:""`
	Contest    string        `arg:"" help:"Id of the contest."`
	For        time.Duration `default:"72h" help:"How long the link shows the code, 1m to 2160h."`
}

func (hallCmd) Help() string {
	return "Open the address full screen in the hall: beside the code of the vote it shows one that marks who scans it as present, and\n" +
		"changes every 30 seconds. Keep the address to the hall: whoever has it sees the codes, from anywhere. Presence is a sign and\n" +
		"no proof: docs/PRESENCE.md says what it is worth."
}

// Run prints the address alone on standard output, for scripts and pipes.
func (cmd hallCmd) Run(ctx context.Context, m *Main) error {
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	hall, err := server.OpenHall(ctx, cmd.Contest, cmd.For)
	if err != nil {
		return err
	}
	fmt.Fprintln(m.Stdout, hall.URL)
	fmt.Fprintf(m.Stderr, "joute: shows the presence code until %s\n", hall.Expires.Format(time.RFC3339))
	return nil
}
