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
