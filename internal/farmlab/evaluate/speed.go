package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// makes is the job of a child that writes a workload: FOLDER BALLOTS EVERY. It is a process
// of its own so that its memory is given back before another one is measured.
const makes = "make"

// speed measures `joute detect`, as it is built, on so many ballots and on twice as
// many, on two cores, from the packed log to the file of verdicts. Twice as many are
// held against the ballots of every other voter of theirs: two contests that are made
// differ in more than how many vote.
func (t *table) speed(ballots int) error {
	folder, err := os.MkdirTemp("", "joute-eval-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	command, err := build(folder)
	if err != nil {
		return err
	}
	t.head("joute detect, two cores")
	measure := func(name string, n, every int) (usage, error) {
		workload := filepath.Join(folder, name)
		defer os.RemoveAll(workload)
		if err := makeWorkload(workload, n, every); err != nil {
			return usage{}, err
		}
		return detects(command, workload)
	}
	one, err := measure("one", ballots, 1)
	if err != nil {
		return err
	}
	limit := 30 * float64(ballots) / 1e6
	t.add(
		farmlab.Row{Measure: fmt.Sprintf("%d ballots", ballots), Goal: fmt.Sprintf("<= %.3g s", limit), Figure: fmt.Sprintf("%.1f s (%.1f of processors)", one.took.Seconds(), one.busy.Seconds()), OK: one.took.Seconds() <= limit},
		farmlab.Row{Measure: "memory", Goal: "<= 2048 MiB", Figure: fmt.Sprintf("%d MiB", one.peak>>20), OK: one.peak <= 2<<30},
	)
	half, err := measure("half", 2*ballots, 2)
	if err != nil {
		return err
	}
	twice, err := measure("twice", 2*ballots, 1)
	if err != nil {
		return err
	}
	times := twice.took.Seconds() / half.took.Seconds()
	t.add(farmlab.Row{Measure: fmt.Sprintf("%d ballots, and those of every other voter of theirs", 2*ballots), Goal: "<= 2.3 x",
		Figure: fmt.Sprintf("%.2f x (%.2f of processors)", times, twice.busy.Seconds()/half.busy.Seconds()), OK: times <= 2.3})
	t.end()
	return nil
}

// usage is what a process took: time by the clock, which others on the machine
// lengthen; time of processors; and the most memory it had, in bytes.
type usage struct {
	took, busy time.Duration
	peak       int64
}

// build builds the command in a folder.
func build(folder string) (path string, err error) {
	path = filepath.Join(folder, "joute")
	said, err := exec.Command("go", "build", "-o", path, "github.com/joute/joute/cmd/joute").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build joute: %w\n%s", err, said)
	}
	return path, nil
}

// makeWorkload has a child of this program write a workload.
func makeWorkload(workload string, ballots, every int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.Command(self, "-child", makes, workload, strconv.Itoa(ballots), strconv.Itoa(every))
	child.Stderr = os.Stderr
	if err := child.Run(); err != nil {
		return fmt.Errorf("make a workload of %d ballots: %w", ballots, err)
	}
	return nil
}

// detects measures the command at a workload; its verdicts go beside it.
func detects(command, workload string) (usage, error) {
	child := exec.Command(command, "detect", "--contest", filepath.Join(workload, farmlab.ContestFile),
		"--ballots", filepath.Join(workload, farmlab.BallotsFile), "--out", filepath.Join(workload, verdicts))
	child.Env = append(os.Environ(), "GOMAXPROCS=2")
	child.Stderr = os.Stderr
	start := time.Now()
	if err := child.Run(); err != nil {
		return usage{}, fmt.Errorf("joute detect: %w", err)
	}
	return usage{time.Since(start), child.ProcessState.UserTime() + child.ProcessState.SystemTime(), peak(child.ProcessState)}, nil
}

// verdicts is the file that the command writes.
const verdicts = "verdicts.ndjson"

// work is what a child of this program does.
func work(job string, args []string) error {
	if job != makes || len(args) != 3 {
		return fmt.Errorf("there is no job %q of %d arguments", job, len(args))
	}
	n, err := strconv.Atoi(args[1])
	every, err2 := strconv.Atoi(args[2])
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	return write(args[0], n, every)
}

// write makes a workload of exactly so many ballots, by as many voters as that takes,
// and keeps those of every so manyth voter.
func write(workload string, ballots, every int) error {
	p, _ := farmlab.Named("region")
	mix := p.Mix
	mix.Entries, mix.Schools = 1000, 200
	for mix.Voters = ballots; ; mix.Voters += mix.Voters / 4 {
		w := farmlab.Make(mix, 1)
		if len(w.Ballots) >= ballots {
			w.Ballots = ofEvery(w.Ballots[:ballots], every)
			return w.Write(workload)
		}
	}
}

// ofEvery are the ballots of every so manyth voter, by when they voted first.
func ofEvery(ballots []detect.Ballot, every int) []detect.Ballot {
	seen := map[string]bool{}
	kept := ballots[:0]
	for _, b := range ballots {
		if _, known := seen[b.Voter]; !known {
			seen[b.Voter] = len(seen)%every == 0
		}
		if seen[b.Voter] {
			kept = append(kept, b)
		}
	}
	return kept
}
