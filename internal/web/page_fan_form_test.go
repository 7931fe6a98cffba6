package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

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
	if len(e.fans(path)) != 0 || e.mails.Taken() != 0 {
		t.Error("something was asked or sent")
	}
	// The form that came back can be put right.
	b.follow(b.fill(b.fill(page, "email=ada@example.org", "age=over"), "opt_in=yes")).shows("Look into your mail")
	e.mailed("ada@example.org", 1)
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
	if len(e.fans(path)) != 0 || e.mails.Taken() != 0 {
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
	// An address that the child has proven is not the parent's.
	child, err := voting.ParseEmail("child@example.org")
	must(t, err)
	proven, err := e.server.sealAddress(id, child, time.Now())
	must(t, err)
	if own := b.fill(step, "parent=yes", "sealed="+proven); own.status != http.StatusUnprocessableEntity {
		t.Errorf("the child's own address: %d", own.status)
	}
	b.follow(b.fill(a, "parent=yes")).shows("Look into your mail")
	m := e.mailed("parent@example.org", 1)[0]
	confirm := e.browser("Accept-Language: en").get(confirmLink(t, m)).want(200, "")
	confirm.shows("A child under 15", "I am their parent and confirm", "I join Tremplin", "My parent is with me and agrees.")
	b.follow(b.pressOne(confirm)).shows("You are in")
	list := e.fans(path)
	if len(list) != 1 || list[0].(map[string]any)["under_15_parent"] != true || list[0].(map[string]any)["email"] != "parent@example.org" {
		t.Errorf("members %v", list)
	}
	if len(e.mails.Messages("child@example.org")) != 0 {
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
	future := b.send("POST", action, whole(facts(func(f *fanFacts) { f.Made += 3600 }))) // or the clock was set back
	if future.status != 403 {
		t.Errorf("from the future: %d", future.status)
	}
	if _, again := future.fanForm(); again.Get("email") != "ada@example.org" || again.Get("opt_in") != "yes" {
		t.Errorf("from the future, with what was typed: %v", again)
	}
	changed := b.send("POST", action, whole(facts(func(f *fanFacts) { f.Wording = "en-0000000000000000" })))
	if _, again := changed.fanForm(); changed.status != 403 || again.Has("opt_in") {
		t.Errorf("another text: %d %v", changed.status, again)
	}
	if len(e.fans(path)) != 0 || e.mails.Taken() != 0 {
		t.Fatal("something was asked or sent")
	}
	b.follow(b.fill(old)).shows("Look into your mail")
	e.mailed("ada@example.org", 1)
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
	e.mailed("ada@example.org", 1)
	b.follow(b.fill(a, "opt_in=yes", "email=bob@example.org"))
	e.mailed("bob@example.org", 1)
}

func TestFan_StoreGoneKeepsWhatWasTyped(t *testing.T) {
	srv := redistest.Start(t)
	e := startOn(t, srv.URL())
	id, _ := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	srv.Kill()
	a := b.fill(page, "opt_in=yes", "email=ada@example.org", "age=over")
	if a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	a.shows("press again in a moment", "Your vote does not depend on it")
	if strings.Contains(e.log.String(), "ada@") {
		t.Error("the address is in the log")
	}
	srv.Restart()
	var again answer
	e.until("the store is back", func() bool { again = b.fill(a); return again.status == 303 })
	b.follow(again).shows("Look into your mail")
	e.mailed("ada@example.org", 1)
}
