package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/internal/redistest"
)

// browser is a visitor without JavaScript: it keeps the cookies it is given,
// which Go's jar would not send over plain HTTP, and fills in forms.
type browser struct {
	e       *env
	headers []string
	cookies map[string]string
}

func (e *env) browser(headers ...string) *browser {
	return &browser{e, headers, map[string]string{}}
}

// still answers with redirects instead of following them: a browser takes the cookie first.
var still = &http.Client{
	Transport: client.Transport, Timeout: client.Timeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (b *browser) send(method, path, body string, more ...string) answer {
	b.e.t.Helper()
	req, err := http.NewRequest(method, "http://"+b.e.addr+path, strings.NewReader(body))
	must(b.e.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range append(append([]string{}, b.headers...), more...) {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	for name, value := range b.cookies {
		req.Header.Add("Cookie", name+"="+value)
	}
	resp, err := still.Do(req)
	must(b.e.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(b.e.t, err)
	for _, cookie := range resp.Cookies() {
		b.cookies[cookie.Name] = cookie.Value
	}
	return answer{b.e.t, resp.StatusCode, resp.Header, raw}
}

func (b *browser) get(path string) answer { b.e.t.Helper(); return b.send("GET", path, "") }

var (
	formShape  = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">(.*?)</form>`)
	inputShape = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// form is the vote form of an entry, as the page has it.
func form(t *testing.T, page answer, entry string) (action, body string) {
	t.Helper()
	for _, f := range formShape.FindAllStringSubmatch(string(page.body), -1) {
		fields := url.Values{}
		for _, input := range inputShape.FindAllStringSubmatch(f[2], -1) {
			fields.Add(input[1], html.UnescapeString(input[2]))
		}
		if fields.Get("entry") == entry {
			return html.UnescapeString(f[1]), fields.Encode()
		}
	}
	t.Fatalf("no vote form for %s in %s", entry, page.body)
	return "", ""
}

// press presses the vote button and follows to the page it leads to.
func (b *browser) press(page answer, entry string) answer {
	b.e.t.Helper()
	action, body := form(b.e.t.(*testing.T), page, entry)
	return b.follow(b.send("POST", action, body, "Origin: http://"+b.e.addr, "Sec-Fetch-Site: same-origin"))
}

func (b *browser) follow(a answer) answer {
	b.e.t.Helper()
	if a.status != http.StatusSeeOther {
		b.e.t.Fatalf("status %d, want 303: %s", a.status, a.body)
	}
	return b.get(strings.TrimSuffix(a.header.Get("Location"), "#status"))
}

func (a answer) shows(texts ...string) {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(string(a.body)), text) {
			a.t.Errorf("not on the page: %q in\n%s", text, a.body)
		}
	}
}

func (a answer) hides(texts ...string) {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(string(a.body)), text) {
			a.t.Errorf("on the page: %q", text)
		}
	}
}

func (e *env) counted(id string) int64 {
	e.t.Helper()
	totals := e.do("GET", "/v1/contests/"+id+"/leaderboard", "", asOrganizer).want(200, "").json()["totals"].(map[string]any)
	return int64(totals["counted"].(float64))
}

// settled waits until the leaderboard, which may be a quarter of a second old, says n.
func (e *env) settled(id string, n int64) {
	e.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for e.counted(id) != n {
		if time.Now().After(deadline) {
			e.t.Fatalf("%d ballots are counted, want %d", e.counted(id), n)
		}
	}
}

func TestPage_SpeaksTheReadersLanguage(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"rules":{"ballots":{"max":2,"per":"day"},"per_entry":1}`)
	for _, test := range []struct{ query, accept, lang, rules string }{
		{"", "fr-CA, en;q=0.5", "fr", "2 votes par personne et par jour. Au plus un pour la même candidature."},
		{"", "en-GB", "en", "2 votes per person and day. At most one of them for the same entry."},
		{"", "de, en;q=0.3", "en", "per person and day"},
		{"", "de", "fr", "par personne"}, // the contest's own language
		{"", "", "fr", "par personne"},
		{"?lang=en", "fr", "en", "per person"},
		{"?lang=fr", "en", "fr", "par personne"},
		{"?lang=xx", "en", "en", "per person"},
		{"?lang=%22%3E", "", "fr", "par personne"},
	} {
		page := e.do("GET", "/c/"+id+test.query, "", "Accept-Language: "+test.accept).want(200, "")
		page.shows(`<html lang="`+test.lang+`">`, test.rules, map[string]string{"fr": "Le pire CV", "en": "The worst CV"}[test.lang], "Europe/Paris")
		page.hides("page.", "<no value>", "Hidden one", "secret-1", "email_domains")
		if got := page.header.Get("Content-Language"); got != test.lang {
			t.Errorf("Content-Language %q, want %q", got, test.lang)
		}
		if got := page.header.Get("Content-Security-Policy"); got != pagePolicy {
			t.Errorf("Content-Security-Policy %q", got)
		}
	}
}

func TestPage_VoteByFormCountsOnceHoweverOftenItIsSent(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	b := e.browser("Accept-Language: fr")
	page := b.get("/c/"+id).want(200, "")
	if len(b.cookies) != 0 {
		t.Fatalf("a cookie before the vote: %v", b.cookies)
	}
	// A double click: both requests leave before any cookie arrives.
	action, body := form(t, page, "lumiere-1")
	var wg sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		wg.Go(func() {
			answers[i] = e.browser().send("POST", action, body, "Sec-Fetch-Site: same-origin", "Origin: http://"+e.addr)
		})
	}
	wg.Wait()
	for _, a := range answers {
		if got, want := a.header.Get("Location"), answers[0].header.Get("Location"); a.status != 303 || got != want {
			t.Errorf("%d to %s, want 303 to %s", a.status, got, want)
		}
	}
	e.settled(id, 1)

	done := b.press(page, "lumiere-1")
	done.shows(`role="status"`, "Votre vote est compté.", "Merci d'avoir voté pour «\u00a0A\u00a0»", "Vous n'avez plus de vote")
	cookie := b.cookies[passCookieName(id)]
	if cookie == "" {
		t.Fatal("no cookie after the vote")
	}
	// The same form again, as by a reload, and a new one for another entry.
	b.press(page, "lumiere-1").shows("Votre vote est compté.")
	b.press(b.get("/c/"+id), "vercors-1").shows("Vous avez déjà voté.", "il ne vous en reste pas d'autre")
	b.press(page, "vercors-1").shows("Vous avez déjà voté.") // the page from before the vote
	if b.cookies[passCookieName(id)] != cookie {
		t.Error("the browser became another voter")
	}
	e.settled(id, 1)
}

func TestPage_CookieIsForThisHostAlone(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	b := e.browser()
	action, body := form(t, b.get("/c/"+id), "lumiere-1")
	line := b.send("POST", action, body).header.Get("Set-Cookie")
	for _, part := range []string{"__Host-joute-" + id + "=", "path=/", "HttpOnly", "secure", "SameSite=Lax"} {
		if !strings.Contains(strings.ToLower(line), strings.ToLower(part)) {
			t.Errorf("%q lacks %q", line, part)
		}
	}
	if strings.Contains(strings.ToLower(line), "domain") {
		t.Errorf("%q names a domain", line)
	}
}

func TestPage_TellsWhenTheNextTurnComes(t *testing.T) {
	e := start(t)
	id := newID()
	e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(-time.Hour), time.Now().Add(72*time.Hour), `,"rules":{"ballots":{"max":2,"per":"day"}}`), asOrganizer).want(201, "")
	b := e.browser("Accept-Language: en")
	b.press(b.get("/c/"+id), "lumiere-1").shows("Your vote is counted.", "You have one more vote.")
	next := "You can vote again from "
	b.press(b.get("/c/"+id), "lumiere-1").shows("Your vote is counted.", next, "00:00 (Europe/Paris)")
	b.press(b.get("/c/"+id), "vercors-1").shows("You have already voted.", next, "00:00 (Europe/Paris)")
	e.settled(id, 2)
}

func TestPage_FormsOfOtherSitesAreRefused(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"embed":{"origins":["https://blog.example.org"]}`)
	b := e.browser("Accept-Language: en")
	action, body := form(t, b.get("/c/"+id), "lumiere-1")
	for _, headers := range [][]string{
		{"Origin: null"},
		{"Origin: https://evil.example"},
		{"Origin: https://blog.example.org"},
		{"Origin: http://" + e.addr + ".evil.example"},
		{"Origin: http://" + e.addr, "Sec-Fetch-Site: cross-site"},
		{"Origin: null", "Sec-Fetch-Site: same-origin"},
		{"Sec-Fetch-Site: same-site"},
		{"Sec-Fetch-Site: none"},
	} {
		a := b.send("POST", action, body, headers...)
		if a.status != http.StatusForbidden || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%q: status %d, type %s", headers, a.status, a.header.Get("Content-Type"))
		}
		a.shows("Not from this site")
	}
	if len(b.cookies) != 0 {
		t.Errorf("cookies %v", b.cookies)
	}
	e.settled(id, 0)
	for _, headers := range [][]string{{"Origin: http://" + e.addr}, {"Origin: https://vote.example.org", "Sec-Fetch-Site: same-origin"}} {
		if a := b.send("POST", action, body, headers...); a.status != 303 {
			t.Errorf("%q: status %d", headers, a.status)
		}
	}
	e.settled(id, 1)
}

func TestPage_BadFormsAreSaidSo(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	vote, fine := "/c/"+id+"/vote", uuid.NewString()
	for body, want := range map[string]int{
		"entry=lumiere-1":                                   400,
		"entry=lumiere-1&ballot=1":                          400,
		"ballot=" + fine:                                    400,
		"entry=%3Cscript%3E&ballot=" + fine:                 400,
		"entry=nobody&ballot=" + fine:                       404,
		"entry=secret-1&ballot=" + fine:                     404,
		"entry=lumiere-1&ballot=" + fine + "&pass=forged.x": 303,
	} {
		a := e.browser().send("POST", vote, body)
		if a.status != want {
			t.Errorf("%s: status %d, want %d", body, a.status, want)
		}
		a.hides("<script>", "page.", "problem.")
	}
	if a := e.do("POST", vote, `{"entry":"lumiere-1"}`); a.status != 415 {
		t.Errorf("JSON: status %d", a.status)
	}
	e.settled(id, 1)
}

// What the address says is not believed: a link made up by somebody else shows
// no word of theirs, and nothing that did not happen.
func TestPage_StatusCannotBeForged(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	other, _ := e.contest("")
	b := e.browser("Accept-Language: en")
	b.press(b.get("/c/"+id), "lumiere-1").shows("Your vote is counted.")
	a := b.send("POST", "/c/"+id+"/vote", "entry=lumiere-1&ballot="+uuid.NewString())
	if got := a.header.Get("Location"); got != "/c/"+id+"?refused=already-voted#status" {
		t.Errorf("leads to %s", got)
	}
	action, body := form(t, e.browser().get("/c/"+other), "lumiere-1")
	receipt := regexp.MustCompile(`receipt=[^&#]*`).FindString(e.browser().send("POST", action, body).header.Get("Location"))
	if receipt == "" {
		t.Fatal("no receipt")
	}
	for _, query := range []string{
		"receipt=forged", "receipt=", "refused=already-voted", "refused=phase-closed", "refused=ballot-reused",
		"refused=%3Cscript%3Ealert(1)%3C/script%3E", "status=counted", receipt,
	} {
		page := e.browser("Accept-Language: en").get("/c/"+id+"?"+query).want(200, "")
		page.shows(`<div id="status" role="status" tabindex="-1"></div>`)
		page.hides("alert(1)")
	}
	// Somebody else's receipt shows nothing to who has voted themselves.
	mine := e.browser("Accept-Language: en")
	mine.press(mine.get("/c/"+other), "vercors-1").shows("Your vote is counted.")
	mine.get("/c/" + other + "?" + receipt).hides("Your vote is counted.")
}

// A receipt may be shown to others: on no page does it tell them for whom the vote is.
func TestPage_AReceiptOfAnotherDoesNotTellTheirEntry(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for _, at := range []string{"/c/" + id, "/c/" + id + "/e/vercors-1", "/c/" + id + "/s/vercors", "/c/" + id + "/e/vercors-1/confirm"} {
		mine := e.browser("Accept-Language: en")
		action, body := form(t, mine.get("/c/"+id), "lumiere-1")
		receipt := regexp.MustCompile(`receipt=[^&#]*`).FindString(mine.send("POST", action, body).header.Get("Location"))
		mine.get(at+"?"+receipt).shows("Your vote is counted.", "Thank you for voting for “A”.")
		page := e.browser("Accept-Language: en").get(at+"?"+receipt).want(200, "")
		page.shows("Your vote is counted.")
		page.hides("Thank you for voting for")
	}
}

func TestPage_HostileTitlesAreEscaped(t *testing.T) {
	e := start(t)
	id := newID()
	evil := `<img src=x onerror=alert(1)>"'</title></script>`
	document := fmt.Sprintf(`{"id":%q,"title":%q,"brand":%q,"phases":{"voting":{"opens":"2026-01-01T00:00:00Z","closes":"2190-01-01T00:00:00Z"}},
		"schools":[{"id":"s","name":%q,"city":%q}],"entries":[{"id":"e","school":"s","title":%q,"authors":[%q]}]}`, id, evil, evil, evil, evil, evil, evil)
	e.do("PUT", "/v1/contests/"+id, document, asOrganizer).want(201, "")
	b := e.browser()
	for _, page := range []answer{b.get("/c/" + id), b.get("/"), b.press(b.get("/c/"+id), "e"), b.get("/c/unknown")} {
		if bytes.Contains(page.body, []byte("<img")) || bytes.Contains(page.body, []byte(`"'</`)) {
			t.Errorf("not escaped: %s", page.body)
		}
		if !bytes.Contains(page.body, []byte("&lt;img")) {
			t.Errorf("the title is not there: %s", page.body)
		}
		if regexp.MustCompile(`(?i) style=| on[a-z]+=["a-z]+`).Match(regexp.MustCompile(`onerror=alert`).ReplaceAll(page.body, nil)) {
			t.Errorf("inline style or handler, which the policy forbids: %s", page.body)
		}
	}
}

func TestPage_HiddenNumbersAreNotInIt(t *testing.T) {
	e := start(t)
	numbers := regexp.MustCompile(`data-(votes|score|rank|total|place|trend)`)
	for rule, want := range map[string]string{
		`,"results":{"visibility":"after_close"}`:  "stay secret until the end of the vote",
		`,"results":{"visibility":"after_ballot"}`: "shown once you have voted",
	} {
		id, _ := e.contest(rule)
		b := e.browser("Accept-Language: en")
		page := b.get("/c/" + id)
		page.shows(want, "hidden for now")
		if found := numbers.Find(page.body); found != nil {
			t.Errorf("%s: %s on the page", rule, found)
		}
		page.hides("data-feed")
		voted := b.press(page, "lumiere-1")
		voted.shows("Your vote is counted.")
		if got := numbers.Match(voted.body); got != strings.Contains(rule, "after_ballot") {
			t.Errorf("%s: numbers for who has voted: %v", rule, got)
		}
		if found := numbers.Find(e.browser().get("/c/" + id).body); found != nil {
			t.Errorf("%s: %s for who has not", rule, found)
		}
	}
}

func TestPage_Phases(t *testing.T) {
	e := start(t)
	put := func(opens, closes time.Duration, more string) string {
		id := newID()
		e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(opens), time.Now().Add(closes), more), asOrganizer).want(201, "")
		return "/c/" + id
	}
	en := e.browser("Accept-Language: en")
	upcoming := put(time.Hour, 2*time.Hour, "")
	page := en.get(upcoming)
	page.shows("Voting opens on ", "(Europe/Paris)")
	page.hides("<form")
	en.follow(en.send("POST", upcoming+"/vote", "entry=lumiere-1&ballot="+uuid.NewString())).shows("This vote was not counted.")
	if len(en.cookies) != 0 {
		t.Error("a cookie without a ballot")
	}
	for ties, sentence := range map[string]string{"shared": "share a rank", "earliest": "whose last counted vote is the oldest"} {
		page := en.get(put(-2*time.Hour, -time.Hour, `,"scoring":{"ties":"`+ties+`"},"results":{"visibility":"after_close"}`))
		page.shows("Voting ended on ", "This is the result", sentence, "data-rank")
		page.hides("<form", "data-feed")
	}
	partner := en.get(put(-time.Hour, time.Hour, `,"identity":"partner","partner":{"secret":"0123456789abcdef0123456789abcdef"}`))
	partner.shows("on the organizer's own site")
	partner.hides("<form", "0123456789abcdef")
}

func TestPage_HomeAndUnknownContests(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	e.browser("Accept-Language: en").get("/").want(200, "").shows("Contests", "The worst CV", "/c/"+id)
	e.browser("Accept-Language: fr").get("/?lang=en").shows(`href="/c/` + id + `?lang=en"`)
	page := e.browser("Accept-Language: fr").get("/c/nowhere").want(404, "")
	page.shows("Concours introuvable", "/c/"+id, "Tous les concours")
	if got := page.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("type %s", got)
	}
	if a := e.do("GET", "/c/"+id+"/vote", ""); a.status != 200 { // the client followed the 303
		t.Errorf("a reload of the form's address: %d", a.status)
	}
}

// Who mistypes an address is told so on a page; a program gets a problem.
func TestPage_NothingAtAnAddressIsAPageForWhoReads(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	reader := e.browser("Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language: fr")
	for _, path := range []string{"/nowhere", "/c/" + id + "/", "/c/" + id + "/nowhere", "//elsewhere.example/x"} {
		page := reader.get(path).want(404, "")
		page.shows("Rien ici", "/c/"+id, "Tous les concours")
		if got := page.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: type %s", path, got)
		}
		if strings.Contains(string(page.body), "elsewhere") {
			t.Errorf("%s: the page leads to where it was asked for: %s", path, page.body)
		}
	}
	e.do("GET", "/nowhere", "").want(404, "not-found").fits("Problem")
	e.do("GET", "/v1/nowhere", "", "Accept: text/html").want(404, "not-found").fits("Problem")
	e.do("POST", "/nowhere", "{}", "Accept: text/html").want(404, "not-found").fits("Problem")
}

func TestPage_LargeContestsComeInParts(t *testing.T) {
	e := start(t)
	id := newID()
	var entries []string
	for i := range 250 {
		entries = append(entries, fmt.Sprintf(`{"id":"n-%03d","school":"s","title":"Entry %03d"}`, i, i))
	}
	e.do("PUT", "/v1/contests/"+id, fmt.Sprintf(`{"id":%q,"title":"Large","locale":"en","phases":{"voting":{"opens":"2026-01-01T00:00:00Z","closes":"2190-01-01T00:00:00Z"}},
		"schools":[{"id":"s","name":"S"}],"entries":[%s]}`, id, strings.Join(entries, ",")), asOrganizer).want(201, "")
	b, path, seen := e.browser("Accept-Language: en"), "/c/"+id, 0
	for path != "" {
		page := b.get(path).want(200, "")
		seen += strings.Count(string(page.body), `name="ballot"`)
		m := regexp.MustCompile(`href="([^"]*)#entries">More entries`).FindSubmatch(page.body)
		if path = ""; m != nil {
			path = html.UnescapeString(string(m[1]))
		}
	}
	if seen != 250 {
		t.Errorf("%d entries on all parts, want 250", seen)
	}
	for _, from := range []string{"0", "-5", "251", "99999999999999999999", "x"} {
		b.get("/c/"+id+"?from="+from).want(200, "").shows("Entry 000")
	}
}

func TestStatic_HashedForeverAndSmall(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	page := e.do("GET", "/c/"+id, "").want(200, "")
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	budget := map[string]int{".css": 8 << 10, ".js": 3 << 10, ".svg": 1 << 10}
	found := regexp.MustCompile(`(?:href|src)="(/static/[^"]*(\.[a-z]+)|/c/[^"]*theme(\.css)[^"]*)"`).FindAllSubmatch(page.body, -1)
	if len(found) != 7 {
		t.Fatalf("%d files on the page, want 7", len(found))
	}
	for _, m := range found {
		extension := string(m[2]) + string(m[3])
		file := e.do("GET", html.UnescapeString(string(m[1])), "").want(200, "")
		if file.header.Get("Cache-Control") != forever || file.header.Get("Content-Type") != kinds[extension] {
			t.Errorf("%s: %v", m[1], file.header)
		}
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = io.Copy(w, bytes.NewReader(file.body))
		must(t, w.Close())
		if packed.Len() > budget[extension] {
			t.Errorf("%s: %d bytes packed, the budget is %d", m[1], packed.Len(), budget[extension])
		}
	}
	if a := e.do("GET", "/static/joute.css", ""); a.status != 404 {
		t.Errorf("without its hash: %d", a.status)
	}
	if a := e.do("GET", "/c/"+id+"/theme.css?v=old", ""); a.header.Get("Cache-Control") == forever {
		t.Error("an old version is kept forever")
	}
}

func TestPage_StoreGoneKeepsTheBallotToPressAgain(t *testing.T) {
	redis := redistest.Start(t)
	e := startOn(t, redis.URL())
	id, _ := e.contest("")
	b := e.browser("Accept-Language: en")
	page := b.get("/c/"+id).want(200, "")
	action, body := form(t, page, "lumiere-1")
	redis.Kill()
	started := time.Now()
	refused := b.send("POST", action, body)
	if took := time.Since(started); refused.status != 503 || refused.header.Get("Retry-After") == "" || took > 2*time.Second {
		t.Fatalf("status %d, Retry-After %q, after %s", refused.status, refused.header.Get("Retry-After"), took)
	}
	refused.shows("A vote never counts twice.", "Send my vote again")
	if _, again := form(t, refused, "lumiere-1"); again != body {
		t.Errorf("another ballot or voter to press again:\n%s\n%s", again, body)
	}
	redis.Restart()
	deadline := time.Now().Add(20 * time.Second)
	for {
		a := b.send("POST", action, body)
		if a.status == 303 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("does not recover: %d", a.status)
		}
	}
	b.press(refused, "lumiere-1").shows("Your vote is counted.")
	e.settled(id, 1)
}

func TestPage_FrozenNumbersStandStillAndTheVoteGoesOn(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"results":{"freeze":"24h30m"}`) // of 25 hours: since half an hour
	b := e.browser("Accept-Language: en")
	page := b.press(b.get("/c/"+id), "lumiere-1")
	page.shows("Your vote is counted.", "The numbers stand still since ")
	e.settled(id, 1) // for the organizer
	for _, reader := range []*browser{b, e.browser("Accept-Language: en")} {
		reader.get("/c/"+id).shows("<b data-total>0</b>", "<b data-votes>0</b>", "<form")
	}
}

// Whoever followed a link to what a contest does not have, or no longer, is led to that
// contest, and not to all there are.
func TestPage_WhatAContestDoesNotHaveLeadsToTheContest(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	other, _ := e.contest("")
	for _, path := range []string{"/e/nobody", "/s/nowhere", "/e/nobody/confirm"} {
		page := e.do("GET", "/c/"+id+path+"?lang=en", "", "Accept: text/html").want(404, "")
		page.shows(`href="/c/` + id + `?lang=en"`)
		if bytes.Contains(page.body, []byte(other)) {
			t.Errorf("%s offers another contest", path)
		}
	}
	e.do("GET", "/c/nothing-like-it?lang=en", "", "Accept: text/html").want(404, "").shows("/c/"+id+"?lang=en", "/c/"+other+"?lang=en")
	frame := e.do("GET", "/embed/"+id+"/nobody?lang=en", "").want(404, "")
	frame.shows(`href="/c/` + id + `?lang=en" target="_blank" rel="noopener">See the contest`)
	e.do("GET", "/embed/nothing-like-it?lang=en", "").want(404, "").shows(`rel="noopener">All contests`)
}
