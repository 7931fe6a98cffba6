package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/farmlab"
)

// The children that are measured are this binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "-child" {
		if err := work(os.Args[2], os.Args[3:]); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestDetects_TheCommandIsMeasuredAtAWorkload(t *testing.T) {
	folder := t.TempDir()
	workload := filepath.Join(folder, "1500")
	if err := makeWorkload(workload, 1500, 1); err != nil {
		t.Fatal(err)
	}
	made, err := farmlab.Read(workload)
	if err != nil || len(made.Ballots) != 1500 {
		t.Fatalf("want 1500 ballots: %v", err)
	}
	command, err := build(folder)
	if err != nil {
		t.Fatal(err)
	}
	used, err := detects(command, workload)
	if err != nil {
		t.Fatal(err)
	}
	said, err := farmlab.ReadFindings(filepath.Join(workload, verdicts))
	if err != nil || len(said) != 1500 || said[0].Ballot != made.Ballots[0].ID {
		t.Errorf("%d verdicts, want 1500: %v", len(said), err)
	}
	if used.took <= 0 || runtime.GOOS == "linux" && used.peak < 1<<20 {
		t.Errorf("a process took %v and %d bytes", used.took, used.peak)
	}
	if _, err := detects(command, filepath.Join(folder, "nothing")); err == nil {
		t.Error("a command that failed was measured")
	}
}

func TestOfEvery_KeepsVotersWhole(t *testing.T) {
	var ballots []detect.Ballot
	for _, voter := range []string{"a", "b", "a", "c", "b", "d", "c"} {
		ballots = append(ballots, detect.Ballot{Voter: voter})
	}
	for every, want := range map[int]string{1: "abacbdc", 2: "aacc"} {
		got := ""
		for _, b := range ofEvery(slices.Clone(ballots), every) {
			got += b.Voter
		}
		if got != want {
			t.Errorf("every %d: %s, want %s", every, got, want)
		}
	}
}

func TestWork_OnlyWhatItKnows(t *testing.T) {
	for _, args := range [][]string{nil, {"folder"}, {"folder", "10"}, {"folder", "many", "1"}, {"folder", "10", "each"}} {
		if err := work(makes, args); err == nil {
			t.Errorf("%q was done", args)
		}
	}
}
