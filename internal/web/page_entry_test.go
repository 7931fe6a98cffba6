package web

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// films are the sites of films: a link, what its page must offer, and the only
// host that its page may frame.
var films = map[string]struct{ page, player, host string }{
	"https://www.youtube.com/watch?v=AAAAAAAAAA1": {"https://www.youtube.com/watch?v=AAAAAAAAAA1", "https://www.youtube-nocookie.com/embed/AAAAAAAAAA1", "www.youtube-nocookie.com"},
	"https://vimeo.com/100000001/0123abcdef":      {"https://vimeo.com/100000001/0123abcdef", "https://player.vimeo.com/video/100000001?h=0123abcdef&dnt=1", "player.vimeo.com"},
	"https://www.dailymotion.com/video/xaaaa01":   {"https://www.dailymotion.com/video/xaaaa01", "https://geo.dailymotion.com/player.html?video=xaaaa01", "geo.dailymotion.com"},
}

// filmed is a contest whose lumiere-1 has a film.
func (e *env) filmed(link string) string {
	e.t.Helper()
	id := newID()
	document := strings.Replace(contestText(id, ""), `"id":"lumiere-1"`, `"video":"`+link+`","authors":["Ana","Bo"],"id":"lumiere-1"`, 1)
	e.do("PUT", "/v1/contests/"+id, document, asOrganizer).want(201, "")
	return "/c/" + id
}

func TestEntry_FilmIsBehindAClickAndItsSiteAloneMayBeFramed(t *testing.T) {
	e := start(t)
	for link, want := range films {
		path := e.filmed(link)
		page := e.do("GET", path+"/e/lumiere-1", "", "Accept-Language: en").want(200, "")
		page.shows(`href="`+want.page+`"`, `data-player="`+want.player+`"`, "("+want.host+") is contacted once you press", "École Lumière", "Ana, Bo", "The worst CV")
		page.hides("<iframe", "<img", "lumiere-2")
		if got, want := page.header.Get("Content-Security-Policy"), strings.Replace(pagePolicy, "; form-action", "; frame-src https://"+want.host+"; form-action", 1); got != want {
			t.Errorf("policy %s, want %s", got, want)
		}
		for _, other := range []string{path, path + "/s/lumiere", path + "/e/vercors-1"} {
			if got := e.do("GET", other, "").header.Get("Content-Security-Policy"); got != pagePolicy {
				t.Errorf("%s has no film, and the policy %s", other, got)
			}
		}
	}
}

func TestEntry_UnknownHiddenAndEmptyAreSaid(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for path, code := range map[string]string{
		"/c/" + id + "/e/secret-1": "No such entry", "/c/" + id + "/e/nobody": "No such entry", "/c/" + id + "/e/%3Cb%3E": "No such entry",
		"/c/" + id + "/s/nobody": "No school of this contest", "/c/" + id + "/s/lumiere-1": "No school of this contest",
		"/c/nowhere/e/lumiere-1": "No such contest", "/c/nowhere/s/lumiere": "No such contest",
	} {
		page := e.do("GET", path, "", "Accept-Language: en")
		if page.status != 404 {
			t.Errorf("%s: %d", path, page.status)
		}
		page.shows(code, "/c/"+id) // and a way on
		page.hides("Hidden one")
	}
	e.do("GET", "/c/"+id+"/s/vercors", "").want(200, "").hides("Hidden one", "secret-1", "edu.vercors.example")
	for _, path := range []string{"/c/" + id + "/e/lumiere-1", "/c/" + id + "/s/lumiere"} {
		if a := e.do("HEAD", path, ""); a.status != 200 || len(a.body) != 0 {
			t.Errorf("HEAD %s: %d", path, a.status)
		}
	}
	e.settled(id, 0)
}

// The page that was voted on is the one the vote leads back to, and a form can
// name no other.
func TestEntry_VoteLeadsBackToWhereItWasPressed(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"rules":{"ballots":{"max":9,"per":"contest"}}`)
	b := e.browser("Accept-Language: en")
	for _, path := range []string{"/c/" + id + "/e/lumiere-1", "/c/" + id + "/s/lumiere", "/c/" + id + "/s/lumiere?lang=fr", "/c/" + id} {
		action, body := form(t, b.get(path).want(200, ""), "lumiere-1")
		a := b.send("POST", action, body, "Sec-Fetch-Site: same-origin")
		to, err := url.Parse(a.header.Get("Location"))
		must(t, err)
		if want, asked, _ := strings.Cut(path, "?"); to.Path != want || !strings.Contains("?"+to.RawQuery, asked) || to.Fragment != "status" {
			t.Errorf("%s leads to %s", path, to)
		}
		b.follow(a).want(200, "").shows(`class="status good"`, "/r/")
	}
	e.settled(id, 4)
	for _, back := range []string{
		"https://evil.example", "//evil.example", "e/secret-1", "e/nobody", "e/", "s/", "s/lumiere-1", "e/lumiere", "e/lumiere-1/../..", "e/lumiere-1\r\nX: y", "x/lumiere",
		"e//evil.example", "tv", "../..",
	} {
		a := e.browser().send("POST", "/c/"+id+"/vote", url.Values{"entry": {"vercors-1"}, "ballot": {uuid.NewString()}, "back": {back}}.Encode())
		if to, err := url.Parse(a.header.Get("Location")); a.status != 303 || err != nil || to.Host != "" || to.Path != "/c/"+id {
			t.Errorf("back=%q leads to %s", back, a.header.Get("Location"))
		}
	}
}

func TestEntry_HiddenNumbersAreNotInIt(t *testing.T) {
	e := start(t)
	numbers := regexp.MustCompile(`data-(votes|score|rank|place|trend|feed)`)
	id, path := e.contest(`,"results":{"visibility":"after_close"}`)
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	for _, page := range []string{"/c/" + id + "/e/lumiere-1", "/c/" + id + "/s/lumiere"} {
		a := e.do("GET", page, "", "Accept-Language: en").want(200, "")
		if found := numbers.Find(a.body); found != nil {
			t.Errorf("%s: %s", page, found)
		}
		a.shows("stay secret until the end of the vote", "<form")
	}
}

func TestPage_NobodyIsFirstWithoutAVote(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	first := regexp.MustCompile(`data-place="1"|data-rank>1<|Rank 1`)
	pages := []string{"/c/" + id, "/c/" + id + "/e/lumiere-1", "/c/" + id + "/s/lumiere", "/embed/" + id, "/embed/" + id + "/lumiere-1"}
	for _, page := range pages {
		a := e.do("GET", page, "", "Accept-Language: en").want(200, "")
		if found := first.Find(a.body); found != nil {
			t.Errorf("%s: %s while nobody has a vote", page, found)
		}
	}
	e.do("GET", "/c/"+id, "", "Accept-Language: en").shows("No vote yet: be the first.")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	e.settled(id, 1)
	for _, page := range pages {
		if a := e.do("GET", page+"?lang=en", ""); !first.Match(a.body) {
			t.Errorf("%s: nobody is first with one vote", page)
		}
	}
	e.do("GET", "/c/"+id, "", "Accept-Language: en").shows(`data-none hidden>`)

	coming := newID()
	e.do("PUT", "/v1/contests/"+coming, contestTextAt(coming, time.Now().Add(70*time.Hour), time.Now().Add(90*time.Hour), ""), asOrganizer).want(201, "")
	for _, page := range []string{"", "/e/lumiere-1", "/s/lumiere"} {
		a := e.do("GET", "/c/"+coming+page, "", "Accept-Language: en").want(200, "")
		a.shows("2 days", "until voting opens")
		a.hides("data-total", "data-votes", "data-rank", "votes counted</", "No vote yet", "hidden for now", "<form")
	}
}

func TestPage_FrenchMarksStayWithTheirWord(t *testing.T) {
	e := start(t)
	id := newID()
	document := strings.NewReplacer(`"title":"A"`, `"title":"Compétences : néant ! « Vraiment » ?"`).Replace(contestText(id, ""))
	e.do("PUT", "/v1/contests/"+id, document, asOrganizer).want(201, "")
	for _, page := range []string{"/c/" + id, "/c/" + id + "/e/lumiere-1", "/c/" + id + "/s/lumiere", "/c/" + id + "/e/lumiere-1/confirm", "/embed/" + id + "/lumiere-1"} {
		a := e.do("GET", page, "").want(200, "")
		a.shows("Compétences\u00a0: néant\u00a0! «\u00a0Vraiment\u00a0»\u00a0?")
		a.hides("Compétences :")
	}
	e.do("GET", "/v1/contests/"+id, "").shows("Compétences : néant") // the document stays as it is
}

func TestEntry_HostileTitlesAreText(t *testing.T) {
	e := start(t)
	id := newID()
	evil := `<img src=x onerror=alert(1)>"'</title></script>`
	e.do("PUT", "/v1/contests/"+id, fmt.Sprintf(`{"id":%q,"title":%q,"brand":%[2]q,"phases":{"voting":{"opens":"2026-01-01T00:00:00Z","closes":"2026-01-02T00:00:00Z"}},
		"schools":[{"id":"s","name":%[2]q,"city":%[2]q}],"entries":[{"id":"e","school":"s","title":%[2]q,"authors":[%[2]q],"video":"https://vimeo.com/1"}]}`, id, evil), asOrganizer).want(201, "")
	for _, path := range []string{"/c/" + id, "/c/" + id + "/e/e", "/c/" + id + "/s/s"} {
		a := e.do("GET", path, "").want(200, "")
		if body := string(a.body); strings.Contains(body, "<img") || strings.Contains(body, `"'</`) || !strings.Contains(body, "&lt;img") {
			t.Errorf("%s: not escaped: %s", path, body)
		}
	}
}
