package web

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/png"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

var metaShape = regexp.MustCompile(`<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)">`)

// graph is what a chat reads of a page.
func graph(a answer) map[string]string {
	tags := map[string]string{}
	for _, m := range metaShape.FindAllStringSubmatch(string(a.body), -1) {
		tags[m[1]] = html.UnescapeString(m[2])
	}
	return tags
}

// pictureOf is where the page's picture is on the server of the test.
func pictureOf(t *testing.T, tags map[string]string) string {
	t.Helper()
	at, err := url.Parse(tags["og:image"])
	must(t, err)
	if at.Scheme+"://"+at.Host != "https://vote.example.org" {
		t.Fatalf("the picture is at %s", at)
	}
	return at.RequestURI()
}

// cast casts n ballots of new voters and waits until everybody may know.
func (e *env) cast(id, entry string, n int) {
	e.t.Helper()
	before := e.counted(id)
	for range n {
		e.do("POST", "/v1/contests/"+id+"/ballots", ballot(newBallot(), entry), e.pass("/v1/contests/"+id)).want(201, "")
	}
	e.settled(id, before+int64(n))
}

func (a answer) isCard() answer {
	a.t.Helper()
	a.want(200, "")
	picture, err := png.Decode(bytes.NewReader(a.body))
	must(a.t, err)
	if picture.Bounds() != image.Rect(0, 0, 1200, 630) || len(a.body) > 60<<10 {
		a.t.Fatalf("%v, %d bytes", picture.Bounds(), len(a.body))
	}
	for name, want := range map[string]string{"Content-Type": "image/png", "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff"} {
		if got := a.header.Get(name); got != want {
			a.t.Errorf("%s: %q", name, got)
		}
	}
	return a
}

func TestShare_APageTellsChatsAboutItself(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"brand":"Tremplin"`)
	e.cast(id, "vercors-1", 2)
	page := e.do("GET", "/c/"+id+"?lang=fr&utm_source=whatsapp&receipt=x&from=2", "")
	tags := graph(page)
	for name, want := range map[string]string{
		"og:title": "Le pire CV", "og:type": "website", "og:site_name": "Joute", "og:url": "https://vote.example.org/c/" + id,
		"og:locale": "fr_FR", "og:locale:alternate": "en_GB", "og:image:width": "1200", "og:image:height": "630", "og:image:type": "image/png",
		"twitter:card": "summary_large_image",
	} {
		if tags[name] != want {
			t.Errorf("%s: %q, want %q", name, tags[name], want)
		}
	}
	page.shows(`<link rel="canonical" href="https://vote.example.org/c/` + id + `">`)
	for _, name := range []string{"og:description", "og:image:alt"} {
		if !strings.Contains(tags[name], "1. Vercors, 2. École Lumière") || !strings.Contains(tags[name], "Votez jusqu'au") {
			t.Errorf("%s: %q", name, tags[name])
		}
	}
	first := e.do("GET", pictureOf(t, tags), "").isCard()
	if got := first.header.Get("Cache-Control"); got != "public, max-age=60" {
		t.Errorf("Cache-Control of the current version: %q", got)
	}

	english := graph(e.do("GET", "/c/"+id+"?lang=en", ""))
	if english["og:locale"] != "en_GB" || english["og:url"] != tags["og:url"] || english["og:image"] == tags["og:image"] {
		t.Errorf("in English: %v", english)
	}
	if other := e.do("GET", pictureOf(t, english), "").isCard(); bytes.Equal(other.body, first.body) {
		t.Error("both languages have one picture")
	}
	// A lead that changes is another address.
	e.cast(id, "lumiere-1", 3)
	if after := graph(e.do("GET", "/c/"+id+"?lang=fr", "")); after["og:image"] == tags["og:image"] {
		t.Error("the address of the picture has not changed with the lead")
	}
}

func TestCard_RevalidatesAndAnswersHEAD(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	path := "/card/" + id + "/e/lumiere-1.png?lang=fr"
	full := e.do("GET", path, "").isCard()
	if got := full.header.Get("Cache-Control"); got != "public, max-age=10" {
		t.Errorf("Cache-Control without the version: %q", got)
	}
	head := e.do("HEAD", path, "").want(200, "")
	if len(head.body) != 0 || head.header.Get("Content-Length") != fmt.Sprint(len(full.body)) || head.header.Get("ETag") != full.header.Get("ETag") {
		t.Errorf("HEAD: %v, %d bytes", head.header, len(head.body))
	}
	same := e.do("GET", path, "", "If-None-Match: "+full.header.Get("ETag")).want(304, "")
	if len(same.body) != 0 || same.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("304: %v, %d bytes", same.header, len(same.body))
	}
	if got := full.header.Get("Vary"); got != "" {
		t.Errorf("Vary: %q", got)
	}
}

func TestCard_WhatIsNotThereIs404(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for path, code := range map[string]string{
		"/card/no-such.png":                     "no-such-contest",
		"/card/no-such/e/lumiere-1.png":         "no-such-contest",
		"/card/" + id + "/e/nobody.png":         "no-such-entry",
		"/card/" + id + "/e/secret-1.png":       "no-such-entry",
		"/card/" + id + "/s/nowhere.png":        "not-found",
		"/card/" + id + "/s/lumiere-1.png":      "not-found",
		"/card/" + id + "/x/lumiere-1.png":      "not-found",
		"/card/" + id + "/e/lumiere-1.svg":      "not-found",
		"/card/" + id + "/e/%3Cscript%3E.png":   "no-such-entry",
		"/card/" + id + "/e/..%2flumiere-1.png": "no-such-entry",
	} {
		e.do("GET", path, "").want(404, code)
	}
	for _, path := range []string{"/card/" + id + ".png", "/card/" + id + "/s/vercors.png", "/card/" + id + "/e/vercors-1.png?lang=xx&v=%22&theme=x"} {
		e.do("GET", path, "").isCard()
	}
}

// Neither a card nor its address moves with ballots whose number is not shown.
func TestCard_HiddenAndFrozenNumbersMoveNothing(t *testing.T) {
	e := start(t)
	for name, c := range map[string]struct {
		more   string
		closes time.Duration
	}{
		"after_close":  {`,"results":{"visibility":"after_close"}`, 24 * time.Hour},
		"after_ballot": {`,"results":{"visibility":"after_ballot"}`, 24 * time.Hour},
		"frozen":       {`,"results":{"freeze":"2h"}`, 90 * time.Minute},
	} {
		id := newID()
		e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(-time.Hour), time.Now().Add(c.closes), c.more), asOrganizer).want(201, "")
		paths := []string{"/card/" + id + ".png", "/card/" + id + "/e/vercors-1.png", "/card/" + id + "/s/vercors.png"}
		look := func() (seen []string) {
			seen = append(seen, fmt.Sprint(graph(e.do("GET", "/c/"+id+"?lang=fr", ""))))
			for _, path := range paths {
				card := e.do("GET", path, "").isCard()
				seen = append(seen, card.header.Get("ETag"), string(card.body))
			}
			return seen
		}
		before := look()
		e.cast(id, "vercors-1", 21)
		e.server.cards = newCards() // nothing is remembered: what is drawn now is drawn of now
		for i, after := range look() {
			if after != before[i] {
				t.Errorf("%s: ballots show, in %d", name, i)
			}
		}
		if name == "frozen" && !strings.Contains(before[0], "Chiffres figés") {
			t.Errorf("the page does not say that numbers are frozen: %s", before[0])
		}
		// The control: once voting is over, they do.
		e.do("POST", "/v1/contests/"+id+"/close", "", asOrganizer).want(200, "")
		deadline := time.Now().Add(10 * time.Second)
		for after := look(); after[0] == before[0] || after[1] == before[1] || after[3] == before[3] || after[5] == before[5]; after = look() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the result does not show: %s", name, after[0])
			}
		}
	}
}

// An address from before the freeze, and a card drawn then, show no number of then.
func TestCard_HidingNumbersHidesThemAtOnce(t *testing.T) {
	e := start(t)
	id := newID()
	path, opens := "/v1/contests/"+id, time.Now().Add(-time.Hour)
	document := func(more string) string { return contestTextAt(id, opens, opens.Add(24*time.Hour), more) }
	e.do("PUT", path, document(""), asOrganizer).want(201, "")
	e.cast(id, "vercors-1", 3)
	old := pictureOf(t, graph(e.do("GET", "/c/"+id+"?lang=fr", "")))
	entry := "/card/" + id + "/e/vercors-1.png?lang=fr"
	before, beforeEntry := e.do("GET", old, "").isCard(), e.do("GET", entry, "").isCard()
	e.do("PUT", path, document(`,"results":{"visibility":"after_close"}`), asOrganizer).want(200, "")
	after, afterEntry := e.do("GET", old, "").isCard(), e.do("GET", entry, "").isCard()
	if bytes.Equal(after.body, before.body) || bytes.Equal(afterEntry.body, beforeEntry.body) {
		t.Error("the old card is shown")
	}
	if got := after.header.Get("Cache-Control"); got != "public, max-age=10" {
		t.Errorf("an old address is kept: %q", got)
	}
	if tags := fmt.Sprint(graph(e.do("GET", "/c/"+id+"?lang=fr", ""))); strings.Contains(tags, "Vercors") || !strings.Contains(tags, "Classement secret") {
		t.Errorf("the page still says: %s", tags)
	}
	e.do("PUT", path, strings.Replace(document(`,"results":{"visibility":"after_close"}`), `"title":"B"`, `"title":"B","hidden":true`, 1), asOrganizer).want(200, "")
	e.do("GET", entry, "").want(404, "no-such-entry")
}

// A voter who may see numbers does not share them by the page's tags.
func TestShare_WhatAVoterSeesIsNotTold(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"results":{"visibility":"after_ballot"}`)
	b := e.browser("Accept-Language: fr")
	b.press(b.get("/c/"+id), "vercors-1")
	e.settled(id, 1)
	page := b.get("/c/" + id)
	page.shows("data-rank")
	if mine, others := graph(page), graph(e.do("GET", "/c/"+id, "", "Accept-Language: fr")); fmt.Sprint(mine) != fmt.Sprint(others) {
		t.Errorf("a voter's page says %v, others' %v", mine, others)
	}
}

func TestShare_HostileTitlesAreText(t *testing.T) {
	e := start(t)
	id := newID()
	title := `</title><script>alert(1)</script>\"'> \u200f` + strings.Repeat("🎓", 100)
	e.do("PUT", "/v1/contests/"+id, strings.NewReplacer(`"Le pire CV"`, `"`+title+`"`, `"title":"A"`, `"title":"`+title+`"`).Replace(contestText(id, "")), asOrganizer).want(201, "")
	page := e.do("GET", "/c/"+id+"?lang=fr", "").want(200, "")
	if bytes.Contains(page.body, []byte("<script>alert")) {
		t.Errorf("markup of a title: %s", page.body)
	}
	if tags := graph(page); !strings.HasPrefix(tags["og:title"], `</title><script>`) {
		t.Errorf("og:title: %q", tags["og:title"])
	}
	e.do("GET", "/card/"+id+".png?lang=fr", "").isCard()
	e.do("GET", "/card/"+id+"/e/lumiere-1.png", "").isCard()
}
