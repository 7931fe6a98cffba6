package web

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
)

// priced is a policy that asks who proves nothing for a challenge.
const priced = `,"antifraud":{"policy":{"name":"priced","weights":{"unproven":2.5},"thresholds":{"challenge":2,"hold":3}}}`

// asked is the challenge of a refusal.
func (a answer) asked() antifraud.Challenge {
	a.t.Helper()
	var doc struct{ Challenge *antifraud.Challenge }
	must(a.t, json.Unmarshal(a.body, &doc))
	if doc.Challenge == nil {
		a.t.Fatalf("no challenge in %s", a.body)
	}
	return *doc.Challenge
}

// solution is of the challenge of a refusal.
func (a answer) solution() string {
	a.t.Helper()
	payload, err := a.want(403, "challenge-required").asked().Solve()
	must(a.t, err)
	return payload
}

func pricedBallot(id, entry, solution string) string {
	return fmt.Sprintf(`{"ballot":%q,"entry":%q,"challenge":%q}`, id, entry, solution)
}

func TestChallenge_ABallotThatIsAskedForOneCountsWithItAndOnce(t *testing.T) {
	e := start(t)
	_, path := e.contest(priced)
	me, b := e.pass(path), newBallot()
	cast := func(body, pass string) answer { return e.do("POST", path+"/ballots", body, pass) }
	refused := cast(ballot(b, "lumiere-1"), me).want(403, "challenge-required").fits("Problem")
	if e.casts(path) != 0 {
		t.Fatal("a ballot that was refused is in the ledger")
	}
	solution := refused.solution()
	first := cast(pricedBallot(b, "lumiere-1", solution), me).want(201, "")
	// Repeats never need it: without, with the same, with nonsense.
	for _, body := range []string{ballot(b, "lumiere-1"), pricedBallot(b, "lumiere-1", solution), pricedBallot(b, "lumiere-1", "nonsense")} {
		if again := cast(body, me).want(200, ""); again.text("receipt") != first.text("receipt") {
			t.Errorf("another receipt: %s", again.body)
		}
	}
	if e.casts(path) != 1 {
		t.Error("counted twice")
	}
	// The solution for another ballot is one that was used.
	used := cast(pricedBallot(newBallot(), "lumiere-1", solution), me).want(403, "rejected").fits("Problem")
	if !strings.Contains(string(used.body), `"reasons":["challenge-used"]`) {
		t.Errorf("%s", used.body)
	}
}

func TestChallenge_OnlyItsVoterInItsContestCanUseASolution(t *testing.T) {
	e := start(t)
	_, path := e.contest(priced)
	_, elsewhere := e.contest(priced)
	me, other := e.pass(path), e.pass(path)
	solution := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), me).solution()
	good := func(path, pass, solution string) answer {
		return e.do("POST", path+"/ballots", pricedBallot(newBallot(), "lumiere-1", solution), pass)
	}
	good(path, other, solution).want(403, "challenge-required")
	good(elsewhere, e.pass(elsewhere), solution).want(403, "challenge-required")
	good(path, me, solution[:len(solution)-8]).want(403, "challenge-required")
	s := e.server
	old := s.challenges.New(castBind(path[len("/v1/contests/"):], e.voter(path, me)), time.Now().Add(-time.Second), 10)
	expired, err := old.Solve()
	must(t, err)
	good(path, me, expired).want(403, "challenge-required")
	// None of which used it up.
	good(path, me, solution).want(201, "")
}

// voter is whom a pass is of.
func (e *env) voter(path, bearer string) (v [16]byte) {
	e.t.Helper()
	stored, ok := e.server.cfg.Registry.Get(path[len("/v1/contests/"):])
	if !ok {
		e.t.Fatal("no contest")
	}
	pass, err := e.server.cfg.Passes.Check(stored.Contest, strings.TrimPrefix(bearer, "Authorization: Bearer "), time.Now())
	must(e.t, err)
	return pass.Voter
}

func TestChallenge_AskedForOnlyBetweenItsThresholdAndTheHold(t *testing.T) {
	e := start(t)
	for weight, want := range map[string]int{"1.9": 201, "2": 403, "2.9": 403, "3": 202} {
		_, path := e.contest(strings.Replace(priced, "2.5", weight, 1))
		e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(want, "")
	}
	_, path := e.contest(strings.Replace(priced, `"name"`, `"base":"observe","name"`, 1))
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	// An address is proof enough; and what is refused anyway costs nothing first.
	_, path = e.contest(priced)
	bearer := "Authorization: Bearer " + e.prove(path, address(), "").want(201, "").text("pass")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), bearer).want(201, "")
	e.do("POST", path+"/ballots", ballot(newBallot(), "nobody"), e.pass(path)).want(404, "no-such-entry")
}

// One solution, many ballots at once: one is counted, whichever.
func TestChallenge_ManyAtOnceUseASolutionOnce(t *testing.T) {
	e := start(t)
	_, path := e.contest(priced + `,"rules":{"ballots":{"max":50,"per":"contest"}}`)
	me := e.pass(path)
	solution := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), me).solution()
	var counted, rejected atomic.Int64
	var casting sync.WaitGroup
	for range 20 {
		casting.Go(func() {
			switch a := e.do("POST", path+"/ballots", pricedBallot(newBallot(), "lumiere-1", solution), me); a.status {
			case 201:
				counted.Add(1)
			case 403:
				rejected.Add(1)
			}
		})
	}
	casting.Wait()
	if counted.Load() != 1 || rejected.Load() != 19 || e.casts(path) != 1 {
		t.Errorf("%d counted, %d rejected, %d in the ledger", counted.Load(), rejected.Load(), e.casts(path))
	}
}

var (
	puzzle   = regexp.MustCompile(`data-challenge="([^"]*)"( data-auto)?`)
	hidden   = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	actionOf = regexp.MustCompile(`<form class="[^"]*\bask" method="post" action="([^"]*)"`)
)

// solvedForm is the form of a page that asks for a challenge, as its script sends it.
func (a answer) solvedForm() (action string, form url.Values, auto bool) {
	a.t.Helper()
	found, to := puzzle.FindStringSubmatch(string(a.body)), actionOf.FindStringSubmatch(string(a.body))
	if found == nil || to == nil {
		a.t.Fatalf("no challenge on the page: %s", a.body)
	}
	var c antifraud.Challenge
	must(a.t, json.Unmarshal([]byte(html.UnescapeString(found[1])), &c))
	payload, err := c.Solve()
	must(a.t, err)
	form = url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(string(a.body), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	form.Set("challenge", payload)
	return html.UnescapeString(to[1]), form, found[2] != ""
}

func TestChallenge_APageSolvesItAndSendsTheSameBallot(t *testing.T) {
	e := start(t)
	id, path := e.contest(priced)
	b := e.browser()
	page := b.send("POST", "/c/"+id+"/vote?lang=fr", url.Values{"ballot": {newBallot()}, "entry": {"lumiere-1"}, "back": {"e/lumiere-1"}}.Encode())
	page.want(403, "")
	if text := string(page.body); !strings.Contains(text, "Encore une étape") || !strings.Contains(text, "a besoin de JavaScript") || !strings.Contains(text, "/email?") {
		t.Errorf("what to do is not said: %s", text)
	}
	action, form, auto := page.solvedForm()
	if !auto {
		t.Error("the form does not go by itself")
	}
	// Without a script the same page again, as often as it is pressed.
	plain := url.Values{}
	for name := range form {
		plain.Set(name, form.Get(name))
	}
	plain.Set("challenge", "")
	b.send("POST", action, plain.Encode()).want(403, "").solvedForm()
	sent := b.send("POST", action, form.Encode()).want(303, "")
	if to := sent.header.Get("Location"); !strings.HasPrefix(to, "/c/"+id+"/e/lumiere-1?") || !strings.Contains(to, "receipt=") {
		t.Errorf("leads to %s", to)
	}
	if e.casts(path) != 1 {
		t.Errorf("%d casts", e.casts(path))
	}
}

// asksMail asks for a code from an address of the Internet.
func (e *env) asksMail(path, from, more string, headers ...string) answer {
	e.t.Helper()
	return e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q%s}`, address(), more), append(headers, "X-Forwarded-For: "+from)...)
}

// fillBlock asks for as many codes as a network may without a challenge, from all
// over it, at once.
func (e *env) fillBlock(path string, from func(n int) string) {
	e.t.Helper()
	var asking sync.WaitGroup
	var refused atomic.Int64
	for n := range mailsPerBlock {
		asking.Go(func() {
			if e.asksMail(path, from(n), "").status != 202 {
				refused.Add(1)
			}
		})
	}
	asking.Wait()
	if refused.Load() != 0 {
		e.t.Fatalf("%d of a campus were asked for a challenge", refused.Load())
	}
}

func TestChallenge_ANetworkThatAsksForManyCodesPaysAndIsNeverRefused(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	for name, block := range map[string]struct {
		in    func(n int) string
		other string
	}{
		"/24": {func(n int) string { return fmt.Sprintf("198.51.100.%d", n%256) }, "198.51.101.1"},
		"/48": {func(n int) string { return fmt.Sprintf("2001:db8:1:%x::1", n) }, "2001:db8:2::1"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &env{t: t, server: e.server, addr: e.addr, mails: e.mails, boxes: e.boxes, log: e.log}
			e.fillBlock(path, block.in)
			refused := e.asksMail(path, block.in(201), "").want(403, "challenge-required").fits("Problem")
			solution := refused.solution()
			e.asksMail(path, block.in(7), `,"challenge":"`+solution+`"`).want(202, "")
			// For another address it takes another one, which is given.
			again := e.asksMail(path, block.in(8), `,"challenge":"`+solution+`"`).solution()
			e.asksMail(path, block.in(8), `,"challenge":"`+again+`"`).want(202, "")
			e.asksMail(path, block.in(9), `,"challenge":"nonsense"`).want(403, "challenge-required")
			// Nobody else pays: another network, another contest, a device pass, a ballot.
			e.asksMail(path, block.other, "").want(202, "")
			_, elsewhere := e.contest("")
			e.asksMail(elsewhere, block.in(1), "").want(202, "")
			e.do("POST", path+"/passes", `{"level":"device"}`, "X-Forwarded-For: "+block.in(1)).want(201, "")
			// Who is in the hall neither pays nor is counted.
			presence := `,"presence":"` + e.server.cfg.Presence.Code(id, time.Now()).Token + `"`
			e.asksMail(path, block.in(10), presence).want(202, "")
		})
	}
}

func TestChallenge_TheSameAskMayComeAgainWithItsSolution(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	e.fillBlock(path, func(int) string { return "203.0.113.9" })
	// Known or not, an address is asked for the same.
	known := address()
	e.prove(path, known, "", "X-Forwarded-For: 203.0.112.1").want(201, "")
	e.do("POST", path+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, known), "X-Forwarded-For: 203.0.113.9").want(403, "challenge-required")
	solution := e.asksMail(path, "203.0.113.9", "").solution()
	body := fmt.Sprintf(`{"level":"email","email":%q,"challenge":%q}`, address(), solution)
	for range 2 { // as after an answer that was lost
		e.do("POST", path+"/passes", body, "X-Forwarded-For: 203.0.113.9").want(202, "")
	}
	e.do("POST", path+"/passes", `{"level":"email","email":"ada@example.org","challenge":"`+strings.Repeat("x", 4097)+`"}`).want(400, "invalid-request")
}

func TestChallenge_ThePageOfAnAddressCarriesOneWhereItIsNeeded(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	at := "X-Forwarded-For: 192.0.2.77"
	if page := e.do("GET", "/c/"+id+"/email", "", at).want(200, ""); strings.Contains(string(page.body), "challenge") {
		t.Errorf("a challenge that nobody needs: %s", page.body)
	}
	e.fillBlock(path, func(int) string { return "192.0.2.77" })
	page := e.do("GET", "/c/"+id+"/email?lang=fr", "", at).want(200, "")
	action, form, auto := page.solvedForm()
	if auto || !strings.Contains(string(page.body), "sans JavaScript") || !strings.Contains(string(page.body), `role="status"`) {
		t.Errorf("goes by itself %v: %s", auto, page.body)
	}
	post := func(form url.Values) answer { return e.browser().send("POST", action, form.Encode(), at) }
	plain := url.Values{"email": {address()}}
	refused := post(plain).want(403, "")
	if !strings.Contains(string(refused.body), plain.Get("email")) {
		t.Error("the address has to be typed again")
	}
	if _, _, auto := refused.solvedForm(); !auto {
		t.Error("what was sent already does not go by itself")
	}
	form.Set("email", address())
	if to := post(form).want(303, "").header.Get("Location"); !strings.HasPrefix(to, "/c/"+id+"/email/code?") {
		t.Errorf("leads to %s", to)
	}
	e.mailedCode(form.Get("email"), 1)
	// A page for who is elsewhere has none.
	if page := e.do("GET", "/c/"+id+"/email", "", "X-Forwarded-For: 192.0.3.1").want(200, ""); strings.Contains(string(page.body), "data-challenge") {
		t.Error("another network pays too")
	}
}
