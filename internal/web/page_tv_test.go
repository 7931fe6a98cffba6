package web

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

// put stores a contest that opens and closes at these times from now.
func (e *env) put(opens, closes time.Duration, more string) string {
	e.t.Helper()
	id := newID()
	e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(opens), time.Now().Add(closes), more), asOrganizer).want(201, "")
	return id
}

// wallNumbers is what only a wall with numbers has.
var wallNumbers = regexp.MustCompile(`data-(votes|score|rank|total|place|trend|best)\b`)

func wallPrint(t *testing.T, a answer) string {
	t.Helper()
	m := regexp.MustCompile(` data-print="([0-9a-f]+)"`).FindSubmatch(a.body)
	if m == nil {
		t.Fatalf("no print on %s", a.body)
	}
	return string(m[1])
}

func TestWall_EveryStateSaysWhatItIs(t *testing.T) {
	e := start(t)
	for _, one := range []struct {
		state         string
		opens, closes time.Duration
		more          string
		says          []string
		numbers       bool
	}{
		{"coming", 50 * time.Hour, 60 * time.Hour, "", []string{"Voting opens in", "<b>2</b> <i>days</i>", "École Lumière"}, false},
		{"voting", -time.Hour, 2*time.Hour + 30*time.Second, "", []string{"Voting ends in", "<b>2</b> <i>hours</i>", "votes counted", "(Europe/Paris)"}, true},
		{"frozen", -time.Hour, time.Hour, `,"results":{"freeze":"90m"}`, []string{"Numbers frozen since"}, true},
		{"hidden", -time.Hour, time.Hour, `,"results":{"visibility":"after_close"}`, []string{"secret until the end of the vote", "École Lumière"}, false},
		{"hidden", -time.Hour, time.Hour, `,"results":{"visibility":"after_ballot"}`, []string{"to those who have voted"}, false},
		{"over", -2 * time.Hour, -time.Hour, `,"results":{"visibility":"after_close"}`, []string{"Voting ended", "Final ranking"}, true},
	} {
		id := e.put(one.opens, one.closes, one.more)
		a := e.do("GET", "/tv/"+id+"?lang=en", "").want(200, "")
		a.shows(append(one.says, ` data-state="`+one.state+`"`, `href="/c/`+id+`/theme.css`, "vote.example.org/c/"+id)...)
		a.hides(">tv.", `"tv.`, ">page.", "<no value>", "Hidden one", "secret-1")
		if got := wallNumbers.Match(a.body); got != one.numbers {
			t.Errorf("%s %s: numbers %v", one.state, one.more, got)
		}
	}
}

// A wall shows the public board whoever asks: not what a voter or an organizer would see.
func TestWall_HiddenAndFrozenNumbersAreForNobody(t *testing.T) {
	e := start(t)
	id := e.put(-time.Hour, time.Hour, `,"results":{"visibility":"after_ballot"}`)
	b := e.browser("Accept-Language: en")
	b.press(b.get("/c/"+id), "lumiere-1").shows("Your vote is counted.")
	for _, header := range []string{"Accept-Language: en", asOrganizer} {
		if found := wallNumbers.Find(b.send("GET", "/tv/"+id, "", header).body); found != nil {
			t.Errorf("%s on the wall of a hidden contest", found)
		}
	}
	id = e.put(-time.Hour, time.Hour, `,"results":{"freeze":"90m"}`)
	before := e.do("GET", "/tv/"+id, "").body
	for range 3 {
		path := "/v1/contests/" + id
		e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), e.pass(path)).want(201, "")
	}
	e.settled(id, 3)
	after := e.do("GET", "/tv/"+id, "").body
	numbers := regexp.MustCompile(`(?s) data-position="[^"]*"|<li .*?</li>|<b data-total="\d+">`)
	if a, b := numbers.FindAll(before, -1), numbers.FindAll(after, -1); fmt.Sprintf("%s", a) != fmt.Sprintf("%s", b) {
		t.Errorf("a frozen wall moved from\n%s to\n%s", a, b)
	}
}

func TestWall_WinnerIsAnnouncedOnceThereIsOne(t *testing.T) {
	e := start(t)
	empty := e.put(-2*time.Hour, -time.Hour, "")
	e.do("GET", "/tv/"+empty+"?lang=en", "").want(200, "").hides("First place")

	id := e.put(-time.Hour, time.Hour, "")
	path := "/v1/contests/" + id
	win := func(entry string) {
		t.Helper()
		e.do("POST", path+"/ballots", ballot(newBallot(), entry), e.pass(path)).want(201, "")
	}
	win("vercors-1")
	e.settled(id, 1)
	e.do("GET", "/tv/"+id+"?lang=en", "").want(200, "").hides("First place")
	win("lumiere-1")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	a := e.do("GET", "/tv/"+id+"?lang=en", "").want(200, "")
	a.shows("First place, shared", `<p class="won"><bdi>École Lumière</bdi></p>`, `<p class="won"><bdi>Vercors</bdi></p>`)
	a.hides("Voting ends in", ` data-until`)
}

func TestWall_IsStrictSmallAndLeavesNothing(t *testing.T) {
	e := start(t)
	id := newID()
	e.do("PUT", "/v1/contests/"+id, strings.Replace(contestText(id, ""), `"École Lumière"`, `"<script>alert(1)</script>"`, 1), asOrganizer).want(201, "")
	a := e.do("GET", "/tv/"+id, "", "Origin: https://elsewhere.example").want(200, "")
	if got := a.header.Get("Content-Security-Policy"); got != pagePolicy {
		t.Errorf("policy %s", got)
	}
	if a.header.Get("Set-Cookie") != "" {
		t.Error("a cookie")
	}
	a.shows("<bdi><script>alert(1)</script></bdi>") // read as text
	if bytes.Contains(a.body, []byte("<script>alert")) {
		t.Error("a name is markup")
	}
	a.hides(" style=", "<a ", "<button", "<input", "<form", "tabindex")
	budget := map[string]int{"css": 6 << 10, "js": 8 << 10, "svg": 1 << 10}
	for _, m := range loads.FindAllSubmatch(a.body, -1) {
		path := html.UnescapeString(string(m[1]))
		if !strings.HasPrefix(path, "/static/") && !strings.HasPrefix(path, "/c/"+id+"/theme.css") {
			t.Errorf("loads %s", path)
			continue
		}
		file, _, _ := strings.Cut(path, "?")
		if size := packed(t, e.do("GET", path, "").want(200, "").body); size > budget[file[strings.LastIndex(file, ".")+1:]] {
			t.Errorf("%s: %d bytes", path, size)
		}
	}
	e.do("GET", "/tv/nowhere?lang=fr", "").want(404, "").shows("Concours introuvable", "/c/"+id)
}

func TestWall_LanguageThemeAndGround(t *testing.T) {
	e := start(t)
	id, _ := e.contest("") // French
	for query, want := range map[string]string{
		"": `<html lang="fr" data-theme="dark">`, "lang=en": `<html lang="en" data-theme="dark">`, "theme=light": `<html lang="fr" data-theme="light">`,
		"lang=xx&theme=dark%22&bg=red": `<html lang="fr" data-theme="dark">`, "bg=transparent": `<html lang="fr" data-theme="dark" data-clear>`,
	} {
		// The hall speaks the contest's language, not the one of the machine that shows it.
		e.do("GET", "/tv/"+id+"?"+query, "", "Accept-Language: en").want(200, "").shows(want)
	}
}

// The print is what makes walls take the page anew: it changes with what the
// page says, and with nothing else.
func TestWall_PrintFollowsTheDocumentAndNotTheVotes(t *testing.T) {
	e := start(t)
	opens, closes := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	id := newID()
	path := "/v1/contests/" + id
	put := func(more string, status int) {
		t.Helper()
		e.do("PUT", path, contestTextAt(id, opens, closes, more), asOrganizer).want(status, "")
	}
	put("", 201)
	get := func() string { return wallPrint(t, e.do("GET", "/tv/"+id, "").want(200, "")) }
	first := get()
	e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), e.pass(path)).want(201, "")
	e.settled(id, 1)
	if got := get(); got != first {
		t.Error("a vote changes the print")
	}
	put(`,"brand":"Tremplin"`, 200)
	second := get()
	if second == first {
		t.Error("another document, the same print")
	}
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	if got := get(); got == second {
		t.Error("closed, the same print")
	}
}

func TestWall_SchoolColoursAreWrittenAnewAndReadable(t *testing.T) {
	e := start(t)
	id := newID()
	document := strings.Replace(contestText(id, ""), `"name":"Vercors"`, `"name":"Vercors","colour":"black"`, 1)
	e.do("PUT", "/v1/contests/"+id, document, asOrganizer).want(201, "")
	for scheme, ground := range wallGrounds {
		a := e.do("GET", "/tv/"+id+"?theme="+scheme, "").want(200, "")
		m := regexp.MustCompile(`<svg class="bar" fill="(#[0-9a-f]{6})"`).FindSubmatch(a.body)
		if m == nil {
			t.Fatalf("%s: no colour in %s", scheme, a.body)
		}
		if got := contrast(parseColour(string(m[1])), ground); got < 4.5 {
			t.Errorf("%s: contrast of %s is %.2f", scheme, m[1], got)
		}
	}
}

func TestWall_NobodyIsFirstWithoutAVote(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	e.do("GET", "/tv/"+id, "").want(200, "").shows("<span data-rank>–</span>")
	e.do("GET", "/tv/"+id, "").hides("<span data-rank>1</span>")
	e.cast(id, "vercors-1", 1)
	e.until("the vote shows", func() bool {
		return strings.Contains(string(e.do("GET", "/tv/"+id, "").body), "<span data-rank>1</span>")
	})
	e.do("GET", "/tv/"+id, "").hides("<span data-rank>–</span>")
}
