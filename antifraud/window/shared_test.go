package window_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/account"
	"github.com/joute/joute/antifraud/window"
)

// TestScreen_OfLabelledWorkloads says what standard would have done as the ballots
// came, where research data is at hand, and holds it to what honest crowds may meet.
func TestScreen_OfLabelledWorkloads(t *testing.T) {
	dirs, _ := filepath.Glob("../../../shared/antifraud/workloads/*")
	if len(dirs) == 0 {
		t.Skip("no workloads here") // made of real votes: no part of the repository; farmlab's are tested everywhere
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			groups := labels(t, dir)
			actions := map[string]map[antifraud.Action]int{}
			windows, policy := window.New(), standard()
			each(t, dir, func(b ballotLine) {
				a := antifraud.Attempt{At: b.At, Level: b.Level, Present: b.Evidence.Present, School: b.Evidence.SchoolDomain, NetKind: b.Evidence.NetKind}
				a.Client.Device, a.Client.Via, a.Client.Visible = b.Evidence.Device, b.Evidence.Via, b.Evidence.Visible
				a.Client.DwellMS, a.Client.ConfirmMS = b.Evidence.DwellMS, b.Evidence.ConfirmMS
				if b.Evidence.Profile != nil {
					a.Account = account.Score(b.Evidence.Profile).LogOdds
				}
				s := window.Of(window.Cast{Voter: b.Voter, Entry: b.Entry, Via: b.Evidence.Via}, &a, &b.Evidence)
				counts := windows.Contest("c", b.At).Counts(s)
				verdict := policy.Screen(a, counts[:]...)
				windows.Saw("c", s)
				group := groups[b.Voter]
				if actions[group] == nil {
					actions[group] = map[antifraud.Action]int{}
				}
				actions[group][verdict.Action]++
			})
			for group, n := range actions {
				all := float64(n[antifraud.Accept] + n[antifraud.AskChallenge] + n[antifraud.Hold])
				t.Logf("%-12s %6.0f ballots: %.4f asked, %.4f held", group, all, float64(n[antifraud.AskChallenge])/all, float64(n[antifraud.Hold])/all)
				switch group {
				case "campus", "viral", "fanclub", "background":
					if float64(n[antifraud.AskChallenge]) > 0.01*all || float64(n[antifraud.Hold]) > 0.001*all {
						t.Errorf("%s: %v", group, n)
					}
				}
			}
		})
	}
}

type ballotLine struct {
	At           time.Time
	Voter, Entry string
	Level        string
	Evidence     antifraud.Evidence
}

func each(t *testing.T, dir string, yield func(ballotLine)) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "ballots.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(plain)
	for lines.Scan() {
		var b ballotLine
		if err := json.Unmarshal(lines.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		yield(b)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// labels are the groups of voters.
func labels(t *testing.T, dir string) map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "labels.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]string{}
	for _, row := range rows[1:] {
		groups[row[0]] = row[2]
	}
	return groups
}
