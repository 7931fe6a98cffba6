package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/joute/joute/internal/client"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

type recountCmd struct {
	connection `embed:""`
	Contest    string   `arg:"" help:"Id of the contest."`
	PublicKey  string   `placeholder:"KEY" help:"The key that must have signed the checkpoint (ledger_key), from elsewhere than this server: where nothing is signed, exit status 1."`
	Checkpoint []string `placeholder:"FILE" sep:"none" help:"A checkpoint that was kept when it was seen: the ledger must go on from it. May be given several times."`
	JSON       bool     `name:"json" help:"Print one JSON document instead of a table."`
}

func (recountCmd) Help() string {
	return "Takes the organizer's leaderboard, which is never hidden or frozen, reads the ledger up to the very records that the\n" +
		"board was made of, and counts them here. It may run while people vote. Once the ledger is published anybody may do it,\n" +
		"without a key. The lines that are read must have the roots of the server's newest signed checkpoint, and of those given as\n" +
		"--checkpoint. Prints both counts, what the checkpoint proves, and match, exit status 0; or differs, exit status 1."
}

// count is one number that the server shows and the ledger says.
type count struct {
	What   string `json:"what"`
	Server int64  `json:"server"`
	Ledger int64  `json:"ledger"`
}

func (c count) differs() bool { return c.Server != c.Ledger }

// recounted is the outcome of a recount.
type recounted struct {
	Contest  string  `json:"contest"`
	Position string  `json:"position"`
	Match    bool    `json:"match"`
	Counts   []count `json:"counts"`
	Proof    *proven `json:"proof"` // null: nothing was signed yet, and no checkpoint was given
}

func (cmd recountCmd) Run(ctx context.Context, m *Main) error {
	seen, err := readCheckpoints(cmd.Checkpoint)
	if err != nil {
		return err
	}
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	// The checkpoint comes before the board: what it covers is in the ledger by then.
	proof, err := newProof(ctx, server, cmd.Contest, cmd.PublicKey, seen)
	if err != nil {
		return err
	}
	board, err := server.Leaderboard(ctx, cmd.Contest)
	if err != nil {
		return err
	}
	if len(board.Boxes) == 0 || board.Totals.Counted == nil || board.Totals.Held == nil {
		if cmd.Key != "" {
			return errors.New("the ledger is not public yet, and the key that was given is not the organizer's key of this server")
		}
		return errors.New("the ledger is not public yet: give the organizer's key as JOUTE_KEY, or wait until it is published")
	}
	if err := proof.reached(board.Boxes); err != nil {
		return err
	}
	ledger := newLedgerCut(board.Boxes, proof)
	if err := ledger.read(ctx, server, cmd.Contest); err != nil {
		return err
	}
	result := compare(board, ledger)
	result.Proof = proof.said()
	if cmd.JSON {
		err = json.NewEncoder(m.Stdout).Encode(result)
	} else {
		err = result.print(m)
	}
	if err == nil && !result.Match {
		err = errTold
	}
	return err
}

// ledgerCut folds exactly the records that a leaderboard was made of.
type ledgerCut struct {
	cut     []int64 // records of each box that the board counted
	seen    []int64 // the newest record of each box, folded or passed over
	missing int     // boxes not yet read up to their end
	proof   *proof
	fold    *voting.Fold
	schools map[string]string // by entry, as the records say
}

func newLedgerCut(cut []int64, p *proof) *ledgerCut {
	l := &ledgerCut{cut: cut, seen: make([]int64, len(cut)), proof: p, fold: voting.NewFold(), schools: map[string]string{}}
	for box := range cut {
		if l.end(box) > 0 {
			l.missing++
		}
	}
	return l
}

// end is how far a box is read: a checkpoint may be newer than a board that rests.
func (l *ledgerCut) end(box int) int64 { return max(l.cut[box], l.proof.trees.Size(box)) }

// hiddenOf stands before the school of an entry whose id is not public. No id has
// a slash.
const hiddenOf = "hidden/"

// errCut ends the reading of a ledger that goes on beyond the cut.
var errCut = errors.New("the cut is reached")

// ledgerPatience is how long a ledger may stop short of a cut that the board
// has seen: a cached end of it is gone long before.
const ledgerPatience = 10 * time.Second

// read folds the ledger up to the cut. A ledger of several boxes ends a moment
// before now, so the first reading may end before the cut; then it goes on.
func (l *ledgerCut) read(ctx context.Context, server *client.Client, contest string) error {
	after := ""
	for progress := time.Now(); l.missing > 0; {
		before := after
		err := server.Ledger(ctx, contest, after, func(line []byte, r voting.Record) error {
			after = r.Position.String()
			return l.add(line, r)
		})
		switch {
		case errors.Is(err, errCut):
			return nil
		case err != nil:
			return err
		case after != before:
			progress = time.Now()
		case time.Since(progress) > ledgerPatience:
			return fmt.Errorf("the ledger ends after %d records and the leaderboard was made of more: records are missing", l.fold.Records())
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (l *ledgerCut) add(line []byte, r voting.Record) error {
	box, offset := r.Position.Box, r.Position.Offset
	if box >= len(l.cut) {
		return fmt.Errorf("record %s is of a box that the contest does not have", r.Position)
	}
	if offset != l.seen[box]+1 {
		return fmt.Errorf("the ledger has a hole: record %d of box %d is followed by record %d", l.seen[box], box, offset)
	}
	l.seen[box] = offset
	if err := l.proof.add(line, r); err != nil {
		return err
	}
	if offset <= l.cut[box] {
		if r.NamesBallot() {
			if r.Entry == "" { // hidden from the public: one of that school all the same
				r.Entry = hiddenOf + r.School
			}
			l.schools[r.Entry] = r.School
		}
		l.fold.Add(r)
	}
	if offset == l.end(box) {
		if l.missing--; l.missing == 0 {
			return errCut
		}
	}
	return nil
}

// compare puts what the server shows beside what the ledger says. Hidden entries
// are on no board; their ballots are in the schools' votes and in the totals.
func compare(board voting.Leaderboard, ledger *ledgerCut) recounted {
	tally := ledger.fold.Tally()
	bySchool, home := map[string]int64{}, map[string]int64{}
	for entry, votes := range tally.Votes {
		bySchool[ledger.schools[entry]] += votes
	}
	for entry, votes := range tally.Home {
		home[ledger.schools[entry]] += votes
	}
	r := recounted{Contest: board.Contest, Position: board.Position, Match: true}
	add := func(what string, server *int64, ledger int64) {
		one := count{What: what, Server: -1, Ledger: ledger} // -1: not shown, which no count is
		if server != nil {
			one.Server = *server
		}
		r.Counts = append(r.Counts, one)
		r.Match = r.Match && !one.differs()
	}
	for _, row := range board.Entries {
		add("entry "+row.ID, row.Votes, tally.Votes[row.ID])
	}
	for _, row := range board.Schools {
		add("school "+row.ID, row.Votes, bySchool[row.ID])
		if row.Home != nil || home[row.ID] > 0 {
			add("school "+row.ID+" in the hall", row.Home, home[row.ID])
		}
		delete(bySchool, row.ID)
	}
	for _, school := range slices.Sorted(maps.Keys(bySchool)) { // votes for schools that the board does not have
		add("school "+school, nil, bySchool[school])
	}
	add("counted", board.Totals.Counted, tally.Counted)
	add("held", board.Totals.Held, tally.Held)
	if board.Totals.Void != nil {
		add("void", board.Totals.Void, tally.Void)
	}
	return r
}

// printable is [ledger.Printable], where ledger is something else.
func printable(text string) string { return ledger.Printable(text) }

func (r recounted) print(m *Main) error {
	rows := [][]string{{printable(r.Contest + " at " + r.Position), "server", "ledger"}}
	for _, c := range r.Counts {
		row := []string{printable(c.What), strconv.FormatInt(c.Server, 10), strconv.FormatInt(c.Ledger, 10)}
		if c.differs() {
			row = append(row, fmt.Sprintf("differs by %+d", c.Server-c.Ledger))
		}
		rows = append(rows, row)
	}
	if err := columns(m.Stdout, rows); err != nil {
		return err
	}
	verdict := "match"
	if !r.Match {
		verdict = "differs"
	}
	_, err := fmt.Fprintf(m.Stdout, "%s\n%s\n", r.Proof, verdict)
	return err
}
