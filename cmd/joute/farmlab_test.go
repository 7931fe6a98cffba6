package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/internal/farmlab"
)

func TestFarmlab_MakesAndScores(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rivals")
	code, stdout, stderr := run(t, nil, "", "farmlab", "make", "--preset", "rivals", "--seed", "7", "--out", dir)
	if code != 0 || stdout != "" || !strings.Contains(stderr, "ballots of") {
		t.Fatalf("exit %d, %s%s", code, stdout, stderr)
	}
	w, err := farmlab.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	// A detector that knows the truth about all but the first ballot.
	var all strings.Builder
	for _, b := range w.Ballots {
		score, standing := 0, "counted"
		if w.Labels[b.Voter].Farm {
			score, standing = 1, "void"
		}
		fmt.Fprintf(&all, "{\"ballot\":%q,\"score\":%d,\"standing\":%q}\n", b.ID, score, standing)
	}
	verdicts := filepath.Join(dir, "verdicts.ndjson")
	write := func(text string) {
		if err := os.WriteFile(verdicts, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(all.String())
	code, stdout, stderr = run(t, nil, "", "farmlab", "score", dir, verdicts)
	var f farmlab.Figures
	if err := json.Unmarshal([]byte(stdout), &f); err != nil || code != 0 || stderr != "" {
		t.Fatalf("exit %d, %v, %s", code, err, stderr)
	}
	if f.Void.F1 != 1 || f.Result.HonestVoid != 0 || f.Result.FarmCounted != 0 || !f.Result.Winner || f.ECE != 0 || f.AUC == nil || *f.AUC != 1 {
		t.Errorf("who knows the truth is scored %s", stdout)
	}
	write(all.String()[strings.Index(all.String(), "\n")+1:])
	if code, _, stderr := run(t, nil, "", "farmlab", "score", dir, verdicts); code != 1 || !strings.Contains(stderr, "1 of ") {
		t.Errorf("one verdict is missing: exit %d, %s", code, stderr)
	}
	write(all.String() + `{"ballot":"of-another","score":0,"standing":"counted"}` + "\n")
	if code, _, stderr := run(t, nil, "", "farmlab", "score", dir, verdicts); code != 1 || !strings.Contains(stderr, "1 verdicts are on ballots that") {
		t.Errorf("one verdict is of another workload: exit %d, %s", code, stderr)
	}
}

func TestFarmlab_FaultsNameTheirPlace(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"make", "--preset", "village", "--out", dir}, "expected random, school"},
		{[]string{"make"}, "--out"},
		{[]string{"score", filepath.Join(dir, "none"), "x"}, "contest.yaml"},
	} {
		if code, stdout, stderr := run(t, nil, "", append([]string{"farmlab"}, c.args...)...); code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.says) {
			t.Errorf("farmlab %v: exit %d, %q %q", c.args, code, stdout, stderr)
		}
	}
}

// As docs/LABORATORY.md has it: the folder need not be there.
func TestFarmlabNetworks_MakesItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nets")
	for range 2 { // and again, where it is
		if code, stdout, stderr := run(t, nil, "", "farmlab", "networks", "--out", dir); code != 0 || stdout != "" || stderr != "" {
			t.Fatalf("exit %d, %q, %q", code, stdout, stderr)
		}
	}
	if _, err := (netkind.Files{Dir: dir}).Load(); err != nil {
		t.Errorf("a server cannot read it: %v", err)
	}
}
