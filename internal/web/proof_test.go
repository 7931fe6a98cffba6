package web

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/mail/mailsink"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting/codes"
)

// address is an e-mail address of its own for the test.
func address() string { return "ada." + newID()[2:10] + "@example.org" }

// code waits for the n-th mail to an address and reads its six digits.
func (e *env) mailedCode(to string, n int) string {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 20*time.Second)
	defer cancel()
	mails, err := e.mails.Wait(ctx, to, n)
	must(e.t, err)
	code := mailsink.Code(mails[n-1].Text)
	if code == "" {
		e.t.Fatalf("no code in %q", mails[n-1].Text)
	}
	return code
}

// prove proves an address over the API; device is a bearer header or nothing.
func (e *env) prove(path, email, code string, device ...string) answer {
	e.t.Helper()
	before := len(e.mails.Messages(email))
	pending := e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, email), device...).want(202, "").text("pending")
	if code == "" {
		code = e.mailedCode(email, before+1)
	}
	return e.do("POST", path+"/passes/confirm", fmt.Sprintf(`{"pending":%q,"code":%q}`, pending, code), device...)
}

func TestProof_AnAddressGivesAPassOfItsLevel(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"identity":"email"`)
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(403, "identity-level")
	email := address()
	a := e.prove(path, email, "").want(201, "")
	if a.text("level") != "email" || a.text("expires") == "" || len(a.text("voter")) != 26 {
		t.Fatalf("%s", a.body)
	}
	bearer := "Authorization: Bearer " + a.text("pass")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), bearer).want(201, "")
	// The same address again, however it is spelt, is the same voter, and has no turn left.
	again := e.prove(path, strings.ToUpper(email), "").want(201, "")
	if again.text("voter") != a.text("voter") {
		t.Fatal("one address is two voters")
	}
	e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), "Authorization: Bearer "+again.text("pass")).want(409, "already-voted")
}

func TestProof_MarksTheMembersOfASchool(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	member := newID()[2:10] + "@edu.vercors.example"
	if a := e.prove(path, member, "").want(201, ""); a.text("school") != "vercors" {
		t.Fatalf("%s", a.body)
	}
	if a := e.prove(path, address(), "").want(201, ""); a.json()["school"] != nil {
		t.Fatalf("%s", a.body)
	}
}

func TestProof_TheDeviceKeepsItsBallotAndASecondOneJoins(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	email, phone, laptop := address(), e.pass(path), e.pass(path)
	first := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), phone).want(201, "")
	second := e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), laptop).want(201, "")
	a := e.prove(path, email, "", phone).want(201, "")
	b := e.prove(path, email, "", laptop).want(201, "")
	if a.text("voter") != b.text("voter") {
		t.Fatal("one address is two voters")
	}
	bearer := "Authorization: Bearer " + b.text("pass")
	for _, c := range []struct {
		ballot   answer
		standing string
	}{{first, "counted"}, {second, "void"}} {
		got := e.do("GET", path+"/ballots/"+c.ballot.text("ballot"), "", bearer).want(200, "")
		if got.text("standing") != c.standing {
			t.Errorf("%s, want %s", got.body, c.standing)
		}
	}
	for _, header := range []string{phone, laptop, bearer} {
		e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), header).want(409, "already-voted")
	}
	// The joined device's first answer is what it was.
	repeat := e.do("POST", path+"/ballots", ballot(second.text("ballot"), "vercors-1"), laptop).want(200, "")
	if repeat.text("receipt") != second.text("receipt") || repeat.text("standing") != "void" {
		t.Errorf("%s", repeat.body)
	}
}

func TestProof_ReleasesAHeldBallotAndOnlyForReasonsItAnswers(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	for reason, want := range map[string]string{"lockstep": "counted", "jury-decision": "held"} {
		device := e.pass(path)
		held := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), device).want(201, "").text("ballot")
		e.do("POST", path+"/standings", `{"ballots":["`+held+`"],"standing":"held","reason":"`+reason+`"}`, asOrganizer).want(200, "")
		e.prove(path, address(), "", device).want(201, "")
		if got := e.do("GET", path+"/ballots/"+held, "", device).want(200, "").text("standing"); got != want {
			t.Errorf("held for %s, then proven: %s, want %s", reason, got, want)
		}
	}
	e.settled(id, 1)
	if ledger := string(e.do("GET", path+"/ledger", "", asOrganizer).body); !strings.Contains(ledger, `"kind":"release"`) || !strings.Contains(ledger, `"reasons":["proven-email"],"actor":"voter"`) {
		t.Errorf("no record of the release: %s", ledger)
	}
}

// Whoever had proven an address is not released by proving it again, which costs nothing,
// but by the hall, or by a person.
func TestProof_TheSameAddressAgainReleasesNothing(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	email := address()
	pass := "Authorization: Bearer " + e.prove(path, email, "").want(201, "").text("pass")
	cast := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(201, "")
	held := cast.text("ballot")
	e.do("POST", path+"/standings", `{"ballots":["`+held+`"],"standing":"held","reason":"lockstep"}`, asOrganizer).want(200, "")
	stands := func() string { return e.do("GET", path+"/ballots/"+held, "", pass).want(200, "").text("standing") }
	e.prove(path, email, "", pass).want(201, "")
	if got := stands(); got != "held" {
		t.Errorf("proven again: %s", got)
	}
	page := e.do("GET", "/r/"+cast.text("receipt")+"?lang=en", "").want(200, "")
	page.hides("/email?")
	there := e.server.cfg.Presence.Code(id, time.Now()).Token
	pending := e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q,"presence":%q}`, email, there), pass).want(202, "").text("pending")
	e.do("POST", path+"/passes/confirm", fmt.Sprintf(`{"pending":%q,"code":%q}`, pending, e.mailedCode(email, 3)), pass).want(201, "")
	if got := stands(); got != "counted" {
		t.Errorf("in the hall: %s", got)
	}
}

func TestProof_WrongCodesAndBadInput(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	email := address()
	pending := e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, email)).want(202, "").text("pending")
	code := e.mailedCode(email, 1)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	confirm := func(pending, code string) answer {
		return e.do("POST", path+"/passes/confirm", fmt.Sprintf(`{"pending":%q,"code":%q}`, pending, code))
	}
	for left := codes.Tries - 1; left > 0; left-- {
		if a := confirm(pending, wrong).want(403, "wrong-code"); a.json()["remaining"] != float64(left) {
			t.Fatalf("%d left: %s", left, a.body)
		}
	}
	confirm(pending, wrong).want(410, "code-expired")
	confirm(pending, code).want(410, "code-expired")
	confirm("AAAAAAAAAAAAAAAAAAAAAAAAAA", code).want(410, "code-expired")
	confirm(pending, "12345").want(400, "invalid-request")
	confirm(pending, "１２３４５６").want(400, "invalid-request")
	confirm("", code).want(400, "invalid-request")
	e.do("POST", path+"/passes/confirm", fmt.Sprintf(`{"pending":%q,"code":%q}`, pending, code), "Authorization: Bearer nonsense").want(401, "invalid-pass")
	before := e.mails.Taken()
	for _, bad := range []string{
		"", "ada", "ada@", "@example.org", "ada@example", "ada@example.org\r\nBcc: eve@example.org", "ada@example.org,eve@example.org", "a b@example.org",
		"ada@[127.0.0.1]", `"ada"@example.org`, "ada@exa\x00mple.org", "é@example.org", strings.Repeat("a", 65) + "@example.org", "ada@" + strings.Repeat("a.", 200) + "org", "ada@mailinator.com",
	} {
		e.do("POST", path+"/passes", `{"level":"email","email":`+quoted(bad)+`}`).want(400, "invalid-request")
	}
	if e.mails.Taken() != before {
		t.Error("something was sent")
	}
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", `\r`, "\n", `\n`, "\x00", `\u0000`).Replace(text) + `"`
}

// network is a header by which a request comes from the n-th network: one alone may
// ask only so often without a challenge.
func network(n int) string { return fmt.Sprintf("X-Forwarded-For: 2001:db8:%x::1", n) }

// 1,000 sends to one address are three mails, whichever contest asks; every answer
// is like the first.
func TestProof_OneAddressIsNotFlooded(t *testing.T) {
	e := start(t)
	_, one := e.contest("")
	_, other := e.contest("")
	email := address()
	for n := range 1000 {
		path := one
		if n%2 == 1 {
			path = other
		}
		a := e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, email), network(n)).want(202, "")
		if len(a.text("pending")) != 26 || a.text("expires") == "" || len(a.json()) != 2 {
			t.Fatalf("answer %d: %s", n, a.body)
		}
	}
	last := address() // the outbox keeps the order: when this one is there, so are the others
	e.do("POST", one+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, last)).want(202, "")
	e.mailedCode(last, 1)
	if n := len(e.mails.Messages(email)); n != codes.MailsPerHour {
		t.Fatalf("%d mails", n)
	}
}

// Whether an address has proven itself, voted or been asked for too often shows in
// no answer, nor in how long it takes.
func TestProof_AddressesCannotBeToldApart(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	known, flooded := address(), address()
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), "Authorization: Bearer "+e.prove(path, known, "").want(201, "").text("pass")).want(201, "")
	for range codes.MailsPerHour + 1 {
		e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, flooded)).want(202, "")
	}
	ask := func(email string, n int) time.Duration {
		body := fmt.Sprintf(`{"level":"email","email":%q}`, email)
		start := time.Now()
		a := e.do("POST", path+"/passes", body, network(n))
		took := time.Since(start)
		if a.want(202, ""); len(a.json()) != 2 || len(a.text("pending")) != 26 {
			t.Fatalf("%s", a.body)
		}
		return took
	}
	// Side by side, in turns: the machine's noise is the same for all.
	kinds := map[string]func() string{"unknown": address, "known": func() string { return known }, "flooded": func() string { return flooded }}
	took := map[string][]time.Duration{}
	for n := range 300 {
		for kind, email := range kinds {
			took[kind] = append(took[kind], ask(email(), n))
		}
	}
	median := func(kind string) time.Duration {
		slices.Sort(took[kind])
		return took[kind][len(took[kind])/2]
	}
	unknown := median("unknown")
	for _, kind := range []string{"known", "flooded"} {
		t.Logf("%s: %v, unknown: %v", kind, median(kind), unknown)
		if d := (median(kind) - unknown).Abs(); d > max(unknown/4, 300*time.Microsecond) {
			t.Errorf("%s addresses take %v, unknown ones %v", kind, median(kind), unknown)
		}
	}
}

var (
	anyForm  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	anyInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// enter fills in the form of a page that has a field of that name, and presses it.
func (b *browser) enter(page answer, name, value string) answer {
	b.e.t.Helper()
	for _, f := range anyForm.FindAllStringSubmatch(string(page.body), -1) {
		if !strings.Contains(f[2], `name="`+name+`"`) {
			continue
		}
		fields := url.Values{name: {value}}
		for _, input := range anyInput.FindAllStringSubmatch(f[2], -1) {
			fields.Add(input[1], html.UnescapeString(input[2]))
		}
		return b.send("POST", html.UnescapeString(f[1]), fields.Encode())
	}
	b.e.t.Fatalf("no form with %s in %s", name, page.body)
	return answer{}
}

func TestProofPage_VoteByEmailInThreeScreens(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"identity":"email"`)
	b, email := e.browser("Accept-Language: en"), address()
	ask := b.press(b.get("/c/"+id), "lumiere-1")
	ask.shows("To vote for", "Your e-mail address")
	if len(b.cookies) != 0 {
		t.Fatalf("cookies before the proof: %v", b.cookies)
	}
	enter := b.follow(b.enter(ask, "email", email))
	enter.shows("six digits", "Confirm and vote for")
	b.enter(enter, "code", "12 34").shows("The code is six digits")
	counted := b.follow(b.enter(enter, "code", e.mailedCode(email, 1)[:3]+" "+e.mailedCode(email, 1)[3:]))
	counted.shows("Your vote is counted", "Your address is confirmed")
	e.settled(id, 1)
	if strings.Contains(string(counted.body), email) {
		t.Error("the page shows the address")
	}
	// Again: the browser is known, the vote needs no further proof.
	b.press(b.get("/c/"+id), "lumiere-1").shows("already voted")
	if n := e.casts(path); n != 1 {
		t.Errorf("%d casts", n)
	}
}

// The answer to a right code is lost: the same form, sent again, is the same try, and the vote that
// waited for it is one vote. The code is good for nobody else.
func TestProofPage_WhoLosesTheAnswerSendsTheFormAgain(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"identity":"email"`)
	b, email := e.browser("Accept-Language: en"), address()
	enter := b.follow(b.enter(b.press(b.get("/c/"+id), "lumiere-1"), "email", email))
	code := e.mailedCode(email, 1)
	b.enter(enter, "code", code).want(303, "")
	clear(b.cookies) // it never arrived
	b.follow(b.enter(enter, "code", code)).shows("Your vote is counted", "Your address is confirmed")
	e.settled(id, 1)
	if n := e.casts(path); n != 1 {
		t.Errorf("%d casts", n)
	}
	pending := regexp.MustCompile(`name="pending" value="([^"]*)"`).FindSubmatch(enter.body)[1]
	other := e.browser("Accept-Language: en")
	other.enter(other.get("/c/"+id+"/email/code?pending="+string(pending)), "code", code).want(410, "").shows("Ask for another one")
}

// A program that has lost the answer asks again with the device's pass.
func TestProof_WhoLosesTheAnswerAsksAgain(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	device, email := e.pass(path), address()
	pending := e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, email), device).want(202, "").text("pending")
	body := fmt.Sprintf(`{"pending":%q,"code":%q}`, pending, e.mailedCode(email, 1))
	first := e.do("POST", path+"/passes/confirm", body, device).want(201, "")
	if again := e.do("POST", path+"/passes/confirm", body, device).want(201, ""); again.text("voter") != first.text("voter") {
		t.Error("asked again, it is another voter")
	}
	e.do("POST", path+"/passes/confirm", body, e.pass(path)).want(410, "code-expired")
	e.do("POST", path+"/passes/confirm", body).want(410, "code-expired")
}

func TestProofPage_ADeviceRaisesItsLevelLater(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	b, email := e.browser("Accept-Language: fr"), newID()[2:10]+"@edu.vercors.example"
	voted := b.press(b.get("/c/"+id+"/e/lumiere-1"), "lumiere-1")
	voted.shows("Rendez votre vote solide")
	offer := regexp.MustCompile(`href="(/c/[^"]*/email[^"]*)"`).FindSubmatch(voted.body)
	if offer == nil {
		t.Fatalf("no way to the proof in %s", voted.body)
	}
	ask := b.get(html.UnescapeString(string(offer[1])))
	ask.shows("Confirmer mon adresse", "autocomplete=\"email\"")
	b.enter(ask, "email", "ada@exemple").shows("ne peut pas être lue", `value="ada@exemple"`, `aria-invalid="true"`)
	done := b.follow(b.enter(b.follow(b.enter(ask, "email", email)), "code", e.mailedCode(email, 1)))
	done.shows("vous êtes membre de Vercors", "Votre vote est compté")
	done.hides("Rendez votre vote solide", email)
	if n := e.casts(path); n != 1 {
		t.Errorf("%d casts", n)
	}
	// What the address says is believed only where it is so.
	e.browser().get("/c/" + id + "?proven=1").hides("confirmée")
}

func TestProofPage_SaysThatMailsDoNotLeaveAndKeepsTheQuestion(t *testing.T) {
	e := startOn(t, redistest.Start(t).URL())
	id, _ := e.contest("")
	b, email := e.browser("Accept-Language: en"), address()
	b.press(b.get("/c/"+id), "lumiere-1").shows("Your vote is counted")
	e.mails.Down(true)
	enter := b.follow(b.enter(b.get("/c/"+id+"/email"), "email", email))
	e.until("the outbox to notice", func() bool { return e.server.cfg.Mail.Down() })
	b.get("/c/"+id+"/email").shows("cannot leave right now", "A vote already cast stands")
	e.mails.Down(false)
	b.follow(b.enter(enter, "code", e.mailedCode(email, 1))).shows("Your address is confirmed", "Your vote is counted")
}

func TestProofPage_WithoutMailNobodyIsAskedForAnAddress(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) { s.cfg.Mail = nil })
	id, path := e.contest("")
	b := e.browser("Accept-Language: en")
	b.press(b.get("/c/"+id), "lumiere-1").hides("/email")
	if a := b.get("/c/" + id + "/email"); a.status != 503 {
		t.Errorf("status %d", a.status)
	}
	e.do("POST", path+"/passes", `{"level":"email","email":"ada@example.org"}`).want(503, "mail-unavailable")
	other, _ := e.contest(`,"identity":"email"`)
	b.get("/c/" + other).shows("confirmed by e-mail")
}

func TestProofPage_FormsOfOtherSitesAreRefused(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for _, page := range []string{"/email", "/email/code"} {
		a := e.browser().send("POST", "/c/"+id+page, "email=ada%40example.org", "Sec-Fetch-Site: cross-site", "Origin: https://evil.example")
		if a.status != 403 {
			t.Errorf("%s: %d", page, a.status)
		}
	}
}

// A policy that holds who has proven nothing: the voter sees why and the way out,
// proves an address, and the ballot counts.
func TestProofPage_AHeldVoterProvesAndCounts(t *testing.T) {
	e := start(t)
	id, _ := e.contest(holding)
	b, email := e.browser("Accept-Language: en"), address()
	held := b.press(b.get("/c/"+id), "lumiere-1")
	held.shows("kept for review", "Make your vote count", "Reason: nothing shows yet")
	receipt := regexp.MustCompile(`href="(/r/[^"#?]*)`).FindSubmatch(held.body)
	if receipt == nil {
		t.Fatalf("no receipt in %s", held.body)
	}
	page := b.get(string(receipt[1]) + "?lang=en")
	way := regexp.MustCompile(`href="(/c/[^"]*/email[^"]*)"`).FindSubmatch(page.body)
	if way == nil {
		t.Fatalf("no way out in %s", page.body)
	}
	counted := b.follow(b.enter(b.follow(b.enter(b.get(html.UnescapeString(string(way[1]))), "email", email)), "code", e.mailedCode(email, 1)))
	counted.shows("This vote is counted.")
	e.settled(id, 1)
	// Who is only shown the receipt cannot prove for its voter.
	e.browser("Accept-Language: en").get(string(receipt[1])).hides("/email?")
}

// A frame on another site's page has cookies of its own: its link to the receipt
// acts for the voter for a while.
func TestProofPage_AVoterHeldInAFrameProvesInAPageOfOurs(t *testing.T) {
	e := start(t)
	id, path := e.contest(holding + `,"embed":{"origins":["` + listed + `"]}`)
	device := e.pass(path)
	_, token, _ := strings.Cut(device, "Bearer ")
	held := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), device).want(202, "")
	email := address()
	page := func(key string) answer {
		return e.browser("Accept-Language: en").get("/r/" + held.text("receipt") + "?own=" + key)
	}
	key, err := e.server.ownKey(id, token, time.Now())
	must(t, err)
	way := regexp.MustCompile(`href="(/c/[^"]*/email[^"]*)"`).FindSubmatch(page(key).body)
	if way == nil {
		t.Fatal("no way out")
	}
	old, err := e.server.ownKey(id, token, time.Now().Add(-ownLife-time.Minute))
	must(t, err)
	other, err := e.server.ownKey("other", token, time.Now())
	must(t, err)
	for _, bad := range []string{old, other, key[1:], "x"} {
		page(bad).hides("/email?")
	}
	b := e.browser("Accept-Language: en")
	b.follow(b.enter(b.follow(b.enter(b.get(html.UnescapeString(string(way[1]))), "email", email)), "code", e.mailedCode(email, 1))).shows("This vote is counted.")
	e.settled(id, 1)
}

// The link a vote came by goes the whole way through the proof.
func TestProofPage_AVoteThatWaitsKeepsItsLink(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"identity":"email"`)
	sharer := "Authorization: Bearer " + e.prove(path, address(), "").want(201, "").text("pass")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), sharer).want(201, "")
	code := e.do("POST", path+"/shares", "", sharer).want(201, "").text("code")
	b, email := e.browser("Accept-Language: fr"), address()
	opened := b.get("/s/" + code + "-w?lang=fr")
	page := b.get(opened.header.Get("Location"))
	b.follow(b.enter(b.follow(b.enter(b.press(page, "lumiere-1"), "email", email)), "code", e.mailedCode(email, 1))).shows("Votre vote est compté")
	seen := string(e.do("GET", path+"/evidence", "", asOrganizer).want(200, "").body)
	if !strings.Contains(seen, `"via":"`+code+`-w","referrer":"share"`) || !strings.Contains(seen, `"opened":true`) {
		t.Errorf("%s", seen)
	}
}
