package web

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestOrigin_PublicReadsAreOpenAndNothingElse(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"embed":{"origins":["https://blog.example.org"]}`)
	pass := e.pass(path)
	const own, other = "Origin: https://blog.example.org", "Origin: https://evil.example"
	for _, p := range []string{"/v1/contests", path, path + "/leaderboard", "/openapi.json", path + "/ledger"} {
		a := e.do("GET", p, "", other)
		if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("GET %s: %v", p, a.header)
		}
	}
	for _, c := range []struct{ origin, want string }{{own, "https://blog.example.org"}, {other, ""}, {"Origin: null", ""}, {"Origin: https://blog.example.org.evil.example", ""}} {
		a := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass, c.origin)
		if a.status == 403 || a.header.Get("Access-Control-Allow-Origin") != c.want || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin") {
			t.Errorf("cast with a bearer from %s: %d %v", c.origin, a.status, a.header)
		}
		for method, methods := range map[string]string{"POST": "POST, OPTIONS"} {
			a := e.do("OPTIONS", path+"/ballots", "", c.origin, "Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: authorization,content-type").want(204, "")
			if a.header.Get("Access-Control-Allow-Origin") != c.want || a.header.Get("Access-Control-Allow-Methods") != methods ||
				a.header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type" {
				t.Errorf("preflight from %s: %v", c.origin, a.header)
			}
		}
	}
	// A page anywhere may read a leaderboard, also with its reader's pass; it may not write.
	for method, want := range map[string]string{"GET": "*", "PUT": ""} {
		a := e.do("OPTIONS", path, "", other, "Access-Control-Request-Method: "+method).want(204, "")
		if a.header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("preflight of %s: %v", method, a.header)
		}
	}
	if a := e.do("OPTIONS", path, "").want(204, ""); a.header.Get("Allow") != "GET, HEAD, PUT, OPTIONS" {
		t.Errorf("%v", a.header)
	}
	e.do("OPTIONS", "/nothing", "").want(404, "not-found")
}

func TestOrigin_PassesAreNotForForeignPages(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"embed":{"origins":["https://blog.example.org"]}`)
	for _, c := range []struct {
		headers []string
		status  int
	}{
		{nil, 201},
		{[]string{"Sec-Fetch-Site: same-origin", "Origin: http://" + e.addr}, 201},
		{[]string{"Sec-Fetch-Site: same-origin"}, 201},
		{[]string{"Sec-Fetch-Site: none"}, 201},
		{[]string{"Origin: http://" + e.addr}, 201},
		{[]string{"Origin: https://vote.example.org"}, 201},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: https://blog.example.org"}, 201},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403},
		{[]string{"Sec-Fetch-Site: same-site", "Origin: https://evil.example.org"}, 403},
		{[]string{"Sec-Fetch-Site: cross-site"}, 403},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: null"}, 403},
		{[]string{"Origin: null"}, 403},
		{[]string{"Origin: https://evil.example"}, 403},
		{[]string{"Origin: http://vote.example.org"}, 403},
		{[]string{"Origin: https://blog.example.org:8443"}, 403},
		{[]string{"Origin: garbage"}, 403},
	} {
		code := ""
		if c.status == 403 {
			code = "forbidden-origin"
		}
		a := e.do("POST", path+"/passes", `{"level":"device"}`, c.headers...)
		if a.status != c.status {
			t.Errorf("%v: %d, want %d", c.headers, a.status, c.status)
		} else {
			a.want(c.status, code)
		}
	}
}

func TestPasses(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	a := e.do("POST", path+"/passes", `{"level":"device"}`).want(201, "").fits("Pass")
	expires, err := time.Parse(time.RFC3339, a.text("expires"))
	if err != nil || time.Until(expires) < 24*time.Hour || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", a.body, a.header)
	}
	if a.header.Get("Set-Cookie") != "" {
		t.Errorf("a cookie for a program: %v", a.header)
	}
	first := e.do("POST", path+"/passes", `{"level":"device"}`, "Sec-Fetch-Site: same-origin").want(201, "")
	cookie, err := http.ParseSetCookie(first.header.Get("Set-Cookie"))
	must(t, err)
	if cookie.Name != "__Host-joute-"+id || cookie.Value != first.text("pass") || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" ||
		cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge <= 0 || cookie.MaxAge > 400*24*3600 {
		t.Errorf("%+v", cookie)
	}
	// The cookie is for pages: the API takes a bearer only, so no foreign form can cast with it.
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), "Cookie: "+cookie.Name+"="+cookie.Value).want(401, "invalid-pass")

	for _, body := range []string{`{}`, `{"level":"partner"}`, `{"level":"device","email":"a@example.org"}`, `{"level":"device","x":1}`, `{"level":1}`} {
		e.do("POST", path+"/passes", body).want(400, "invalid-request")
	}
	e.do("POST", "/v1/contests/nobody/passes", `{"level":"device"}`).want(404, "no-such-contest")
}

// A refusal that comes before any route, such as of a body too long, can be read by the
// pages that may read the route's answers, and by no others.
func TestOrigin_EarlyRefusalsAreReadByWhoMayReadAnswers(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"embed":{"origins":["https://blog.example.org"]}`)
	const own, other = "Origin: https://blog.example.org", "Origin: https://evil.example"
	long := `{"ballot":"` + strings.Repeat("x", 20<<10) + `"}`
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
		own, other         string // who may read it
	}{
		{"POST", path + "/ballots", long, nil, 413, "https://blog.example.org", ""},
		{"POST", path + "/ballots", "{}", []string{"Content-Encoding: gzip"}, 415, "https://blog.example.org", ""},
		{"POST", path + "/passes", long, nil, 413, "https://blog.example.org", ""},
		{"GET", path + "/leaderboard", "", []string{"Content-Encoding: gzip"}, 415, "*", "*"},
		{"POST", "/c/nothing/vote", long, nil, 413, "", ""},
		{"POST", "/v1/contests/nothing/ballots", long, nil, 413, "", ""},
	} {
		for origin, want := range map[string]string{own: c.own, other: c.other} {
			a := e.do(c.method, c.path, c.body, append(c.headers, origin)...).want(c.status, "")
			if got := a.header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s %s, %d, from %s: read by %q, want %q", c.method, c.path, c.status, origin, got, want)
			}
			varies := strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin")
			if c.own != c.other && !varies {
				t.Errorf("%s %s, %d: %v", c.method, c.path, c.status, a.header)
			}
		}
	}
}

// A page that reads a feed by fetch says itself where it left off, and one that keeps a
// leaderboard which it has: both are headers that a browser asks for first.
func TestOrigin_OpenReadsMayBeConditional(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	for _, p := range []string{"/feed", "/leaderboard"} {
		a := e.do("OPTIONS", path+p, "", "Origin: https://any.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: if-none-match,last-event-id").want(204, "")
		if got := a.header.Get("Access-Control-Allow-Headers"); got != "Authorization, Content-Type, If-None-Match, Last-Event-ID" || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %q", p, got)
		}
	}
}
