// Command evaluate prints what the detectors are worth: each goal, the figure that
// was measured and whether it is reached. Its exit status is 1 when one is not.
//
//	go run ./internal/farmlab/evaluate            everything, some minutes
//	go run ./internal/farmlab/evaluate -fresh 99  other seeds than the ones of the day
//	go run ./internal/farmlab/evaluate -only speed
//	go run ./internal/farmlab/evaluate -only random -fresh 99 -contests 24
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/joute/joute/internal/farmlab"
)

// fixed seeds make figures that can be compared from one day to the next.
var fixed = []uint64{101, 102}

func main() {
	shared := flag.String("shared", filepath.Join("..", "shared", "antifraud", "workloads"), "folder of labelled workloads on real votes; left out where it is not there")
	fresh := flag.Uint64("fresh", uint64(time.Now().Unix()/86_400), "seed of the contests that nobody has seen; another each day")
	ballots := flag.Int("ballots", 1_000_000, "how many ballots the detector must take in 30 s and 2 GiB; 0 leaves it out")
	only := flag.String("only", "", "speed: nothing but time and memory of joute detect; random: nothing but contests of any kind")
	contests := flag.Int("contests", 6, "how many contests of any kind")
	child := flag.String("child", "", "internal: what this process is measured at")
	flag.Parse()
	var err error
	switch {
	case *child != "":
		err = work(*child, flag.Args())
	case *only == "random":
		t := newTable()
		t.random(*fresh, *contests)
		err = t.sum()
	case *only != "" && *only != "speed":
		err = fmt.Errorf("-only: expected speed or random, found %q", *only)
	default:
		err = evaluate(*shared, *fresh, *ballots, *contests, *only == "speed")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

// errMissed says that a goal was not reached; the table says which.
var errMissed = errors.New("a goal is not reached")

func evaluate(shared string, fresh uint64, ballots, contests int, speedOnly bool) error {
	t := newTable()
	if !speedOnly {
		if err := t.worth(shared, fresh, contests); err != nil {
			return err
		}
	}
	if ballots > 0 {
		if err := t.speed(ballots); err != nil {
			return err
		}
	}
	return t.sum()
}

// worth is how well farms are told from crowds.
func (t *table) worth(shared string, fresh uint64, contests int) error {
	if err := t.realVotes(shared); err != nil {
		return err
	}
	t.presets("fixed seeds", fixed...)
	t.presets(fmt.Sprintf("seed %d", fresh), fresh)
	t.random(fresh, contests)
	return t.attacks(fixed[0])
}

// table prints rows as they come, a part at a time.
type table struct {
	out           *tabwriter.Writer
	rows, reached int
}

func newTable() *table { return &table{out: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)} }

// sum says how many goals are reached, and fails where one is not.
func (t *table) sum() error {
	fmt.Printf("%d of %d goals are reached\n", t.reached, t.rows)
	if t.reached < t.rows {
		return errMissed
	}
	return nil
}

func (t *table) head(what string) {
	fmt.Fprintf(t.out, "%s\t%s\t%s\t\n", what, "goal", "figure")
}

func (t *table) add(rows ...farmlab.Row) {
	for _, r := range rows {
		verdict := "MISSED"
		t.rows++
		if r.OK {
			t.reached++
			verdict = "ok"
		}
		fmt.Fprintf(t.out, "  %s\t%s\t%s\t%s\n", r.Measure, r.Goal, r.Figure, verdict)
	}
}

func (t *table) end() {
	fmt.Fprintln(t.out)
	t.out.Flush()
}
