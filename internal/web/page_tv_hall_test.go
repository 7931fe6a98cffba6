package web

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// hall opens a wall by a hall's link, made for so long.
func (e *env) hall(id, body string) (path string) {
	e.t.Helper()
	a := e.do("POST", "/v1/contests/"+id+"/halls", body, asOrganizer).want(201, "").fits("Hall")
	path, found := strings.CutPrefix(a.text("url"), "https://vote.example.org")
	if !found || !strings.HasPrefix(path, "/tv/"+id+"?hall=") {
		e.t.Fatalf("address %s", a.body)
	}
	return path
}

var wallCode = regexp.MustCompile(`https://vote\.example\.org/p/([0-9a-v]{32})"`)

func TestHall_OnlyItsLinkShowsTheCode(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	other, _ := e.contest("")
	link := e.hall(id, "")
	a := e.do("GET", link+"&lang=en", "").want(200, "")
	a.shows("In the hall?", "Vote!")
	m := wallCode.FindSubmatch(a.body)
	if m == nil {
		t.Fatalf("no code on %s", a.body)
	}
	if string(m[1]) != e.code(id, time.Now()) && string(m[1]) != e.code(id, time.Now().Add(-10*time.Second)) {
		t.Errorf("the code %s is not of now", m[1])
	}
	if got := a.header.Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("the code may be kept: %s", got)
	}
	if got := a.header.Get("Access-Control-Allow-Origin"); got != "" || a.framers() != "'none'" {
		t.Errorf("read by %q, framed by %s", got, a.framers())
	}
	e.browser().get("/p/"+string(m[1])).want(200, "").shows(`action="/p/`)
	// Without scripts it is loaded again when the next code comes.
	if refresh := regexp.MustCompile(`http-equiv="refresh" content="([1-9]|[12][0-9]|30)"`).Find(a.body); refresh == nil {
		t.Errorf("not loaded again within 30 s: %s", a.body)
	}

	presence := e.server.cfg.Presence
	_, key, _ := strings.Cut(link, "?hall=")
	for name, query := range map[string]string{
		"no key": "", "empty": "hall=", "forged": "hall=" + key[:31] + map[bool]string{true: "1", false: "0"}[key[31] == '0'],
		"another contest's": "hall=" + presence.HallKey(other, time.Now().Add(time.Hour)),
		"expired":           "hall=" + presence.HallKey(id, time.Now().Add(-time.Second)),
		"a code":            "hall=" + string(m[1]), "junk": "hall=%00%FF",
	} {
		a := e.do("GET", "/tv/"+id+"?lang=en&"+query, "").want(200, "")
		if wallCode.Match(a.body) || strings.Contains(string(a.body), "data-code ") {
			t.Errorf("%s: the code is shown", name)
		}
		if told := strings.Contains(string(a.body), "link has expired"); told != (len(query) > len("hall=")) {
			t.Errorf("%s: told that the link has expired: %v", name, told)
		}
		if got := a.header.Get("Cache-Control"); got != "private, no-cache" {
			t.Errorf("%s: %s", name, got)
		}
	}
	e.do("POST", "/v1/contests/"+id+"/close", "", asOrganizer).want(200, "")
	e.do("GET", link, "").want(200, "").hides("/p/", "data-code ")
}

func TestHall_IsForOrganizersAndForAWhile(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	e.do("POST", path+"/halls", "").want(401, "unauthorized")
	e.do("POST", "/v1/contests/nowhere/halls", "", asOrganizer).want(404, "no-such-contest")
	for _, body := range []string{`{"for":"1s"}`, `{"for":"2161h"}`, `{"for":"-1h"}`, `{"for":"soon"}`, `{"for":72}`, `{"until":"1h"}`, `[]`} {
		e.do("POST", path+"/halls", body, asOrganizer).want(400, "invalid-request")
	}
	for body, life := range map[string]time.Duration{``: 72 * time.Hour, `{}`: 72 * time.Hour, `{"for":"90m"}`: 90 * time.Minute} {
		a := e.do("POST", path+"/halls", body, asOrganizer).want(201, "")
		expires, err := time.Parse(time.RFC3339, a.text("expires"))
		must(t, err)
		if d := time.Until(expires) - life; d > time.Second || d < -10*time.Second || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, %s", body, a.body, a.header.Get("Cache-Control"))
		}
	}
	partner, _ := e.contest(`,"identity":"partner","partner":{"secret":"0123456789abcdef0123456789abcdef"}`)
	e.do("POST", "/v1/contests/"+partner+"/halls", "", asOrganizer).want(409, "no-presence").fits("Problem")
	key := e.server.cfg.Presence.HallKey(partner, time.Now().Add(time.Hour))
	e.do("GET", "/tv/"+partner+"?hall="+key, "").want(200, "").hides("/p/")
	if strings.Contains(e.log.String(), "hall=") || strings.Contains(e.log.String(), key) {
		t.Error("a key is in the log")
	}
}

// Numbers of home and away are there once there is a vote from the hall, move
// with its standing, and are not on a board whose numbers are not.
func TestHall_HomeAndAwayOnTheWall(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	home := func() string {
		var texts []string
		for _, m := range regexp.MustCompile(`<span class="home" data-home>([^<]*)</span>`).FindAllSubmatch(e.do("GET", "/tv/"+id+"?lang=en", "").want(200, "").body, -1) {
			texts = append(texts, string(m[1]))
		}
		return strings.Join(texts, ", ")
	}
	e.cast(id, "lumiere-1", 2)
	e.settled(id, 2)
	if got := home(); got != ", " {
		t.Errorf("before any vote from the hall: %q", got)
	}
	e.do("GET", "/tv/"+id+"?lang=en", "").shows("data-legend hidden")
	here := "Authorization: Bearer " + e.do("POST", path+"/passes", `{"level":"device","presence":"`+e.code(id, time.Now())+`"}`).want(201, "").text("pass")
	cast := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), here).want(201, "")
	e.settled(id, 3)
	if got := home(); got != "⌂ 1 · 2, ⌂ 0 · 0" {
		t.Errorf("one of three: %q", got)
	}
	e.do("GET", "/tv/"+id+"?lang=en", "").hides("data-legend hidden")
	stand := func(standing string) {
		t.Helper()
		e.do("POST", path+"/standings", `{"ballots":["`+cast.text("ballot")+`"],"standing":"`+standing+`","reason":"lockstep"}`, asOrganizer).want(200, "")
	}
	for standing, want := range map[string]string{"void": ", ", "held": ", ", "counted": "⌂ 1 · 2, ⌂ 0 · 0"} {
		stand(standing)
		e.until("the wall says "+want, func() bool { return home() == want })
	}

	hidden, path := e.contest(`,"results":{"visibility":"after_close"}`)
	here = "Authorization: Bearer " + e.do("POST", path+"/passes", `{"level":"device","presence":"`+e.code(hidden, time.Now())+`"}`).want(201, "").text("pass")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), here).want(201, "")
	e.do("GET", "/tv/"+hidden, "").want(200, "").hides("⌂", "data-home")
	e.do("GET", path+"/leaderboard", "").want(200, "").hides(`"home"`)
	e.do("GET", path+"/leaderboard", "", asOrganizer).want(200, "").shows(`"home":1`)
}
