package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestCast_AnswersTheContractsMembersInOrder(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"rules":{"ballots":{"max":2,"per":"day"}}`)
	pass, b := e.pass(path), newBallot()
	first := e.do("POST", path+"/ballots", ballot(strings.ToUpper(b), "lumiere-1"), pass).want(201, "")
	m := first.json()
	want := fmt.Sprintf(`{"ballot":%q,"contest":%q,"entry":"lumiere-1","school":"lumiere","standing":"counted","at":%q,"position":%q,"remaining":1,"next_at":%q,"receipt":%q}`+"\n",
		b, id, m["at"], m["position"], m["next_at"], m["receipt"])
	if string(first.body) != want {
		t.Fatalf("answer\n%swant\n%s", first.body, want)
	}
	if got := first.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q: a receipt must be kept by nobody else", got)
	}

	e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), pass).want(201, "")
	again := e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(200, "")
	for _, member := range []string{"ballot", "contest", "entry", "school", "at", "position", "receipt"} {
		if again.json()[member] != m[member] {
			t.Errorf("%s is %v on the repeat, was %v", member, again.json()[member], m[member])
		}
	}
	if again.json()["duplicate"] != true || again.json()["remaining"] != 0.0 {
		t.Errorf("repeat: %s", again.body)
	}
	if n := e.casts(path); n != 2 {
		t.Errorf("%d ballots in the ledger, want 2", n)
	}
}

func TestCast_RefusalsOfTheContract(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	pass, b := e.pass(path), newBallot()
	e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(201, "")

	e.do("POST", path+"/ballots", ballot(b, "vercors-1"), pass).want(409, "ballot-reused")
	voted := e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), pass).want(409, "already-voted").json()
	if next, there := voted["next_at"]; !there || next != nil || voted["remaining"] != 0.0 {
		t.Errorf("one vote a contest: next_at must be null and remaining 0: %v", voted)
	}
	fresh := e.pass(path)
	e.do("POST", path+"/ballots", ballot(newBallot(), "nobody-1"), fresh).want(404, "no-such-entry")
	e.do("POST", path+"/ballots", ballot(newBallot(), "secret-1"), fresh).want(404, "no-such-entry")
	e.do("POST", "/v1/contests/nobody/ballots", ballot(newBallot(), "lumiere-1"), fresh).want(404, "no-such-contest")
	if n := e.casts(path); n != 1 {
		t.Errorf("%d ballots in the ledger, want 1: refusals must leave none", n)
	}

	_, daily := e.contest(`,"rules":{"ballots":{"max":1,"per":"day"}}`)
	pass = e.pass(daily)
	e.do("POST", daily+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(201, "")
	a := e.do("POST", daily+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(409, "already-voted")
	next, err := time.Parse(time.RFC3339, a.text("next_at"))
	if err != nil || !next.After(time.Now()) || time.Until(next) > 25*time.Hour {
		t.Errorf("next_at %v, %v", next, err)
	}
	if paris, _ := time.LoadLocation("Europe/Paris"); next.In(paris).Format("15:04") != "00:00" {
		t.Errorf("next_at %v is no midnight in Paris", next)
	}
}

func TestCast_PhaseClosedSaysWhen(t *testing.T) {
	e := start(t)
	now := time.Now().Truncate(time.Second)
	for name, c := range map[string]struct {
		opens, closes  time.Time
		member, absent string
		at             time.Time
	}{
		"before": {now.Add(time.Hour), now.Add(2 * time.Hour), "opens_at", "closed_at", now.Add(time.Hour)},
		"after":  {now.Add(-2 * time.Hour), now.Add(-time.Hour), "closed_at", "opens_at", now.Add(-time.Hour)},
	} {
		id := newID()
		path := "/v1/contests/" + id
		e.do("PUT", path, contestTextAt(id, c.opens, c.closes, ""), asOrganizer).want(201, "")
		a := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(409, "phase-closed")
		if got, err := time.Parse(time.RFC3339, a.text(c.member)); err != nil || !got.Equal(c.at) {
			t.Errorf("%s: %s is %v, want %v", name, c.member, got, c.at)
		}
		if _, there := a.json()[c.absent]; there {
			t.Errorf("%s: %s makes no sense in %s", name, c.absent, a.body)
		}
	}
}

func TestCast_PassesThatAreNone(t *testing.T) {
	e := start(t)
	const secret = "a-secret-of-at-least-thirty-two-bytes"
	id, path := e.contest(`,"partner":{"secret":"` + secret + `"}`)
	_, other := e.contest("")
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		must(t, err)
		return token
	}
	hour := time.Now().Add(time.Hour).Unix()
	good := sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"aud": id, "sub": "m1", "exp": hour})
	for name, header := range map[string]string{
		"missing":       "Authorization: ",
		"not a bearer":  "Authorization: Basic " + good,
		"no token":      "Authorization: Bearer",
		"forged":        "Authorization: Bearer " + sign(jwt.SigningMethodHS256, []byte("another-secret-of-thirty-two-bytes!!"), jwt.MapClaims{"aud": id, "sub": "m1", "exp": hour}),
		"none":          "Authorization: Bearer " + sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"aud": id, "sub": "m1", "exp": hour}),
		"HS512":         "Authorization: Bearer " + sign(jwt.SigningMethodHS512, []byte(secret), jwt.MapClaims{"aud": id, "sub": "m1", "exp": hour}),
		"expired":       "Authorization: Bearer " + sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"aud": id, "sub": "m1", "exp": hour - 7200}),
		"no exp":        "Authorization: Bearer " + sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"aud": id, "sub": "m1"}),
		"no sub":        "Authorization: Bearer " + sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"aud": id, "exp": hour}),
		"other contest": e.pass(other),
		"organizer":     asOrganizer,
		"cut":           "Authorization: Bearer " + good[:len(good)-4],
	} {
		a := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), header).want(401, "invalid-pass")
		if a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
	}
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), "Authorization: Bearer "+good).want(201, "")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), "Authorization: bEARER "+good).want(409, "already-voted")

	strict, strictPath := e.contest(`,"identity":"partner","partner":{"secret":"` + secret + `"}`)
	e.do("POST", strictPath+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(strictPath)).want(403, "identity-level")
	member := sign(jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"aud": strict, "sub": "m1", "exp": hour})
	e.do("POST", strictPath+"/ballots", ballot(newBallot(), "lumiere-1"), "Authorization: Bearer "+member).want(201, "")
}

func TestCast_WithoutAnIdGetsAUUIDv7(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	pass := e.pass(path)
	made := e.do("POST", path+"/ballots", `{"entry":"lumiere-1"}`, pass).want(201, "")
	if id := made.text("ballot"); len(id) != 36 || id[14] != '7' {
		t.Errorf("ballot %q is no UUIDv7", id)
	}
	e.do("POST", path+"/ballots", ballot(made.text("ballot"), "lumiere-1"), pass).want(200, "")
}

func TestCast_KeepsEvidenceKeyedAndApart(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	body := `{"ballot":"` + newBallot() + `","entry":"lumiere-1","challenge":"later","client":{"via":"abc_-9","referrer":"share",
		"embed_origin":"https://blog.example.org","dwell_ms":5400,"confirm_ms":900,"visible":true,"device":"a phone"}}`
	e.do("POST", path+"/ballots", body, e.pass(path), "User-Agent: Telltale/1.0", "X-Forwarded-For: 6.6.6.6, 192.0.2.77").want(201, "")
	log := e.do("GET", path+"/evidence", "", asOrganizer).want(200, "")
	for _, want := range []string{`"via":"abc_-9"`, `"referrer":"share"`, `"dwell_ms":5400`, `"level":"device"`, `"net":"`, `"block":"`, `"agent":"`, `"device":"`} {
		if !strings.Contains(string(log.body), want) {
			t.Errorf("no %s in %s", want, log.body)
		}
	}
	ledger := e.do("GET", path+"/ledger", "", asOrganizer).want(200, "")
	for _, private := range []string{"Telltale", "192.0.2.77", "6.6.6.6", "a phone"} {
		for where, text := range map[string]string{"evidence": string(log.body), "ledger": string(ledger.body), "log": e.log.String()} {
			if strings.Contains(text, private) {
				t.Errorf("%q is in the %s", private, where)
			}
		}
	}
	e.do("GET", path+"/evidence", "").want(401, "unauthorized")
}
