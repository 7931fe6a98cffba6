package web

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// code is what the contest's wall shows, or showed, at an instant.
func (e *env) code(id string, at time.Time) string { return e.server.cfg.Presence.Code(id, at).Token }

// presenceForm is the form of a presence page.
func presenceForm(t testing.TB, page answer) (action, body string) {
	t.Helper()
	m := formShape.FindSubmatch(page.body)
	if m == nil {
		t.Fatalf("no form on %d %s", page.status, page.body)
	}
	fields := url.Values{}
	for _, input := range inputShape.FindAllSubmatch(m[2], -1) {
		fields.Add(string(input[1]), html.UnescapeString(string(input[2])))
	}
	return html.UnescapeString(string(m[1])), fields.Encode()
}

var ownPage = "Sec-Fetch-Site: same-origin"

// scan opens a code and presses the button.
func (b *browser) scan(token string) answer {
	b.e.t.Helper()
	page := b.get("/p/"+token).want(200, "")
	if page.header.Get("Set-Cookie") != "" {
		b.e.t.Error("a cookie before anybody acted")
	}
	action, body := presenceForm(b.e.t, page)
	return b.send("POST", action, body, ownPage)
}

// pass is the browser's; it must be there.
func (b *browser) pass(id string) voting.Pass {
	b.e.t.Helper()
	stored, _ := b.e.server.cfg.Registry.Get(id)
	pass, err := b.e.server.cfg.Passes.Check(stored.Contest, b.cookies[passCookieName(id)], time.Now())
	must(b.e.t, err)
	return pass
}

func TestPresence_AScanMarksAndTheNextVoteIsAtHome(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	b := e.browser("Accept-Language: en")
	page := b.get("/p/"+e.code(id, time.Now())).want(200, "")
	page.shows("Are you in the hall?", "I am in the hall", "The worst CV", "not your name")
	if got := page.header.Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("kept by caches: %s", got)
	}
	done := b.scan(e.code(id, time.Now()))
	b.follow(done).want(200, "").shows("You are marked as present.", "Your next votes are counted among those from the hall.")
	pass := b.pass(id)
	if !pass.Present || pass.Level != "device" {
		t.Fatalf("%+v", pass)
	}
	// The link shows nothing to who is not marked.
	e.browser("Accept-Language: en").get("/c/" + id + "?present=1").hides("marked as present")
	// Scanning again says so, and has nothing to press.
	again := b.get("/p/"+e.code(id, time.Now())).want(200, "")
	again.shows("You are already marked as present.")
	again.hides("<form")

	b.press(b.get("/c/"+id), "lumiere-1").shows("Your vote is counted.")
	if log := string(e.do("GET", path+"/evidence", "", asOrganizer).want(200, "").body); !strings.Contains(log, `"present":true`) {
		t.Errorf("the ballot log says %s", log)
	}
	for line := range strings.Lines(string(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body)) {
		answer{t: t, body: []byte(line)}.fits("LedgerRecord")
		if strings.Contains(line, `"cast"`) != strings.Contains(line, `"present":true`) {
			t.Errorf("the ledger says %s", line)
		}
	}
	e.settled(id, 1)
	board := e.do("GET", path+"/leaderboard", "").want(200, "").fits("Leaderboard")
	if body := string(board.body); strings.Count(body, `"home":1`) != 1 || strings.Count(body, `"home"`) != 1 {
		t.Errorf("the board says %s", body)
	}
}

// Who has a pass is marked as who they are; what they cast before stays away.
func TestPresence_AVoterStaysTheSame(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"rules":{"ballots":{"max":2,"per":"contest"}}`)
	b := e.browser("Accept-Language: en")
	b.press(b.get("/c/"+id), "lumiere-1").shows("Your vote is counted.")
	before := b.pass(id)
	b.follow(b.scan(e.code(id, time.Now()))).shows("You are marked as present.")
	if now := b.pass(id); now.Voter != before.Voter || !now.Present || before.Present {
		t.Errorf("%+v became %+v", before, now)
	}
	b.press(b.get("/c/"+id), "vercors-1").shows("Your vote is counted.")
	e.settled(id, 2)
	body := string(e.do("GET", path+"/leaderboard", "").want(200, "").body)
	if !regexp.MustCompile(`"id":"vercors"[^}]*"home":1`).MatchString(body) || strings.Count(body, `"home"`) != 1 {
		t.Errorf("the board says %s", body)
	}
}

func TestPresence_OldForgedAndForeignCodesMarkNobody(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	_, elsewhere := e.contest("")
	now := time.Now()
	good := e.code(id, now)
	ask := func(path, token string) answer {
		return e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"device","presence":%q}`, token), "Accept-Language: en")
	}
	if a := ask(path, good).want(201, "").fits("Pass"); a.json()["present"] != true {
		t.Fatalf("control: a good code marks nobody: %s", a.body)
	}
	for name, token := range map[string]string{
		"shown 61 s ago":    e.code(id, now.Add(-61*time.Second)),
		"of tomorrow":       e.code(id, now.Add(24*time.Hour)),
		"of 65 s later":     e.code(id, now.Add(65*time.Second)),
		"forged":            good[:31] + map[bool]string{true: "1", false: "0"}[good[31] == '0'],
		"cut":               good[:20],
		"a hall key":        e.server.cfg.Presence.HallKey(id, now.Add(time.Hour)),
		"a sentence":        "I am here",
		"longer than it is": good + good,
	} {
		a := ask(path, token).want(400, "invalid-request").fits("Problem")
		a.shows(`"path":"presence"`, "is not the presence code of this minute")
		b := e.browser("Accept-Language: en")
		page := b.get("/p/"+url.PathEscape(token)).want(410, "")
		page.shows("This code has changed.", "Scan the one that the screen in the hall shows now")
		page.hides("<form")
		// Nor with a form that was good once.
		_, body := presenceForm(t, b.get("/p/"+e.code(id, time.Now())))
		if a := b.send("POST", "/p/"+url.PathEscape(token), body, ownPage); a.status != 410 || len(b.cookies) != 0 {
			t.Errorf("%s: %d %v", name, a.status, b.cookies)
		}
	}
	ask(elsewhere, good).want(400, "invalid-request")
	if a := ask(path, "").want(201, "").fits("Pass"); a.json()["present"] != nil {
		t.Errorf("marked without a code: %s", a.body)
	}
}

// A page that is passed on is of one voter, so it marks that one and nobody else.
func TestPresence_AFormMarksItsOwnVoterOnly(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	action, body := presenceForm(t, e.browser().get("/p/"+e.code(id, time.Now())))
	has := e.browser("Accept-Language: en")
	has.press(has.get("/c/"+id), "lumiere-1").shows("Your vote is counted.")
	if a := has.send("POST", action, body, ownPage); a.status != 410 || has.pass(id).Present {
		t.Errorf("a voter is marked by a stranger's form: %d", a.status)
	}
	var voters []voting.Voter
	for range 2 {
		b := e.browser()
		b.follow(b.send("POST", action, body, ownPage))
		voters = append(voters, b.pass(id).Voter)
	}
	if voters[0] != voters[1] {
		t.Error("one form, two voters marked")
	}
	// From another site's page, or without its token, it is nobody's.
	for name, a := range map[string]answer{
		"another site": e.browser().send("POST", action, body, "Sec-Fetch-Site: cross-site", "Origin: https://farm.example"),
		"no token":     e.browser().send("POST", action, regexp.MustCompile(`token=[^&]*`).ReplaceAllString(body, ""), ownPage),
		"no pass":      e.browser().send("POST", action, regexp.MustCompile(`pass=[^&]*`).ReplaceAllString(body, ""), ownPage),
		"nothing":      e.browser().send("POST", action, "", ownPage),
		"JSON":         e.browser().send("POST", action, "{}", ownPage, "Content-Type: application/json"),
	} {
		if a.status < 400 || a.status >= 500 || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s", name, a.status, a.header.Get("Set-Cookie"))
		}
	}
}

func TestPresence_OneCodeMarksSoManyAndEachOnce(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"antifraud":{"presence_uses":2}`)
	code := e.code(id, time.Now())
	first := e.browser("Accept-Language: en")
	action, body := presenceForm(t, first.get("/p/"+code))
	for range 5 { // tapped five times before the first answer came
		first.cookies = map[string]string{}
		first.follow(first.send("POST", action, body, ownPage))
	}
	second := e.browser("Accept-Language: en")
	second.follow(second.scan(code))
	third := e.browser("Accept-Language: en")
	a := third.scan(code)
	if a.status != 409 || len(third.cookies) != 0 {
		t.Fatalf("the third of two: %d %v", a.status, third.cookies)
	}
	a.shows("This code has been used by too many people.", "Wait for the next one")
	e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"device","presence":%q}`, code)).want(400, "invalid-request").shows(`"path":"presence"`)
	// Who was let in stays in; and the next code has its own count.
	first.cookies = map[string]string{}
	first.follow(first.send("POST", action, body, ownPage))
	now := time.Now()
	other := e.code(id, now.Add(15*time.Second)) // the next one is taken already in the second half of a window
	if other == e.code(id, now) {
		other = e.code(id, now.Add(-voting.PresenceWindow)) // and the one before still in the first
	}
	e.browser().scan(other).want(303, "")
}

// Two servers of one store and one data folder: the code of one is taken by the
// other, and both count its users together.
func TestPresence_ServersAgree(t *testing.T) {
	url := sharedURL(t)
	one := startOn(t, url)
	id, _ := one.contest(`,"antifraud":{"presence_uses":2}`)
	two := startOn(t, url, func(s *Server) { s.cfg.Presence, s.cfg.Passes = one.server.cfg.Presence, one.server.cfg.Passes })
	now := time.Now()
	if one.code(id, now) != two.code(id, now) {
		t.Fatal("two servers show two codes")
	}
	for i, e := range []*env{two, one, two} {
		b := e.browser()
		a := b.scan(one.code(id, now))
		if got, want := a.status, []int{303, 303, 409}[i]; got != want {
			t.Errorf("scan %d: %d, want %d", i+1, got, want)
		}
	}
}

// hold puts the browser's only ballot under review, and gives the page of its receipt.
func (b *browser) hold(path string, voted answer) (ballot, receipt string) {
	b.e.t.Helper()
	link := regexp.MustCompile(`href="(/r/[^"#?]*)`).FindSubmatch(voted.body)
	if link == nil {
		b.e.t.Fatalf("no receipt in %s", voted.body)
	}
	opened, err := b.e.server.cfg.Receipts.Open(strings.TrimPrefix(string(link[1]), "/r/"))
	must(b.e.t, err)
	b.e.do("POST", path+"/standings", `{"ballots":["`+opened.Ballot.String()+`"],"standing":"held","reason":"lockstep"}`, asOrganizer).want(200, "")
	return opened.Ballot.String(), string(link[1]) + "?lang=en"
}

// Who was in the hall after they voted, and is held later, is told to scan the code again: that
// counts the ballot, also for who is marked already.
func TestPresence_AMarkedVoterWhoIsHeldScansAgain(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	b := e.browser("Accept-Language: en")
	voted := b.press(b.get("/c/"+id), "lumiere-1")
	b.follow(b.scan(e.code(id, time.Now()))).shows("You are marked as present.")
	b.get("/p/" + e.code(id, time.Now())).shows("You are already marked as present.")
	_, receipt := b.hold(path, voted)
	b.get(receipt).shows("Scan the code on the screen in the hall with this phone")
	b.follow(b.scan(e.code(id, time.Now()))).want(200, "")
	b.get(receipt).shows("This vote is counted.")
	b.get("/p/" + e.code(id, time.Now())).hides("<form")
}

// Only the browser that voted can scan for its ballot: whoever else has the receipt is told so, and a
// frame on another site's page, whose cookies no code gets, is told nothing of the hall.
func TestPresence_AReceiptSendsNobodyElseToTheHall(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding + `,"embed":{"origins":["` + listed + `"]}`)
	device := e.pass(path)
	held := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), device).want(202, "")
	page := "/r/" + held.text("receipt") + "?lang=en"
	stranger := e.browser("Accept-Language: en")
	stranger.get(page).shows("with the browser you voted with: this vote counts at once")
	stranger.get(page).hides("with this phone")
	stranger.follow(stranger.scan(e.code(id, time.Now())))
	stranger.get(page).hides("with this phone", "This vote is counted.")
	_, token, _ := strings.Cut(device, "Bearer ")
	key, err := e.server.ownKey(id, token, time.Now())
	must(t, err)
	framed := e.browser("Accept-Language: en").get(page + "&own=" + key)
	framed.shows("Get a code")
	framed.hides("screen in the hall")
}

// What was cast with the mark was held in spite of it: scanning once more says nothing new.
func TestPresence_TheMarkReleasesNothingThatHadIt(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	b := e.browser("Accept-Language: en")
	b.follow(b.scan(e.code(id, time.Now())))
	_, receipt := b.hold(path, b.press(b.get("/c/"+id), "lumiere-1"))
	b.get(receipt).hides("Scan the code on the screen in the hall")
	b.get("/p/" + e.code(id, time.Now())).hides("<form")
	// Nor by HTTP, with a proven address, which releases nothing of its own either.
	email, mails, pass := address(), 0, ""
	prove := func() {
		t.Helper()
		var bearer []string
		if pass != "" {
			bearer = []string{pass}
		}
		pending := e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q,"presence":%q}`, email, e.code(id, time.Now())), bearer...).want(202, "").text("pending")
		mails++
		a := e.do("POST", path+"/passes/confirm", fmt.Sprintf(`{"pending":%q,"code":%q}`, pending, e.mailedCode(email, mails)), bearer...).want(201, "")
		pass = "Authorization: Bearer " + a.text("pass")
	}
	prove()
	held := e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), pass).want(201, "").text("ballot")
	e.do("POST", path+"/standings", `{"ballots":["`+held+`"],"standing":"held","reason":"lockstep"}`, asOrganizer).want(200, "")
	prove()
	if got := e.do("GET", path+"/ballots/"+held, "", pass).want(200, "").text("standing"); got != "held" {
		t.Errorf("in the hall again: %s", got)
	}
}

// A store that is gone marks nobody, and says so within its time.
func TestPresence_OutageMarksNobody(t *testing.T) {
	redis := redistest.Start(t)
	e := startOn(t, redis.URL())
	id, path := e.contest("")
	b := e.browser("Accept-Language: en")
	page := b.get("/p/" + e.code(id, time.Now()))
	action, body := presenceForm(t, page)
	redis.Kill()
	if a := b.send("POST", action, body, ownPage); a.status != http.StatusServiceUnavailable || len(b.cookies) != 0 {
		t.Errorf("%d %v", a.status, b.cookies)
	}
	e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"device","presence":%q}`, e.code(id, time.Now()))).want(503, "store-unavailable")
	redis.Restart()
	e.until("marked once the store is back", func() bool { return b.send("POST", action, body, ownPage).status == 303 })
	if !b.pass(id).Present {
		t.Error("not marked")
	}
}
