package main

import (
	"context"
	"fmt"
)

type captainCmd struct {
	connection `embed:""`
	Contest    string `arg:"" help:"Id of the contest."`
	School     string `arg:"" help:"Id of the school."`
	Renew      bool   `help:"Void every link of this school so far and make another."`
}

func (captainCmd) Help() string {
	return "Give the link to whoever leads the school's campaign. Who has it sees the school's place, its votes by the hour and what its\n" +
		"links bring, as far as these numbers are public, and gets a poster, a story image and a message to send round. It never shows\n" +
		"who voted. The same school has the same link, until --renew: then those before open nothing."
}

func (cmd captainCmd) Run(ctx context.Context, m *Main) error {
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	link, err := server.Captain(ctx, cmd.Contest, cmd.School, cmd.Renew)
	if err != nil {
		return err
	}
	fmt.Fprintln(m.Stdout, link)
	return nil
}
