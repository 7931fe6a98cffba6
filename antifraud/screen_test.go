package antifraud_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
)

func number(x float64) *float64 { return &x }

// holdsUnproven holds every ballot of whom nothing is proven.
func holdsUnproven(base contest.BasePolicy) contest.Policy {
	return contest.Policy{
		Name: "mine", Base: base, Weights: map[contest.Signal]float64{contest.SignalUnproven: 3}, Thresholds: contest.Thresholds{Hold: number(2)},
	}
}

func builtIn(name contest.BasePolicy) contest.Policy {
	return contest.Policy{Name: string(name), Base: name}
}

// voters are attempts by how much they prove.
var voters = map[string]antifraud.Attempt{
	"device":        {Level: "device"},
	"in the hall":   {Level: "device", Present: true},
	"of the school": {Level: "device", School: true},
	"email":         {Level: "email"},
	"partner":       {Level: "partner"},
	"all of it":     {Level: "email", Present: true, School: true},
	"no level":      {},
}

func TestScreen_BuiltInPoliciesHoldNobodyToday(t *testing.T) {
	for _, name := range []contest.BasePolicy{contest.PolicyObserve, contest.PolicyStandard, contest.PolicyStrict} {
		policy := antifraud.PolicyOf(builtIn(name))
		for who, attempt := range voters {
			if v := policy.Screen(attempt); v.Action != antifraud.Accept || v.Would != antifraud.Accept || len(v.Reasons) != 0 || v.Policy == "" {
				t.Errorf("%s: %s: %+v", name, who, v)
			}
		}
	}
}

func TestScreen_APolicyOfOnesOwnHoldsWhoProvesNothing(t *testing.T) {
	policy := antifraud.PolicyOf(holdsUnproven(contest.PolicyStandard))
	for who, attempt := range voters {
		want := antifraud.Verdict{Action: antifraud.Accept, Would: antifraud.Accept}
		if who == "device" || who == "no level" {
			want = antifraud.Verdict{Action: antifraud.Hold, Would: antifraud.Hold, Reasons: []string{"unproven"}}
		}
		v := policy.Screen(attempt)
		want.Score, want.Policy, want.Signals = v.Score, policy.Version, v.Signals
		if !reflect.DeepEqual(v, want) {
			t.Errorf("%s: got %+v, want %+v", who, v, want)
		}
	}
	if v := policy.Screen(voters["device"]); v.Score != 3 {
		t.Errorf("score %v", v.Score)
	}
	if v := policy.Screen(voters["all of it"]); v.Score != -10 {
		t.Errorf("score %v", v.Score)
	}
}

func TestScreen_ThresholdIsReachedByASumThatEqualsIt(t *testing.T) {
	document := holdsUnproven(contest.PolicyStrict)
	for hold, want := range map[float64]antifraud.Action{2.999: antifraud.Hold, 3: antifraud.Hold, 3.001: antifraud.AskChallenge} {
		document.Thresholds.Hold = &hold
		policy := antifraud.PolicyOf(document)
		if v := policy.Screen(voters["device"]); v.Action != want {
			t.Errorf("%v: %+v", hold, v)
		}
	}
}

func TestScreen_AsksForAChallengeBelowTheHold(t *testing.T) {
	document := holdsUnproven(contest.PolicyStandard) // who proves nothing has 3
	for _, row := range []struct {
		challenge, hold float64
		base            contest.BasePolicy
		action, would   antifraud.Action
	}{
		{3.001, 5, contest.PolicyStandard, antifraud.Accept, antifraud.Accept},
		{3, 5, contest.PolicyStandard, antifraud.AskChallenge, antifraud.AskChallenge},
		{1, 3.001, contest.PolicyStandard, antifraud.AskChallenge, antifraud.AskChallenge},
		{1, 3, contest.PolicyStandard, antifraud.Hold, antifraud.Hold},
		{5, 3, contest.PolicyStandard, antifraud.Hold, antifraud.Hold},
		{1, 5, contest.PolicyObserve, antifraud.Accept, antifraud.AskChallenge},
	} {
		document.Base, document.Thresholds.Challenge, document.Thresholds.Hold = row.base, &row.challenge, &row.hold
		policy := antifraud.PolicyOf(document)
		if v := policy.Screen(voters["device"]); v.Action != row.action || v.Would != row.would || v.Action != antifraud.Hold && v.Reasons != nil {
			t.Errorf("%+v: %+v", row, v)
		}
		if v := policy.Screen(voters["email"]); v.Action != antifraud.Accept {
			t.Errorf("%+v: who proves something: %+v", row, v)
		}
	}
}

func TestScreen_ObserveDecidesAndChangesNothing(t *testing.T) {
	policy := antifraud.PolicyOf(holdsUnproven(contest.PolicyObserve))
	if v := policy.Screen(voters["device"]); v.Action != antifraud.Accept || v.Would != antifraud.Hold || v.Reasons != nil {
		t.Errorf("%+v", v)
	}
}

// A reason that a proof releases is only given where the proof would have helped.
func TestScreen_WhoIsHeldForWhatTheyProvedIsHeldByThePolicy(t *testing.T) {
	policy := antifraud.PolicyOf(contest.Policy{Name: "mine", Base: contest.PolicyStandard, Weights: map[contest.Signal]float64{contest.SignalBase: 9}})
	for who, attempt := range voters {
		v := policy.Screen(attempt)
		if held := v.Score >= 3; held != (v.Action == antifraud.Hold) || held && !slices.Equal(v.Reasons, []string{"policy"}) {
			t.Errorf("%s: %+v", who, v)
		}
	}
}

func TestScreen_TheZeroPolicyAcceptsEverybody(t *testing.T) {
	for who, attempt := range voters {
		if v := new(antifraud.Policy).Screen(attempt); v.Action != antifraud.Accept {
			t.Errorf("%s: %+v", who, v)
		}
	}
}

func TestPolicyOf_LaysADocumentOverItsBase(t *testing.T) {
	standard := antifraud.PolicyOf(builtIn(contest.PolicyStandard))
	for _, signal := range contest.Signals {
		if _, ok := standard.Weights[signal]; !ok {
			t.Errorf("no weight for %s", signal)
		}
	}
	if len(standard.Weights) != len(contest.Signals) {
		t.Errorf("weights %v", standard.Weights)
	}
	own := antifraud.PolicyOf(holdsUnproven(contest.PolicyStandard))
	if own.Name != "mine" || own.Weights[contest.SignalUnproven] != 3 || own.Weights[contest.SignalEmail] != standard.Weights[contest.SignalEmail] ||
		own.Thresholds.Hold != 2 || own.Thresholds.Reject != standard.Thresholds.Reject {
		t.Errorf("%+v", own)
	}
}

func TestPolicyOf_VersionNamesWhatDecides(t *testing.T) {
	versions := map[string]string{}
	for name, document := range map[string]contest.Policy{
		"observe": builtIn(contest.PolicyObserve), "standard": builtIn(contest.PolicyStandard), "strict": builtIn(contest.PolicyStrict),
		"own": holdsUnproven(contest.PolicyStandard), "own, only observing": holdsUnproven(contest.PolicyObserve),
	} {
		version := antifraud.PolicyOf(document).Version
		if other, taken := versions[version]; taken || version != antifraud.PolicyOf(document).Version {
			t.Errorf("%s has the version of %s, or two", name, other)
		}
		versions[version] = name
	}
	renamed := holdsUnproven(contest.PolicyStandard)
	renamed.Name = "other"
	if versions[antifraud.PolicyOf(renamed).Version] != "own" {
		t.Error("a name decides something")
	}
}

func TestScreen_AllocatesNothing(t *testing.T) {
	policy := antifraud.PolicyOf(holdsUnproven(contest.PolicyStandard))
	attempt := attempt()
	if n := testing.AllocsPerRun(100, func() { policy.Screen(attempt) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkScreen_WithoutWindows(b *testing.B) {
	policy := antifraud.PolicyOf(holdsUnproven(contest.PolicyStandard))
	attempt := attempt()
	for b.Loop() {
		policy.Screen(attempt)
	}
}
