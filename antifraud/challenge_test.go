package antifraud_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
)

var (
	challenges = antifraud.NewChallenges([]byte("a key of the tests"))
	noon       = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
)

const forAda = "cast\x00contest\x00ada"

func solve(t testing.TB, c antifraud.Challenge) string {
	t.Helper()
	payload, err := c.Solve()
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// rewritten is a payload with its JSON changed.
func rewritten(t testing.TB, payload string, change func(map[string]any)) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	change(members)
	if text, err = json.Marshal(members); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}

func TestChallenge_ASolutionIsGoodForItsActUntilItExpires(t *testing.T) {
	c := challenges.New(forAda, noon, 1000)
	payload := solve(t, c)
	for _, row := range []struct {
		name, bind string
		at         time.Time
		by         antifraud.Challenges
		good       bool
	}{
		{"at once", forAda, noon.Add(-10 * time.Minute), challenges, true},
		{"the last second", forAda, noon.Add(-time.Second), challenges, true},
		{"expired", forAda, noon, challenges, false},
		{"another voter's", "cast\x00contest\x00bob", noon.Add(-time.Minute), challenges, false},
		{"another contest's", "cast\x00other\x00ada", noon.Add(-time.Minute), challenges, false},
		{"another act's", "mails\x00contest\x00ada", noon.Add(-time.Minute), challenges, false},
		{"another key's", forAda, noon.Add(-time.Minute), antifraud.NewChallenges([]byte("another")), false},
	} {
		if _, err := row.by.Check(payload, row.bind, row.at); (err == nil) != row.good || err != nil && !errors.Is(err, antifraud.ErrChallenge) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestChallenge_NothingOfASolutionCanBeChanged(t *testing.T) {
	c := challenges.New(forAda, noon, 1000)
	good, now := solve(t, c), noon.Add(-time.Minute)
	other := challenges.New(forAda, noon, 1000)
	number := func(m map[string]any) int { return int(m["number"].(float64)) }
	changes := map[string]func(map[string]any){
		"number":          func(m map[string]any) { m["number"] = number(m) + 1 },
		"number, below 0": func(m map[string]any) { m["number"] = -1 },
		"number, text":    func(m map[string]any) { m["number"] = strconv.Itoa(number(m)) },
		"number, spelt":   func(m map[string]any) { m["number"] = json.RawMessage(fmt.Sprintf("%d.0", number(m))) },
		"no number":       func(m map[string]any) { delete(m, "number") },
		"no salt":         func(m map[string]any) { delete(m, "salt") },
		"algorithm":       func(m map[string]any) { m["algorithm"] = "SHA-1" },
		"algorithm, case": func(m map[string]any) { m["algorithm"] = "sha-256" },
		"later":           func(m map[string]any) { m["salt"] = strings.Replace(c.Salt, "?expires=1", "?expires=2", 1) },
		"harder":          func(m map[string]any) { m["salt"] = strings.Replace(c.Salt, "max=1000", "max=9000", 1) },
		"another salt":    func(m map[string]any) { m["salt"] = other.Salt },
		"another hash":    func(m map[string]any) { m["challenge"] = other.Challenge },
		"signature":       func(m map[string]any) { m["signature"] = other.Signature },
		"signature, case": func(m map[string]any) { m["signature"] = strings.ToUpper(c.Signature) },
		"unknown member":  func(m map[string]any) { m["test"] = true },
		// Salt and number are hashed as one text: a digit must not pass from one to the other.
		"digit to the salt": func(m map[string]any) {
			text := strconv.Itoa(number(m))
			m["salt"] = c.Salt + text[:1]
			m["number"], _ = strconv.Atoi(text[1:])
		},
		"digit to the number": func(m map[string]any) { m["salt"] = strings.TrimSuffix(c.Salt, "&") },
	}
	for name, change := range changes {
		if _, err := challenges.Check(rewritten(t, good, change), forAda, now); !errors.Is(err, antifraud.ErrChallenge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain, _ := base64.StdEncoding.DecodeString(good)
	for name, payload := range map[string]string{
		"empty": "", "not base64": "?", "more padding": good + "=", "a line break": good[:8] + "\n" + good[8:],
		"twice": base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(plain), `{`, `{"number":1,`, 1))), "more": base64.StdEncoding.EncodeToString(append(plain, " {}"...)),
		"an array": base64.StdEncoding.EncodeToString([]byte(`[]`)), "torn": base64.StdEncoding.EncodeToString(plain[:len(plain)-1]),
		"deep": base64.StdEncoding.EncodeToString([]byte(`{"number":{"number":1}}`)), "long": base64.StdEncoding.EncodeToString(append(plain, strings.Repeat(" ", 1000)...)),
	} {
		if _, err := challenges.Check(payload, forAda, now); !errors.Is(err, antifraud.ErrChallenge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The control: as it is, and as other clients write it.
	spaced := strings.NewReplacer(",", ", ", ":", ": ").Replace(string(plain))
	for name, payload := range map[string]string{
		"as it is": good, "rewritten": rewritten(t, good, func(map[string]any) {}), "timed": rewritten(t, good, func(m map[string]any) { m["took"] = 12.5 }),
		"spaced": base64.StdEncoding.EncodeToString([]byte(spaced)),
	} {
		if _, err := challenges.Check(payload, forAda, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChallenge_IDsAreTheChallengesAndNotThePayloads(t *testing.T) {
	now := noon.Add(-time.Minute)
	ids := map[[16]byte]bool{}
	for range 50 {
		c := challenges.New(forAda, noon, 50)
		payload := solve(t, c)
		id, err := challenges.Check(payload, forAda, now)
		if err != nil || ids[id] {
			t.Fatalf("%v, known %v", err, ids[id])
		}
		ids[id] = true
		again, err := challenges.Check(rewritten(t, payload, func(m map[string]any) { m["took"] = 1 }), forAda, now)
		if err != nil || again != id {
			t.Fatalf("another payload of the same challenge: %v %v", again, err)
		}
	}
}

// Every number may be the one, the ends included, and the digits fit one block of
// the hash with the salt: clients depend on the price.
func TestChallenge_CostsWhatItSays(t *testing.T) {
	found := map[int]int{}
	for range 400 {
		c := challenges.New(forAda, noon, 3)
		rewritten(t, solve(t, c), func(m map[string]any) { found[int(m["number"].(float64))]++ })
	}
	if len(found) != 4 {
		t.Errorf("numbers %v, want 0 to 3", found)
	}
	if c := challenges.New(forAda, noon, 999_999); len(c.Salt)+6 > 55 {
		t.Errorf("a salt of %d bytes makes every try two blocks", len(c.Salt))
	}
	if _, err := (antifraud.Challenge{MaxNumber: 10, Challenge: "none"}).Solve(); !errors.Is(err, antifraud.ErrChallenge) {
		t.Errorf("what has no solution: %v", err)
	}
}

// known is a solution of a challenge for Ada that was made once: the workers of a
// fuzz run have to agree on it.
const known = `{"algorithm":"SHA-256","challenge":"3d7d264b74bdb7759320fdaa5c962f6c6fcc0b63738f1789b5e0a3aa5585c1e5","number":44,"salt":"34TmPPzxmPRCeHUG?expires=1795694400&max=100&","signature":"bc92290ab52f6ca8af0ede4bf733c0c9c452c0edeb3b194c8d9dad103c37d397"}`

func FuzzChallengePayload(f *testing.F) {
	f.Add(known)
	f.Add(`{"algorithm":"SHA-256","challenge":"0","number":1e2,"salt":"a?expires=1&max=1&","signature":""}`)
	f.Add(`{"number":{}}`)
	f.Add(`[[[`)
	var is map[string]any
	if err := json.Unmarshal([]byte(known), &is); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		now := noon.Add(-time.Minute)
		if _, err := challenges.Check(text, forAda, now); err != nil && !errors.Is(err, antifraud.ErrChallenge) {
			t.Fatalf("%v", err)
		}
		_, err := challenges.Check(base64.StdEncoding.EncodeToString([]byte(text)), forAda, now)
		if err != nil {
			if !errors.Is(err, antifraud.ErrChallenge) || text == known {
				t.Fatalf("%v", err)
			}
			return
		}
		// Only what was signed is good: the one challenge there is, with its number.
		var m map[string]any
		if json.Unmarshal([]byte(text), &m) != nil {
			t.Fatalf("no JSON, and taken for a solution: %q", text)
		}
		delete(m, "took")
		if !reflect.DeepEqual(m, is) {
			t.Fatalf("taken for a solution: %q", text)
		}
	})
}
