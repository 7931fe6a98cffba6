package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// packed is the size of a file as it travels.
func packed(t testing.TB, body []byte) int {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(body)
	must(t, err)
	must(t, w.Close())
	return out.Len()
}

// loads are the addresses a page makes a browser ask for.
var loads = regexp.MustCompile(`<(?:script|link|img|iframe|source|video|object|embed)[^>]* (?:src|href|data)="([^"]*)"`)

const inOurFrame = "Sec-Fetch-Site: same-origin"

func (e *env) own() string { return "Origin: http://" + e.addr }

// frameForm is the vote form of a frame on a listed page, as its script sends it.
func frameForm(t testing.TB, page answer) url.Values {
	t.Helper()
	fields := url.Values{}
	for _, input := range inputShape.FindAllStringSubmatch(string(page.body), -1) {
		fields.Set(input[1], html.UnescapeString(input[2]))
	}
	if fields.Get("token") == "" {
		t.Fatalf("no form in %s", page.body)
	}
	return fields
}

// listedContest is a contest that one page may take votes for, and the frame there.
func (e *env) listedContest(more string) (id, frame string) {
	id, _ = e.contest(`,"embed":{"origins":["` + listed + `"]}` + more)
	return id, "/embed/" + id + "/lumiere-1?lang=en&origin=" + listed
}

func TestFrame_IsSmallAndAsksNobodyElse(t *testing.T) {
	e := start(t)
	id, frame := e.listedContest("")
	for _, path := range []string{"/embed/" + id, frame, "/embed/" + id + "/lumiere-1", "/embed/nowhere"} {
		page := e.do("GET", path, "")
		total, requests := packed(t, page.body), 1
		for _, m := range loads.FindAllStringSubmatch(string(page.body), -1) {
			if !strings.HasPrefix(m[1], "/static/") {
				t.Errorf("%s loads %s", path, m[1])
				continue
			}
			total += packed(t, e.do("GET", m[1], "").want(200, "").body)
			requests++
		}
		if total > 15<<10 || requests > 3 {
			t.Errorf("%s: %d bytes in %d requests, the budget is 15 KiB in 3", path, total, requests)
		}
		if page.header.Get("Set-Cookie") != "" || bytes.Contains(page.body, []byte("Storage")) {
			t.Errorf("%s keeps something before the vote", path)
		}
		if bytes.Contains(page.body, []byte(" style=")) || bytes.Contains(page.body, []byte("<form action")) {
			t.Errorf("%s: an inline style, or a form that votes without its script: %s", path, page.body)
		}
		if strings.Count(page.header.Get("Content-Security-Policy"), "'sha256-") != 1 {
			t.Errorf("%s: %s", path, page.header.Get("Content-Security-Policy"))
		}
	}
}

func TestFrame_LanguageAndThemeFallBack(t *testing.T) {
	e := start(t)
	id, _ := e.contest("") // French
	for query, want := range map[string][2]string{
		"": {"fr", "auto"}, "lang=en": {"en", "auto"}, "lang=fr&theme=dark": {"fr", "dark"}, "lang=xx&theme=light": {"fr", "light"},
		"lang=%22%3E&theme=%22%3E": {"fr", "auto"},
	} {
		for _, path := range []string{"/embed/" + id, "/embed/" + id + "/lumiere-1"} {
			// Whoever reads it, a frame speaks the language of the page it is part of.
			a := e.do("GET", path+"?"+query, "", "Accept-Language: en").want(200, "")
			a.shows(fmt.Sprintf(`<html lang="%s" data-theme="%s">`, want[0], want[1]))
			a.hides(">frame.", `"frame.`, "page.", "<no value>", "Hidden one")
		}
	}
}

func TestFrame_SaysWhatIsNotThere(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for path, want := range map[string]string{
		"/embed/nowhere?lang=en": "No such contest", "/embed/" + id + "/nobody?lang=en": "No such entry",
		"/embed/" + id + "/secret-1?lang=fr": "Candidature introuvable", "/embed?lang=en": "Nothing here",
	} {
		a := e.do("GET", path, "")
		if a.status != 404 || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", path, a.status, a.header.Get("Content-Type"))
		}
		a.shows(want, `target="_blank"`)
	}
}

func TestFrame_VoteCountsOnceHoweverOftenItIsSent(t *testing.T) {
	e := start(t)
	id, frame := e.listedContest("")
	b := e.browser()
	form := frameForm(t, b.get(frame).want(200, ""))
	form.Set("dwell_ms", "5400")
	form.Set("confirm_ms", "900")
	form.Set("visible", "true")
	form.Set("device", "360|740|Europe/Paris")
	var wg sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers { // before any cookie arrives
		wg.Go(func() { answers[i] = e.browser().send("POST", frame, form.Encode(), e.own(), inOurFrame) })
	}
	wg.Wait()
	created := 0
	for _, a := range answers {
		if a.status == 201 {
			created++
		} else if a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a.text("receipt") != answers[0].text("receipt") {
			t.Error("another receipt for the same ballot")
		}
	}
	if created != 1 {
		t.Errorf("%d were created, want 1", created)
	}
	done := b.send("POST", frame, form.Encode(), e.own(), inOurFrame).want(200, "")
	done.shows("Your vote is counted.", "Thank you for voting for")
	b.get(done.text("receipt")).want(200, "").shows("This vote is counted.")
	line := done.header.Get("Set-Cookie")
	for _, part := range []string{framePassCookieName(id) + "=", "path=/", "HttpOnly", "secure", "SameSite=None", "Partitioned"} {
		if !strings.Contains(strings.ToLower(line), strings.ToLower(part)) {
			t.Errorf("%q lacks %q", line, part)
		}
	}
	// A refresh, another entry, and a frame from before the vote: the same voter.
	for _, path := range []string{frame, strings.Replace(frame, "lumiere-1", "vercors-1", 1)} {
		again := b.send("POST", path, frameForm(t, b.get(path)).Encode(), e.own(), inOurFrame).want(409, "already-voted")
		again.hides("ballot id")
	}
	other := frameForm(t, e.browser().get(frame))
	b.send("POST", frame, other.Encode(), e.own(), inOurFrame).want(409, "already-voted")
	e.settled(id, 1)

	evidence := string(e.do("GET", "/v1/contests/"+id+"/evidence", "", asOrganizer).want(200, "").body)
	for _, part := range []string{`"referrer":"embed"`, `"embed_origin":"` + listed + `"`, `"dwell_ms":5400`, `"confirm_ms":900`, `"visible":true`, `"device":"`} {
		if !strings.Contains(evidence, part) {
			t.Errorf("no %s in %s", part, evidence)
		}
	}
	if strings.Contains(evidence, "Europe/Paris") {
		t.Errorf("the device in clear: %s", evidence)
	}
}

func TestFrame_ChangedFormsAreRejected(t *testing.T) {
	e := start(t)
	id, frame := e.listedContest("")
	otherID, _ := e.listedContest("")
	form := frameForm(t, e.browser().get(frame))
	stored, _ := e.server.cfg.Registry.Get(id)
	stranger, _, err := e.server.cfg.Passes.IssueDevice(stored.Contest, time.Now())
	must(t, err)
	with := func(name, value string) string {
		changed := url.Values{}
		for k, v := range form {
			changed[k] = v
		}
		changed.Set(name, value)
		return changed.Encode()
	}
	for name, test := range map[string]struct{ path, body string }{
		"entry":       {strings.Replace(frame, "lumiere-1", "vercors-1", 1), form.Encode()},
		"contest":     {strings.Replace(frame, id, otherID, 1), form.Encode()},
		"ballot":      {frame, with("ballot", uuid.NewString())},
		"voter":       {frame, with("pass", stranger)},
		"no voter":    {frame, with("pass", "")},
		"no token":    {frame, with("token", "")},
		"other token": {frame, with("token", e.server.forms.seal(formFacts{}, time.Now()))},
	} {
		a := e.browser().send("POST", test.path, test.body, e.own(), inOurFrame).want(403, "rejected")
		if !strings.Contains(string(a.body), `"reasons":["form-token"]`) || a.header.Get(headerForm) != "" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v %s", name, a.header, a.body)
		}
	}
	for _, origin := range []string{"https://other.example", ""} {
		e.browser().send("POST", frame, with("origin", origin), e.own(), inOurFrame).want(403, "forbidden-origin")
	}
	e.settled(id, 0)
	e.settled(otherID, 0)
	e.browser().send("POST", frame, form.Encode(), e.own(), inOurFrame).want(201, "") // control
}

func TestFrame_OldFormsStayTheSameBallot(t *testing.T) {
	e := start(t)
	id, frame := e.listedContest("")
	b := e.browser()
	form := frameForm(t, b.get(frame))
	stored, _ := e.server.cfg.Registry.Get(id)
	pass, err := e.server.cfg.Passes.Check(stored.Contest, form.Get("pass"), time.Now())
	must(t, err)
	facts := formFacts{id, "lumiere-1", listed, uuid.MustParse(form.Get("ballot")), pass.Voter}
	form.Set("token", e.server.forms.seal(facts, time.Now().Add(-11*time.Minute)))
	a := b.send("POST", frame, form.Encode(), e.own(), inOurFrame).want(403, "rejected")
	if !strings.Contains(string(a.body), `"reasons":["form-expired"]`) {
		t.Errorf("%s", a.body)
	}
	e.settled(id, 0)
	form.Set("token", a.header.Get(headerForm))
	first := b.send("POST", frame, form.Encode(), e.own(), inOurFrame).want(201, "")
	form.Set("token", e.server.forms.seal(facts, time.Now().Add(-11*time.Minute)))
	form.Set("token", b.send("POST", frame, form.Encode(), e.own(), inOurFrame).want(403, "rejected").header.Get(headerForm))
	if again := b.send("POST", frame, form.Encode(), e.own(), inOurFrame).want(200, ""); again.text("receipt") != first.text("receipt") {
		t.Error("another ballot")
	}
	e.settled(id, 1)
}

func TestFrame_OnlyItsOwnDocumentMaySend(t *testing.T) {
	e := start(t)
	id, frame := e.listedContest("")
	form := frameForm(t, e.browser().get(frame)).Encode()
	for _, headers := range [][]string{
		{}, {e.own()}, {inOurFrame}, {"Origin: null", inOurFrame}, {"Origin: " + listed, inOurFrame}, {"Origin: " + listed, "Sec-Fetch-Site: cross-site"},
		{e.own(), "Sec-Fetch-Site: cross-site"}, {e.own(), "Sec-Fetch-Site: same-site"}, {e.own(), "Sec-Fetch-Site: none"},
	} {
		e.browser().send("POST", frame, form, headers...).want(403, "forbidden-origin")
	}
	for _, path := range []string{frame + "&" + form, "/c/" + id + "/e/lumiere-1/confirm?" + form, "/c/" + id + "/vote?" + form} { // GET never votes
		e.browser().send("GET", path, "", e.own(), inOurFrame)
	}
	e.do("POST", frame, `{"entry":"lumiere-1"}`, e.own(), inOurFrame).want(415, "unsupported-media-type")
	for _, bad := range []string{"&dwell_ms=-1", "&dwell_ms=x", "&confirm_ms=99999999999", "&device=" + strings.Repeat("x", 257), "&via=a%20b"} {
		e.browser().send("POST", frame, strings.Replace(form, "&", bad+"&", 1), e.own(), inOurFrame).want(400, "invalid-request")
	}
	e.settled(id, 0)
}

func TestFrame_VoteIsInsideOnListedPagesAlone(t *testing.T) {
	e := start(t)
	id := newID()
	document := contestText(id, `,"embed":{"origins":["`+listed+`"]}`)
	e.do("PUT", "/v1/contests/"+id, document, asOrganizer).want(201, "")
	path := "/embed/" + id + "/lumiere-1?lang=en&via=abc"
	frame := path + "&origin=" + listed
	for _, more := range []string{"", "&origin=null", "&origin=https://other.example", "&origin=" + listed + "/", "&origin=https://BLOG.example.org"} {
		a := e.do("GET", path+more, "").want(200, "")
		a.hides(`data-joute="vote"`, `name="token"`)
		a.shows(`data-joute="window" href="/c/`+id+`/e/lumiere-1/confirm?lang=en`, "via=abc")
	}
	e.do("GET", frame, "").shows(`data-joute="vote"`, `data-joute="confirm"`, `data-joute="window"`, `data-joute="status"`)
	// The page that is no longer listed no longer takes votes, with forms of before too.
	form := frameForm(t, e.browser().get(frame))
	e.do("PUT", "/v1/contests/"+id, strings.Replace(document, listed, "https://other.example", 1), asOrganizer).want(200, "")
	e.browser().send("POST", frame, form.Encode(), e.own(), inOurFrame).want(403, "forbidden-origin")
	e.settled(id, 0)
}

func TestFrame_ClosedContestsHaveNothingToPress(t *testing.T) {
	e := start(t)
	for _, span := range [][2]time.Duration{{-2 * time.Hour, -time.Hour}, {time.Hour, 2 * time.Hour}} {
		id := newID()
		e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(span[0]), time.Now().Add(span[1]), `,"embed":{"origins":["`+listed+`"]}`), asOrganizer).want(201, "")
		a := e.do("GET", "/embed/"+id+"/lumiere-1?lang=en&origin="+listed, "").want(200, "")
		a.hides(`class="vote"`, `name="token"`)
		a.shows("Voting ")
		e.do("GET", "/c/"+id+"/e/lumiere-1/confirm", "").hides(`name="token"`)
		e.do("GET", "/embed/"+id, "").hides("data-feed")
	}
}

func TestFrame_HiddenNumbersAreNotInIt(t *testing.T) {
	e := start(t)
	for _, rule := range []string{"after_close", "after_ballot"} {
		id, frame := e.listedContest(`,"results":{"visibility":"` + rule + `"}`)
		b := e.browser()
		b.send("POST", frame, frameForm(t, b.get(frame)).Encode(), e.own(), inOurFrame).want(201, "")
		e.settled(id, 1)
		for _, path := range []string{frame, "/embed/" + id} {
			e.do("GET", path, "").hides("data-place", "data-score", "Rank 1", "1 vote", "data-feed")
		}
	}
}

func TestFrame_HostileTitlesAreText(t *testing.T) {
	e := start(t)
	id := newID()
	evil := `<img src=x onerror=alert(1)>"'</title></style></textarea></script>` + strings.Repeat("🎓", 20) + "שלום"
	e.do("PUT", "/v1/contests/"+id, fmt.Sprintf(`{"id":%q,"title":%q,"brand":%q,"phases":{"voting":{"opens":"2026-01-01T00:00:00Z","closes":"2190-01-01T00:00:00Z"}},
		"embed":{"origins":[%q]},"schools":[{"id":"s","name":%[2]q}],"entries":[{"id":"e","school":"s","title":%[2]q}]}`, id, evil, evil, listed), asOrganizer).want(201, "")
	for _, path := range []string{"/embed/" + id, "/embed/" + id + "/e?origin=" + listed, "/c/" + id + "/e/e/confirm", "/c/" + id + "/embed", "/embed/" + id + "/e?theme=" + url.QueryEscape(evil) + "&via=" + url.QueryEscape(evil)} {
		a := e.do("GET", path, "").want(200, "")
		if bytes.Contains(a.body, []byte("<img src=x")) || !bytes.Contains(a.body, []byte("&lt;img")) {
			t.Errorf("%s: not escaped: %s", path, a.body)
		}
	}
}

func TestConfirm_WindowVotesWithoutScripts(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	b := e.browser("Accept-Language: en")
	path := "/c/" + id + "/e/lumiere-1/confirm?origin=https://other.example&via=abc"
	page := b.get(path).want(200, "")
	page.shows("Confirm my vote for A", "École Lumière")
	if page.framers() != "'none'" || len(b.cookies) != 0 {
		t.Errorf("framed by %s, cookies %v", page.framers(), b.cookies)
	}
	action, body := form(t, page, "lumiere-1")
	b.send("POST", action, body, "Origin: null").want(403, "")
	b.send("POST", action, body, "Origin: https://other.example", "Sec-Fetch-Site: cross-site").want(403, "")
	b.send("POST", action, strings.Replace(body, "token=", "token=x", 1)).want(403, "").shows("This ballot was refused")
	done := b.press(page, "lumiere-1")
	done.shows("Your vote is counted.", "Thank you for voting for")
	done.hides(`name="token"`)
	b.press(page, "lumiere-1").shows("Your vote is counted.")
	b.press(b.get(path), "lumiere-1").shows("You have already voted.")
	e.settled(id, 1)
	if b.cookies[passCookieName(id)] == "" {
		t.Error("no cookie after the vote")
	}
	evidence := string(e.do("GET", "/v1/contests/"+id+"/evidence", "", asOrganizer).want(200, "").body)
	if !strings.Contains(evidence, `"embed_origin":"https://other.example"`) || !strings.Contains(evidence, `"referrer":"embed"`) || strings.Contains(evidence, "visible") {
		t.Errorf("evidence %s", evidence)
	}
	for _, path := range []string{"/c/" + id + "/e/nobody/confirm", "/c/" + id + "/e/secret-1/confirm", "/c/nowhere/e/lumiere-1/confirm"} {
		b.get(path).want(404, "")
	}
}

func TestConfirm_OldWindowKeepsTheBallot(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	b := e.browser("Accept-Language: en")
	page := b.get("/c/" + id + "/e/lumiere-1/confirm")
	action, body := form(t, page, "lumiere-1")
	sent, err := url.ParseQuery(body)
	must(t, err)
	stored, _ := e.server.cfg.Registry.Get(id)
	pass, err := e.server.cfg.Passes.Check(stored.Contest, sent.Get("pass"), time.Now())
	must(t, err)
	sent.Set("token", e.server.forms.seal(formFacts{id, "lumiere-1", "", uuid.MustParse(sent.Get("ballot")), pass.Voter}, time.Now().Add(-time.Hour)))
	old := b.send("POST", action, sent.Encode()).want(403, "")
	old.shows("press once more")
	if _, again := form(t, old, "lumiere-1"); !strings.Contains(again, sent.Get("ballot")) {
		t.Errorf("another ballot: %s", again)
	}
	b.press(old, "lumiere-1").shows("Your vote is counted.")
	e.settled(id, 1)
}

func TestEmbedPage_GivesWhatToPaste(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"embed":{"origins":["` + listed + `"]}`)
	a := e.do("GET", "/c/"+id+"/embed?kind=vote&entry=vercors-1&widget=en&theme=dark&lang=en", "").want(200, "")
	a.shows(`<script src="https://vote.example.org/embed/v1/loader.js" async></script>`,
		`<joute-vote contest="`+id+`" entry="vercors-1" lang="en" theme="dark">`, `<iframe src="https://vote.example.org/embed/`+id+`/vercors-1?lang=en&amp;theme=dark"`,
		"script-src https://vote.example.org; frame-src https://vote.example.org; img-src https://vote.example.org<", `class="preview" src="/embed/`+id+`/vercors-1?lang=en&theme=dark"`, listed, "<svg class=\"qr\"")
	a.hides("embed.", "Hidden one", "secret-1")
	if !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-src 'self'") {
		t.Error("the preview is refused")
	}
	// What is not offered is not pasted.
	for _, query := range []string{"", "?kind=x&entry=secret-1&widget=%22&theme=%3Cb%3E", "?kind=vote&entry=nobody"} {
		b := e.do("GET", "/c/"+id+"/embed"+query, "").want(200, "")
		b.shows(`<joute-vote contest="` + id + `" entry="lumiere-1">`)
		b.hides("<b>")
	}
	// A board has no badge, and asks for no pictures.
	e.do("GET", "/c/"+id+"/embed?kind=board", "").shows(`<joute-board contest="`+id+`">`, "frame-src https://vote.example.org<")
	only, _ := e.contest(`,"embed":{"origins":["` + listed + `"],"only":true}`)
	e.do("GET", "/c/"+only+"/embed?lang=en", "").hides(`class="preview"`)
	e.do("GET", "/c/nowhere/embed", "").want(404, "")
}

// A pass that was accepted says who voted; a refusal leaves nothing.
func TestFrame_RefusedVotesSetNoCookie(t *testing.T) {
	e := start(t)
	id, frame := e.listedContest("")
	form := frameForm(t, e.browser().get(frame))
	e.do("POST", "/v1/contests/"+id+"/close", "", asOrganizer).want(200, "")
	a := e.browser().send("POST", frame, form.Encode(), e.own(), inOurFrame).want(409, string(voting.PhaseClosed))
	if a.header.Get("Set-Cookie") != "" {
		t.Errorf("cookie %q", a.header.Get("Set-Cookie"))
	}
	e.settled(id, 0)
}
