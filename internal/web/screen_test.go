package web

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/netkind"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// knowing gives a server a list of networks.
func knowing(t *testing.T, list string) func(*Server) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "list"), []byte(list), 0o600))
	networks, err := netkind.Open(netkind.Files{Dir: dir}, slog.New(slog.DiscardHandler))
	must(t, err)
	return func(s *Server) { s.cfg.Networks = networks }
}

// stored is a contest by its path.
func (e *env) stored(path string) *registry.Stored {
	e.t.Helper()
	stored, ok := e.server.cfg.Registry.Get(strings.TrimPrefix(path, "/v1/contests/"))
	if !ok {
		e.t.Fatalf("no contest at %s", path)
	}
	return stored
}

func from(address string) string { return "X-Forwarded-For: " + address }

// seenOf is the evidence of each ballot, by its id.
func (e *env) seenOf(path string) map[string]antifraud.Evidence {
	e.t.Helper()
	all := map[string]antifraud.Evidence{}
	for line := range strings.Lines(string(e.do("GET", path+"/evidence", "", asOrganizer).want(200, "").body)) {
		var row struct {
			Ballot   string
			Evidence antifraud.Evidence
		}
		must(e.t, json.Unmarshal([]byte(line), &row))
		all[row.Ballot] = row.Evidence
	}
	return all
}

func TestScreen_TheKindOfNetworkIsSeenAndKept(t *testing.T) {
	e := startOn(t, redistest.Shared(t).URL(), knowing(t, "203.0.113.0/24 hosting 64496\n198.51.100.0/24 vpn 64497\n"))
	_, path := e.contest(`,"antifraud":{"campuses":[{"school":"lumiere","cidrs":["198.51.100.0/25"]}]}`)
	for address, want := range map[string]antifraud.Evidence{
		"203.0.113.7":    {NetKind: antifraud.NetHosting, ASN: 64496, Signals: []string{"net-hosting"}},
		"198.51.100.200": {NetKind: antifraud.NetVPN, ASN: 64497, Signals: []string{"net-vpn"}},
		"198.51.100.7":   {NetKind: antifraud.NetCampus, ASN: 64497, Signals: []string{"net-campus"}}, // the contest knows better
		"192.0.2.7":      {NetKind: antifraud.NetUnknown},
	} {
		b := newBallot()
		e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), e.pass(path), from(address)).want(201, "")
		got := e.seenOf(path)[b]
		if got.NetKind != want.NetKind || got.ASN != want.ASN || fmt.Sprint(got.Signals) != fmt.Sprint(want.Signals) {
			t.Errorf("%s: %s %d %v, want %+v", address, got.NetKind, got.ASN, got.Signals, want)
		}
	}
}

// burst are casts of few devices out of one data centre, after a crowd's.
func (e *env) burst(path string) map[string]int {
	e.t.Helper()
	cast := func(n int, entry, device, address string, dwell int) answer {
		return e.do("POST", path+"/ballots", fmt.Sprintf(`{"ballot":%q,"entry":%q,"client":{"device":%q,"dwell_ms":%d,"confirm_ms":%d,"visible":true}}`,
			newBallot(), entry, device, dwell, 400+97*n%1300), e.pass(path), from(address), "User-Agent: "+device)
	}
	for n := range 80 {
		cast(n, "lumiere-1", fmt.Sprintf("phone-%d", n%40), fmt.Sprintf("10.%d.%d.1", n, n), 3000+397*n%20000).want(201, "")
	}
	answers := map[string]int{}
	for n := range 40 {
		a := cast(n, "vercors-1", "the farm's", fmt.Sprintf("203.0.113.%d", 1+n%6), 1500+n%3)
		key := fmt.Sprint(a.status)
		if a.status >= 400 {
			key += " " + a.text("code")
		}
		answers[key]++
	}
	return answers
}

func TestScreen_ABurstOutOfADataCentreIsAskedAndHeld(t *testing.T) {
	e := startOn(t, redistest.Shared(t).URL(), knowing(t, "203.0.113.0/24 hosting\n"))
	_, path := e.contest("")
	answers := e.burst(path)
	if answers["202"] < 20 || answers["201"] > 12 || answers["201"]+answers["202"]+answers["403 challenge-required"] != 40 {
		t.Errorf("%v", answers)
	}
	// What decided is kept with what was held, and weighs the same again.
	policy := antifraud.PolicyOf(e.stored(path).Contest.Antifraud.Policy)
	held := 0
	for _, seen := range e.seenOf(path) {
		v, err := policy.Weigh(seen.Signals...)
		must(t, err)
		if v.Action == antifraud.Hold {
			held++
		}
	}
	if held != answers["202"] {
		t.Errorf("%d weigh as held, %d were", held, answers["202"])
	}
	page := string(e.do("GET", "/metrics", "", asOrganizer).body)
	if !strings.Contains(page, fmt.Sprintf(`joute_screened_total{decision="hold",effect="applied"} %d`, held)) {
		t.Errorf("no %d holds in the metrics", held)
	}
	// The log says what was decided, and nobody's address or device.
	log := e.log.String()
	if !strings.Contains(log, "verdict.action=hold") || strings.Contains(log, "203.0.113") || strings.Contains(log, "the farm's") {
		t.Error("the log says too little or too much")
	}
}

func TestScreen_ObserveDecidesAndChangesNothing(t *testing.T) {
	e := startOn(t, redistest.Shared(t).URL(), knowing(t, "203.0.113.0/24 hosting\n"))
	_, path := e.contest(`,"antifraud":{"policy":"observe"}`)
	if answers := e.burst(path); answers["201"] != 40 {
		t.Errorf("%v", answers)
	}
	page := string(e.do("GET", "/metrics", "", asOrganizer).body)
	if !regexp.MustCompile(`joute_screened_total{decision="hold",effect="observed"} [1-9]`).MatchString(page) || strings.Contains(page, `decision="challenge",effect="applied"} 1`) {
		t.Error("what was decided is not in the metrics")
	}
}

// Screening asks no store: with it gone it decides as before, and at once.
func TestScreen_AsksNoStore(t *testing.T) {
	redis := redistest.Start(t)
	e := startOn(t, redis.URL())
	_, path := e.contest("")
	stored := e.stored(path)
	_, pass, err := e.server.cfg.Passes.IssueDevice(stored.Contest, time.Now())
	must(t, err)
	redis.Kill()
	attempt := antifraud.Attempt{At: time.Now(), Level: "device", Address: netip.MustParseAddr("192.0.2.1"), NetKind: antifraud.NetTor}
	start := time.Now()
	k := &casting{stored: stored, entry: "lumiere-1", pass: pass, attempt: attempt}
	err = e.server.screen(k)
	done := k.screened
	if err != nil || done.standing != voting.Counted || fmt.Sprint(done.evidence.Signals) != "[net-tor]" {
		t.Fatalf("%+v, %v", done, err)
	}
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

// A member whose numbers jumped together since the last ballot is seen.
func TestScreen_ChurnIsSeenFromOneBallotToTheNext(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"identity":"partner","partner":{"secret":"` + strings.Repeat("s", 40) + `"},"rules":{"ballots":{"max":3}}`)
	stored := e.stored(path)
	attempt := func(followers, following int64) antifraud.Attempt {
		return antifraud.Attempt{At: time.Now(), Level: "partner", Profile: &antifraud.Profile{Followers: &followers, Following: &following}}
	}
	pass := voting.Pass{Contest: stored.Contest.ID, Level: "partner", Voter: voting.Voter{1}}
	for _, row := range []struct {
		followers, following int64
		churned              bool
	}{{200, 200, false}, {600, 650, true}, {610, 655, false}} {
		k := &casting{stored: stored, entry: "lumiere-1", pass: pass, attempt: attempt(row.followers, row.following)}
		must(t, e.server.screen(k))
		if churned := strings.Contains(fmt.Sprint(k.screened.evidence.Signals), "churn"); churned != row.churned {
			t.Errorf("%+v: %v", row, k.screened.evidence.Signals)
		}
		e.server.saw(k)
	}
}
