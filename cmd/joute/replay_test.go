package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/sweep"
)

// The record of a contest that was swept, closed and published is done again and is
// the same; what no sweep decided shows; another policy is told and writes nothing.
func TestReplay_SameDifferentAndSupposed(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := serve(t, "--redis", redis.URL(), "--data", t.TempDir())
	document := strings.Replace(smallDocument("again", "boxes: 2\n"), "policy: observe", "policy: {name: proof-please, weights: {unproven: 4}}", 1)
	s.joute("apply", write(t, "c.yaml", document))
	if code, _, stderr := s.try("replay", "again"); code != 1 || !strings.Contains(stderr, "no sweeps are kept") {
		t.Fatalf("before the first sweep: exit %d, %s", code, stderr)
	}
	s.bench("--contest", "again", "--voters", "40")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/contests/again/close", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminKey)
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	out := wait(t, "the last sweep", func() (string, bool) {
		code, out, _ := s.try("replay", "again")
		return out, code == 0
	})
	if !strings.Contains(out, "unproven") || !strings.HasSuffix(out, "same: 40 ballots\n") {
		t.Fatalf("replay:\n%s", out)
	}
	ledger := s.joute("export", "again")
	if !strings.Contains(ledger, `"policy":"`) {
		t.Error("what screening held does not say by which policy")
	}
	for policy, want := range map[string]string{"observe": "+", write(t, "p.yaml", "name: ours\nbase: strict\n"): "+", write(t, "q.yaml", "name: q\nweights: {unproven: 4.5}\n"): ""} {
		out := s.joute("replay", "--policy", policy, "again")
		if strings.Contains(out, "+") != (want == "+") || !strings.Contains(out, "held") {
			t.Errorf("%s:\n%s", policy, out)
		}
	}
	if code, _, stderr := s.try("replay", "--policy", write(t, "bad.yaml", "name: ours\nweights: {unproven: much}\n"), "again"); code != 1 || !strings.Contains(stderr, "bad.yaml:2 weights.unproven: ") {
		t.Errorf("a faulty policy: exit %d, %s", code, stderr)
	}
	if after := s.joute("export", "again"); after != ledger {
		t.Error("asking wrote something")
	}
	// A decision in the detectors' name that they never made.
	st, err := store.Open(t.Context(), store.Options{URL: redis.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	c, err := contest.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	stored := &registry.Stored{Contest: c, Version: 1, Epoch: 1}
	boxes := ballotbox.New(st)
	held, err := boxes.Held(t.Context(), stored, ballotbox.HeldPlace{}, 1)
	if err != nil || len(held) != 1 {
		t.Fatalf("%d held, %v", len(held), err)
	}
	if _, changed, err := boxes.Change(t.Context(), stored, ballotbox.Change{
		Voter: held[0].Voter, Ballot: held[0].Ballot, Standing: voting.Void, Actor: voting.ActorDetector, Reasons: []string{"lockstep"},
	}); err != nil || !changed {
		t.Fatalf("%v, %v", changed, err)
	}
	if code, out, _ := s.try("replay", "again"); code != 1 || !strings.HasSuffix(out, "differs: 1 of 40 ballots\n") || !strings.Contains(out, "void") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// What screening saw is weighed again by another policy, and nothing else of a cast is.
func TestRescreen_WeighsWhatWasSeen(t *testing.T) {
	screen := func(base contest.BasePolicy, signals ...string) string {
		policy := antifraud.PolicyOf(contest.Policy{Name: string(base), Base: base})
		standing, reasons, err := rescreen(&policy)(antifraud.Evidence{Signals: signals})
		return strings.TrimSpace(fmt.Sprint(standing, reasons, err))
	}
	farm := []string{"net-hosting", "device-window=1.5", "dwell-same=1.5"}
	for _, row := range []struct{ got, want string }{
		{screen("standard"), "counted[] <nil>"},
		{screen("standard", farm...), "held[unproven] <nil>"},
		{screen("observe", farm...), "counted[] <nil>"},
		{screen("standard", "net-hosting"), "counted[] <nil>"},
		{screen("standard", "device-window=1.5", "dwell-same=1.5"), "counted[] <nil>"}, // asked for a challenge
		{screen("strict", "device-window=1.5", "dwell-same=1.5"), "held[unproven] <nil>"},
		{screen("standard", "known-farm"), "void[known-farm] <nil>"},
		{screen("standard", "email", "known-farm"), "held[known-farm] <nil>"},
	} {
		if row.got != row.want {
			t.Errorf("got %s, want %s", row.got, row.want)
		}
	}
	if got := screen("standard", "net-hosting=much"); !strings.Contains(got, "net-hosting=much") {
		t.Errorf("of what cannot be read: %s", got)
	}
}

// A sweep is kept before what it decided is written: a replay in between is of half of it.
func TestRecord_IsWrittenWhenTheLastSweepsDecisionsAre(t *testing.T) {
	decided := func(at int64) sweep.Line {
		return sweep.Line{Record: voting.Record{Kind: voting.KindVoid, Actor: voting.ActorDetector, Position: voting.Position{Millis: at}}}
	}
	two := []sweep.Sweep{{AtMS: 1, Decided: 9}, {AtMS: 5, Decided: 2}}
	for name, c := range map[string]struct {
		r    record
		want bool
	}{
		"no sweeps":                     {record{}, true},
		"none of two is there":          {record{sweeps: two, ledger: []sweep.Line{decided(4), decided(4)}}, false},
		"one is":                        {record{sweeps: two, ledger: []sweep.Line{decided(4), decided(5)}}, false},
		"both are":                      {record{sweeps: two, ledger: []sweep.Line{decided(5), decided(6)}}, true},
		"nothing is written of observe": {record{sweeps: []sweep.Sweep{{AtMS: 5, Decided: 2, Fresh: &sweep.Settings{Observe: true}}}}, true},
	} {
		if is := c.r.written(); is != c.want {
			t.Errorf("%s: %v", name, is)
		}
	}
}
