package web

import (
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// spread is a contest whose reach a test looks at.
type spread struct {
	*env
	id, path string
}

func newShared(t testing.TB, more string) spread {
	e := start(t)
	id, path := e.contest(more)
	return spread{e, id, path}
}

// code is the share code of a pass.
func (s spread) code(pass string) string {
	s.t.Helper()
	return s.do("POST", s.path+"/shares", "", pass).want(201, "").text("code")
}

// open opens a link and gives what the page it leads to carries on.
func (s spread) open(link string, headers ...string) (to, via string) {
	s.t.Helper()
	a := s.browser(headers...).get("/s/" + link)
	if a.status != 302 || a.header.Get("Set-Cookie") != "" || a.header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("/s/%s: %d %v", link, a.status, a.header)
	}
	to = a.header.Get("Location")
	u, err := url.Parse(to)
	must(s.t, err)
	return to, u.Query().Get("via")
}

// post casts by the form of a page, with what the page carries as via.
func (s spread) post(pass, via string, headers ...string) answer {
	s.t.Helper()
	_, token, _ := strings.Cut(pass, "Bearer ")
	form := url.Values{"entry": {"lumiere-1"}, "ballot": {newBallot()}, "pass": {token}, "via": {via}}
	return s.browser(headers...).send("POST", "/c/"+s.id+"/vote", form.Encode())
}

// cast casts by the API, and says what it came by itself.
func (s spread) cast(pass, via string, more ...string) answer {
	s.t.Helper()
	return s.do("POST", s.path+"/ballots", fmt.Sprintf(`{"ballot":%q,"entry":"lumiere-1","client":{"via":%q,"device":"one"}}`, newBallot(), via), append(more, pass)...)
}

// totals are those of a report of now, with so many credited ballots.
func (s spread) totals(ballots int) map[string]any {
	s.t.Helper()
	asked := s.do("GET", s.path+"/reach", "", asOrganizer).want(200, "")
	totals := asked.json()["totals"].(map[string]any)
	if totals["ballots"] != float64(ballots) {
		s.t.Fatalf("credited %v, want %d: %s", totals["ballots"], ballots, asked.body)
	}
	return totals
}

func (s spread) evidence() string {
	s.t.Helper()
	return string(s.do("GET", s.path+"/evidence", "", asOrganizer).want(200, "").body)
}

// row is one of the report's parts.
func (s spread) row(part, id string) map[string]any {
	s.t.Helper()
	a := s.do("GET", s.path+"/reach", "", asOrganizer).want(200, "")
	for _, row := range a.json()[part].([]any) {
		if row := row.(map[string]any); row["id"] == id {
			return row
		}
	}
	s.t.Fatalf("no %s %s in %s", part, id, a.body)
	return nil
}

var linkShape = regexp.MustCompile(`https://vote\.example\.org/s/([0-9a-z-]+)`)

// linksOf are the links that a page offers.
func linksOf(a answer) map[string]bool {
	links := map[string]bool{}
	text := strings.NewReplacer("%3A", ":", "%2F", "/").Replace(html.UnescapeString(string(a.body)))
	for _, m := range linkShape.FindAllStringSubmatch(text, -1) {
		links[m[1]] = true
	}
	return links
}

// The whole way, in two browsers without scripts.
func TestShare_FromOneVoteToTheNext(t *testing.T) {
	s := newShared(t, "")
	ada := s.browser("Accept-Language: en")
	ada.get("/c/" + s.id).hides("example.org/s/")
	done := ada.press(ada.get("/c/"+s.id), "lumiere-1")
	done.shows("Bring your friends", "https://wa.me/?text=I%20voted%20for%20", `<input id="share-link" value="https://vote.example.org/s/`, `<svg class="qr"`)
	done.hides("utm_", ">share.", "<no value>")
	links := linksOf(done)
	var code string
	for link := range links {
		via, err := sharing.ParseVia(link)
		must(t, err)
		code = via.Code.String()
	}
	for _, channel := range []sharing.Channel{sharing.Native, sharing.WhatsApp, sharing.Copy} {
		via, _ := sharing.ParseVia(code)
		via.Channel = channel
		if !links[via.String()] {
			t.Errorf("no link for %s among %v", channel, links)
		}
	}
	to, via := s.open(code+"-w?lang=en", "User-Agent: a friend's phone")
	if !strings.HasPrefix(to, "/c/"+s.id+"/e/lumiere-1?lang=en&via="+code+"-w.") {
		t.Fatalf("leads to %s", to)
	}
	bob := s.browser("User-Agent: a friend's phone")
	page := bob.get(to).want(200, "")
	canonical := regexp.MustCompile(`<(?:link rel="canonical"|meta property="og:(?:url|image)")[^>]*>`).FindAllString(string(page.body), -1)
	if len(canonical) != 3 || regexp.MustCompile(`[?&;]via|`+code).MatchString(strings.Join(canonical, "")) { // a made-up id may have the letters
		t.Errorf("addresses for everybody: %v", canonical)
	}
	// Every link between pages of the contest keeps it, also to the other language.
	for _, path := range []string{to, "/c/" + s.id + "?lang=en&via=" + via, "/c/" + s.id + "/s/lumiere?lang=en&via=" + via} {
		for _, m := range regexp.MustCompile(`<a [^>]*href="(/(?:c/[^"]*)?(?:\?[^"]*)?)"`).FindAllStringSubmatch(string(bob.get(path).want(200, "").body), -1) {
			if !strings.Contains(m[1], "via="+via) {
				t.Errorf("%s: the link %s forgets", path, m[1])
			}
		}
	}
	bob.press(page, "lumiere-1").shows("Your vote is counted.")
	if e := s.evidence(); !strings.Contains(e, `"via":"`+code+`-w","referrer":"share"`) || strings.Count(e, `"opened":true`) != 1 {
		t.Errorf("evidence %s", e)
	}
	got := s.totals(1)
	if got["visits"] != 1.0 || got["shares"] != 1.0 || got["voters"] != 1.0 || got["from_voters"] != 2.0 || got["k_factor"] != 0.5 {
		t.Errorf("%v", got)
	}
	for part, id := range map[string]string{"schools": "lumiere", "channels": "whatsapp", "codes": code} {
		if row := s.row(part, id); row["ballots"] != 1.0 || row["visits"] != 1.0 {
			t.Errorf("%s %s: %v", part, id, row)
		}
	}
	s.do("GET", s.path+"/reach", "", asOrganizer).fits("Reach")
	// A press tells that a link was given out, before anybody opens it.
	given := func(b *browser, channel string, more ...string) answer {
		return b.send("POST", "/c/"+s.id+"/share", "channel="+channel, more...)
	}
	if a := given(ada, "qr", s.own(), inOurFrame); a.status != 204 || len(a.body) != 0 {
		t.Errorf("%d %s", a.status, a.body)
	}
	given(ada, "pigeon").want(400, "invalid-request")
	given(ada, "qr", "Origin: https://other.example").want(403, "forbidden-origin")
	given(s.browser(), "qr").want(401, "invalid-pass")
	if got := s.totals(1); got["shares"] != 2.0 {
		t.Errorf("%v", got)
	}
}

func TestShare_IsOfferedForWhatMayCountAndWhileItMay(t *testing.T) {
	s := newShared(t, "")
	b := s.browser("Accept-Language: en")
	action, body := form(t, b.get("/c/"+s.id), "lumiere-1")
	landed := b.send("POST", action, body).header.Get("Location")
	at := strings.TrimSuffix(landed, "#status")
	b.get(at).shows("Bring your friends")
	s.browser().get(at).hides("Bring your friends", "example.org/s/") // somebody who was sent the address
	sent, err := url.ParseQuery(body)
	must(t, err)
	stand := func(standing string) {
		s.do("POST", s.path+"/standings", `{"ballots":["`+sent.Get("ballot")+`"],"standing":"`+standing+`","reason":"test"}`, asOrganizer).want(200, "")
	}
	stand("held")
	b.get(at).shows("Bring your friends")
	stand("void")
	b.get(at).hides("Bring your friends")
	stand("counted")
	s.do("POST", s.path+"/close", "", asOrganizer).want(200, "")
	b.get(at).hides("Bring your friends")
}

// An entry that was taken off is not handed on: its picture is gone, and its name is on no
// public path.
func TestShare_IsNotOfferedForAnEntryThatWasTakenOff(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	b := e.browser("Accept-Language: en")
	action, body := form(t, b.get("/c/"+id), "lumiere-1")
	to, _, _ := strings.Cut(b.send("POST", action, body).header.Get("Location"), "#")
	offered := "/story/" + id + "/e/lumiere-1.png"
	b.get(to).shows("Your vote is counted.", offered)
	e.do("PUT", path, strings.Replace(contestText(id, ""), `"title":"A"`, `"title":"A","hidden":true`, 1), asOrganizer).want(200, "")
	page := b.get(to).want(200, "")
	page.shows("Your vote is counted.")
	page.hides(offered, "data-native")
}

func TestShare_OneCodeAVoterOnEveryServer(t *testing.T) {
	keys := t.TempDir()
	of := func(s *Server) {
		ring, err := keyring.Open(keys)
		must(t, err)
		s.cfg.Passes = voting.NewPasses(ring)
	}
	first := startOn(t, sharedURL(t), of)
	id, path := first.contest("")
	s, other := spread{first, id, path}, spread{startOn(t, sharedURL(t), of), id, path}
	pass := s.pass(path)
	// A pass of one server is no pass of a server with another key, and these share it but for passes' signatures.
	code := s.code(pass)
	if again := other.code(pass); again != code || again != s.code(pass) {
		t.Errorf("codes %s and %s", code, again)
	}
	if s.code(s.pass(path)) == code {
		t.Error("two voters have one code")
	}
	a := s.do("POST", path+"/shares", `{"channel":"whatsapp"}`, pass).want(201, "").fits("Share")
	if a.text("code") != code || a.text("url") != "https://vote.example.org/s/"+code+"-w" {
		t.Errorf("%s", a.body)
	}
	if to, _ := other.open(code); !strings.HasPrefix(to, "/c/"+id+"?via=") {
		t.Errorf("leads to %s", to) // nobody knows what the owner votes for
	}
	s.do("POST", path+"/shares", `{"channel":"pigeon"}`, pass).want(400, "invalid-request")
	s.do("POST", path+"/shares", `{"chanel":"qr"}`, pass).want(400, "invalid-request")
	s.do("POST", path+"/shares", "").want(401, "invalid-pass")
	s.do("POST", "/v1/contests/nowhere/shares", "", pass).want(404, "no-such-contest")
}

func TestLink_UnknownOnesSayWhatThereIs(t *testing.T) {
	s := newShared(t, "")
	code := s.code(s.pass(s.path))
	for _, link := range []string{"0123456789ab", "x", code[:11], code + "-x", code + "-w-w", "%00", strings.Repeat("a", 500)} {
		a := s.browser("Accept-Language: en").get("/s/"+link).want(404, "")
		a.shows("This share link is not there", `href="/c/`+s.id+`"`)
	}
	// As people type it.
	to, _ := s.open(strings.ToUpper(code))
	if !strings.Contains(to, "via="+code) {
		t.Errorf("leads to %s", to)
	}
}

func TestLink_RobotsAndLooksAheadAreNoVisits(t *testing.T) {
	s := newShared(t, "")
	code := s.code(s.pass(s.path))
	for _, agent := range []string{
		"WhatsApp/2.23.20.0 A", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Twitterbot/1.0", "TelegramBot (like TwitterBot)",
		"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
		"LinkedInBot/1.0 (compatible; Mozilla/5.0)", "Mozilla/5.0 (compatible; Googlebot/2.1)", "SkypeUriPreview", "meta-externalagent/1.1",
	} {
		s.open(code, "User-Agent: "+agent)
	}
	s.open(code, "Sec-Purpose: prefetch;prerender")
	if a := s.browser().send("HEAD", "/s/"+code, ""); a.status != 302 {
		t.Fatalf("HEAD %d", a.status)
	}
	if got := s.totals(0); got["visits"] != 0.0 || got["shares"] != 0.0 {
		t.Fatalf("robots visit: %v", got)
	}
	people := []string{
		"Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 300.0 [FBAN/FBIOS;FBAV/450.0]",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36",
	}
	for _, agent := range people {
		to, _ := s.open(code, "User-Agent: "+agent)
		s.browser("User-Agent: "+agent).get(to).want(200, "") // the page is no second visit
	}
	if got := s.totals(0); got["visits"] != float64(len(people)) {
		t.Errorf("%v", got)
	}
}

// The marks of an opened link are the server's alone.
func TestVia_AForgedMarkIsNoOpening(t *testing.T) {
	s := newShared(t, "")
	code := s.code(s.pass(s.path))
	_, via := s.open(code + "-w")
	_, mark, _ := strings.Cut(via, ".")
	_, other := s.open(s.code(s.pass(s.path)))
	_, others, _ := strings.Cut(other, ".")
	for name, forged := range map[string]string{
		"none": code + "-w", "of another link": code + "-w." + others, "of another channel": code + "-c." + mark,
		"made up": code + "-w." + strings.Repeat("0", 13), "old": sharing.NewMarks(s.server.cfg.FormKey).Seal(sharing.Via{Code: mustCode(t, code), Channel: sharing.WhatsApp}, time.Now().Add(-30*time.Hour)),
	} {
		if a := s.post(s.pass(s.path), forged); a.status != 303 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if e := s.evidence(); strings.Contains(e, "opened") || strings.Count(e, `"via":"`+code) != 5 {
		t.Errorf("evidence %s", e)
	}
	s.totals(0)
	// In the API there are no marks, and in a form nothing but a mark may follow the dot.
	s.cast(s.pass(s.path), via).want(400, "invalid-request")
	s.do("POST", s.path+"/ballots", `{"entry":"lumiere-1","client":{"opened":true}}`, s.pass(s.path)).want(400, "invalid-request")
	s.post(s.pass(s.path), code+".x").want(400, "")
	s.post(s.pass(s.path), via)
	s.totals(1)
}

func mustCode(t testing.TB, text string) sharing.Code {
	code, err := sharing.ParseCode(text)
	must(t, err)
	return code
}

// Through the widget and the window.
func TestVia_TravelsThroughFramesAndTheWindow(t *testing.T) {
	e := start(t)
	id, frame := e.listedContest("")
	s := spread{e, id, "/v1/contests/" + id}
	code := s.code(s.pass(s.path))
	b := s.browser("Accept-Language: en")
	page := b.get(frame+"&via="+code).want(200, "")
	page.shows("/c/" + id + "?lang=en&via=" + code) // the way on
	fields := frameForm(t, page)
	if !strings.HasPrefix(fields.Get("via"), code+".") {
		t.Fatalf("the form has via %q", fields.Get("via"))
	}
	voted := b.send("POST", frame+"&via="+code, fields.Encode(), s.own(), inOurFrame).want(201, "")
	// Who voted in a frame has a link too.
	if own, _ := voted.json()["share"].(map[string]any); !linkShape.MatchString(fmt.Sprint(own["url"])) || strings.Contains(fmt.Sprint(own["url"]), code) || !strings.HasPrefix(fmt.Sprint(own["app"]), "https://wa.me/?text=") {
		t.Errorf("%s", voted.body)
	}
	// A page that the contest does not list cannot say that a link was opened; one that was stays so.
	_, via := s.open(code + "-m")
	for _, row := range []struct{ frame, via string }{{"/embed/" + id + "/lumiere-1?lang=en&via=" + code + "-q", code + "-q"}, {"/embed/" + id + "/lumiere-1?lang=en&via=" + via, via}} {
		b := s.browser("Accept-Language: en")
		window := regexp.MustCompile(`data-joute="window" href="([^"]*)"`).FindStringSubmatch(string(b.get(row.frame).want(200, "").body))
		asked := b.get(html.UnescapeString(window[1])).want(200, "")
		asked.shows(`name="via" value="`+row.via+`"`, "/c/"+id+"?lang=en&via="+row.via)
		done := b.press(asked, "lumiere-1")
		done.shows("Your vote is counted.", "Bring your friends")
	}
	e2 := s.evidence()
	for _, want := range []string{`"via":"` + code + `","`, `"via":"` + code + `-q"`, `"via":"` + code + `-m"`} {
		if !strings.Contains(e2, want) {
			t.Errorf("no %s in %s", want, e2)
		}
	}
	s.totals(2)
	// Newer numbers of a frame are no other look at it.
	b.send("GET", frame, "", "Sec-Fetch-Dest: empty")
	s.browser("User-Agent: Googlebot/2.1").get(frame)
	s.browser().send("GET", frame, "", "Sec-Fetch-Dest: iframe")
	if row := s.row("pages", listed); row["ballots"] != 1.0 || row["visits"] != 2.0 {
		t.Errorf("%v", row)
	}
	// A page that is pasted with something else in ?via= shows nothing of it.
	s.browser().get("/c/"+id+`?via="><b>x`).hides("<b>x", "via=")
}

func TestCredit_SelfReferralGivesNothing(t *testing.T) {
	s := newShared(t, `,"rules":{"ballots":{"max":9}}`)
	me := s.pass(s.path)
	const phone = "User-Agent: one phone"
	s.cast(me, "", phone).want(201, "")
	code := s.code(me)
	_, via := s.open(code, phone)
	if a := s.post(me, via, phone); a.status != 303 {
		t.Fatal(a.status)
	}
	// Another browser of the same machine: its pass is new, and it opens the link.
	_, token, _ := strings.Cut(s.pass(s.path), "Bearer ")
	form := url.Values{"entry": {"lumiere-1"}, "ballot": {newBallot()}, "pass": {token}, "via": {via}, "device": {"one"}}
	second := s.browser(phone).send("POST", "/c/"+s.id+"/vote", form.Encode())
	if second.status != 303 || strings.Count(s.evidence(), `"opened":true`) != 2 {
		t.Fatalf("%d %s", second.status, s.evidence())
	}
	s.totals(0)
	form.Set("ballot", newBallot())
	form.Set("device", "two")
	_, token, _ = strings.Cut(s.pass(s.path), "Bearer ")
	form.Set("pass", token)
	s.browser(phone).send("POST", "/c/"+s.id+"/vote", form.Encode())
	s.totals(1) // a friend of the same network with the same browser
}

func TestCredit_ACodePassedBetweenStrangersGivesNothing(t *testing.T) {
	s := newShared(t, "")
	code := s.code(s.pass(s.path))
	for range 50 {
		s.cast(s.pass(s.path), code).want(201, "")
	}
	s.totals(0)
}

func TestCredit_ARingGivesNothing(t *testing.T) {
	for name, more := range map[string]string{"one ballot": "", "several": `,"rules":{"ballots":{"max":5}}`} {
		t.Run(name, func(t *testing.T) {
			s := newShared(t, more)
			const size = 20
			var passes, vias [size]string
			for n := range size {
				passes[n] = s.pass(s.path)
				_, vias[n] = s.open(s.code(passes[n]) + "-w")
			}
			rounds := 1
			if more != "" {
				rounds = 5
			}
			for round := range rounds {
				for n := range size {
					if a := s.post(passes[n], vias[(n+1+round)%size]); a.status != 303 {
						t.Fatal(a.status)
					}
				}
			}
			if e := s.evidence(); strings.Count(e, `"opened":true`) != size*rounds {
				t.Fatal("the ballots did not come by opened links")
			}
			s.totals(0)
			s.post(s.pass(s.path), vias[3]) // from outside
			s.totals(1)
		})
	}
}

func TestCredit_FollowsHeldReleasedAndVoid(t *testing.T) {
	s := newShared(t, "")
	_, via := s.open(s.code(s.pass(s.path)))
	s.post(s.pass(s.path), via)
	id := regexp.MustCompile(`"ballot":"([^"]*)"`).FindStringSubmatch(s.evidence())[1]
	for _, step := range []struct {
		standing      string
		ballots, held int
	}{{"held", 0, 1}, {"counted", 1, 0}, {"void", 0, 0}, {"counted", 1, 0}} {
		s.do("POST", s.path+"/standings", `{"ballots":["`+id+`"],"standing":"`+step.standing+`","reason":"test"}`, asOrganizer).want(200, "")
		if got := s.totals(step.ballots); got["held"] != float64(step.held) {
			t.Errorf("%s: %v", step.standing, got)
		}
	}
}

// Each of a thousand voters opens the link of somebody before, votes, and shares.
func TestCredit_AThousandHonestSharesGiveExactlyTheirBallots(t *testing.T) {
	s := newShared(t, `,"boxes":4`)
	r := rand.New(rand.NewPCG(5, 6))
	codes, want := []string{s.code(s.pass(s.path))}, map[string]int{}
	for range 1000 {
		sharer := codes[r.IntN(len(codes))]
		_, via := s.open(sharer + [...]string{"", "-n", "-w", "-c", "-q"}[r.IntN(5)])
		pass := s.pass(s.path)
		if a := s.post(pass, via, "User-Agent: the phone everybody has"); a.status != 303 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		want[sharer]++
		if len(codes) < 90 {
			codes = append(codes, s.code(pass))
		}
	}
	if got := s.totals(1000); got["visits"] != 1000.0 || got["voters"] != 1000.0 {
		t.Errorf("%v", got)
	}
	rows := s.do("GET", s.path+"/reach", "", asOrganizer).json()["codes"].([]any)
	for _, row := range rows {
		row := row.(map[string]any)
		if row["ballots"] != float64(want[row["id"].(string)]) {
			t.Errorf("code %v has %v, want %d", row["id"], row["ballots"], want[row["id"].(string)])
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d codes, want %d", len(rows), len(want))
	}
}

func TestReach_IsTheOrganizersAlsoAsATable(t *testing.T) {
	s := newShared(t, "")
	s.do("GET", s.path+"/reach", "").want(401, "unauthorized")
	s.do("GET", s.path+"/reach", "", s.pass(s.path)).want(401, "unauthorized")
	s.do("GET", s.path+"/reach?format=xml", "", asOrganizer).want(400, "invalid-request")
	s.do("PUT", s.path, strings.Replace(contestText(s.id, ""), `"Vercors"`, `"=HYPERLINK(\"https://x\")"`, 1), asOrganizer).want(200, "")
	byAccept := s.do("GET", s.path+"/reach", "", asOrganizer, "Accept: text/csv;q=0.9, */*;q=0.1").want(200, "")
	for _, a := range []answer{byAccept, s.do("GET", s.path+"/reach?format=csv", "", asOrganizer).want(200, "")} {
		if a.header.Get("Content-Type") != typeCSV || a.header.Get("Cache-Control") != "private, no-store" || !strings.Contains(a.header.Get("Content-Disposition"), "reach-"+s.id+".csv") {
			t.Errorf("%v", a.header)
		}
		text := string(a.body)
		if !strings.HasPrefix(text, csvBOM+`"kind","id","name","visits","shares","ballots",`) || !strings.Contains(text, "\r\n\"school\",\"vercors\",\"'=HYPERLINK(") || !strings.Contains(text, "\r\n\"channel\",\"whatsapp\",\"\",\"0\",") {
			t.Errorf("%s", text)
		}
	}
	a := s.do("GET", s.path+"/reach", "", asOrganizer, "Accept: application/json").want(200, "").fits("Reach")
	if a.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("%v", a.header)
	}
}
