package web

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/redistest"
)

// walk asks every GET route there is for a contest, as anybody may, and answers
// what came: headers and bodies by route and address. A route with a parameter
// that it cannot fill in fails the test: a new way to see numbers is walked or
// is not built.
type walk struct {
	*env
	contest, ballot, receipt string
	leave                    string   // token of a fan
	captain                  string   // link of a school
	code                     string   // of a voter who shares
	headers                  []string // of who looks
}

// ever is what differs from one answer to the next: ballots and passes made for
// a form, the names of requests, the clock, and the hour a link was opened in.
var ever = regexp.MustCompile(`name="(?:ballot|pass|token)" value="[^"]*"|"request_id":"[^"]*"|via=[a-z0-9-]+\.\w+|name="via" value="[^"]*"|data-now="\d+"|data-unit="second"[^>]*>\s*<b>\d+</b>\s*<i>\w+</i>`)

// values are what stands for a parameter.
func (w walk) values(t testing.TB, route, parameter string) []string {
	entries, schools := []string{"lumiere-1", "vercors-1"}, []string{"lumiere", "vercors"}
	switch parameter {
	case ":contest":
		return []string{w.contest}
	case ":entry":
		return entries
	case ":school":
		return schools
	case ":id":
		if strings.Contains(route, "/s/:id") {
			return schools
		}
		return entries
	case ":ballot":
		return []string{w.ballot}
	case ":receipt":
		return []string{w.receipt}
	case ":token":
		switch {
		case strings.HasPrefix(route, "/fan/"):
			return []string{w.leave}
		case strings.HasPrefix(route, "/k/"):
			return []string{w.captain, "forged"}
		default:
			return []string{hallCode, "none"}
		}
	case ":code":
		return []string{w.code, "0123456789ab"}
	case ":version":
		return []string{"v2"}
	case ":file":
		return []string{assetNames["joute.css"], "none.js"}
	case "*":
		return []string{"a/b/c"}
	}
	t.Fatalf("a route has the parameter %s: tell this test what to ask", parameter)
	return nil
}

// hallCode stands for the code that the wall shows when the address is asked.
const hallCode = "HALLCODE"

// addresses are the routes with their parameters filled in.
func (w walk) addresses(t testing.TB, route string) []string {
	made := []string{""}
	for _, part := range regexp.MustCompile(`:[a-z]+|\*|[^:*]+`).FindAllString(route, -1) {
		values := []string{part}
		if part[0] == ':' || part[0] == '*' {
			values = w.values(t, route, part)
		}
		var next []string
		for _, before := range made {
			for _, value := range values {
				next = append(next, before+value)
			}
		}
		made = next
	}
	if strings.Contains(route, ":contest") {
		for _, path := range slices.Clone(made) {
			made = append(made, path+"?lang=en&limit=1")
		}
	}
	return made
}

// see is what every public address answers now, by route and address.
func (w walk) see(t testing.TB) map[string]string {
	seen := map[string]string{}
	w.server.cards = newCards() // else a card would be of a minute ago
	for _, route := range w.server.app.GetRoutes(true) {
		if route.Method != http.MethodGet || route.Path == "/metrics" { // of the server and not of a contest; see TestMetrics_
			continue
		}
		for _, path := range w.addresses(t, route.Path) {
			var text string
			if strings.HasSuffix(path, "/feed") {
				f := w.feed(strings.TrimSuffix(path, "/feed"))
				id, data := f.next()
				f.conn.Close()
				text = id + "\n" + data
			} else if !strings.Contains(path, "/feed?") {
				headers := w.headers
				if strings.HasPrefix(path, "/s/") { // else the walk's own visit would be a number that moves
					headers = append(slices.Clone(headers), "User-Agent: WhatsApp/2.24")
				}
				code := w.server.cfg.Presence.Code(w.contest, time.Now()).Token
				a := w.do("GET", strings.ReplaceAll(path, hallCode, code), "", headers...)
				for _, name := range []string{"Date", "X-Request-Id"} {
					a.header.Del(name)
				}
				text = fmt.Sprint(a.status, a.header, "\n", ever.ReplaceAllString(strings.ReplaceAll(string(a.body), code, hallCode), ""))
				if a.status >= 500 {
					t.Errorf("%s: %s", path, text)
				}
			}
			seen[route.Path+" "+path] = text
		}
	}
	return seen
}

// moved are the routes whose answers differ, with the first difference of each.
func moved(before, after map[string]string) map[string]string {
	routes := map[string]string{}
	for address, text := range before {
		if now := after[address]; now != text {
			i := 0
			for i < len(text) && i < len(now) && text[i] == now[i] {
				i++
			}
			route, _, _ := strings.Cut(address, " ")
			around := func(s string) string { return s[max(0, i-60):min(len(s), i+60)] }
			routes[route] = fmt.Sprintf("%s: …%s… became …%s…", address, around(text), around(now))
		}
	}
	return routes
}

// walked is a contest with ballots, seen before and after more of them.
func walked(t *testing.T, e *env, more string, voter bool, ready func(*live.Board) bool) map[string]string {
	t.Helper()
	id := newID()
	path := "/v1/contests/" + id
	now := time.Now()
	closes := now.Add(48*time.Hour + 30*time.Minute) // the hours left, which pages tell, are the same for half an hour
	e.do("PUT", path, contestTextAt(id, now.Add(-time.Hour), closes, more+withFans), asOrganizer).want(201, "")
	cast := func(entry, pass string) answer {
		return e.do("POST", path+"/ballots", ballot(newBallot(), entry), pass).want(201, "")
	}
	me := e.pass(path)
	first := cast("lumiere-1", me)
	gone := cast("vercors-1", e.pass(path))
	cast("vercors-1", e.pass(path))
	stored, _ := e.server.cfg.Registry.Get(id)
	board := func(v live.Viewer) *live.Board {
		b, err := e.server.cfg.Boards.Board(t.Context(), stored, v)
		must(t, err)
		return b
	}
	e.until("as the test wants it", func() bool { return ready(board(live.Public)) })
	w := walk{env: e, contest: id, ballot: first.text("ballot"), receipt: first.text("receipt"), code: e.do("POST", path+"/shares", "", me).want(201, "").text("code")}
	w.leave = e.server.fanTokens.Seal(community.Token{Purpose: community.ToLeave, Contest: id, Fan: e.fan(stored, "first@example.org")})
	e.fansCounted(stored, 1)
	_, w.captain, _ = strings.Cut(e.do("POST", path+"/captains", `{"school":"lumiere"}`, asOrganizer).want(201, "").text("url"), "/k/")
	if voter {
		_, token, _ := strings.Cut(me, "Bearer ")
		w.headers = []string{me, "Cookie: " + passCookieName(id) + "=" + token}
	}
	before := w.see(t)
	for range 6 {
		cast("lumiere-1", e.pass(path))
	}
	e.do("POST", path+"/standings", `{"ballots":["`+gone.text("ballot")+`"],"standing":"void","reason":"lockstep"}`, asOrganizer).want(200, "")
	e.until("counted", func() bool { return *board(live.Organizer).Totals.Counted == 8 })
	for i := range 4 {
		e.fan(stored, fmt.Sprintf("fan%d@example.org", i))
	}
	e.fansCounted(stored, 5)
	return moved(before, w.see(t))
}

// fan makes a member of an address, without its mail.
func (e *env) fan(stored *registry.Stored, address string) community.Fan {
	e.t.Helper()
	kept := e.server.cfg.Fans
	fan, err := kept.Fan(stored, address)
	must(e.t, err)
	r := fans.Request{Fan: fan, Ask: community.AskID{1}, Address: address, School: "lumiere", Wording: community.NewWording("en", "I join"), Page: "/c/x", Channel: community.ChannelSite, Lang: "en"}
	_, err = kept.Ask(e.t.Context(), stored, r)
	must(e.t, err)
	_, _, err = kept.Confirm(e.t.Context(), stored, fan, r.Ask)
	must(e.t, err)
	return fan
}

// fansCounted waits until so many are shown, which may be a second behind.
func (e *env) fansCounted(stored *registry.Stored, n int64) {
	e.t.Helper()
	e.until("fans counted", func() bool {
		counts, err := e.server.cfg.Fans.Counts(e.t.Context(), stored)
		must(e.t, err)
		return counts["lumiere"] == n
	})
}

// One rule of who sees which numbers, on every path there is.
func TestWalk_NoNumberOfAFrozenOrHiddenContestMoves(t *testing.T) {
	e := startOn(t, redistest.Start(t).URL()) // the list of contests is walked too
	for name, c := range map[string]struct {
		more  string
		voter bool
		ready func(*live.Board) bool
	}{
		"frozen":                              {`,"results":{"freeze":"48h29m58s"}`, false, func(b *live.Board) bool { return b.Frozen }},
		"frozen, for a voter":                 {`,"results":{"freeze":"48h29m58s"}`, true, func(b *live.Board) bool { return b.Frozen }},
		"after_close":                         {`,"results":{"visibility":"after_close"}`, false, func(b *live.Board) bool { return b.Hidden }},
		"after_close, for a voter":            {`,"results":{"visibility":"after_close"}`, true, func(b *live.Board) bool { return b.Hidden }},
		"after_ballot, for who has not voted": {`,"results":{"visibility":"after_ballot"}`, false, func(b *live.Board) bool { return b.Hidden }},
	} {
		t.Run(name, func(t *testing.T) {
			for route, difference := range walked(t, e, c.more, c.voter, c.ready) {
				t.Errorf("%s moved: %s", route, difference)
			}
		})
	}
}

// The control: where numbers are live, the same walk sees each of them move.
func TestWalk_FindsNumbersThatMove(t *testing.T) {
	e := startOn(t, redistest.Start(t).URL())
	routes := walked(t, e, "", false, func(b *live.Board) bool { return *b.Totals.Counted == 3 })
	page := string(e.do("GET", "/c/"+e.server.cfg.Registry.List()[0].Contest.ID, "").body)
	if !strings.Contains(page, `<span class="fans">5 fans</span>`) {
		t.Errorf("no fans beside the live numbers: %s", page)
	}
	for _, route := range []string{
		onContest + "/leaderboard", onContest + "/feed", "/c/:contest", "/c/:contest/vote", "/c/:contest/e/:entry", "/c/:contest/s/:school",
		"/s/:code", "/k/:token", "/tv/:contest", "/card/:contest.png", "/card/:contest/e/:id.png", "/card/:contest/s/:id.png", "/badge/:contest/:entry.svg",
		"/embed/:contest", "/embed/:contest/:entry",
	} {
		if _, ok := routes[route]; !ok {
			t.Errorf("%s shows no number that moves", route)
		}
		delete(routes, route)
	}
	for route, difference := range routes {
		t.Errorf("%s moves, and is not in the list of those that show numbers: %s", route, difference)
	}
}

// How many ballots a server took is for who runs it: a proxy that passes
// everything on does not make it public.
func TestMetrics_AreNotForWhoComesThroughAProxy(t *testing.T) {
	e := start(t)
	e.do("GET", "/metrics", "").want(200, "")
	e.do("GET", "/metrics", "", "X-Forwarded-For: 192.0.2.1").want(401, "unauthorized")
	e.do("GET", "/metrics", "", "X-Forwarded-For: 192.0.2.1", asOrganizer).want(200, "")
}

// Nor is it public on a server that browsers reach without a proxy.
func TestMetrics_AreNotForWhoComesFromOutside(t *testing.T) {
	e := start(t)
	for from, open := range map[string]bool{
		"127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true, "10.1.2.3": true, "172.18.0.1": true, "192.168.1.2": true, "fd00::1": true, "fe80::1": true,
		"203.0.113.9": false, "::ffff:203.0.113.9": false, "2001:db8::1": false, "172.32.0.1": false,
	} {
		for _, key := range []string{"", "Bearer " + organizerKey} {
			var asked fasthttp.Request
			asked.SetRequestURI("/metrics")
			asked.Header.Set("Authorization", key)
			var fctx fasthttp.RequestCtx
			fctx.Init(&asked, &net.TCPAddr{IP: net.ParseIP(from), Port: 4711}, nil)
			e.server.app.Handler()(&fctx)
			want, counts := http.StatusUnauthorized, false
			if open || key != "" {
				want, counts = http.StatusOK, true
			}
			if got := fctx.Response.StatusCode(); got != want || bytes.Contains(fctx.Response.Body(), []byte("joute_ballots_total")) != counts {
				t.Errorf("from %s with key %q: status %d, want %d", from, key, got, want)
			}
		}
	}
}
