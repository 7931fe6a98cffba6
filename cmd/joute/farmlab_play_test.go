package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/internal/redistest"
)

// A burst played at a real server: it is void in time, its next wave is rejected at
// the door, and the honest are neither. Days last seconds here, and detectors look
// every two of them.
func TestFarmlabPlay_TheSameFarmAgain(t *testing.T) {
	networks, out := t.TempDir(), filepath.Join(t.TempDir(), "report.json")
	if code, _, stderr := run(t, nil, "", "farmlab", "networks", "--out", networks); code != 0 {
		t.Fatal(stderr)
	}
	s := serve(t, "--redis", redistest.Start(t).URL(), "--data", t.TempDir(), "--networks", networks, "--trusted-proxies", "127.0.0.1/32", "--sweep-every", "2s")
	table := s.joute("farmlab", "play", "--rounds", "2", "--round", "20s", "--votes", "200", "--voters", "500", "--stubborn", "--seed", "4", "--out", out)
	t.Log("\n" + table)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var reports []attack.Report
	if err := json.Unmarshal(text, &reports); err != nil || len(reports) != 1 || len(reports[0].Ours.Rounds) != 2 {
		t.Fatalf("%v: %s", err, text)
	}
	r := reports[0].Ours
	if first := r.Rounds[0]; first.Counted > first.Votes/20 || first.DetectSeconds != nil && *first.DetectSeconds > attack.MostDetect.Seconds() {
		t.Errorf("the first wave: %+v", first)
	}
	if next := r.Rounds[1]; float64(next.Rejected) < 0.95*float64(next.Votes) {
		t.Errorf("of the next wave of %d, %d were rejected", next.Votes, next.Rejected)
	}
	if h := r.Honest; h.Rejected > 0 || h.Void > 0 || h.Held > h.Ballots/100 || h.Ballots < 900 {
		t.Errorf("the crowd: %+v", h)
	}
}

func TestFarmlabPlay_RefusesAServerThatSeesOneAddress(t *testing.T) {
	s := serve(t)
	code, stdout, stderr := s.try("farmlab", "play", "--round", "10s", "--votes", "10", "--voters", "50")
	if code != 1 || stdout != "" || !strings.Contains(stderr, "--trusted-proxies 127.0.0.1/32") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

func TestFarmlabPlay_AllFaultsAtOnce(t *testing.T) {
	costs := write(t, "costs.yaml", "device: -3\n")
	code, _, stderr := run(t, nil, "", "farmlab", "play", "--offline", "--rounds", "0", "--votes", "3", "--profile", "nobody", "--costs", costs)
	for _, fault := range []string{"--rounds: expected 1 to 20", "--votes: expected 10", `no profile "nobody"`, "costs.yaml: costs: ", "costs: device: expected a price", "inbox is missing"} {
		if code != 1 || !strings.Contains(stderr, fault) {
			t.Errorf("exit %d, %q is not in %s", code, fault, stderr)
		}
	}
}

func TestRehearse(t *testing.T) {
	code, stdout, stderr := run(t, nil, "", "rehearse", "pire-cv-video.yaml", "--voters", "300", "--json")
	var out struct {
		All struct {
			Honest, Farms struct{ Attempts, Counted int }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &out); err != nil || code != 0 || stderr != "" || out.All.Honest.Attempts < 300 || out.All.Farms.Attempts < 50 {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if h := out.All.Honest; h.Counted < h.Attempts*98/100 {
		t.Errorf("of %d honest ballots %d are counted", h.Attempts, h.Counted)
	}
	faulty := write(t, "faulty.yaml", "id: X\n")
	if code, _, stderr := run(t, nil, "", "rehearse", faulty); code != 1 || !strings.Contains(stderr, "faulty.yaml:1 id: ") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
