package contest

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePolicy_IsThatOfADocument(t *testing.T) {
	for _, text := range []string{"strict", `{"name": "ours", "base": "observe", "weights": {"unproven": 1.5}, "thresholds": {"hold": 4}}`} {
		got, err := ParsePolicy([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		whole := mustParse(t, strings.Replace(full, "policy: strict", "policy: "+text, 1))
		if want := whole.Antifraud.Policy; got.Name != want.Name || got.Base != want.Base || got.Weights[SignalUnproven] != want.Weights[SignalUnproven] {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	for _, text := range []string{ // each as it is within a document
		"{name: ours, base: strict}", "{ # ours\n  name: ours,\n  base: strict,\n}\n", "{'name': ours, base: strict}", "--- {name: ours, base: strict}\n",
		"{\n\"name\": \"ours\", \"base\": \"strict\"}",
	} {
		if p, err := ParsePolicy([]byte(text)); err != nil || p.Name != "ours" || p.Base != PolicyStrict {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
	var faults Faults
	for text, want := range map[string]string{
		`{"name": ours}`:               "not JSON, as which",
		"{name: ours, base: strict":    "not YAML",
		"{\nname: ours,\nbase: lax}":   "observe or standard or strict",
		"{name: ours}\n{name: theirs}": "not YAML",
	} {
		if _, err := ParsePolicy([]byte(text)); !errors.As(err, &faults) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := ParsePolicy([]byte("name: ours\nweights: {unproven: a lot, heavy: 3}\n")); !errors.As(err, &faults) || len(faults) != 2 || faults[0].Path != "weights.unproven" || faults[0].Line != 2 {
		t.Errorf("%v", faults)
	}
	if _, err := ParsePolicy([]byte("{")); !errors.As(err, &faults) {
		t.Errorf("%v", err)
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, seed := range []string{"strict", `"observe"`, "{name: mine, base: standard}", "{ # c\nname: m,}", `{"name":"mine","base":"strict","weights":{"lockstep":1}}`, "a: [", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var faults Faults
		if _, err := ParsePolicy(data); err != nil && !errors.As(err, &faults) {
			t.Fatalf("%q: %v", data, err)
		}
	})
}
