package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/client"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/sweep"
)

type replayCmd struct {
	connection `embed:""`
	Policy     string `placeholder:"POLICY" help:"observe, standard, strict, or a file with a policy document: tell what it would have decided."`
	Contest    string `arg:"" help:"Id of the contest."`
}

func (replayCmd) Help() string {
	return "Reads the ledger, what was seen and what the detectors did from the server, and does it again here: every look at the record\n" +
		"at the cut it had then. Says by school how ballots stand, and same, exit status 0, when every ballot stands as in the ledger\n" +
		"and for the same reasons; or differs, exit status 1.\n\n" +
		"With --policy it says instead, by school and reason, what that policy would have decided with the same ballots, and writes\n" +
		"nothing. What it would have rejected is told as void, known-farm; whom it would have asked for a challenge, as counted. Whom\n" +
		"the policy of then rejected is in no ledger. Works as long as evidence is kept."
}

func (cmd replayCmd) Run(ctx context.Context, m *Main) error {
	var policy *contest.Policy
	if cmd.Policy != "" {
		read, err := m.readPolicy(cmd.Policy)
		if err != nil {
			return err
		}
		policy = &read
	}
	server, err := cmd.client()
	if err != nil {
		return err
	}
	defer server.Close()
	record, err := readRecord(ctx, server, cmd.Contest)
	if err != nil {
		return err
	}
	finder := func() sweep.Finder { return detect.New(detect.Options{}) }
	stand := sweep.Outcomes(record.ledger)
	if policy != nil {
		settings, filled := record.settings(), antifraud.PolicyOf(*policy)
		settings.Policy, settings.Observe = filled.Version, policy.Base == contest.PolicyObserve
		supposed, err := sweep.Suppose(record.ledger, record.sweeps, settings, rescreen(&filled), finder)
		if err != nil {
			return err
		}
		fmt.Fprintf(m.Stdout, "%s, sweeps: %d; as it is, and by policy %s\n", cmd.Contest, len(record.sweeps), policy.Name)
		return printReasons(m, stand, supposed)
	}
	replayed, err := sweep.Replay(record.ledger, record.sweeps, finder)
	if err != nil {
		return err
	}
	fmt.Fprintf(m.Stdout, "%s, sweeps: %d; by the ledger, and done again\n", cmd.Contest, len(record.sweeps))
	differing := 0
	for ballot, o := range stand {
		if !o.Same(replayed[ballot]) {
			differing++
		}
	}
	if err := printReasons(m, stand, replayed); err != nil {
		return err
	}
	if differing > 0 {
		fmt.Fprintf(m.Stdout, "differs: %d of %d ballots\n", differing, len(stand))
		return errTold
	}
	fmt.Fprintf(m.Stdout, "same: %d ballots\n", len(stand))
	return nil
}

// readPolicy is a built-in policy, or the document in a file.
func (m *Main) readPolicy(name string) (contest.Policy, error) {
	switch contest.BasePolicy(name) {
	case contest.PolicyObserve, contest.PolicyStandard, contest.PolicyStrict:
		return contest.Policy{Name: name, Base: contest.BasePolicy(name)}, nil
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return contest.Policy{}, fmt.Errorf("--policy: expected observe, standard, strict or a file, and there is no file %s", name)
	}
	if err != nil {
		return contest.Policy{}, fmt.Errorf("--policy: %w", err)
	}
	policy, err := contest.ParsePolicy(text)
	var faults contest.Faults
	if errors.As(err, &faults) {
		for _, fault := range faults {
			m.tellFault(name, fault)
		}
		return contest.Policy{}, errTold
	}
	return policy, err
}

// rescreen weighs again what screening saw of casts, bit for bit.
func rescreen(policy *antifraud.Policy) sweep.Screen {
	return func(seen antifraud.Evidence) (voting.Standing, []string, error) {
		v, err := policy.Weigh(seen.Signals...)
		switch v.Action {
		case antifraud.Hold:
			return voting.Held, v.Reasons, err
		case antifraud.Reject: // it would be no ballot at all
			return voting.Void, v.Reasons, err
		}
		return voting.Counted, nil, err
	}
}

// record is all that a replay needs of a contest.
type record struct {
	ledger []sweep.Line
	sweeps []sweep.Sweep
}

// settings are the last that the detectors had.
func (r record) settings() (last sweep.Settings) {
	for _, s := range r.sweeps {
		if s.Fresh != nil {
			last = *s.Fresh
		}
	}
	return last
}

const (
	// readings is how often a record is read anew that detectors went on with
	// meanwhile, a while apart: they look once a minute.
	readings    = 5
	readingWait = 2 * time.Second
)

// written tells whether all that the last sweep decided was read: a sweep is kept
// first, then its decisions are written.
func (r record) written() bool {
	var decisions []time.Time
	for _, line := range r.ledger {
		if line.Actor == voting.ActorDetector {
			decisions = append(decisions, line.Position.At())
		}
	}
	return len(r.sweeps) == 0 || r.settings().Observe || r.sweeps[len(r.sweeps)-1].Written(decisions)
}

// readRecord reads a contest's record. What a sweep decided is behind it in the
// ledger, so the sweeps are read before it, and must be the same ones after. What is
// not written at the last reading never will be: it was nothing new, or the server was
// killed.
func readRecord(ctx context.Context, server *client.Client, id string) (r record, err error) {
	for reading := 1; ; reading++ {
		r = record{}
		if r.sweeps, err = readSweeps(ctx, server, id); err != nil {
			return r, err
		}
		if r.ledger, err = readLines(ctx, server, id); err != nil {
			return r, err
		}
		after, err := readSweeps(ctx, server, id)
		if err != nil {
			return r, err
		}
		same := len(after) == len(r.sweeps)
		if same && (r.written() || reading == readings) {
			return r, nil
		}
		if reading == readings {
			return r, errors.New("the detectors go on faster than their record can be read: try again later")
		}
		select {
		case <-ctx.Done():
			return r, context.Cause(ctx)
		case <-time.After(readingWait):
		}
	}
}

// readLines reads the ledger, and what was seen of each cast in it.
func readLines(ctx context.Context, server *client.Client, id string) (ledger []sweep.Line, err error) {
	casts := map[sweep.Ballot]int{} // places in ledger
	if err := server.Ledger(ctx, id, "", func(_ []byte, one voting.Record) error {
		if one.Kind == voting.KindCast {
			casts[sweep.Ballot{Voter: one.Voter, ID: one.Ballot}] = len(ledger)
		}
		ledger = append(ledger, sweep.Line{Record: one})
		return nil
	}); err != nil {
		return nil, err
	}
	without := 0
	if err := server.Evidence(ctx, id, func(text []byte) error {
		var line ballotbox.LogLine
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("a line of the ballot log is no ballot: %w", err)
		}
		place, there := casts[sweep.Ballot{Voter: line.Voter, ID: line.Ballot}]
		switch {
		case !there: // cast since
		case line.Evidence == nil:
			without++
		default:
			ledger[place].Level, ledger[place].Evidence = line.Level, *line.Evidence
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if without > 0 {
		return nil, fmt.Errorf("what was seen of %d ballots has expired or was forgotten: nothing can be done again", without)
	}
	return ledger, nil
}

func readSweeps(ctx context.Context, server *client.Client, id string) (sweeps []sweep.Sweep, err error) {
	err = server.Sweeps(ctx, id, func(text []byte) error {
		var one sweep.Sweep
		if err := json.Unmarshal(text, &one); err != nil {
			return fmt.Errorf("a line of the sweeps is none: %w", err)
		}
		sweeps = append(sweeps, one)
		return nil
	})
	return sweeps, err
}

// kind is what ballots are counted by: those that count are one whatever for.
type kind struct{ school, standing, reason string }

func kindOf(o sweep.Outcome) kind {
	if o.Standing == voting.Counted {
		return kind{o.School, string(o.Standing), ""}
	}
	return kind{o.School, string(o.Standing), strings.Join(o.Reasons, " ")}
}

// printReasons prints how many ballots stand how and why, by school, on both sides.
func printReasons(m *Main, one, other map[sweep.Ballot]sweep.Outcome) error {
	counts := map[kind]*[2]int{}
	for side, outcomes := range []map[sweep.Ballot]sweep.Outcome{one, other} {
		for _, o := range outcomes {
			k := kindOf(o)
			if counts[k] == nil {
				counts[k] = &[2]int{}
			}
			counts[k][side]++
		}
	}
	rows := slices.SortedFunc(maps.Keys(counts), func(x, y kind) int {
		return cmp.Or(cmp.Compare(x.school, y.school), cmp.Compare(x.standing, y.standing), cmp.Compare(x.reason, y.reason))
	})
	table := make([][]string, len(rows))
	for i, row := range rows {
		n := counts[row]
		table[i] = []string{row.school, row.standing, cmp.Or(row.reason, "-"), fmt.Sprint(n[0]), fmt.Sprint(n[1])}
		if n[0] != n[1] {
			table[i] = append(table[i], fmt.Sprintf("%+d", n[1]-n[0]))
		}
	}
	return columns(m.Stdout, table)
}
