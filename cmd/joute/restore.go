package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/restore"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting/ballotbox"
)

type restoreCmd struct {
	Redis string `required:"" placeholder:"URL" help:"The empty store to fill, as for serve. A store that has anything of Joute's is refused."`
	Data  string `required:"" placeholder:"DIR" help:"The data folder that the lost store was used with. It is verified first, all of it."`
}

func (restoreCmd) Help() string {
	return "Rebuilds contests, tallies, voters with their limits, ballots and standings in an empty Redis from the data folder, as\n" +
		"they were when the newest records were archived: within a second of the loss. Who asks for a ballot again gets the answer\n" +
		"it got. Servers that still run on the same folder and address go on by themselves when it is done. Cut off, it is run\n" +
		"again, and begins anew.\n\n" +
		"What only the store had is not in the folder: fans, share codes, appeals, findings of the detectors, trends, codes that\n" +
		"were mailed and not yet used. A copy of the store's own file has them."
}

// restorePatience bounds one call to the store: nobody waits for an answer as a voter
// does, and the store may be busy with all that it is given.
const restorePatience = 30 * time.Second

func (cmd restoreCmd) Run(ctx context.Context, m *Main) error {
	if cmd.Redis == "" { // what is restored in memory would be gone when this ends
		return errors.New("--redis: expected the address of an empty Redis, found nothing (a server without --redis restores its folder by itself)")
	}
	if err := checkDataFolder(ctx, cmd.Data); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	started := time.Now()
	keys, err := keyring.Open(cmd.Data)
	if err != nil {
		return err
	}
	signer, err := ledgerSigner(keys)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{URL: cmd.Redis, Timeout: restorePatience})
	if err != nil {
		return err
	}
	defer st.Close()
	log := slog.New(slog.NewTextHandler(m.Stderr, nil))
	parts := restore.Parts{
		Dir: cmd.Data, Store: st, Signer: signer, Keys: keys,
		Registry: registry.New(st, keys, registry.Options{Log: log, Dir: contestsDir(cmd.Data)}),
		Boxes:    ballotbox.New(st),
	}
	kept, err := parts.Check(ctx)
	if err != nil {
		return err
	}
	restoring, err := store.Restore(ctx, st, cmd.Data)
	if err != nil {
		return err
	}
	defer restoring.Close()
	done, err := parts.Contests(ctx, kept)
	if err == nil {
		err = restoring.Finish(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w; the store is half restored and no server takes it: run joute restore again", err)
	}
	rows := [][]string{{"contest", "records", "counted", "held", "void", "withdrawn"}}
	for _, c := range done {
		row := []string{c.ID}
		for _, n := range []int64{c.Records, c.Tally.Counted, c.Tally.Held, c.Tally.Void, c.Tally.Withdrawn} {
			row = append(row, strconv.FormatInt(n, 10))
		}
		rows = append(rows, row)
	}
	if err := columns(m.Stdout, rows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(m.Stdout, "restored in %v\n", time.Since(started).Round(time.Millisecond))
	return err
}
