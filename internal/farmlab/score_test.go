package farmlab

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud/detect"
)

// guess are findings that are neither right nor calibrated, so that no figure is
// at an end of its scale. Scores have ties.
func guess(w *Workload, seed uint64) []detect.Finding {
	d := dice{source(seed, "guess")}
	var findings []detect.Finding
	for _, b := range w.Ballots {
		if d.chance(0.01) {
			continue // a ballot that is missing
		}
		score := math.Round(100*d.Float64()*d.Float64()) / 100
		if w.Labels[b.Voter].Farm && d.chance(0.6) {
			score = math.Round(100*(1-d.Float64()*d.Float64())) / 100
		}
		f := detect.Finding{Ballot: b.ID, Score: score, Standing: detect.Counted}
		switch {
		case score >= 0.9:
			f.Standing = detect.Void
		case score >= 0.5:
			f.Standing = detect.Held
		}
		findings = append(findings, f)
	}
	return findings
}

func TestScore_ByHand(t *testing.T) {
	ballots := []detect.Ballot{
		{ID: "1", Voter: "h1", Entry: "a"}, {ID: "2", Voter: "h2", Entry: "a"}, {ID: "3", Voter: "h3", Entry: "b"},
		{ID: "4", Voter: "f1", Entry: "b"}, {ID: "5", Voter: "f2", Entry: "b"}, {ID: "6", Voter: "f2", Entry: "c"}, {ID: "7", Voter: "h1", Entry: "c"},
	}
	labels := map[string]Label{"h1": {Group: "crowd"}, "h2": {Group: "crowd"}, "h3": {Group: "crowd"}, "f1": {true, "farm"}, "f2": {true, "farm"}}
	findings := []detect.Finding{
		{Ballot: "1", Score: 0.05, Standing: detect.Counted}, {Ballot: "2", Score: 0.65, Standing: detect.Held}, {Ballot: "3", Score: 0.05, Standing: detect.Counted},
		{Ballot: "4", Score: 0.05, Standing: detect.Counted}, {Ballot: "5", Score: 0.95, Standing: detect.Void}, {Ballot: "6", Score: 0.95, Standing: detect.Void},
	}
	f := Score(ballots, labels, findings)
	// Of h1 .05, h2 .65, h3 .05 and f1 .05, f2 .95: of the six pairs f2 wins three, f1 ties two and loses one.
	if f.AUC == nil || math.Abs(*f.AUC-4.0/6) > 1e-9 {
		t.Errorf("AUC %v, want 4/6", f.AUC)
	}
	f.AUC = nil
	// The bins are .05 with 3 ballots of which 1 a farm's, .65 with none of 1, .95 with 2 of 2.
	ece := (math.Abs(0.15-1) + 0.65 + math.Abs(1.9-2)) / 6
	if math.Abs(f.ECE-ece) > 1e-9 {
		t.Errorf("ECE %g, want %g", f.ECE, ece)
	}
	want := Figures{
		Ballots: 7, Missing: 1,
		Void: Accuracy{1, 0.5, 2.0 / 3}, VoidHeld: Accuracy{0.5, 0.5, 0.5},
		// Counted are a 1, b 2; without farms a 2, b 1: the one pair is turned.
		Result: Result{FarmCounted: 1.0 / 3, HonestVoid: 0, HonestHeld: 1.0 / 3, Tau: -1, Winner: false},
	}
	crowd, farm := f.Groups["crowd"], f.Groups["farm"]
	if crowd != (Group{Voters: 3, VoidHeld: 1.0 / 3, Ballots: 3, Counted: 2.0 / 3}) || farm != (Group{Voters: 2, Void: 0.5, VoidHeld: 0.5, Ballots: 3, Counted: 1.0 / 3, Farm: true}) {
		t.Errorf("groups %+v", f.Groups)
	}
	f.Groups, f.ECE = nil, 0
	a, _ := json.Marshal(f)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		t.Errorf("%s, want %s", a, b)
	}
}

func TestScore_NobodyIsAFarm(t *testing.T) {
	w := Make(Mix{Entries: 3, Schools: 2, Days: 2, Ballots: 1, Voters: 100}, 1)
	f := Score(w.Ballots, w.Labels, guess(w, 1))
	if f.AUC != nil || f.Void.Precision != 0 || f.Result.FarmCounted != 0 {
		t.Errorf("%+v", f)
	}
	if _, err := json.Marshal(f); err != nil {
		t.Error(err)
	}
}

const shared = "../../../shared/antifraud"

// The public scorer is the judge; ours must say the same.
func TestScore_AgreesWithTheReference(t *testing.T) {
	python, err := exec.LookPath("python3")
	reference := filepath.Join(shared, "score.py")
	if _, missing := os.Stat(reference); err != nil || missing != nil {
		t.Skip("python3 or the reference is not here")
	}
	theirs, err := Read(filepath.Join(shared, "workloads", "opp-plain"))
	if err != nil {
		t.Fatal(err)
	}
	ours := t.TempDir()
	mix := Presets[0].Mix
	mix.Voters = 1000
	if err := Make(mix, 4).Write(ours); err != nil {
		t.Fatal(err)
	}
	w, err := Read(ours)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir string
		w   *Workload
	}{{filepath.Join(shared, "workloads", "opp-plain"), theirs}, {ours, w}} {
		findings := guess(c.w, 2)
		file := filepath.Join(t.TempDir(), "verdicts.ndjson")
		var lines bytes.Buffer
		for _, f := range findings {
			line, _ := json.Marshal(f)
			lines.Write(append(line, '\n'))
		}
		if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		run := exec.Command(python, reference, c.dir, file)
		run.WaitDelay = time.Minute
		said, _ := run.Output() // its status is 1: ballots are missing
		var want, got map[string]any
		if err := json.Unmarshal(said, &want); err != nil {
			t.Fatalf("%s says %q: %v", reference, said, err)
		}
		figures, _ := json.Marshal(Score(c.w.Ballots, c.w.Labels, findings))
		if err := json.Unmarshal(figures, &got); err != nil {
			t.Fatal(err)
		}
		same(t, "", want, got)
	}
}

// same compares documents; numbers to the four digits that the reference prints.
func same(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for name, value := range want {
			same(t, path+"."+name, value, got[name])
		}
		if len(want) != len(got) {
			t.Errorf("%s: %d members, want %d", path, len(got), len(want))
		}
	case float64:
		if got, ok := got.(float64); !ok || math.Abs(got-want) > 6e-5 {
			t.Errorf("%s: %v, want %v", strings.TrimPrefix(path, "."), got, want)
		}
	default:
		if got != want {
			t.Errorf("%s: %v, want %v", strings.TrimPrefix(path, "."), got, want)
		}
	}
}
