package web

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/mail/mailsink"
	"github.com/joute/joute/voting"
)

const (
	withFans      = `,"brand":"Maison","links":{"privacy":"https://example.org/privacy"},"community":{"name":"Tremplin","opt_in":{"fr":"Je rejoins Tremplin","en":"I join Tremplin"}}`
	withParents   = `,"community":{"name":"Tremplin","opt_in":"I join Tremplin","under_15":"parent"}`
	withoutCounts = `,"community":{"name":"Tremplin","opt_in":"I join Tremplin","show_fans":false}`
)

var fanFormShape = regexp.MustCompile(`(?s)<form method="post" action="(/c/[^"]*/fan[^"]*)" novalidate>(.*?)</form>`)

// fanForm is the offer's form as the page has it: what it holds without anybody's doing.
func (a answer) fanForm() (action string, fields url.Values) {
	a.t.Helper()
	f := fanFormShape.FindStringSubmatch(string(a.body))
	if f == nil {
		a.t.Fatalf("no form of an offer in %s", a.body)
	}
	fields = url.Values{}
	for _, input := range regexp.MustCompile(`<input [^>]*>`).FindAllString(f[2], -1) {
		value := func(name string) string {
			m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(input)
			if m == nil {
				return ""
			}
			return html.UnescapeString(m[1])
		}
		if kind := value("type"); (kind == "checkbox" || kind == "radio") && !strings.Contains(input, " checked") {
			continue
		}
		fields.Set(value("name"), value("value"))
	}
	return html.UnescapeString(f[1]), fields
}

// fill presses the offer's button with fields changed: "name=value", or "name" to leave one out.
func (b *browser) fill(page answer, changes ...string) answer {
	b.e.t.Helper()
	action, fields := page.fanForm()
	for _, change := range changes {
		name, value, set := strings.Cut(change, "=")
		if fields.Set(name, value); !set {
			fields.Del(name)
		}
	}
	return b.send("POST", action, fields.Encode(), "Origin: http://"+b.e.addr, "Sec-Fetch-Site: same-origin")
}

// offered votes and is at the page with the offer.
func (b *browser) offered(id, entry string) answer {
	b.e.t.Helper()
	return b.press(b.get("/c/"+id), entry).want(200, "")
}

// mails waits for so many mails to an address.
func (e *env) mailed(to string, n int) []mailsink.Message {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 10*time.Second)
	defer cancel()
	found, err := e.mails.Wait(ctx, to, n)
	must(e.t, err)
	return found
}

// link is the path of the first link of a mail that has a part of it.
func link(t testing.TB, m mailsink.Message, part string) string {
	t.Helper()
	for _, found := range regexp.MustCompile(`https://vote\.example\.org(/\S+)`).FindAllStringSubmatch(m.Text, -1) {
		if strings.HasPrefix(found[1], part) {
			return found[1]
		}
	}
	t.Fatalf("no link to %s in %s", part, m.Text)
	return ""
}

func confirmLink(t testing.TB, m mailsink.Message) string {
	t.Helper()
	path := link(t, m, "/fan/")
	if strings.HasPrefix(path, "/fan/leave/") {
		t.Fatalf("the first link leaves: %s", m.Text)
	}
	return path
}

// pressOne presses the one button of a page.
func (b *browser) pressOne(page answer) answer {
	b.e.t.Helper()
	f := regexp.MustCompile(`<form method="post" action="(/fan/[^"]*)"><input type="hidden" name="page" value="1"><button`).FindStringSubmatch(string(page.body))
	if f == nil {
		b.e.t.Fatalf("no button in %s", page.body)
	}
	return b.send("POST", html.UnescapeString(f[1]), "page=1", "Origin: http://"+b.e.addr, "Sec-Fetch-Site: same-origin")
}

// join votes, takes the offer and answers the mail.
func (e *env) join(id, entry, address string) (m mailsink.Message) {
	e.t.Helper()
	b := e.browser("Accept-Language: en")
	b.follow(b.fill(b.offered(id, entry), "opt_in=yes", "email="+address, "age=over"))
	m = e.mailed(address, 1)[0]
	b.follow(b.pressOne(b.get(confirmLink(e.t, m)).want(200, ""))).shows("You are in")
	return m
}

func (e *env) fans(path string) []any {
	e.t.Helper()
	return e.do("GET", path+"/fans", "", asOrganizer).want(200, "").fits("Fans").json()["fans"].([]any)
}

func TestFan_DoubleOptInFromVoteToLeaving(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	page.shows("Your vote is counted", "Join Tremplin", "your vote does not depend on it", "https://example.org/privacy", "No thanks")
	if _, fields := page.fanForm(); fields.Has("opt_in") || fields.Has("age") || fields.Get("email") != "" {
		t.Fatalf("something is chosen beforehand: %v", fields)
	}
	sent := b.follow(b.fill(page, "opt_in=yes", "email=Ada+List@Example.org", "age=over")).want(200, "")
	sent.shows("Look into your mail", "48 hours")
	if len(e.fans(path)) != 0 {
		t.Fatal("a member before the mail was answered")
	}
	m := e.mailed("Ada+List@example.org", 1)[0]
	if !strings.Contains(m.Text, "I join Tremplin") || !strings.Contains(m.Raw, "List-Unsubscribe-Post: List-Unsubscribe=One-Click") {
		t.Errorf("the mail: %s", m.Raw)
	}
	// Another browser, without a cookie: a mail program's. To open the link changes nothing.
	other := e.browser("Accept-Language: en")
	for range 3 {
		other.get(confirmLink(t, m)).want(200, "").shows("I join Tremplin", "Confirm")
	}
	if len(e.fans(path)) != 0 {
		t.Fatal("a scanner of mail has confirmed")
	}
	confirm := other.get(confirmLink(t, m))
	in := other.follow(other.pressOne(confirm)).want(200, "")
	in.shows("You are in", "You have joined Tremplin")
	other.follow(other.pressOne(confirm)).want(200, "").shows("You are in")
	list := e.fans(path)
	if len(list) != 1 {
		t.Fatalf("members %v", list)
	}
	got := list[0].(map[string]any)
	if got["email"] != "Ada+List@example.org" || got["school"] != "lumiere" || got["lang"] != "en" || got["page"] != "/c/"+id || got["under_15_parent"] != false {
		t.Errorf("exported %v", got)
	}
	texts := e.do("GET", path+"/fans", "", asOrganizer).json()["wordings"].(map[string]any)
	if texts[got["wording"].(string)] != "I join Tremplin" {
		t.Errorf("the text agreed to: %v", texts)
	}
	// The mail's own link leaves: logged out, in a third browser, by one button.
	out := e.browser("Accept-Language: fr")
	leaving := out.get(link(t, m, "/fan/leave/")).want(200, "")
	leaving.shows("Leave Tremplin?")
	if len(e.fans(path)) != 1 {
		t.Fatal("a scanner of mail has left")
	}
	out.follow(out.pressOne(leaving)).want(200, "").shows("Done", "does not have your address")
	if len(out.cookies) != 0 || len(e.fans(path)) != 0 {
		t.Errorf("cookies %v, members %v", out.cookies, e.fans(path))
	}
	out.follow(out.pressOne(leaving)).want(200, "").shows("Done")
	// A mail's old link does not bring anybody back.
	if a := other.pressOne(confirm); a.status != 404 {
		t.Errorf("an old link: %d", a.status)
	}
	other.get(confirmLink(t, m)).want(404, "").shows("expired")
	var kinds []string
	for line := range strings.Lines(string(e.do("GET", path+"/fans/ledger", "", asOrganizer).want(200, "").body)) {
		record := answer{t: t, body: []byte(line)}.fits("FanRecord").json()
		kinds = append(kinds, fmt.Sprint(record["kind"], " ", record["school"], " ", record["channel"]))
	}
	if !slices.Equal(kinds, []string{"join lumiere site", "leave lumiere site"}) {
		t.Errorf("ledger %v", kinds)
	}
	total := e.do("GET", path+"/fans/churn", "", asOrganizer).want(200, "").fits("Churn").json()["total"].(map[string]any)
	if total["joined"] != 1.0 || total["left"] != 1.0 || total["left_within_day"] != 1.0 || total["current"] != 0.0 {
		t.Errorf("churn %v", total)
	}
	e.settled(id, 1)
	metrics := string(e.do("GET", "/metrics", "").body)
	for _, line := range []string{`joute_fans_total{event="asked"} 1`, `joute_fans_total{event="confirmed"} 1`, `joute_fans_total{event="left"} 1`, `joute_fans_total{event="full"} 0`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s", line)
		}
	}
}

func TestFan_WhoComesBackIsAMemberAgain(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	m := e.join(id, "lumiere-1", "ada@example.org")
	welcome := e.mailed("ada@example.org", 2)[1]
	if !strings.Contains(welcome.Subject, "Welcome") {
		t.Errorf("the second mail: %s", welcome.Raw)
	}
	b := e.browser("Accept-Language: en")
	b.follow(b.pressOne(b.get(link(t, welcome, "/fan/leave/"))))
	b.follow(b.fill(b.offered(id, "vercors-1"), "opt_in=yes", "email=ADA@example.org", "age=over"))
	again := e.mailed("ada@example.org", 3)[2]
	b.follow(b.pressOne(b.get(confirmLink(t, again)))).shows("You are in")
	if list := e.fans(path); len(list) != 1 || list[0].(map[string]any)["school"] != "vercors" {
		t.Errorf("members %v", list)
	}
	// The very first mail still leads out.
	b.follow(b.pressOne(b.get(link(t, m, "/fan/leave/"))))
	if list := e.fans(path); len(list) != 0 {
		t.Errorf("members %v", list)
	}
}

// One form may be sent for any address: beyond a network's budget each mail has a price, as that of a
// code has, and nobody is refused.
func TestFan_ANetworkThatAsksForManyMailsPays(t *testing.T) {
	e := start(t)
	id, _ := e.contest(withFans)
	at := func(from string) *browser { return e.browser("Accept-Language: en", "X-Forwarded-For: "+from) }
	b := at("198.51.100.7")
	page := b.offered(id, "lumiere-1")
	ask := func(b *browser, page answer, more ...string) answer {
		t.Helper()
		return b.fill(page, append([]string{"opt_in=yes", "age=over"}, more...)...)
	}
	var asking sync.WaitGroup
	var refused atomic.Int64
	const together = 8 // so many more at once may be too many for a busy machine, which is another refusal
	for range together {
		asking.Go(func() {
			for range mailsPerBlock / together {
				if ask(b, page, "email="+address()).status != 303 {
					refused.Add(1)
				}
			}
		})
	}
	asking.Wait()
	if refused.Load() != 0 {
		t.Fatalf("%d of a campus are asked for a challenge", refused.Load())
	}
	// Known, new or written to just now: everybody is asked.
	mine := address()
	priced := ask(b, page, "email="+mine).want(403, "")
	priced.shows("Checking", "a short calculation", mine)
	found := puzzle.FindStringSubmatch(string(priced.body))
	if found == nil || found[2] == "" || !strings.Contains(string(priced.body), "/static/challenge.") {
		t.Fatalf("no challenge that is solved by itself: %s", priced.body)
	}
	var c antifraud.Challenge
	must(t, json.Unmarshal([]byte(html.UnescapeString(found[1])), &c))
	solution, err := c.Solve()
	must(t, err)
	for range 2 { // its answer may have been lost
		ask(b, priced, "email="+mine, "challenge="+solution).want(303, "")
	}
	e.mailed(mine, 1)
	ask(b, priced, "email="+address(), "challenge="+solution).want(403, "")
	ask(b, priced, "email="+address(), "challenge=nonsense").want(403, "")
	// Nobody else pays: another network, and who has proven the address just now.
	other := at("198.51.101.7")
	ask(other, other.offered(id, "lumiere-1"), "email="+address()).want(303, "")
	email, err := voting.ParseEmail(address())
	must(t, err)
	sealed, err := e.server.sealAddress(id, email, time.Now())
	must(t, err)
	ask(b, page, "email=", "sealed="+sealed).want(303, "")
	e.mailed(email.Deliver(), 1)
}
