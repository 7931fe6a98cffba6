package voting_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/voting"
)

const secret = "a-secret-for-tests-only-0123456789abcdef"

var now = time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)

func newContest(t testing.TB, id string) *contest.Contest {
	t.Helper()
	c, err := contest.Parse([]byte(`
id: ` + id + `
title: Test
phases: {voting: {opens: 2027-01-01T00:00:00Z, closes: 2027-02-01T00:00:00Z}}
partner: {secret: ` + secret + `}
schools: [{id: north, name: North, students: 1000}, {id: south, name: South, students: 1000}]
entries: [{id: n-1, school: north, title: N1}, {id: s-1, school: south, title: S1}]
`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newPasses(t *testing.T) *voting.Passes {
	t.Helper()
	ring, err := keyring.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return voting.NewPasses(ring)
}

func TestPasses_DevicePassIsCheckedAsItsOwnVoter(t *testing.T) {
	passes, c := newPasses(t), newContest(t, "one")
	token, issued, err := passes.IssueDevice(c, now)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := passes.Check(c, token, now)
	if err != nil || checked.Voter != issued.Voter || checked.Level != contest.LevelDevice || !checked.Expires.Equal(issued.Expires) {
		t.Fatalf("checked %+v, %v; issued %+v", checked, err, issued)
	}
	_, other, err := passes.IssueDevice(c, now)
	if err != nil || other.Voter == issued.Voter {
		t.Fatalf("two devices are one voter: %v", err)
	}
	if !issued.Expires.After(c.Phases.Voting.Closes) {
		t.Fatalf("the pass ends %v, before the close", issued.Expires)
	}
}

func TestPasses_PartnersMemberIsTheSameVoterInEveryToken(t *testing.T) {
	passes, c := newPasses(t), newContest(t, "one")
	first, err1 := passes.Check(c, partner(t, jwt.SigningMethodHS256, secret, "one", "ada", now.Add(time.Hour), nil), now)
	again, err2 := passes.Check(c, partner(t, jwt.SigningMethodHS256, secret, "one", "ada", now.Add(2*time.Hour), nil), now)
	bob, err3 := passes.Check(c, partner(t, jwt.SigningMethodHS256, secret, "one", "bob", now.Add(time.Hour), nil), now)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if first.Voter != again.Voter || first.Voter == bob.Voter || first.Level != contest.LevelPartner {
		t.Fatalf("%+v, %+v, %+v", first, again, bob)
	}
	// The same member in another contest is nobody known.
	two := newContest(t, "two")
	elsewhere, err := passes.Check(two, partner(t, jwt.SigningMethodHS256, secret, "two", "ada", now.Add(time.Hour), nil), now)
	if err != nil || elsewhere.Voter == first.Voter {
		t.Fatalf("voters can be followed from contest to contest: %v", err)
	}
}

func TestPasses_PartnerTellsOfItsMembersProfile(t *testing.T) {
	passes, c := newPasses(t), newContest(t, "one")
	token := partner(t, jwt.SigningMethodHS256, secret, "one", "ada", now.Add(time.Hour), map[string]any{
		"profile": map[string]any{"followers": 10, "username": "ada42", "has_bio": true},
		"level":   "device", // what a partner says of a level is not read
	})
	pass, err := passes.Check(c, token, now)
	if err != nil || pass.Level != contest.LevelPartner || pass.Profile == nil || *pass.Profile.Followers != 10 || pass.Profile.Username != "ada42" {
		t.Fatalf("%+v, %v", pass, err)
	}
}

func TestPasses_RefusesWhatIsNotAPass(t *testing.T) {
	passes, c := newPasses(t), newContest(t, "one")
	own, _, err := passes.IssueDevice(c, now)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, err := newPasses(t).IssueDevice(c, now)
	if err != nil {
		t.Fatal(err)
	}
	hour := now.Add(time.Hour)
	signed := func(method jwt.SigningMethod, key any, aud, sub string, exp time.Time, more map[string]any) string {
		return partner(t, method, key, aud, sub, exp, more)
	}
	none := signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "one", "ada", hour, nil)
	critical := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"aud": "one", "sub": "ada", "exp": hour.Unix()})
	critical.Header["crit"], critical.Header["seats"] = []string{"seats"}, 3 // RFC 7515, 4.1.11: who does not know seats must refuse it
	bounded, err := critical.SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	kind := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"aud": "one", "sub": "ada", "exp": hour.Unix(), "level": "partner"})
	kind.Header["typ"] = "joute-pass" // a partner that says it is us must have our key
	forgedKind, err := kind.SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"empty":                 "",
		"text":                  "hello",
		"three dots":            "...",
		"cut":                   own[:len(own)-2],
		"another server's":      foreign,
		"no algorithm":          none,
		"HS512":                 signed(jwt.SigningMethodHS512, []byte(secret), "one", "ada", hour, nil),
		"another secret":        signed(jwt.SigningMethodHS256, []byte(secret+"x"), "one", "ada", hour, nil),
		"another contest":       signed(jwt.SigningMethodHS256, []byte(secret), "two", "ada", hour, nil),
		"expired":               signed(jwt.SigningMethodHS256, []byte(secret), "one", "ada", now.Add(-2*time.Minute), nil),
		"no expiry":             signed(jwt.SigningMethodHS256, []byte(secret), "one", "ada", time.Time{}, nil),
		"not yet":               signed(jwt.SigningMethodHS256, []byte(secret), "one", "ada", hour, map[string]any{"nbf": now.Add(10 * time.Minute).Unix()}),
		"no member":             signed(jwt.SigningMethodHS256, []byte(secret), "one", "", hour, nil),
		"endless member":        signed(jwt.SigningMethodHS256, []byte(secret), "one", strings.Repeat("a", 257), hour, nil),
		"ours by a partner":     forgedKind,
		"critical header":       bounded,
		"profile of wrong type": signed(jwt.SigningMethodHS256, []byte(secret), "one", "ada", hour, map[string]any{"profile": 7}),
	} {
		if pass, err := passes.Check(c, token, now); !errors.Is(err, voting.ErrPass) {
			t.Errorf("%s: %+v, %v", name, pass, err)
		}
	}
	// A partner's clock may be a minute off.
	if _, err := passes.Check(c, signed(jwt.SigningMethodHS256, []byte(secret), "one", "ada", now.Add(-30*time.Second), nil), now); err != nil {
		t.Errorf("inside the leeway: %v", err)
	}
	if _, err := passes.Check(c.WithSecret(""), signed(jwt.SigningMethodHS256, []byte(secret), "one", "ada", hour, nil), now); !errors.Is(err, voting.ErrPass) {
		t.Errorf("a contest without partner: %v", err)
	}
	if _, err := passes.Check(c.WithSecret(""), signed(jwt.SigningMethodHS256, []byte(""), "one", "ada", hour, nil), now); !errors.Is(err, voting.ErrPass) {
		t.Errorf("a contest without partner, an empty secret: %v", err)
	}
}

func partner(t testing.TB, method jwt.SigningMethod, key any, aud, sub string, exp time.Time, more map[string]any) string {
	t.Helper()
	if text, ok := key.(string); ok {
		key = []byte(text)
	}
	claims := jwt.MapClaims{"aud": aud, "sub": sub}
	if !exp.IsZero() {
		claims["exp"] = exp.Unix()
	}
	for name, value := range more {
		claims[name] = value
	}
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func FuzzPasses_Check(f *testing.F) {
	ring, err := keyring.Open("")
	if err != nil {
		f.Fatal(err)
	}
	passes := voting.NewPasses(ring)
	c, err := contest.Parse([]byte("id: one\ntitle: T\nphases: {voting: {opens: 2027-01-01T00:00:00Z, closes: 2027-02-01T00:00:00Z}}\nschools: [{id: a, name: A, students: 1}]\npartner: {secret: " + secret + "}\n"))
	if err != nil {
		f.Fatal(err)
	}
	token, _, err := passes.IssueDevice(c, now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if pass, err := passes.Check(c, text, now); err == nil && text != token {
			t.Fatalf("a token nobody issued is a pass: %+v", pass)
		}
	})
}

// When a pass was made goes with it: marked anew it is as old as it was.
func TestPasses_SayWhenTheyWereMade(t *testing.T) {
	passes, c := newPasses(t), newContest(t, "one")
	token, issued, err := passes.IssueDevice(c, now)
	if err != nil || !issued.Issued.Equal(now) {
		t.Fatalf("%v, %v", issued.Issued, err)
	}
	later := now.Add(3 * time.Hour)
	checked, err := passes.Check(c, token, later)
	if err != nil || !checked.Issued.Equal(now) {
		t.Fatalf("%v, %v", checked.Issued, err)
	}
	token, _, err = passes.IssuePresent(c, checked, later)
	if err != nil {
		t.Fatal(err)
	}
	if checked, err = passes.Check(c, token, later); err != nil || !checked.Issued.Equal(now) || !checked.Present {
		t.Fatalf("%+v, %v", checked, err)
	}
	// A server whose clock is an hour behind takes it all the same.
	if _, err := passes.Check(c, token, now.Add(-time.Hour)); err != nil {
		t.Error(err)
	}
	// A partner says it by iat, or not.
	for _, claims := range []jwt.MapClaims{nil, {"iat": now.Unix()}} {
		member, err := passes.Check(c, partner(t, jwt.SigningMethodHS256, secret, "one", "ada", later, claims), now)
		if err != nil || member.Issued.IsZero() != (claims == nil) || claims != nil && !member.Issued.Equal(now) {
			t.Errorf("%v: %v, %v", claims, member.Issued, err)
		}
	}
}
