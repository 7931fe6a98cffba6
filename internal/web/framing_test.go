package web

import (
	"regexp"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

var ancestorsShape = regexp.MustCompile(`frame-ancestors ([^;]*)$`)

// framers is who may frame an answer. Browsers that are told twice take both,
// so it is told once.
func (a answer) framers() string {
	a.t.Helper()
	policies := a.header.Values("Content-Security-Policy")
	if len(policies) != 1 || strings.Count(policies[0], "frame-ancestors") != 1 {
		a.t.Fatalf("policies %q", policies)
	}
	if a.header.Get("X-Frame-Options") != "" {
		a.t.Errorf("X-Frame-Options %q", a.header.Get("X-Frame-Options"))
	}
	return ancestorsShape.FindStringSubmatch(policies[0])[1]
}

const listed = "https://blog.example.org"

func TestFraming_EveryAnswerSaysWhoMayFrameIt(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.app.Post("/embed/:contest/test/panic", func(*fiber.Ctx) error { panic("test") })
		s.app.Post("/embed/:contest/test/rate", func(*fiber.Ctx) error { return &problem{status: 429, code: "rate-limited"} })
	})
	any, _ := e.contest(`,"embed":{"origins":["` + listed + `"]}`)
	only, _ := e.contest(`,"embed":{"origins":["` + listed + `","https://bde.example.edu"],"only":true}`)
	nobody, _ := e.contest(`,"embed":{"only":true}`)
	partner, _ := e.contest(`,"identity":"partner","partner":{"secret":"0123456789abcdef0123456789abcdef"}`)

	both := listed + " https://bde.example.edu"
	for _, test := range []struct {
		method, path string
		status       int
		framers      string
	}{
		{"GET", "/embed/" + any, 200, "*"},
		{"HEAD", "/embed/" + any, 200, "*"},
		{"GET", "/embed/" + any + "?lang=xx&theme=pink", 200, "*"},
		{"GET", "/embed/" + any + "/lumiere-1", 200, "*"},
		{"GET", "/embed/" + any + "/lumiere-1?origin=https://other.example", 200, "*"},
		{"GET", "/embed/" + any + "/lumiere-1?origin=null", 200, "*"},
		{"GET", "/embed/" + any + "/lumiere-1?origin=" + listed, 200, listed},
		{"GET", "/embed/" + any + "/lumiere-1?origin=" + listed + "%3B%20frame-ancestors%20*", 200, "*"},
		{"GET", "/embed/" + partner + "/lumiere-1", 200, "*"},
		{"GET", "/embed/" + only, 200, both},
		{"GET", "/embed/" + only + "/lumiere-1", 200, both},
		{"GET", "/embed/" + only + "/lumiere-1?origin=https://other.example", 200, both},
		{"GET", "/embed/" + only + "/lumiere-1?origin=" + listed, 200, listed},
		{"GET", "/embed/" + nobody, 200, "'none'"},
		// What is not there, or not this way.
		{"GET", "/embed", 404, "*"},
		{"GET", "/embed/", 404, "*"},
		{"GET", "/embed/nowhere", 404, "*"},
		{"GET", "/embed/nowhere/lumiere-1", 404, "*"},
		{"GET", "/embed/" + any + "/", 404, "*"},
		{"GET", "/embed/" + any + "/nobody", 404, "*"},
		{"GET", "/embed/" + any + "/secret-1", 404, "*"},
		{"GET", "/embed/" + any + "/lumiere-1/more", 404, "*"},
		{"GET", "/embed/" + only + "/nobody", 404, both},
		{"GET", "/embed/" + only + "/lumiere-1/more", 404, both},
		{"GET", "/embed/v1/loader.js", 200, "*"},
		{"GET", "/embed/v2/loader.js", 404, "*"},
		{"GET", "/embed/v1", 404, "*"},
		{"GET", "/embed/v1/other.js", 404, "*"},
		{"POST", "/embed/" + any, 405, "*"},
		{"PUT", "/embed/" + only + "/lumiere-1", 405, both},
		{"DELETE", "/embed/v1/loader.js", 405, "*"},
		{"BREW", "/embed/" + only, 405, both},
		{"OPTIONS", "/embed/" + any, 405, "*"},
		{"POST", "/embed/" + any + "/lumiere-1", 403, "*"},
		{"POST", "/embed/" + only + "/lumiere-1", 403, both},
		{"POST", "/embed/nowhere/lumiere-1", 404, "*"},
		{"POST", "/embed/" + any + "/test/panic", 500, "*"},
		{"POST", "/embed/" + only + "/test/panic", 500, both},
		{"POST", "/embed/" + only + "/test/rate", 429, both},
	} {
		a := e.browser().send(test.method, test.path, "")
		if a.status != test.status || a.framers() != test.framers {
			t.Errorf("%s %s: %d framed by %s, want %d by %s", test.method, test.path, a.status, a.framers(), test.status, test.framers)
		}
		if a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s %s: sets a cookie", test.method, test.path)
		}
	}

	// Full: refused before any route.
	e.server.shed.atOnce[reads] = 0
	if a := e.do("GET", "/embed/"+only, ""); a.status != 503 || a.framers() != both {
		t.Errorf("overloaded: %d framed by %s", a.status, a.framers())
	}
	e.server.shed.atOnce[reads] = rooms[reads].atOnce
}

// Nothing else may be framed by anybody: every route there is, and what is none.
func TestFraming_NothingElseIsFramed(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"embed":{"origins":["` + listed + `"]}`)
	paths := map[string]bool{"/embedded": true, "/c/nowhere": true, "/nowhere": true, "/Embed/" + id: true, "//embed/" + id: true, "/c/embed": true}
	for _, r := range e.server.app.GetRoutes(true) {
		path := strings.NewReplacer(":contest", id, ":entry", "lumiere-1", ":school", "lumiere", ":id", "lumiere-1", ":receipt", "x", ":file", "x", ":token", "x").Replace(r.Path)
		if !strings.HasPrefix(path, "/embed") {
			paths[path] = true
		}
	}
	if len(paths) < 20 {
		t.Fatalf("only %d paths", len(paths))
	}
	for path := range paths {
		for _, method := range []string{"GET", "POST", "PUT", "BREW"} {
			if method == "GET" && strings.HasSuffix(path, "/feed") {
				method = "HEAD" // the head alone ends
			}
			if a := e.browser().send(method, path, ""); a.framers() != "'none'" {
				t.Errorf("%s %s: framed by %s", method, path, a.framers())
			}
		}
	}
}

func TestLoader_IsSmallSharedAndAskedForAgain(t *testing.T) {
	e := start(t)
	a := e.do("GET", "/embed/v1/loader.js", "").want(200, "")
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
		"Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	if n := packed(t, a.body); n > 3<<10 {
		t.Errorf("%d bytes packed, the budget is 3 KiB", n)
	}
	if again := e.do("GET", "/embed/v1/loader.js", "", "If-None-Match: "+a.header.Get("ETag")); again.status != 304 || len(again.body) != 0 {
		t.Errorf("asked again: %d", again.status)
	}
	if b := e.do("GET", "/embed/v9/loader.js", ""); b.status != 404 || !strings.Contains(string(b.body), "/embed/v1/loader.js") || b.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("another version: %d %s", b.status, b.body)
	}
	if strings.Contains(string(a.body), "setAttribute('style'") || strings.Contains(string(a.body), "innerHTML") {
		t.Error("a style attribute or markup, which a page's policy may refuse")
	}
	// The heights it reserves are those the frames are made for, and the snippets say.
	for _, line := range []string{"define('joute-vote', 'vote', 300)", "define('joute-board', 'board', 580)"} {
		if !strings.Contains(string(a.body), line) || voteHeight != 300 || boardHeight != 580 {
			t.Errorf("no %q", line)
		}
	}
}
