package web

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

func TestFormToken_HoldsForItsFormAndTenMinutes(t *testing.T) {
	forms := formTokens{[]byte("a key")}
	now := time.Now()
	facts := formFacts{"c", "e", listed, uuid.New(), voting.Voter{1}}
	token := forms.seal(facts, now)
	for age, want := range map[time.Duration]error{
		0: nil, 9*time.Minute + 59*time.Second: nil, 10*time.Minute + 2*time.Second: errFormExpired, 999 * time.Hour: errFormExpired,
		-30 * time.Second: nil, -2 * time.Minute: errFormForged,
	} {
		if err := forms.check(token, facts, now.Add(age)); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("after %v: %v, want %v", age, err, want)
		}
	}
	changed := map[string]formFacts{
		"contest": {"d", "e", listed, facts.ballot, facts.voter},
		"entry":   {"c", "f", listed, facts.ballot, facts.voter},
		"origin":  {"c", "e", "https://other.example", facts.ballot, facts.voter},
		"none":    {"c", "e", "", facts.ballot, facts.voter},
		"ballot":  {"c", "e", listed, uuid.New(), facts.voter},
		"voter":   {"c", "e", listed, facts.ballot, voting.Voter{2}},
		"shifted": {"ce", "", listed, facts.ballot, facts.voter},
	}
	for name, other := range changed {
		if err := forms.check(token, other, now); !errors.Is(err, errFormForged) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	if err := (formTokens{[]byte("another")}).check(token, facts, now); !errors.Is(err, errFormForged) {
		t.Errorf("another key: %v", err)
	}
	for i := range len(token) { // the time and the signature
		other := []byte(token)
		other[i] = map[bool]byte{true: 'B', false: 'A'}[other[i] == 'A']
		if err := forms.check(string(other), facts, now); err == nil {
			t.Errorf("character %d changed: accepted", i)
		}
	}
	for _, junk := range []string{"", "A", token + "A", token[1:], "!" + token[1:]} {
		if err := forms.check(junk, facts, now); !errors.Is(err, errFormForged) {
			t.Errorf("%q: %v", junk, err)
		}
	}
}
