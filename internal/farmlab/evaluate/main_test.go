package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

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

func TestMeasured_ChildrenDoTheirWork(t *testing.T) {
	log, out := filepath.Join(t.TempDir(), "log.ndjson.gz"), filepath.Join(t.TempDir(), "verdicts.ndjson")
	if _, err := measured(makes, log, "1500"); err != nil {
		t.Fatal(err)
	}
	ballots, err := farmlab.ReadBallots(log)
	if err != nil || len(ballots) != 1500 {
		t.Fatalf("%d ballots, want 1500: %v", len(ballots), err)
	}
	used, err := measured(judges, log, out)
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := os.ReadFile(out)
	if err != nil || bytes.Count(verdicts, []byte("\n")) != 1500 {
		t.Errorf("%d verdicts, want 1500: %v", bytes.Count(verdicts, []byte("\n")), err)
	}
	if used.took <= 0 || runtime.GOOS == "linux" && used.peak < 1<<20 {
		t.Errorf("a process took %v and %d bytes", used.took, used.peak)
	}
	if _, err := measured("nothing"); err == nil {
		t.Error("a child that failed was measured")
	}
}
