package web

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// seenFields are what a page's script adds to its form.
var seenFields = url.Values{"device": {"390|844|24|3|Europe/Paris|fr-FR|iPhone|4|5"}, "dwell_ms": {"5400"}, "confirm_ms": {"900"}, "visible": {"true"}}

// seen is the evidence of the only ballot of a contest.
func (e *env) seen(path string) map[string]any {
	e.t.Helper()
	var line struct{ Evidence map[string]any }
	must(e.t, json.Unmarshal(e.do("GET", path+"/evidence", "", asOrganizer).want(200, "").body, &line))
	return line.Evidence
}

func (e *env) voteForm(contestID string, more ...url.Values) answer {
	e.t.Helper()
	fields := url.Values{"ballot": {newBallot()}, "entry": {"lumiere-1"}}
	for _, values := range more {
		for name := range values {
			fields.Set(name, values.Get(name))
		}
	}
	return e.browser().send("POST", "/c/"+contestID+"/vote?lang=en", fields.Encode())
}

func TestSeen_AFormsFieldsAreTheAPIsMembers(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	e.voteForm(id, seenFields).want(303, "")
	got := e.seen(path)
	if got["dwell_ms"] != 5400.0 || got["confirm_ms"] != 900.0 || got["visible"] != true || got["device"] == nil || strings.Contains(got["device"].(string), "iPhone") {
		t.Errorf("%v", got)
	}
	// By the API it is the same device, and of another contest another.
	_, elsewhere := e.contest("")
	for _, to := range []string{path, elsewhere} {
		e.do("POST", to+"/ballots", fmt.Sprintf(`{"entry":"lumiere-1","client":{"device":%q}}`, seenFields.Get("device")), e.pass(to)).want(201, "")
	}
	log := string(e.do("GET", path+"/evidence", "", asOrganizer).want(200, "").body)
	if n := strings.Count(log, fmt.Sprintf(`"device":%q`, got["device"])); n != 2 || e.seen(elsewhere)["device"] == got["device"] {
		t.Errorf("%d of 2 alike: %s", n, log)
	}
}

func TestSeen_WithoutScriptsTheMembersAreAbsent(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	e.voteForm(id).want(303, "")
	for _, member := range []string{"device", "dwell_ms", "confirm_ms", "visible"} {
		if got, there := e.seen(path)[member]; there {
			t.Errorf("%s: %v", member, got)
		}
	}
}

func TestSeen_WhatNoPageSendsIsRefused(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	for name, value := range map[string]string{"dwell_ms": "-1", "confirm_ms": "86400001", "device": strings.Repeat("x", 257)} {
		e.voteForm(id, seenFields, url.Values{name: {value}}).want(400, "")
	}
	for _, value := range []string{"soon", "1e3", ""} {
		e.voteForm(id, url.Values{"dwell_ms": {value}}).want(400, "")
	}
	if e.casts(path) != 0 {
		t.Error("one of them counted")
	}
}

// A vote that has to be sent again keeps what was seen when it was pressed.
func TestSeen_IsCarriedThroughAChallenge(t *testing.T) {
	e := start(t)
	id, path := e.contest(priced)
	action, form, _ := e.voteForm(id, seenFields).want(403, "").solvedForm()
	e.browser().send("POST", action, form.Encode()).want(303, "")
	if got := e.seen(path); got["dwell_ms"] != 5400.0 || got["device"] == nil {
		t.Errorf("%v", got)
	}
}

var deviceFunction = regexp.MustCompile(`(?s)function device\(\) \{.*?\n *\}\n`)

func TestSeen_PagesAndFramesTellADeviceAlike(t *testing.T) {
	var texts []string
	for _, name := range []string{"static/seen.js", "static/frame.js"} {
		text, err := staticFiles.ReadFile(name)
		must(t, err)
		found := deviceFunction.FindAllString(string(text), -1)
		if len(found) != 1 {
			t.Fatalf("%s: %d functions", name, len(found))
		}
		texts = append(texts, strings.Join(strings.Fields(found[0]), " "))
	}
	if texts[0] != texts[1] {
		t.Errorf("%s\n%s", texts[0], texts[1])
	}
}

func TestSeen_PagesThatVoteLoadTheScriptAndOthersDoNot(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	for _, page := range []string{"", "/e/lumiere-1", "/s/lumiere", "/e/lumiere-1/confirm"} {
		e.browser().get("/c/"+id+page).want(200, "").shows(asset("seen.js"))
	}
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	for _, page := range []string{"", "/e/lumiere-1"} {
		e.browser().get("/c/"+id+page).want(200, "").hides(asset("seen.js"))
	}
}

// A vote that waits for an address is sent from the page of the code: what that saw
// goes with it, and none of it is in an address.
func TestSeen_TheCodesPageTellsItToo(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"identity":"email"`)
	b, email := e.browser("Accept-Language: en"), address()
	ask := b.follow(e.voteForm(id, seenFields).want(303, ""))
	ask.hides("iPhone", "390|844", "seen.js")
	sent := b.enter(ask, "email", email)
	code := b.follow(sent)
	code.shows(asset("seen.js"))
	code.hides("iPhone", "390|844")
	action, fields := toolForm.FindStringSubmatch(string(code.body)), url.Values{"code": {e.mailedCode(email, 1)}}
	for _, input := range toolInput.FindAllStringSubmatch(action[3], -1) {
		fields.Set(input[1], input[2])
	}
	for name := range seenFields {
		fields.Set(name, seenFields.Get(name))
	}
	fields.Set("dwell_ms", "-1") // refused before the code is used up
	b.send("POST", html.UnescapeString(action[2]), fields.Encode()).want(400, "")
	fields.Set("dwell_ms", "7000")
	b.send("POST", html.UnescapeString(action[2]), fields.Encode()).want(303, "")
	if got := e.seen(path); got["dwell_ms"] != 7000.0 || got["device"] == nil || got["visible"] != true {
		t.Errorf("%v", got)
	}
}
