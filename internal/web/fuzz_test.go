package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/keyring"
)

// The small readers of headers and queries: whatever is sent, what they give is
// one of few things, and text by text the same as elsewhere.
func FuzzHeaders(f *testing.F) {
	texts, err := newCatalogue()
	must(f, err)
	for _, seed := range []string{
		"", "fr-FR,fr;q=0.9,en;q=0.8", "*;q=0", "zz-Latn-x-private;q=1.0000", `W/"abc", "def"`, "*", "https://blog.example.org", "http://[::1]:8080", "https://a.example/", "0198c0de-0000-7000-8000-000000000001",
		"Bearer abc", "bearer  a b", "e/lumiere-1", "s/lumiere", "10000", "+1", "../..", "#aabbcc",
	} {
		f.Add(seed)
	}
	d, err := contest.Parse([]byte(contestText("fuzzed", "")))
	must(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		if lang := texts.pick(text); lang != "en" && lang != "fr" {
			t.Fatalf("language %q", lang)
		}
		if isOrigin(text) && text != "" {
			u, err := url.Parse(text)
			if err != nil || u.Host == "" || u.Path != "" || u.User != nil && strings.Contains(u.Host, "@") {
				t.Fatalf("%q is no origin", text)
			}
		}
		if id, ok := parseBallotID(text); ok && !strings.EqualFold(id.String(), text) || ok && id == uuid.Nil {
			t.Fatalf("%q is %v", text, id)
		}
		if matches(text, `"never-sent"`) && !strings.Contains(text, "never-sent") && strings.TrimSpace(text) != "*" {
			t.Fatalf("%q matches", text)
		}
		if to := returnTo(d, text); !strings.HasPrefix(to, "/c/fuzzed") {
			t.Fatalf("%q leads to %s", text, to)
		}
		if token := bearer(text); token != strings.TrimSpace(token) || len(token) > len(text) {
			t.Fatalf("%q bears %q", text, token)
		}
	})
}

// Forms and the queries that are like them: an errand is of the contest's own
// entries, and goes into the next address and back.
func FuzzErrand(f *testing.F) {
	d, err := contest.Parse([]byte(contestText("fuzzed", "")))
	must(f, err)
	f.Add("entry=lumiere-1&ballot=0198c0de-0000-7000-8000-000000000001&via=abc.def&origin=https%3A%2F%2Fa.example&back=e%2Flumiere-1&own=x")
	f.Add("entry=secret-1&ballot=x&via=%00&via=b&&=&%zz=1;a=b")
	f.Fuzz(func(t *testing.T, query string) {
		var args fasthttp.Args
		args.Parse(query)
		e := errandOf(d, &args)
		if e.entry.ID != "" {
			if entry, ok := d.Entry(e.entry.ID); !ok || entry.Hidden || e.ballot == uuid.Nil {
				t.Fatalf("%+v", e)
			}
		}
		var again fasthttp.Args
		for _, field := range e.fields() {
			again.Add(field.Name, field.Value)
		}
		if other := errandOf(d, &again); other.entry.ID != e.entry.ID || other.via != e.via || other.origin != e.origin || other.back != e.back || other.ballot != e.ballot {
			t.Fatalf("%+v came back as %+v", e, other)
		}
	})
}

// Tokens of forms, and what browsers carry sealed: only what was made here is good.
func FuzzFormToken(f *testing.F) {
	forms := formTokens{[]byte("a key of thirty-two bytes, or so")}
	f.Add("a.b")
	f.Add(strings.Repeat("A", 200))
	f.Fuzz(func(t *testing.T, token string) {
		if err := forms.check(token, formFacts{}, time.Now()); err == nil {
			t.Fatalf("%q is good", token)
		}
	})
}

// What browsers carry for us from page to page is what was sealed here, for that purpose: nothing
// else is read, spelled otherwise it is not either.
func FuzzUnseal(f *testing.F) {
	keys, err := keyring.Open("")
	must(f, err)
	s := &Server{cfg: Config{Keys: keys}}
	purposes := []string{fanFormPurpose, fanAddressPurpose, "own pass"}
	ours := map[string]string{}
	for _, purpose := range purposes {
		ours[purpose], err = s.seal(purpose, ownFacts{"cv", "pass", 1_800_000_000})
		must(f, err)
		f.Add(ours[purpose])
		f.Add(ours[purpose][:20] + "\n" + ours[purpose][20:])
	}
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		for _, purpose := range purposes {
			var facts ownFacts
			if err := s.unseal(purpose, text, &facts); (err == nil) != (text == ours[purpose]) {
				t.Errorf("%q as %s: %+v, %v", text, purpose, facts, err)
			}
		}
	})
}

// The names of ballots that an organizer's program sends: read as what they say, or a fault.
func FuzzParseChanges(f *testing.F) {
	for _, seed := range []string{"0198c0de-0000-7000-8000-000000000001", "0198C0DE-0000-7000-8000-000000000001/00000000000000000000000000", "/", "x/", "0198c0de-0000-7000-8000-000000000001/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		changes, err := parseChanges(standingsBody{Ballots: []string{text}, Standing: "void", Reason: "farm"})
		if err != nil {
			return
		}
		name := changes[0].Ballot.String()
		if id, voter, named := strings.Cut(text, "/"); !strings.EqualFold(id, name) || named && changes[0].Voter.String() != voter || changes[0].Ballot == uuid.Nil {
			t.Fatalf("%q names %+v", text, changes[0])
		}
	})
}

// The class of a request and whether it may be answered from memory: found of any
// address, and never a probe but of the three.
func FuzzClassOf(f *testing.F) {
	for _, seed := range []string{"/livez", "/v1/contests/x/ballots", "http://x/readyz?a", "//metrics", "/organize/", "?", "", "/v1/contests/feed", "*"} {
		f.Add(http.MethodGet, seed)
		f.Add(http.MethodPost, seed)
	}
	f.Add("", "/v1/contests/x/feed")
	f.Fuzz(func(t *testing.T, method, target string) {
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.SetMethod(method)
		ctx.Request.SetRequestURI(target)
		of := classOf(&ctx)
		path, _, _ := strings.Cut(target, "?")
		if of == probes && path != "/livez" && path != "/readyz" && path != "/metrics" {
			t.Fatalf("%q is a probe", target)
		}
		if lean(&ctx) && utf8.ValidString(target) && !strings.HasSuffix(path, "/leaderboard") {
			t.Fatalf("%q is answered from memory", target)
		}
		if is := string(ctx.Method()); of == feeds && is != http.MethodGet && is != http.MethodHead { // no method is GET to fasthttp, and never comes so far
			t.Fatalf("%s %q is a feed", is, target)
		}
	})
}
