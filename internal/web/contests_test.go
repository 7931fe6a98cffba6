package web

import (
	"strings"
	"testing"
	"time"
)

func TestPutContest_StoresAndKeepsTheSecretToItself(t *testing.T) {
	e := start(t)
	const secret = "a-secret-of-at-least-thirty-two-bytes"
	id := newID()
	path := "/v1/contests/" + id
	text := contestText(id, `,"partner":{"secret":"`+secret+`"},"antifraud":{"campuses":[{"school":"lumiere","cidrs":["192.0.2.0/24"]}]}`)
	made := e.do("PUT", path, text, asOrganizer).want(201, "").fits("ContestView")
	if made.header.Get("Location") != path || made.json()["version"] != 1.0 || made.json()["phase"] != "voting" {
		t.Errorf("%v %s", made.header, made.body)
	}
	if !strings.Contains(string(made.body), "192.0.2.0/24") || !strings.Contains(string(made.body), "secret-1") {
		t.Errorf("the organizer must see all of the document but the secret: %s", made.body)
	}
	if again := e.do("PUT", path, text, asOrganizer).want(200, ""); again.json()["version"] != 1.0 {
		t.Errorf("an identical document got another version: %s", again.body)
	}
	changed := strings.Replace(text, `"Le pire CV"`, `"Le meilleur CV"`, 1)
	if next := e.do("PUT", path, changed, asOrganizer).want(200, ""); next.json()["version"] != 2.0 {
		t.Errorf("%s", next.body)
	}
	public := e.do("GET", path, "").want(200, "").fits("ContestView")
	list := e.do("GET", "/v1/contests", "").want(200, "")
	for _, private := range []string{secret, "192.0.2.0", "edu.vercors.example", "secret-1", "Hidden one"} {
		for name, body := range map[string]string{"public view": string(public.body), "list": string(list.body), "log": e.log.String()} {
			if strings.Contains(body, private) {
				t.Errorf("%s shows %q", name, private)
			}
		}
	}
	if strings.Contains(string(made.body), secret) {
		t.Error("the answer shows the secret")
	}
	if !strings.Contains(string(list.body), id) || !strings.Contains(string(public.body), "Le meilleur CV") {
		t.Errorf("%s\n%s", list.body, public.body)
	}
}

func TestPutContest_TakesYAML(t *testing.T) {
	e := start(t)
	for _, kind := range []string{"application/yaml", "text/yaml", "application/x-yaml; charset=utf-8"} {
		id := newID()
		yaml := "id: " + id + "\ntitle: Un concours\nphases: {voting: {opens: 2020-01-01T00:00:00Z, closes: 2099-01-01T00:00:00Z}}\nschools: [{id: a, name: A}]\n"
		e.do("PUT", "/v1/contests/"+id, yaml, asOrganizer, "Content-Type: "+kind).want(201, "")
	}
}

func TestPutContest_Refusals(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	text := contestText(id, "")
	e.do("PUT", path, text).want(401, "unauthorized")
	e.do("PUT", path, text, "Authorization: Bearer "+organizerKey+"x").want(401, "unauthorized")
	e.do("PUT", path, text, "Authorization: Bearer "+organizerKey[:5]).want(401, "unauthorized")
	e.do("PUT", path, text, "Authorization: Basic "+organizerKey).want(401, "unauthorized")
	e.do("PUT", path, text, "Authorization: "+organizerKey).want(401, "unauthorized")
	e.do("PUT", path, contestText(newID(), ""), asOrganizer).want(400, "invalid-request")
	e.do("PUT", path, text, asOrganizer, "Content-Type: text/html").want(415, "unsupported-media-type")
	e.do("PUT", path, text, asOrganizer, "Content-Encoding: gzip").want(415, "unsupported-media-type")
	e.do("PUT", path, "", asOrganizer, "Content-Type: application/json").want(422, "invalid-document")

	faults := e.do("PUT", path, strings.Replace(strings.Replace(text, `"schools"`, `"shools"`, 1), `"title"`, "\n"+`"titel"`, 1), asOrganizer).want(422, "invalid-document")
	list := faults.json()["errors"].([]any)
	if len(list) < 4 { // two unknown members, two missing ones
		t.Errorf("not every fault at once: %s", faults.body)
	}
	for _, f := range list {
		if f := f.(map[string]any); f["message"] == "" || f["path"] == nil {
			t.Errorf("%v", f)
		}
	}
	fixed := e.do("PUT", path, strings.Replace(text, `"lumiere-1"`, `"lumiere-9"`, 1), asOrganizer).want(409, "fixed-while-open")
	if !strings.Contains(string(fixed.body), `"path":"entries"`) {
		t.Errorf("%s", fixed.body)
	}
	if v := e.do("GET", path, "").json()["version"]; v != 1.0 {
		t.Errorf("version %v after refusals", v)
	}
}

// Only the organizer may send a large body; a stranger is told why not.
func TestPutContest_DocumentsMayBeLarge(t *testing.T) {
	e := start(t)
	id := newID()
	padded := func(n int) string { return contestText(id, strings.Repeat(" ", n)) }
	e.do("PUT", "/v1/contests/"+id, padded(1<<20), "Authorization: Bearer nobody").want(401, "unauthorized")
	e.do("PUT", "/v1/contests/"+id, padded(4<<20), asOrganizer).want(413, "too-large")
	e.do("PUT", "/v1/contests/"+id, padded(3<<20), asOrganizer).want(201, "")
	e.do("POST", "/v1/contests/"+id+"/close", `{"reason":"`+strings.Repeat("x", 17<<10)+`"}`, asOrganizer).want(413, "too-large")
}

func TestCloseAndPublish(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"boxes":3`)
	pass := e.pass(path)
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(201, "")
	e.do("POST", path+"/close", "").want(401, "unauthorized")
	e.do("POST", path+"/publish", "").want(401, "unauthorized")
	e.do("POST", path+"/close", `{"reason":"Not a code"}`, asOrganizer).want(400, "invalid-request")
	e.do("POST", path+"/publish", "", asOrganizer).want(409, "not-closed")
	e.do("GET", path+"/ledger", "").want(401, "unauthorized")

	first := e.do("POST", path+"/close", `{"reason":"moved-forward"}`, asOrganizer).want(200, "")
	if first.json()["phase"] != "closed" {
		t.Errorf("%s", first.body)
	}
	refused := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(409, "phase-closed")
	if closed, err := time.Parse(time.RFC3339, refused.text("closed_at")); err != nil || time.Since(closed) > time.Minute || closed.After(time.Now().Add(time.Second)) {
		t.Errorf("%s", refused.body)
	}
	if again := e.do("POST", path+"/close", "", asOrganizer).want(200, ""); string(again.body) != string(first.body) {
		t.Errorf("closing again changed\n%s\n%s", first.body, again.body)
	}
	if _, there := e.do("GET", path+"/leaderboard", "").json()["totals"].(map[string]any)["void"]; there {
		t.Error("the void total is public before publication")
	}
	published := e.do("POST", path+"/publish", "", asOrganizer).want(200, "")
	if published.json()["phase"] != "published" {
		t.Errorf("%s", published.body)
	}
	if again := e.do("POST", path+"/publish", "{}", asOrganizer).want(200, ""); string(again.body) != string(published.body) {
		t.Errorf("publishing again changed\n%s\n%s", published.body, again.body)
	}
	if ledger := string(e.do("GET", path+"/ledger", "").want(200, "").body); !strings.Contains(ledger, `"kind":"publish"`) ||
		strings.Count(ledger, `"kind":"close"`) != 3 || !strings.Contains(ledger, "moved-forward") {
		t.Errorf("%s", ledger)
	}
	if _, there := e.do("GET", path+"/leaderboard", "").json()["totals"].(map[string]any)["void"]; !there {
		t.Error("the void total is not public after publication")
	}
	e.do("POST", "/v1/contests/nobody/close", "", asOrganizer).want(404, "no-such-contest")
}
