package contest

import (
	"errors"
	"strings"
	"testing"
)

func TestPolicy_DocumentComesBackAsItWas(t *testing.T) {
	for document, canonical := range map[string]string{
		"observe":      `"policy":"observe"`,
		"{name: mine}": `"policy":{"name":"mine","base":"standard"}`,
		"{name: mine, weights: {}, thresholds: {}}":                                                         `"policy":{"name":"mine","base":"standard"}`,
		"{weights: {unproven: 3, email: -0.50, base: -0}, name: mine, base: strict, thresholds: {hold: 2}}": `"policy":{"name":"mine","base":"strict","weights":{"base":0,"email":-0.5,"unproven":3},"thresholds":{"hold":2}}`,
		"{name: mine, thresholds: {challenge: -1, hold: 0, reject: 10.0}}":                                  `"policy":{"name":"mine","base":"standard","thresholds":{"challenge":-1,"hold":0,"reject":10}}`,
	} {
		c := mustParse(t, base+"antifraud: {policy: "+document+"}\n")
		if !strings.Contains(string(c.Document()), canonical) {
			t.Errorf("%s: expected %s in %s", document, canonical, c.Document())
		}
		sameContest(t, c, mustParse(t, string(c.Document())))
	}
}

// What is left out comes from the base. A challenge of the base's that ballots held from lower on
// leave nothing to is no fault: nobody asked for it.
func TestPolicy_ThresholdsAreHeldAgainstTheBase(t *testing.T) {
	for _, document := range []string{
		"{name: mine, thresholds: {challenge: 4}}", "{name: mine, thresholds: {hold: 2}}", "{name: mine, thresholds: {hold: 100}}",
		"{name: mine, thresholds: {challenge: 50, hold: 50}}", "{name: mine, base: strict, thresholds: {challenge: 3}}",
	} {
		if _, err := Parse([]byte(base + "antifraud: {policy: " + document + "}\n")); err != nil {
			t.Errorf("%s: %v", document, err)
		}
	}
}

// What is in a store was let in by the rules of its day: a contest is not lost to a later one.
func TestParseStored_KnowsWhatWasTakenBefore(t *testing.T) {
	for _, text := range []string{"antifraud: {hold: 720h}", "antifraud: {policy: {name: mine, thresholds: {challenge: 5}}}"} {
		document := []byte(base + text + "\n")
		if _, err := Parse(document); err == nil {
			t.Errorf("%s is taken", text)
		}
		c, err := ParseStored(document)
		if err != nil {
			t.Errorf("%s is not read: %v", text, err)
			continue
		}
		if again, err := ParseStored(c.Document()); err != nil || string(again.Document()) != string(c.Document()) {
			t.Errorf("%s: %v", c.Document(), err)
		}
	}
	if _, err := ParseStored([]byte(base + "antifraud: {hold: 721h}\n")); err == nil {
		t.Error("what was never taken is read")
	}
}

// What is weighed is the organizer's affair: a farm would read it first.
func TestPolicy_PublicViewHasItsNameAlone(t *testing.T) {
	public := string(mustParse(t, base+"antifraud: {policy: {name: mine, weights: {unproven: 3}, thresholds: {hold: 2}}}\n").Public())
	if !strings.Contains(public, `"policy":"mine"`) || strings.Contains(public, "unproven") || strings.Contains(public, "thresholds") {
		t.Errorf("%s", public)
	}
}

func TestPolicy_AllFaultsAtOnce(t *testing.T) {
	_, err := Parse([]byte(base + "antifraud: {policy: {name: standard, base: lax, weights: {likes: 1, email: x}, thresholds: {hold: y, ban: 1}}}\n"))
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	for _, path := range []string{"name", "base", "weights.likes", "weights.email", "thresholds.hold", "thresholds.ban"} {
		if !has(faults, "antifraud.policy."+path, 11, "") {
			t.Errorf("no fault of %s in\n%v", path, err)
		}
	}
	if len(faults) != 6 {
		t.Errorf("expected 6 faults, got\n%v", err)
	}
}

// One family may have one honest cause: a document that would reject by one is no
// policy, wherever its numbers come from.
func TestPolicy_NoneRejectsOnOneFamily(t *testing.T) {
	for document, path := range map[string]string{
		"{name: mine, thresholds: {reject: 3}}":                                            "thresholds.reject", // tempo
		"{name: mine, weights: {net-hosting: 8}}":                                          "weights",
		"{name: mine, weights: {device-window: 4, driven: 0}}":                             "weights", // as it is seen 1.5 times
		"{name: mine, weights: {base: 3, account: 1}}":                                     "weights",
		"{name: mine, weights: {unproven: 7}, thresholds: {hold: 5, reject: 7}}":           "thresholds.reject",
		"{name: mine, base: strict, weights: {net-tor: 5}, thresholds: {hold: 2}}":         "weights",
		"{name: mine, base: observe, weights: {dwell-same: 10, dwell-fast: 1}}":            "weights",
		"{name: mine, weights: {net-hosting: 8}, thresholds: {reject: 12}}":                "",
		"{name: mine, weights: {known-farm: 10, net-hosting: 3, net-vpn: 3}}":              "", // one network is of one kind
		"{name: mine, weights: {unproven: 3}, thresholds: {hold: 2, reject: 100}}":         "",
		"{name: mine, weights: {net-hosting: -5, net-window: 0}, thresholds: {reject: 6}}": "",
	} {
		_, err := Parse([]byte(base + "antifraud: {policy: " + document + "}\n"))
		if path == "" {
			if err != nil {
				t.Errorf("%s: %v", document, err)
			}
			continue
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || !has(faults, "antifraud.policy."+path, 11, "") {
			t.Errorf("%s: want a fault of %s, got %v", document, path, err)
		}
	}
}

func TestSignals_EachIsOfOneFamilyAndHasAWeight(t *testing.T) {
	seen := map[Signal]int{SignalBase: 1, SignalKnownFarm: 1} // no evidence; two families by itself
	for _, f := range families {
		for _, exclusive := range f.signals {
			for _, signal := range exclusive {
				seen[signal]++
			}
		}
	}
	for _, signal := range Signals {
		if _, weighed := weights[signal]; seen[signal] != 1 || !weighed {
			t.Errorf("%s is in %d families, weighed: %v", signal, seen[signal], weighed)
		}
	}
	if len(seen) != len(Signals) || len(weights) != len(Signals) {
		t.Errorf("%d in families, %d weights, %d signals", len(seen), len(weights), len(Signals))
	}
}
