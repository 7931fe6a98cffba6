package web

import (
	"encoding/binary"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// organizer is a browser that has signed in.
func (e *env) organizer(headers ...string) *browser {
	e.t.Helper()
	b := e.browser(append(headers, "Origin: http://"+e.addr, "Sec-Fetch-Site: same-origin")...)
	if a := b.send("POST", "/organize/login", url.Values{"key": {organizerKey}}.Encode()); a.status != 303 {
		e.t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	return b
}

var toolForm = regexp.MustCompile(`(?s)<form[^>]*method="(post|get)" action="([^"]*)">(.*?)</form>`)
var toolInput = regexp.MustCompile(`<input [^>]*name="([^"]*)"[^>]* value="([^"]*)"`)

// submit presses a button of the n-th form that has it, with fields changed.
func (b *browser) submit(page answer, n int, do string, changed ...string) answer {
	b.e.t.Helper()
	for _, f := range toolForm.FindAllStringSubmatch(string(page.body), -1) {
		if !strings.Contains(f[3], `name="do" value="`+do+`"`) {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		fields := url.Values{"do": {do}}
		for _, input := range toolInput.FindAllStringSubmatch(f[3], -1) {
			fields.Set(input[1], html.UnescapeString(input[2]))
		}
		for i := 0; i+1 < len(changed); i += 2 {
			fields.Set(changed[i], changed[i+1])
		}
		if action := html.UnescapeString(f[2]); f[1] == "post" {
			return b.send("POST", action, fields.Encode())
		} else if strings.Contains(action, "?") {
			return b.get(strings.SplitN(action, "?", 2)[0] + "?" + fields.Encode())
		} else {
			return b.get(action + "?" + fields.Encode())
		}
	}
	b.e.t.Fatalf("no such form with %s in %s", do, page.body)
	return answer{}
}

func (b *browser) done(a answer) answer {
	b.e.t.Helper()
	return b.follow(a).want(200, "")
}

func TestOrganize_TheKeyOpensASessionAndNothingElseDoes(t *testing.T) {
	e := start(t)
	id, _ := e.contest(holding)
	queue := "/organize/" + id + "/held"
	b := e.browser("Accept-Language: en")
	for _, path := range []string{"/organize", queue, "/organize/nowhere/held"} {
		if a := b.get(path); a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/organize/login") {
			t.Errorf("%s: %d to %s", path, a.status, a.header.Get("Location"))
		}
	}
	if a := b.send("GET", queue, "", asOrganizer); a.status != 303 {
		t.Errorf("with a bearer: %d", a.status) // what a script of another page could send is no session
	}
	login := b.get(b.get(queue+"?lang=en").header.Get("Location")).want(200, "")
	login.shows(`type="password"`, `name="contest" value="`+id+`"`, `content="noindex"`)
	own := []string{"Origin: http://" + e.addr, "Sec-Fetch-Site: same-origin"}
	for _, key := range []string{"", "wrong", organizerKey + "x", strings.Repeat("x", 8000)} {
		a := b.send("POST", "/organize/login", url.Values{"key": {key}, "contest": {id}}.Encode(), own...)
		if a.status != 403 || len(a.header.Values("Set-Cookie")) != 0 {
			t.Errorf("%.20q: %d", key, a.status)
		}
		a.shows("This is not the organizer key", `aria-invalid="true"`, `name="contest" value="`+id+`"`)
	}
	if a := b.send("POST", "/organize/login", url.Values{"key": {organizerKey}}.Encode(), "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"); a.status != 403 || len(b.cookies) != 0 {
		t.Errorf("from another site: %d", a.status)
	}
	e.do("GET", "/metrics", "").want(200, "").shows(`joute_organizer_logins_total{outcome="refused"} 4`, `joute_organizer_logins_total{outcome="accepted"} 0`)
	a := b.send("POST", "/organize/login", url.Values{"key": {organizerKey}, "contest": {id}}.Encode(), own...)
	if a.status != 303 || a.header.Get("Location") != queue {
		t.Fatalf("%d to %s", a.status, a.header.Get("Location"))
	}
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{organizerCookie + "=", "Max-Age=43200", "path=/", "HttpOnly", "secure", "SameSite=Strict"} {
		if !strings.Contains(strings.ToLower(cookie), strings.ToLower(part)) {
			t.Errorf("no %s in %s", part, cookie)
		}
	}
	for _, path := range []string{"/organize", queue} {
		page := b.get(path).want(200, "")
		if got := page.header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		if page.framers() != "'none'" {
			t.Errorf("%s is framed by %s", path, page.framers())
		}
		page.shows(`content="noindex"`)
	}
	if strings.Contains(e.log.String(), organizerKey) || !strings.Contains(e.log.String(), "organizer key refused") {
		t.Error("the log has the key, or does not tell of wrong ones")
	}
	if out := b.send("POST", "/organize/logout", "", own...); out.status != 303 || b.get(queue).status != 303 {
		t.Errorf("signed out: %d", out.status)
	}
}

func TestOrganize_SessionsEndByTimeAndWithTheKey(t *testing.T) {
	now := time.Now()
	s := newSessions([]byte("a key of the servers"), "the organizer's")
	value := s.open(now)
	who, ok := s.check(value, now.Add(sessionLife-time.Second))
	if !ok || !who.made(who.form) || who.made("") || who.made(who.id) {
		t.Errorf("%+v, %v", who, ok)
	}
	other, _ := s.check(s.open(now), now)
	if other.id == who.id || who.made(other.form) {
		t.Error("two sessions are one")
	}
	flipped := []byte(value)
	flipped[3] ^= 1
	for name, check := range map[string]func() (session, bool){
		"after 12 hours":             func() (session, bool) { return s.check(value, now.Add(sessionLife)) },
		"with another organizer key": func() (session, bool) { return newSessions([]byte("a key of the servers"), "new").check(value, now) },
		"with other servers' keys":   func() (session, bool) { return newSessions([]byte("another"), "the organizer's").check(value, now) },
		"one letter changed":         func() (session, bool) { return s.check(string(flipped), now) },
		"cut":                        func() (session, bool) { return s.check(value[:len(value)-4], now) },
		"longer":                     func() (session, bool) { return s.check(value+"AAAA", now) },
		"empty":                      func() (session, bool) { return s.check("", now) },
		"no text of ours":            func() (session, bool) { return s.check("é;", now) },
	} {
		if who, ok := check(); ok || who.form != "" {
			t.Errorf("%s: a session", name)
		}
	}
}

func FuzzSessionCheck(f *testing.F) {
	// The same in every process: the fuzzer hands texts from one to the other.
	s, now := newSessions([]byte("key"), "organizer"), time.Unix(1_800_000_000, 0)
	raw := make([]byte, 8+sessionID)
	binary.BigEndian.PutUint64(raw, uint64(now.Add(sessionLife).Unix()))
	mine := tokenText.EncodeToString(append(raw, s.mac("session", raw)...))
	if _, ok := s.check(mine, now); !ok {
		f.Fatal("the session itself is refused")
	}
	f.Add("")
	f.Add(mine)
	f.Add(mine[:20] + "\n" + mine[20:])
	f.Fuzz(func(t *testing.T, value string) {
		if _, ok := s.check(value, now); ok != (value == mine) {
			t.Errorf("%q: %v", value, ok)
		}
	})
}

func TestQueue_KeepVoidUndoEachInTheLedger(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding)
	queue := "/organize/" + id + "/held"
	b := e.organizer("Accept-Language: en")
	b.get(queue).want(200, "").shows("All is decided.")
	one := e.hold(path, "vercors-1")
	page := b.get(queue).want(200, "")
	page.shows("1 ballot waits for a decision.", ">B <span>Vercors", "unproven", "device only", one.text("ballot"))

	after := b.done(b.submit(page, 0, "keep"))
	after.shows("1 ballot counts now.", "Undo", "All is decided.")
	if got := e.stands(path, one); got != "counted [reviewed]" {
		t.Error(got)
	}
	after = b.done(b.submit(after, 0, "undo"))
	after.shows("Undone", "1 ballot waits for a decision.")
	if got := e.stands(path, one); got != "held [unproven]" {
		t.Error(got)
	}
	after = b.done(b.submit(after, 0, "void", "reason", " Paid-Votes "))
	after.shows("1 ballot is void.", "All is decided.")
	if got := e.stands(path, one); got != "void [paid-votes]" {
		t.Error(got)
	}
	// Pressed again in another window: it is decided already, and that is said.
	b.done(b.submit(page, 0, "void")).shows("Nothing was left to decide there")
	if got := e.stands(path, one); got != "void [paid-votes]" {
		t.Error(got)
	}
	for _, reason := range []string{"", "Ada Lovelace", "a_b", strings.Repeat("x", 65), "é"} {
		if a := b.submit(page, 0, "void", "reason", reason); a.status != 400 {
			t.Errorf("%q: %d", reason, a.status)
		}
	}
	ledger := string(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body)
	for _, record := range []string{
		`"kind":"release"`, `"kind":"hold"`, `"kind":"void"`, `"reasons":["reviewed"],"actor":"organizer"`, `"reasons":["unproven"],"actor":"organizer"`, `"reasons":["paid-votes"],"actor":"organizer"`,
	} {
		if strings.Count(ledger, record) != 1 {
			t.Errorf("%d of %s in\n%s", strings.Count(ledger, record), record, ledger)
		}
	}
}

func TestQueue_AWholeGroupIsAskedAboutFirst(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding)
	queue := "/organize/" + id + "/held"
	var casts []answer
	for range 12 {
		casts = append(casts, e.hold(path, "lumiere-1"))
	}
	e.laterThan(casts[11])
	other := e.hold(path, "vercors-1")
	b := e.organizer("Accept-Language: en")
	page := b.get(queue).want(200, "")
	page.shows("13 ballots wait", "12 ballots", "And 2 older ones of this group", "from 1 address", "12 others of the list from the same address")
	if n := strings.Count(string(page.body), "<h2"); n != 2 {
		t.Errorf("%d headings of groups", n)
	}

	// A ballot that is held after the page was made is not part of the question.
	e.laterThan(other)
	late := e.hold(path, "lumiere-1")
	asked := b.submit(page, 1, "void").want(200, "") // the first is of the newest ballot's own group, alone in it
	asked.shows("Void 12 ballots?", "Yes, void 12 ballots", "the reason “farm”")
	e.settled(id, 0)
	for _, cast := range casts {
		if got := e.stands(path, cast); got != "held [unproven]" {
			t.Fatalf("the question alone changed something: %s", got)
		}
	}
	// Told of fewer than there are, nobody has said yes to the rest.
	if a := b.submit(asked, 0, "void", "expected", "11"); a.status != 303 || !strings.Contains(a.header.Get("Location"), "confirm=1") {
		t.Errorf("%d to %s", a.status, a.header.Get("Location"))
	}
	after := b.done(b.submit(asked, 0, "void"))
	after.shows("12 ballots are void.", "2 ballots wait")
	for _, cast := range casts {
		if got := e.stands(path, cast); got != "void [farm]" {
			t.Error(got)
		}
	}
	for _, cast := range []answer{late, other} {
		if got := e.stands(path, cast); got != "held [unproven]" {
			t.Error(got)
		}
	}
	after = b.done(b.submit(after, 0, "undo"))
	after.shows("Undone", "14 ballots wait")

	// Counting a group needs no question: it takes nothing from anybody.
	after = b.done(b.submit(after, 0, "keep"))
	after.shows("13 ballots count now.", "1 ballot waits")
	e.settled(id, 13)
	b.done(b.submit(after, 0, "undo")).shows("14 ballots wait")
}

// The answer to a decision is lost: the same form sent again says what was decided, and takes it back whole.
func TestQueue_ADecisionSentAgainIsTheSameDecision(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding)
	queue := "/organize/" + id + "/held"
	casts := []answer{e.hold(path, "lumiere-1"), e.hold(path, "lumiere-1"), e.hold(path, "lumiere-1")}
	stand := func(want string) {
		t.Helper()
		for _, cast := range casts {
			if got := e.stands(path, cast); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	b := e.organizer("Accept-Language: en")
	page := b.get(queue).want(200, "")
	asked := b.submit(page, 0, "void")
	b.submit(asked, 0, "void").want(303, "") // never arrived
	again := b.done(b.submit(asked, 0, "void"))
	again.shows("3 ballots are void.", "Undo")
	stand("void [farm]")
	b.done(b.submit(again, 0, "undo")).shows("3 ballots wait")
	stand("held [unproven]")
	// A server died when one of them was void: the same form finishes, and undoing takes all of them back.
	e.do("POST", path+"/standings", `{"ballots":["`+casts[1].text("ballot")+`"],"standing":"void","reason":"farm"}`, asOrganizer).want(200, "")
	again = b.done(b.submit(asked, 0, "void"))
	again.shows("3 ballots are void.")
	stand("void [farm]")
	b.done(b.submit(again, 0, "undo"))
	stand("held [unproven]")
	// Another organizer's decision is not this one's.
	other := e.organizer("Accept-Language: en")
	too := other.submit(other.get(queue), 0, "void")
	b.submit(asked, 0, "void").want(303, "")
	other.done(other.submit(too, 0, "void")).shows("Nothing was left to decide there")
}

func TestQueue_AppealsAreReadEscapedAndAnswered(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding)
	queue := "/organize/" + id + "/held"
	b := e.organizer("Accept-Language: en")
	appeal := func(cast answer, text string) {
		t.Helper()
		e.do("POST", path+"/ballots/"+cast.text("ballot")+"/appeal", `{"text":"`+text+`"}`, "Authorization: Bearer "+cast.text("receipt")).want(202, "")
	}
	held, void := e.hold(path, "lumiere-1"), e.hold(path, "vercors-1")
	appeal(held, `<img src=x onerror=alert(1)> We share \"one\" computer.`)
	page := b.get(queue).want(200, "")
	if !strings.Contains(string(page.body), "&lt;img src=x onerror=alert(1)&gt; We share") || strings.Contains(string(page.body), "<img src=x") {
		t.Errorf("not escaped: %s", page.body)
	}
	e.do("POST", path+"/standings", `{"ballots":["`+void.text("ballot")+`"],"standing":"void","reason":"farm"}`, asOrganizer).want(200, "")
	appeal(void, "It was me alone.")
	page = b.get(queue).want(200, "")
	page.shows("Voters who object", "It was me alone.")
	after := b.done(b.submit(page, 0, "leave"))
	after.hides("It was me alone.")
	if got := e.stands(path, void); got != "void [farm]" {
		t.Error(got)
	}
	after = b.done(b.submit(after, 0, "undo"))
	after.shows("It was me alone.")
	after = b.done(b.submit(after, 1, "keep")) // the first is the held one's
	after.shows("1 ballot counts now.")
	after.hides("Voters who object")
	if got := e.stands(path, void); got != "counted [reviewed]" {
		t.Error(got)
	}
	b.done(b.submit(after, 0, "undo")).shows("Voters who object")
	if got := e.stands(path, void); got != "void [farm]" {
		t.Error(got)
	}
}

// A program that works the queue answers appeals by what it decides, as the pages do, and the
// voter's page says so.
func TestStandings_AnswerAppeals(t *testing.T) {
	e := start(t)
	_, path := e.contest(holding)
	cast := e.hold(path, "lumiere-1")
	page := "/r/" + cast.text("receipt") + "?lang=en"
	e.do("POST", path+"/ballots/"+cast.text("ballot")+"/appeal", `{"text":"It was me alone."}`, "Authorization: Bearer "+cast.text("receipt")).want(202, "")
	open := func() int {
		t.Helper()
		var q heldAnswer
		must(t, json.Unmarshal(e.do("GET", path+"/held", "", asOrganizer).want(200, "").fits("Held").body, &q))
		return len(q.Appeals)
	}
	stand := func(standing string) {
		t.Helper()
		e.do("POST", path+"/standings", `{"ballots":["`+cast.text("ballot")+`"],"standing":"`+standing+`","reason":"farm"}`, asOrganizer).want(200, "")
	}
	const waits, read = "Your message is with the organizers.", "The organizers have read your message."
	stand("held") // decides nothing
	before := e.do("GET", page, "").want(200, "")
	before.shows(waits)
	before.hides(read)
	stand("void")
	after := e.do("GET", page, "").want(200, "")
	after.shows("no longer counts", read)
	after.hides(waits)
	if n := open(); n != 0 {
		t.Errorf("%d appeals are open after the decision", n)
	}

	late := e.hold(path, "vercors-1") // whose voter objects once it is void
	e.do("POST", path+"/standings", `{"ballots":["`+late.text("ballot")+`"],"standing":"void","reason":"farm"}`, asOrganizer).want(200, "")
	e.do("POST", path+"/ballots/"+late.text("ballot")+"/appeal", `{"text":"It was me, too."}`, "Authorization: Bearer "+late.text("receipt")).want(202, "")
	if n := open(); n != 1 {
		t.Fatalf("%d appeals are open", n)
	}
	cast = late
	stand("void") // it stays so
	if n := open(); n != 0 {
		t.Errorf("%d appeals are open after the same was said again", n)
	}
}

func TestQueue_OnlyItsOwnFormsWorkIt(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding)
	queue := "/organize/" + id + "/held"
	cast := e.hold(path, "lumiere-1")
	b := e.organizer("Accept-Language: en")
	page := b.get(queue).want(200, "")
	if a := b.submit(page, 0, "void", "token", ""); a.status != 403 {
		t.Errorf("without a token: %d", a.status)
	}
	if a := e.organizer().submit(page, 0, "void"); a.status != 403 {
		t.Errorf("with another session's: %d", a.status)
	}
	b.headers = []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}
	if a := b.submit(page, 0, "void"); a.status != 403 {
		t.Errorf("from another site: %d", a.status)
	}
	b.headers = []string{"Origin: http://" + e.addr}
	if a := e.browser("Origin: http://"+e.addr).submit(page, 0, "void"); a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/organize/login") {
		t.Errorf("without a session: %d", a.status)
	}
	for _, fields := range [][]string{{"ballot", ""}, {"ballot", "x"}, {"ballot", "1-00"}, {"do", "burn"}, {"group", "lumiere-1 unproven"}, {"group", "nobody x"}} {
		if a := b.submit(page, 0, "void", fields...); a.status != 400 {
			t.Errorf("%v: %d", fields, a.status)
		}
	}
	if a := b.submit(page, 0, "void", "ballot", strings.Replace(page.place(t), "-", "-0", 1)); a.status != 400 {
		t.Errorf("a place that is none: %d", a.status)
	}
	if got := e.stands(path, cast); got != "held [unproven]" {
		t.Errorf("it is %s", got)
	}
	if a := b.send("POST", "/organize/nowhere/held", "do=void"); a.status != 404 {
		t.Errorf("no such contest: %d", a.status)
	}
	b.get(queue+"?did=unknown").want(200, "").hides("Undo")
	b.get(queue+"?confirm=1&do=void").want(400, "")
}

// place is that of the first ballot on the page.
func (a answer) place(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`name="ballot" value="([^"]+)"`).FindSubmatch(a.body)
	if m == nil {
		t.Fatalf("no ballot on %s", a.body)
	}
	return string(m[1])
}

func TestOrganize_ListsContestsWithWhatWaits(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding)
	e.hold(path, "lumiere-1")
	b := e.organizer("Accept-Language: fr")
	page := b.get("/organize").want(200, "")
	_, row, _ := strings.Cut(string(page.body), `href="/organize/`+id+`/held"`)
	row, _, _ = strings.Cut(row, "</a>")
	if !strings.Contains(row, "1 bulletin attend une décision.") || !strings.Contains(row, ">"+id+"<") {
		t.Errorf("%s", row)
	}
	b.get("/organize/"+id+"/held?lang=fr").want(200, "").shows("Bulletins à vérifier", "1 bulletin attend", "appareil seul")
}
