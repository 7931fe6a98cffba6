package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
)

type forgetCmd struct {
	connection `embed:""`
	Contest    string `arg:"" help:"Id of the contest."`
	Yes        bool   `help:"Do not ask."`
}

func (forgetCmd) Help() string {
	return "Once voting is over: deletes the contest's own key, without which its voters are pseudonyms of nobody, what was seen of their\n" +
		"attempts, their appeals, its community with all addresses and the proof of what was agreed to, and its share codes. Export what\n" +
		"you must keep before. Document, ledger and result stay, and joute recount still matches. It cannot be undone.\n\n" +
		"Copies are yours to delete: backups of --data have the key, those of Redis the rest (docs/PRIVACY.md). Cut off, it goes on by\n" +
		"itself; the same command tells when it is done."
}

// maxAnswerTyped is more than any contest's id.
const maxAnswerTyped = 256

func (cmd forgetCmd) Run(ctx context.Context, m *Main) error {
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	if !cmd.Yes {
		fmt.Fprintf(m.Stderr, "This deletes the personal data of %s for good. Type the contest's id to go on: ", cmd.Contest)
		typed, err := readAnswer(ctx, m)
		if err != nil {
			return err
		}
		if typed == "" { // or there was nobody to type
			fmt.Fprintln(m.Stderr)
			return errors.New("nothing was typed: nothing was deleted (--yes does not ask)")
		}
		if typed != cmd.Contest {
			return errors.New("that is not its id: nothing was deleted")
		}
	}
	done, err := server.Forget(ctx, cmd.Contest)
	if err != nil {
		return err
	}
	fmt.Fprintf(m.Stdout, "%s forgotten since %s\n", cmd.Contest, done.ForgottenAt)
	return nil
}

// readAnswer is one line of standard input, or the end of ctx.
func readAnswer(ctx context.Context, m *Main) (string, error) {
	line := make(chan string, 1)
	go func() { // a terminal cannot be told to stop waiting: the process ends instead
		scanner := bufio.NewScanner(m.Stdin)
		scanner.Buffer(nil, maxAnswerTyped)
		scanner.Scan() // nothing, or too much, is no contest's id
		line <- strings.TrimSpace(scanner.Text())
	}()
	select {
	case typed := <-line:
		return typed, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
