package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/joute/joute/internal/farmlab"
)

// makes is the job of a child that writes a workload: FOLDER BALLOTS. It is a process
// of its own so that its memory is given back before another one is measured.
const makes = "make"

// speed measures `joute detect`, as it is built, on so many ballots and on twice as
// many, on two cores, from the packed log to the file of verdicts.
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
	var took [2]time.Duration
	for i := range took {
		n := ballots << i
		workload := filepath.Join(folder, strconv.Itoa(n))
		if err := makeWorkload(workload, n); err != nil {
			return err
		}
		used, err := detects(command, workload)
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
func makeWorkload(workload string, ballots int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.Command(self, "-child", makes, workload, strconv.Itoa(ballots))
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
	if job != makes || len(args) != 2 {
		return fmt.Errorf("there is no job %q of %d arguments", job, len(args))
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	return write(args[0], n)
}

// write makes a workload of exactly so many ballots, by as many voters as that takes.
func write(workload string, ballots int) error {
	p, _ := farmlab.Named("region")
	mix := p.Mix
	mix.Entries, mix.Schools = 1000, 200
	for mix.Voters = ballots; ; mix.Voters += mix.Voters / 4 {
		w := farmlab.Make(mix, 1)
		if len(w.Ballots) >= ballots {
			w.Ballots = w.Ballots[:ballots]
			return w.Write(workload)
		}
	}
}
