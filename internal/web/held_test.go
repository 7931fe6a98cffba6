package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/voting"
)

// holding is a policy that holds whoever proves nothing.
const holding = `,"antifraud":{"policy":{"name":"mine","weights":{"unproven":3},"thresholds":{"hold":2}}}`

// emailPass is the pass of a proven address, as a header.
func (e *env) emailPass(contestID, address string) string {
	e.t.Helper()
	stored, _ := e.server.cfg.Registry.Get(contestID)
	voter, err := e.server.cfg.Passes.EmailVoter(contestID, address)
	must(e.t, err)
	token, _, err := e.server.cfg.Passes.IssueEmail(stored.Contest, voter, "", time.Now())
	must(e.t, err)
	return "Authorization: Bearer " + token
}

// hold casts a ballot that the contest's policy holds.
func (e *env) hold(path, entry string) answer {
	e.t.Helper()
	return e.do("POST", path+"/ballots", ballot(newBallot(), entry), e.pass(path)).want(202, "").fits("Cast")
}

// stands is where a ballot stands, and why.
func (e *env) stands(path string, cast answer) string {
	e.t.Helper()
	m := e.do("GET", path+"/ballots/"+cast.text("ballot"), "", "Authorization: Bearer "+cast.text("receipt")).want(200, "").json()
	return fmt.Sprint(m["standing"], " ", m["reasons"])
}

// laterThan waits until a further ballot has a later instant than a cast.
func (e *env) laterThan(cast answer) {
	e.t.Helper()
	e.until("the next millisecond", func() bool { return voting.FormatTime(time.Now().Add(-time.Millisecond)) > cast.text("at") })
}

func TestCast_APolicyHoldsWhoProvesNothing(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding)
	me, mine := e.pass(path), ballot(newBallot(), "lumiere-1")
	held := e.do("POST", path+"/ballots", mine, me).want(202, "").fits("Cast")
	if held.text("standing") != "held" || fmt.Sprint(held.json()["reasons"]) != "[unproven]" {
		t.Errorf("%s", held.body)
	}
	if again := e.do("POST", path+"/ballots", mine, me).want(200, ""); again.text("receipt") != held.text("receipt") || again.text("standing") != "held" {
		t.Errorf("the same again: %s", again.body)
	}
	proven := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.emailPass(id, "ada@example.org")).want(201, "")
	if proven.json()["reasons"] != nil {
		t.Errorf("%s", proven.body)
	}
	if e.counted(id) != 1 {
		t.Errorf("%d counted", e.counted(id))
	}
	ledger := string(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body)
	if n := strings.Count(ledger, `"standing":"held","reasons":["unproven"],"actor":"screen"`); n != 1 {
		t.Errorf("%d records of the hold in\n%s", n, ledger)
	}

	// The policy may change while voting is open; that is a record, and the next cast goes by it.
	e.do("PUT", path, contestText(id, `,"antifraud":{"policy":{"name":"mine","base":"observe","weights":{"unproven":3},"thresholds":{"hold":2}}}`), asOrganizer).want(200, "")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	if ledger = string(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body); strings.Count(ledger, `"kind":"rules"`) != 1 {
		t.Errorf("no record of the change in\n%s", ledger)
	}
	view := e.do("GET", path, "").want(200, "").fits("ContestView")
	if strings.Contains(string(view.body), "unproven") || !strings.Contains(string(view.body), `"policy":"mine"`) {
		t.Errorf("%s", view.body)
	}
}

func TestCast_TheBuiltInPoliciesHoldNobody(t *testing.T) {
	e := start(t)
	for _, policy := range []string{"observe", "standard", "strict"} {
		_, path := e.contest(`,"antifraud":{"policy":"` + policy + `"}`)
		e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	}
	id := newID()
	bad := e.do("PUT", "/v1/contests/"+id, contestText(id, `,"antifraud":{"policy":{"name":"mine","weights":{"likes":1},"thresholds":{"hold":"x"}}}`), asOrganizer).want(422, "invalid-document")
	for _, path := range []string{"antifraud.policy.weights.likes", "antifraud.policy.thresholds.hold"} {
		if !strings.Contains(string(bad.body), path) {
			t.Errorf("no %s in %s", path, bad.body)
		}
	}
}

func TestHeld_GroupsNewestFirstWithWhatWasSeen(t *testing.T) {
	e := start(t)
	_, path := e.contest(holding)
	var casts []answer
	for i, entry := range []string{"lumiere-1", "vercors-1", "lumiere-1"} {
		body := fmt.Sprintf(`{"ballot":%q,"entry":%q,"client":{"via":"s7","referrer":"share","device":"phone"}}`, newBallot(), entry)
		casts = append(casts, e.do("POST", path+"/ballots", body, e.pass(path), fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", 1+i/2)).want(202, ""))
		e.laterThan(casts[i])
	}
	e.do("GET", path+"/held", "").want(401, "unauthorized")
	e.do("GET", path+"/held", "", e.pass(path)).want(401, "unauthorized")
	a := e.do("GET", path+"/held", "", asOrganizer).want(200, "").fits("Held")
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	var q heldAnswer
	must(t, json.Unmarshal(a.body, &q))
	if q.Totals != (heldTotals{0, 3, 0}) || len(q.Groups) != 2 || q.Next != nil || len(q.Appeals) != 0 {
		t.Fatalf("%s", a.body)
	}
	for i, g := range q.Groups {
		entry := []string{"lumiere-1", "vercors-1"}[i]
		if g.Entry != entry || g.School != entry[:len(entry)-2] || !slices.Equal(g.Reasons, []string{"unproven"}) || len(g.Ballots) != 2-i {
			t.Errorf("%+v", g)
		}
	}
	first := q.Groups[0].Ballots[0]
	if first.Ballot.String() != casts[2].text("ballot") || first.At != casts[2].text("at") || first.Level != "device" ||
		first.Evidence.Via != "s7" || first.Evidence.Referrer != "share" || first.Evidence.Net == "" {
		t.Errorf("%+v", first)
	}
	for _, alike := range []struct {
		line heldLine
		net  int
	}{{q.Groups[0].Ballots[0], 1}, {q.Groups[0].Ballots[1], 2}, {q.Groups[1].Ballots[0], 2}} {
		if got := alike.line.Alike; got.Net != alike.net || got.Block != 3 || got.Device != 3 {
			t.Errorf("alike %+v, want %d of the net", got, alike.net)
		}
	}
	for _, clear := range []string{"192.0.2", "phone", "Go-http-client"} {
		if bytes.Contains(a.body, []byte(clear)) {
			t.Errorf("%q is in %s", clear, a.body)
		}
	}

	// A page at a time, it is the same queue.
	var ballots, instants []string
	for next, pages := "", 0; pages == 0 || next != ""; pages++ {
		a := e.do("GET", path+"/held?limit=2&after="+next, "", asOrganizer)
		if next == "" {
			a = e.do("GET", path+"/held?limit=2", "", asOrganizer)
		}
		a.want(200, "").fits("Held")
		var q heldAnswer
		must(t, json.Unmarshal(a.body, &q))
		for _, g := range q.Groups {
			for _, line := range g.Ballots {
				ballots, instants = append(ballots, line.Ballot.String()), append(instants, line.At)
			}
		}
		if next = ""; q.Next != nil {
			next = *q.Next
		}
	}
	slices.Reverse(instants)
	want := []string{casts[2].text("ballot"), casts[1].text("ballot"), casts[0].text("ballot")}
	if slices.Sort(ballots); !slices.IsSorted(instants) || !slices.Equal(ballots, slices.Sorted(slices.Values(want))) {
		t.Errorf("in pages: %v of %v, want %v", ballots, instants, want)
	}
	for _, bad := range []string{"?limit=0", "?limit=x", "?limit=10001", "?limit=", "?after=x", "?after=1-00"} {
		e.do("GET", path+"/held"+bad, "", asOrganizer).want(400, "invalid-request")
	}
	e.do("GET", "/v1/contests/nowhere/held", "", asOrganizer).want(404, "no-such-contest")
}

// What a voter writes may name them: it is sealed in the store, in no log and no
// ledger, and only the organizer reads it.
func TestAppeal_IsReadByTheOrganizerAlone(t *testing.T) {
	e := start(t)
	_, path := e.contest(holding)
	cast := e.hold(path, "lumiere-1")
	ballotPath, receipt := path+"/ballots/"+cast.text("ballot"), "Authorization: Bearer "+cast.text("receipt")
	const secret = "We share a computer, Zébulon Quatrevingt"
	body, _ := json.Marshal(map[string]string{"text": secret + "\r\n<script>alert(1)</script>"})
	first := e.do("POST", ballotPath+"/appeal", string(body), receipt).want(202, "").fits("AppealAnswer")
	if again := e.do("POST", ballotPath+"/appeal", `{"text":"another text"}`, receipt).want(202, ""); !bytes.Equal(again.body, first.body) {
		t.Errorf("first %s\nthen  %s", first.body, again.body)
	}
	var q heldAnswer
	must(t, json.Unmarshal(e.do("GET", path+"/held", "", asOrganizer).want(200, "").fits("Held").body, &q))
	if got := q.Groups[0].Ballots[0].Appeal; got != secret+"\n<script>alert(1)</script>" {
		t.Errorf("%q", got)
	}
	places := map[string]string{
		"log": e.log.String(), "ledger": string(e.do("GET", path+"/ledger", "", asOrganizer).body), "evidence": string(e.do("GET", path+"/evidence", "", asOrganizer).body),
		"receipt": string(e.do("GET", "/r/"+cast.text("receipt"), "").body), "metrics": string(e.do("GET", "/metrics", "").body),
	}
	st := e.server.cfg.Store.Client()
	keys, err := st.Keys(t.Context(), "joute:{"+strings.TrimPrefix(path, "/v1/contests/")+"/*").Result()
	must(t, err)
	for _, key := range keys {
		dump, err := st.Dump(t.Context(), key).Result()
		must(t, err)
		places[key] = dump
	}
	if len(keys) < 5 {
		t.Fatalf("only %d keys: %v", len(keys), keys)
	}
	for place, text := range places {
		if strings.Contains(text, "Zébulon") || strings.Contains(text, "another text") {
			t.Errorf("the text is in the %s", place)
		}
	}
}

func TestAppeal_OnlyOfABallotThatDoesNotCount(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"rules":{"ballots":{"max":1,"per":"contest"},"undo":"1h"}`)
	me := e.pass(path)
	cast := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), me).want(201, "")
	at := path + "/ballots/" + cast.text("ballot") + "/appeal"
	const body = `{"text":"It was me."}`
	e.do("POST", at, body, me).want(409, "nothing-to-appeal").fits("Problem")
	e.do("POST", at, body).want(401, "invalid-pass")
	e.do("POST", at, body, asOrganizer).want(401, "invalid-pass")
	e.do("POST", at, body, e.pass(path)).want(404, "no-such-ballot")
	e.do("POST", path+"/ballots/x/appeal", body, me).want(404, "no-such-ballot")
	e.do("POST", path+"/standings", `{"ballots":["`+cast.text("ballot")+`"],"standing":"void","reason":"farm"}`, asOrganizer).want(200, "")
	for text, want := range map[string]string{
		`""`: "a text", `" \n "`: "a text", `"` + strings.Repeat("é", 501) + `"`: "500 characters", `"` + strings.Repeat("x", 10<<10) + `"`: "500 characters", `"a\u0000b"`: "plain text", `"a\u202eb"`: "plain text",
	} {
		a := e.do("POST", at, `{"text":`+text+`}`, me).want(400, "invalid-request").fits("Problem")
		if !strings.Contains(string(a.body), want) || !strings.Contains(string(a.body), `"path":"text"`) {
			t.Errorf("%.20s: %s", text, a.body)
		}
	}
	e.do("POST", at, `{"text":"`+strings.Repeat("x", 20<<10)+`"}`, me).want(413, "too-large")
	e.do("POST", at, `{"text":"x","more":1}`, me).want(400, "invalid-request")
	var q heldAnswer
	read := func() []heldLine {
		t.Helper()
		q = heldAnswer{}
		must(t, json.Unmarshal(e.do("GET", path+"/held", "", asOrganizer).want(200, "").fits("Held").body, &q))
		return q.Appeals
	}
	if got := read(); len(got) != 0 {
		t.Errorf("what was refused is there: %+v", got)
	}
	e.do("POST", at, body, me).want(202, "")
	if got := read(); len(got) != 1 || got[0].Appeal != "It was me." || got[0].Standing != voting.Void {
		t.Errorf("%+v", got)
	}
}

func TestReceipt_SaysWhatReleasesAHeldBallot(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding + `,"links":{"contact":"concours@example.org"}`)
	me := e.pass(path)
	cast := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), me).want(202, "")
	page := "/r/" + cast.text("receipt")
	e.do("GET", page+"?lang=en", "").want(200, "").shows("kept for review", "Reason: nothing shows yet", "What you can do", "Write to the organizers", `maxlength="500"`)
	e.do("GET", page+"?lang=fr", "").want(200, "").shows("Raison\u00a0: rien ne montre encore", "Ce que vous pouvez faire", "Écrire aux organisateurs")
	// Whoever else has the receipt is told where its voter can prove an address.
	e.do("GET", page+"?lang=en", "").want(200, "").shows("in the browser you voted with", "Are you in the hall?")
	_, token, _ := strings.Cut(me, "Bearer ")
	voter := "Cookie: " + passCookieName(id) + "=" + token
	proofsShown := []string{"/c/" + id + "/email?back=r%2F" + cast.text("receipt") + "&lang=en", "Are you in the hall?"}
	e.do("GET", page+"?lang=en", "", voter).want(200, "").shows(proofsShown...)
	stand := func(standing, reason string) {
		t.Helper()
		e.do("POST", path+"/standings", `{"ballots":["`+cast.text("ballot")+`"],"standing":"`+standing+`","reason":"`+reason+`"}`, asOrganizer).want(200, "")
	}
	stand("void", "farm")
	stand("held", "known-farm") // no proof releases that
	a := e.do("GET", page+"?lang=en", "", voter).want(200, "")
	a.hides(proofsShown...)
	a.shows("Write to the organizers")
	stand("void", "unproven") // a person's decision: no proof takes it back
	a = e.do("GET", page+"?lang=en", "", voter).want(200, "")
	a.hides(proofsShown...)
	a.shows("Write to the organizers")
	stand("counted", "mistake")
	e.do("GET", page+"?lang=en", "").want(200, "").hides("What you can do")
}

func TestReceipt_TheAppealFormTakesOneMessage(t *testing.T) {
	e := start(t)
	_, path := e.contest(holding)
	cast := e.hold(path, "lumiere-1")
	page := "/r/" + cast.text("receipt")
	b := e.browser("Accept-Language: fr")
	own := []string{"Origin: http://" + e.addr, "Sec-Fetch-Site: same-origin"}
	send := func(text string, headers ...string) answer {
		return b.send("POST", page+"/appeal?lang=en", url.Values{"text": {text}}.Encode(), headers...)
	}
	if a := send("x", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"); a.status != 403 {
		t.Errorf("from another site: %d", a.status)
	}
	for text, says := range map[string]string{
		"": "There is nothing in the message yet", strings.Repeat("<", 501): "at most 500 characters", "a\x07b": "no plain text", strings.Repeat("x", 10<<10): "at most 500 characters",
	} {
		a := send(text, own...)
		if a.status != 400 {
			t.Errorf("%.20q: %d", text, a.status)
		}
		a.shows(says, `aria-invalid="true"`, `aria-describedby="text-help text-fault"`, `href="`+page+`?lang=fr"`)
		if len(text) > 1 && text[1] == '<' && !strings.Contains(string(a.body), strings.Repeat("&lt;", 501)) {
			t.Errorf("the text that was refused is lost, or not escaped: %s", a.body)
		}
	}
	a := send("We share one computer.", own...)
	if a.status != 303 || a.header.Get("Location") != page+"?lang=en#what" {
		t.Fatalf("%d to %s", a.status, a.header.Get("Location"))
	}
	after := b.get(page+"?lang=en").want(200, "")
	after.shows("Your message is with the organizers.")
	after.hides("<textarea", "We share one computer")
	if again := send("another", own...); again.status != 303 {
		t.Errorf("again: %d", again.status)
	}
	if a := b.send("GET", page+"/appeal", ""); a.status != 303 || a.header.Get("Location") != page {
		t.Errorf("reloaded: %d to %s", a.status, a.header.Get("Location"))
	}
	if a := b.send("POST", "/r/nothing/appeal", "text=x", own...); a.status != 404 {
		t.Errorf("of no receipt: %d", a.status)
	}
	e.do("POST", path+"/standings", `{"ballots":["`+cast.text("ballot")+`"],"standing":"counted","reason":"mistake"}`, asOrganizer).want(200, "")
	if a := send("late", own...); a.status != 303 {
		t.Errorf("of a ballot that counts by now: %d %s", a.status, a.body)
	}
}

// Right after the vote the page says why it waits, and where to go.
func TestPage_AHeldVoteIsSaidAtOnce(t *testing.T) {
	e := start(t)
	id, _ := e.contest(holding)
	for _, path := range []string{"/c/" + id, "/c/" + id + "/e/lumiere-1", "/c/" + id + "/e/lumiere-1/confirm"} {
		b := e.browser("Accept-Language: en")
		page := b.press(b.get(path), "lumiere-1")
		page.shows("Your vote is kept for review.", "It does not count yet", "Reason: nothing shows yet", "What you can do</a>")
		_, link, _ := strings.Cut(string(page.body), `href="/r/`)
		link, _, _ = strings.Cut(link, `"`)
		if !strings.HasSuffix(link, "#what") {
			t.Errorf("%s: the link is %q", path, link)
		}
		b.get("/r/"+strings.TrimSuffix(link, "#what")).want(200, "").shows(`id="what"`)
	}
}
