package web

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/mail/mailsink"
	"github.com/joute/joute/internal/redistest"
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
func (e *env) mails(to string, n int) []mailsink.Message {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 10*time.Second)
	defer cancel()
	found, err := e.sink.Wait(ctx, to, n)
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
	m = e.mails(address, 1)[0]
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
	page.shows("Your vote is counted", "Join Tremplin", "your vote counts either way", "https://example.org/privacy", "No thanks")
	if _, fields := page.fanForm(); fields.Has("opt_in") || fields.Has("age") || fields.Get("email") != "" {
		t.Fatalf("something is chosen beforehand: %v", fields)
	}
	sent := b.follow(b.fill(page, "opt_in=yes", "email=Ada+List@Example.org", "age=over")).want(200, "")
	sent.shows("Look into your mail", "48 hours")
	if len(e.fans(path)) != 0 {
		t.Fatal("a member before the mail was answered")
	}
	m := e.mails("Ada+List@example.org", 1)[0]
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
	welcome := e.mails("ada@example.org", 2)[1]
	if !strings.Contains(welcome.Subject, "Welcome") {
		t.Errorf("the second mail: %s", welcome.Raw)
	}
	b := e.browser("Accept-Language: en")
	b.follow(b.pressOne(b.get(link(t, welcome, "/fan/leave/"))))
	b.follow(b.fill(b.offered(id, "vercors-1"), "opt_in=yes", "email=ADA@example.org", "age=over"))
	again := e.mails("ada@example.org", 3)[2]
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

func TestFan_OneClickOfAMailServerLeaves(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	for i, body := range []struct{ kind, text string }{
		{"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"},
	} {
		m := e.join(id, "lumiere-1", fmt.Sprintf("ada%d@example.org", i))
		header := regexp.MustCompile(`(?s)List-Unsubscribe: <https://vote\.example\.org(/[^>]*)>`).FindStringSubmatch(strings.ReplaceAll(m.Raw, "\r\n ", ""))
		if header == nil {
			t.Fatalf("no List-Unsubscribe in %s", m.Raw)
		}
		for range 2 { // mail servers try again
			if a := e.do("POST", header[1], body.text, "Content-Type: "+body.kind); a.status != 200 {
				t.Fatalf("%s: %d %s", body.kind, a.status, a.body)
			}
		}
		if list := e.fans(path); len(list) != 0 {
			t.Errorf("%s: members %v", body.kind, list)
		}
	}
}

func TestFan_RefusingIsAsEasyAndKept(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	choice := regexp.MustCompile(`<div class="choice"><button class="([^"]*)">Join</button><a class="([^"]*)" href="([^"]*)">No thanks</a></div>`).FindStringSubmatch(string(page.body))
	if choice == nil || choice[1] != choice[2] {
		t.Fatalf("yes and no do not look alike: %q", choice)
	}
	declined := b.get(strings.TrimSuffix(html.UnescapeString(choice[3]), "#status")).want(200, "")
	declined.shows("Your vote is counted", "signed up for nothing")
	declined.hides("novalidate", "No thanks")
	// What lacks something is said beside its field, and the rest is kept.
	for name, c := range map[string]struct {
		changes []string
		shown   []string
		kept    map[string]string
	}{
		"unticked": {[]string{"email=ada@example.org", "age=over"}, []string{"Tick this box to join"}, map[string]string{"email": "ada@example.org", "age": "over"}},
		"no age":   {[]string{"opt_in=yes", "email=ada@example.org"}, []string{"Say whether you are 15"}, map[string]string{"email": "ada@example.org", "opt_in": "yes"}},
		"odd age":  {[]string{"opt_in=yes", "email=ada@example.org", "age=14"}, []string{"Say whether you are 15"}, nil},
		"no mail":  {[]string{"opt_in=yes", "age=over"}, []string{"This is no e-mail address"}, map[string]string{"opt_in": "yes", "age": "over"}},
		"header": {[]string{"opt_in=yes", "age=over", "email=ada@example.org\r\nBcc: eve@example.org"}, []string{"This is no e-mail address"},
			nil},
		"script":  {[]string{"opt_in=yes", "age=over", `email="><script>x</script>@example.org`}, []string{"This is no e-mail address"}, map[string]string{"email": `"><script>x</script>@example.org`}},
		"letters": {[]string{"opt_in=yes", "age=over", "email=zoé@example.org"}, []string{"only unaccented letters"}, map[string]string{"email": "zoé@example.org"}},
		"nothing": {nil, []string{"Tick this box to join", "Say whether you are 15", "This is no e-mail address"}, nil},
	} {
		a := b.fill(page, c.changes...)
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", name, a.status)
		}
		a.shows(append(c.shown, `role="alert"`, `aria-invalid="true"`)...)
		_, fields := a.fanForm()
		for field, want := range c.kept {
			if fields.Get(field) != want {
				t.Errorf("%s: %s is %q, want %q", name, field, fields.Get(field), want)
			}
		}
		if strings.Contains(string(a.body), "<script>x") {
			t.Errorf("%s: not escaped", name)
		}
	}
	e.settled(id, 1)
	if len(e.fans(path)) != 0 || e.sink.Taken() != 0 {
		t.Error("something was asked or sent")
	}
	// The form that came back can be put right.
	b.follow(b.fill(b.fill(page, "email=ada@example.org", "age=over"), "opt_in=yes")).shows("Look into your mail")
	e.mails("ada@example.org", 1)
}

func TestFan_Under15IsThankedAndNotAskedFurther(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	b.follow(b.fill(page, "opt_in=yes", "email=child@example.org", "age=under")).want(200, "").shows("Thank you for your vote", "kept nothing")
	stored, _ := e.server.cfg.Registry.Get(id)
	fan, err := e.server.cfg.Fans.Fan(stored, "child@example.org")
	must(t, err)
	if standing, _, err := e.server.cfg.Fans.Look(t.Context(), stored, fan, community.AskID{}); err != nil || standing != fans.Nobody {
		t.Errorf("%v %v", standing, err)
	}
	if len(e.fans(path)) != 0 || e.sink.Taken() != 0 {
		t.Error("something was asked or sent")
	}
}

func TestFan_Under15JoinsWithAParentWhoConfirms(t *testing.T) {
	e := start(t)
	id, path := e.contest(withParents)
	b := e.browser("Accept-Language: en")
	step := b.fill(b.offered(id, "lumiere-1"), "opt_in=yes", "email=child@example.org", "age=under").want(200, "")
	step.shows("With a parent", "My parent is with me and agrees.", "Your parent's e-mail address")
	if _, fields := step.fanForm(); fields.Get("email") != "" || fields.Has("parent") || fields.Get("opt_in") != "yes" {
		t.Errorf("the second step holds %v", fields)
	}
	a := b.fill(step, "email=parent@example.org")
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("without the parent's agreement: %d", a.status)
	}
	a.shows("Without a parent beside you")
	b.follow(b.fill(a, "parent=yes")).shows("Look into your mail")
	m := e.mails("parent@example.org", 1)[0]
	confirm := e.browser("Accept-Language: en").get(confirmLink(t, m)).want(200, "")
	confirm.shows("A child under 15", "I am their parent and confirm", "I join Tremplin", "My parent is with me and agrees.")
	b.follow(b.pressOne(confirm)).shows("You are in")
	list := e.fans(path)
	if len(list) != 1 || list[0].(map[string]any)["under_15_parent"] != true || list[0].(map[string]any)["email"] != "parent@example.org" {
		t.Errorf("members %v", list)
	}
	if len(e.sink.Messages("child@example.org")) != 0 {
		t.Error("the child was written to")
	}
}

func TestFan_FormsAreOursAndOfNow(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	other, _ := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	action, fields := page.fanForm()
	whole := func(form string) string {
		f := url.Values{"opt_in": {"yes"}, "email": {"ada@example.org"}, "age": {"over"}, "form": {form}}
		return f.Encode()
	}
	// From another site's page, without a token, with another's.
	for _, headers := range [][]string{{"Origin: https://evil.example"}, {"Origin: null"}, {"Sec-Fetch-Site: cross-site"}} {
		if a := b.send("POST", action, whole(fields.Get("form")), headers...); a.status != 403 {
			t.Errorf("%v: %d", headers, a.status)
		}
	}
	spoilt := []byte(fields.Get("form"))
	spoilt[20] ^= 1
	address, err := voting.ParseEmail("ada@example.org")
	must(t, err)
	proven, err := e.server.sealAddress(id, address, time.Now())
	must(t, err)
	for name, form := range map[string]string{"none": "", "spoilt": string(spoilt), "junk": "AAAA", "long": strings.Repeat("A", 10_000), "of another purpose": proven} {
		if a := b.send("POST", action, whole(form)); a.status != 403 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if a := b.send("POST", "/c/"+other+"/fan", whole(fields.Get("form"))); a.status != 403 {
		t.Errorf("of another contest: %d", a.status)
	}
	// Too old, or for a text that has changed: shown once more, with what was typed.
	facts := func(change func(*fanFacts)) string {
		var f fanFacts
		must(t, e.server.unseal(fanFormPurpose, fields.Get("form"), &f))
		change(&f)
		sealed, err := e.server.seal(fanFormPurpose, f)
		must(t, err)
		return sealed
	}
	old := b.send("POST", action, whole(facts(func(f *fanFacts) { f.Made -= int64((fanFormLife + time.Minute).Seconds()) })))
	if _, again := old.fanForm(); old.status != 403 || again.Get("email") != "ada@example.org" || again.Get("opt_in") != "yes" {
		t.Errorf("too old: %d %v", old.status, again)
	}
	old.shows("Nothing was sent")
	if a := b.send("POST", action, whole(facts(func(f *fanFacts) { f.Made += 3600 }))); a.status != 403 {
		t.Errorf("from the future: %d", a.status)
	}
	changed := b.send("POST", action, whole(facts(func(f *fanFacts) { f.Wording = "en-0000000000000000" })))
	if _, again := changed.fanForm(); changed.status != 403 || again.Has("opt_in") {
		t.Errorf("another text: %d %v", changed.status, again)
	}
	if len(e.fans(path)) != 0 || e.sink.Taken() != 0 {
		t.Fatal("something was asked or sent")
	}
	b.follow(b.fill(old)).shows("Look into your mail")
	e.mails("ada@example.org", 1)
}

// An address that was proven just now is not asked for again, and is not on the page.
func TestFan_AProvenAddressIsCarriedSealed(t *testing.T) {
	e := start(t)
	id, _ := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	address, err := voting.ParseEmail("ada@example.org")
	must(t, err)
	sealed := func(contestID string, age time.Duration) string {
		text, err := e.server.sealAddress(contestID, address, time.Now().Add(-age))
		must(t, err)
		return text
	}
	for name, text := range map[string]string{"too old": sealed(id, fanFormLife+time.Minute), "of another contest": sealed("other", 0), "junk": "AAAA"} {
		if a := b.fill(page, "opt_in=yes", "age=over", "sealed="+text); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	// A fault elsewhere keeps it.
	a := b.fill(page, "age=over", "sealed="+sealed(id, 0))
	a.hides("ada@", "This is no e-mail address")
	a.shows("Another e-mail address")
	b.follow(b.fill(a, "opt_in=yes"))
	e.mails("ada@example.org", 1)
	b.follow(b.fill(a, "opt_in=yes", "email=bob@example.org"))
	e.mails("bob@example.org", 1)
}

func TestFan_ForgedLinksSayOneThingAndDoNothing(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	m := e.join(id, "lumiere-1", "ada@example.org")
	b := e.browser("Accept-Language: en")
	confirm, leave := confirmLink(t, m), link(t, m, "/fan/leave/")
	token := func(path string) string {
		path, _, _ = strings.Cut(path, "?")
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	flip := func(s string) string { return s[:30] + map[bool]string{true: "B", false: "A"}[s[30] == 'A'] + s[31:] }
	nowhere := e.server.fanTokens.Seal(community.Token{Purpose: community.ToLeave, Contest: "nowhere", Fan: community.Fan{1}})
	for name, address := range map[string]string{
		"confirm, changed": "/fan/" + flip(token(confirm)), "leave, changed": "/fan/leave/" + flip(token(leave)),
		"leave to confirm": "/fan/" + token(leave), "confirm to leave": "/fan/leave/" + token(confirm),
		"cut": "/fan/leave/" + token(leave)[:40], "junk": "/fan/x", "junk to leave": "/fan/leave/x", "long": "/fan/" + strings.Repeat("A", 3000),
		"a contest that is gone": "/fan/leave/" + nowhere,
	} {
		for _, method := range []string{"GET", "POST"} {
			a := b.send(method, address, map[string]string{"POST": "page=1"}[method], "Origin: http://"+e.addr)
			if a.status != 404 || a.framers() != "'none'" {
				t.Errorf("%s %s: %d", method, name, a.status)
			}
			a.shows("not one of ours")
		}
	}
	if a := b.send("POST", confirm, "page=1", "Origin: https://evil.example"); a.status != 403 {
		t.Errorf("confirmed from another site: %d", a.status)
	}
	// Who has not asked has nothing to leave, and learns nothing.
	stranger := e.server.fanTokens.Seal(community.Token{Purpose: community.ToLeave, Contest: id, Fan: community.Fan{1}})
	b.get("/fan/leave/"+stranger).want(200, "").shows("Done")
	if list := e.fans(path); len(list) != 1 {
		t.Errorf("members %v", list)
	}
	for _, address := range []string{confirm, leave} {
		if got := b.get(address).header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("kept by caches: %q", got)
		}
	}
}

// Known, unknown, over its budget: an address has the same answer, byte for byte.
func TestFan_TheAnswerDoesNotTellWhoIsKnown(t *testing.T) {
	e := start(t)
	id, _ := e.contest(withFans)
	e.join(id, "lumiere-1", "member@example.org")
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	_, fields := page.fanForm()
	var facts fanFacts
	must(t, e.server.unseal(fanFormPurpose, fields.Get("form"), &facts))
	ask := func(address string, n byte) string {
		facts.Ask = community.AskID{n}.String() // another form
		form, err := e.server.seal(fanFormPurpose, facts)
		must(t, err)
		a := b.fill(page, "opt_in=yes", "age=over", "email="+address, "form="+form)
		location := a.header.Get("Location")
		for _, name := range []string{"Date", "X-Request-Id"} {
			a.header.Del(name)
		}
		return fmt.Sprint(a.status, a.header, string(a.body), string(b.get(location).body))
	}
	first := ask("unknown@example.org", 1)
	for n := range byte(10) {
		for _, address := range []string{"member@example.org", "unknown@example.org", "unknown+1@gmail.com", "m.e@gmail.com"} {
			if got := ask(address, n+2); got != first {
				t.Fatalf("%s:\n%s\nwant\n%s", address, got, first)
			}
		}
	}
	// A member asks how to leave, and is told.
	mails := e.mails("member@example.org", 4)
	if !strings.Contains(mails[3].Subject, "Welcome") {
		t.Errorf("a member gets %q", mails[3].Subject)
	}
	e.mails("unknown@example.org", 3)
	if n := e.sink.Taken(); len(e.sink.Messages("unknown@example.org")) != 3 || len(e.sink.Messages("member@example.org")) != 4 {
		t.Errorf("%d mails", n)
	}
}

func TestFan_StoreLogAndMetricsHaveNoAddress(t *testing.T) {
	srv := redistest.Start(t)
	e := startOn(t, srv.URL())
	id, path := e.contest(withFans)
	m := e.join(id, "lumiere-1", "ada.lovelace@analytical.example")
	b := e.browser("Accept-Language: en", "User-Agent: Difference/1.0")
	b.follow(b.fill(b.offered(id, "vercors-1"), "opt_in=yes", "age=over", "email=charles@babbage.example"))
	e.mails("charles@babbage.example", 1)
	wrong := e.browser("Accept-Language: en")
	wrong.fill(wrong.offered(id, "vercors-1"), "opt_in=yes", "age=over", "email=charles@babbage.example@")
	e.do("GET", path+"/fans", "", asOrganizer).want(200, "")
	e.do("GET", path+"/fans?format=csv", "", asOrganizer).want(200, "")
	ctx, client := t.Context(), srv.Client()
	var dump strings.Builder
	for _, key := range client.Keys(ctx, "*").Val() {
		fmt.Fprintln(&dump, key)
		switch kind := client.Type(ctx, key).Val(); kind {
		case "hash":
			fmt.Fprintln(&dump, client.HGetAll(ctx, key).Val())
		case "string":
			fmt.Fprintln(&dump, client.Get(ctx, key).Val())
		case "zset":
			fmt.Fprintln(&dump, client.ZRange(ctx, key, 0, -1).Val())
		case "stream":
			fmt.Fprintln(&dump, client.XRange(ctx, key, "-", "+").Val())
		default:
			t.Fatalf("%s is a %s", key, kind)
		}
	}
	for _, want := range []string{"/fans}:members", ":pending:", "I join Tremplin"} {
		if !strings.Contains(dump.String(), want) {
			t.Fatalf("the dump shows nothing: no %s", want)
		}
	}
	everything := map[string]string{
		"store": dump.String(), "log": e.log.String(), "metrics": string(e.do("GET", "/metrics", "").body),
		"ledger": string(e.do("GET", path+"/fans/ledger", "", asOrganizer).body), "churn": string(e.do("GET", path+"/fans/churn", "", asOrganizer).body),
		"links": confirmLink(t, m) + link(t, m, "/fan/leave/"),
	}
	for where, text := range everything {
		for _, secret := range []string{"lovelace", "babbage", "charles", "analytical", "Difference"} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%q is in the %s", secret, where)
			}
		}
	}
	if !strings.Contains(everything["log"], "fans downloaded") || !strings.Contains(everything["log"], "by=organizer") {
		t.Error("the downloads are not in the log")
	}
}

func TestFans_AreForTheOrganizerAndSafeInASpreadsheet(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	for _, more := range []string{"/fans", "/fans/ledger", "/fans/churn"} {
		e.do("GET", path+more, "").want(401, "unauthorized")
		e.do("GET", path+more, "", "Authorization: Bearer x").want(401, "unauthorized")
		if a := e.do("GET", path+more, "", asOrganizer).want(200, ""); a.header.Get("Cache-Control") != "no-store" || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", more, a.header)
		}
		e.do("GET", "/v1/contests/nowhere"+more, "", asOrganizer).want(404, "no-such-contest")
	}
	const head = "\ufeff" + `"email","school","joined_at","asked_at","wording","lang","page","under_15_parent"` + "\r\n"
	if a := e.do("GET", path+"/fans", "", asOrganizer, "Accept: text/csv").want(200, ""); string(a.body) != head {
		t.Errorf("nobody: %q", a.body)
	}
	e.join(id, "lumiere-1", "=cmd|'/c'!a1@example.org")
	for _, address := range []string{"+1@example.org", "-1@example.org", "'@example.org"} {
		e.join(id, "vercors-1", address)
	}
	for _, how := range [][]string{{"", "Accept: text/csv"}, {"?format=csv"}, {"?format=csv", "Accept: application/json"}} {
		a := e.do("GET", path+"/fans"+how[0], "", append(how[1:], asOrganizer)...).want(200, "")
		if got := a.header.Get("Content-Type"); got != "text/csv; charset=utf-8" || !strings.Contains(a.header.Get("Content-Disposition"), id+"-fans.csv") {
			t.Errorf("%v: %q", how, a.header)
		}
		lines := strings.Split(string(a.body), "\r\n")
		if len(lines) != 6 || lines[0]+"\r\n" != head {
			t.Fatalf("%v: %q", how, lines)
		}
		for i, begin := range []string{`"'=cmd|'/c'!a1@example.org","lumiere",`, `"'+1@example.org","vercors",`, `"'-1@example.org",`, `"'@example.org",`} {
			if !strings.HasPrefix(lines[i+1], begin) || !strings.HasSuffix(lines[i+1], `,"en","/c/`+id+`","false"`) {
				t.Errorf("line %d: %s", i+1, lines[i+1])
			}
		}
	}
	for _, how := range [][]string{{""}, {"", "Accept: */*"}, {"", "Accept: application/json"}, {"?format=json", "Accept: text/csv"}} {
		a := e.do("GET", path+"/fans"+how[0], "", append(how[1:], asOrganizer)...).want(200, "").fits("Fans")
		if got := a.json()["fans"].([]any)[0].(map[string]any)["email"]; got != "=cmd|'/c'!a1@example.org" {
			t.Errorf("%v: %v", how, got)
		}
	}
}

func TestFan_CountsAreShownOnlyBesideNumbersOfNow(t *testing.T) {
	e := start(t)
	closes := time.Now().Add(2 * time.Hour)
	for name, c := range map[string]struct {
		more  string
		shown bool
	}{
		"live":        {withFans, true},
		"not to show": {withoutCounts, false},
		"after_close": {withFans + `,"results":{"visibility":"after_close"}`, false},
		"frozen":      {withFans + `,"results":{"freeze":"3h"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			id := newID()
			e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(-4*time.Hour), closes, c.more), asOrganizer).want(201, "")
			page := func(path string) string {
				return string(e.do("GET", "/c/"+id+path, "", "Accept-Language: en").want(200, "").body)
			}
			if strings.Contains(page(""), ">0 fans<") {
				t.Error("nobody is counted")
			}
			e.join(id, "lumiere-1", "ada-"+id+"@example.org")
			stored, _ := e.server.cfg.Registry.Get(id)
			e.until("counted", func() bool {
				counts, err := e.server.cfg.Fans.Counts(t.Context(), stored)
				return err == nil && counts["lumiere"] == 1
			})
			if got := strings.Contains(page(""), `<span class="fans">1 fan</span>`); got != c.shown {
				t.Errorf("on the contest's page: %v", got)
			}
			if got := strings.Contains(page("/s/lumiere"), "<b>1</b> <span>fan</span>"); got != c.shown {
				t.Errorf("on the school's page: %v", got)
			}
			if strings.Contains(page("/s/vercors"), "<span>fan") {
				t.Error("a school without fans")
			}
			if strings.Contains(string(e.do("GET", "/v1/contests/"+id+"/leaderboard", "").body), "fan") {
				t.Error("in the leaderboard")
			}
		})
	}
	// For who has voted, as their board.
	id, _ := e.contest(withFans + `,"results":{"visibility":"after_ballot"}`)
	e.join(id, "lumiere-1", "ada@example.org")
	b := e.browser("Accept-Language: en")
	stored, _ := e.server.cfg.Registry.Get(id)
	e.until("counted", func() bool {
		counts, err := e.server.cfg.Fans.Counts(t.Context(), stored)
		return err == nil && counts["lumiere"] == 1
	})
	b.get("/c/" + id).hides("1 fan")
	b.offered(id, "lumiere-1")
	e.until("on the board", func() bool {
		board, err := e.server.cfg.Boards.Board(t.Context(), stored, live.Voter)
		return err == nil && *board.Totals.Counted == 2
	})
	b.get("/c/" + id).shows("1 fan")
}

func TestFan_NoOfferWithoutACommunityOrMails(t *testing.T) {
	e := start(t)
	bare, _ := e.contest("")
	id, _ := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	b.offered(bare, "lumiere-1").hides("novalidate")
	for _, method := range []string{"GET", "POST"} {
		if a := b.send(method, "/c/"+bare+"/fan", ""); a.status != 404 {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	page := b.offered(id, "lumiere-1")
	// Without a public address, links in mails would lead where whoever asks says.
	e.server.cfg.PublicURL = ""
	for host, offered := range map[string]bool{"evil.example": false, "localhost:8080": true, "127.0.0.1:8080": true, "[::1]:8080": true, "127.0.0.1.evil.example": false, "localhost.evil.example": false} {
		req, err := http.NewRequest("GET", "http://"+e.addr+"/c/"+id+"/fan", nil)
		must(t, err)
		req.Host = host
		resp, err := still.Do(req)
		must(t, err)
		resp.Body.Close()
		if got := resp.StatusCode == 200; got != offered {
			t.Errorf("%s: status %d", host, resp.StatusCode)
		}
	}
	e.server.cfg.PublicURL, e.server.cfg.Mail = "https://vote.example.org", nil
	if a := b.fill(page, "opt_in=yes", "email=ada@example.org", "age=over"); a.status != 404 {
		t.Errorf("without mails: %d", a.status)
	}
	if e.sink.Taken() != 0 {
		t.Error("a mail was sent")
	}
}

// A leave link outlives the offer.
func TestFan_LeavingWorksWhenTheOfferIsOver(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	m := e.join(id, "lumiere-1", "ada@example.org")
	e.do("PUT", path, contestText(id, `,"brand":"Maison"`), asOrganizer).want(200, "")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	b := e.browser("Accept-Language: en")
	page := b.get(link(t, m, "/fan/leave/")).want(200, "")
	page.shows("Leave Maison?")
	b.follow(b.pressOne(page)).shows("Done")
	if list := e.fans(path); len(list) != 0 {
		t.Errorf("members %v", list)
	}
}

func TestFan_MailServerDownKeepsTheRequestAndSaysSo(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	e.sink.Down(true)
	b := e.browser("Accept-Language: en")
	b.follow(b.fill(b.offered(id, "lumiere-1"), "opt_in=yes", "email=ada@example.org", "age=over"))
	e.until("down", func() bool { return e.server.cfg.Mail.Down() })
	b.get("/c/"+id+"/fan").shows("Your request is kept", "your vote counts already")
	e.settled(id, 1)
	e.sink.Down(false)
	m := e.mails("ada@example.org", 1)[0]
	b.follow(b.pressOne(b.get(confirmLink(t, m)))).shows("You are in")
	if list := e.fans(path); len(list) != 1 {
		t.Errorf("members %v", list)
	}
}

func TestFan_TooManyAreToldSoAndTheVoteStands(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) { s.cfg.Fans = fans.New(s.cfg.Store, s.cfg.Keys, fans.Options{MailsOfContest: 1}) })
	id, _ := e.contest(withFans)
	for i, status := range []int{303, 503, 503} {
		b := e.browser("Accept-Language: en")
		a := b.fill(b.offered(id, "lumiere-1"), "opt_in=yes", "age=over", fmt.Sprintf("email=ada%d@example.org", i%2))
		if a.status != status {
			t.Errorf("%d: status %d", i, a.status)
		}
		if status == 503 {
			a.shows("try again in an hour", "Your vote counts")
			if a.header.Get("Retry-After") != "3600" {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
		}
	}
	e.settled(id, 3)
	if !strings.Contains(string(e.do("GET", "/metrics", "").body), `joute_fans_total{event="full"} 2`) {
		t.Error("not counted")
	}
}

func TestFan_SpeaksFrench(t *testing.T) {
	e := start(t)
	id, _ := e.contest(withFans)
	b := e.browser("Accept-Language: fr")
	page := b.offered(id, "lumiere-1")
	page.shows("Rejoindre Tremplin", "Je rejoins Tremplin", "Non merci", "15 ans ou plus")
	b.fill(page, "email=ada@example.org").shows("Cochez cette case", "Dites si vous avez 15 ans")
	b.follow(b.fill(page, "opt_in=yes", "email=ada@example.org", "age=over")).shows("Regardez vos mails")
	m := e.mails("ada@example.org", 1)[0]
	if !strings.Contains(m.Subject, "Confirmez") || !strings.Contains(confirmLink(t, m), "?lang=fr") {
		t.Errorf("the mail: %s", m.Raw)
	}
	// A mail program whose browser speaks English still shows the mail's language.
	english := e.browser("Accept-Language: en")
	english.follow(english.pressOne(english.get(confirmLink(t, m)))).shows("Vous y êtes")
}
