package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
	"github.com/joute/joute/internal/ndjson"
)

const (
	makes  = "make"   // LOG BALLOTS: writes a workload of that many
	judges = "detect" // LOG OUT: reads it, judges it and writes the verdicts
)

// speed measures the detector on so many ballots and on twice as many, each in a
// process of its own on two cores, from the packed log to the file of verdicts.
func (t *table) speed(ballots int) error {
	folder, err := os.MkdirTemp("", "joute-eval-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	t.head("speed, two cores")
	var took [2]time.Duration
	for i := range took {
		n := ballots << i
		log := filepath.Join(folder, strconv.Itoa(n)+".ndjson.gz")
		if _, err := measured(makes, log, strconv.Itoa(n)); err != nil {
			return err
		}
		used, err := measured(judges, log, filepath.Join(folder, "verdicts.ndjson"))
		if err != nil {
			return err
		}
		took[i] = used.took
		if i == 0 {
			limit := 30 * float64(ballots) / 1e6
			t.add(
				farmlab.Row{Measure: fmt.Sprintf("%d ballots", n), Goal: fmt.Sprintf("<= %.3g s", limit), Figure: fmt.Sprintf("%.1f s (%.1f of processors)", used.took.Seconds(), used.busy.Seconds()), OK: used.took.Seconds() <= limit},
				farmlab.Row{Measure: "memory", Goal: "<= 2048 MiB", Figure: fmt.Sprintf("%d MiB", used.peak>>20), OK: used.peak <= 2<<30},
			)
		}
	}
	times := took[1].Seconds() / took[0].Seconds()
	t.add(farmlab.Row{Measure: "twice as many", Goal: "<= 2.3 x", Figure: fmt.Sprintf("%.2f x", times), OK: times <= 2.3})
	t.end()
	return nil
}

// usage is what a process took: time by the clock, which others on the machine
// lengthen; time of processors; and the most memory it had, in bytes.
type usage struct {
	took, busy time.Duration
	peak       int64
}

// measured runs this program as a child that does one job.
func measured(job string, args ...string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	child := exec.Command(self, append([]string{"-child", job}, args...)...)
	child.Env = append(os.Environ(), "GOMAXPROCS=2")
	child.Stderr = os.Stderr
	start := time.Now()
	if err := child.Run(); err != nil {
		return usage{}, fmt.Errorf("%s: %w", job, err)
	}
	return usage{time.Since(start), child.ProcessState.UserTime() + child.ProcessState.SystemTime(), peak(child.ProcessState)}, nil
}

// work is what a child does.
func work(job string, args []string) error {
	switch {
	case job == makes && len(args) == 2:
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return write(args[0], n)
	case job == judges && len(args) == 2:
		return judge(args[0], args[1])
	}
	return fmt.Errorf("there is no job %q of %d arguments", job, len(args))
}

// write makes a log of exactly so many ballots, by as many voters as that takes.
func write(log string, ballots int) error {
	p, _ := farmlab.Named("region")
	mix := p.Mix
	mix.Entries, mix.Schools = 1000, 200
	for mix.Voters = ballots; ; mix.Voters += mix.Voters / 4 {
		w := farmlab.Make(mix, 1)
		if len(w.Ballots) >= ballots {
			w.Ballots = w.Ballots[:ballots]
			return w.WriteBallots(log)
		}
	}
}

// judge does what `joute detect` is asked for: a log in, verdicts out.
func judge(log, out string) error {
	d := detect.New(detect.Options{})
	if err := farmlab.EachBallot(log, func(b detect.Ballot) { d.Add(b) }); err != nil {
		return err
	}
	found := d.Whole().Findings
	return ndjson.WriteWhole(out, func(to *bufio.Writer) error {
		lines := json.NewEncoder(to)
		for i := range found {
			if err := lines.Encode(&found[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
