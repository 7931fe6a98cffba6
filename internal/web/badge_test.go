package web

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
)

// isBadge checks what every badge is: well-formed, small, self-contained, readable.
func (a answer) isBadge(status int) answer {
	a.t.Helper()
	a.want(status, "")
	for name, want := range map[string]string{
		"Content-Type": "image/svg+xml", "Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := a.header.Get(name); got != want {
			a.t.Errorf("%s: %q", name, got)
		}
	}
	if len(a.body) > 4<<10 {
		a.t.Errorf("%d bytes", len(a.body))
	}
	allowed := "svg title clipPath rect g path text"
	d := xml.NewDecoder(strings.NewReader(string(a.body)))
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		must(a.t, err)
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !strings.Contains(allowed, element.Name.Local) {
			a.t.Errorf("a badge has <%s>", element.Name.Local)
		}
		for _, attribute := range element.Attr {
			if name := attribute.Name.Local; name == "style" || name == "href" || strings.HasPrefix(name, "on") {
				a.t.Errorf("a badge has %s=%q", name, attribute.Value)
			}
		}
		if element.Name.Local == "svg" {
			width, _ := strconv.Atoi(attr(element, "width"))
			if width < badgeHeight || width > badgeMost+200 || attr(element, "role") != "img" || attr(element, "aria-labelledby") == "" {
				a.t.Errorf("a badge of %v", element.Attr)
			}
		}
	}
	return a
}

func attr(e xml.StartElement, name string) string {
	for _, one := range e.Attr {
		if one.Name.Local == name {
			return one.Value
		}
	}
	return ""
}

func TestBadge_ShowsPlaceAndVotesAsAnybodyMaySeeThem(t *testing.T) {
	e := start(t)
	for name, c := range map[string]struct {
		more   string
		closes time.Duration
		shows  string // in French, after two votes
		label  string
	}{
		"live":         {"", 24 * time.Hour, ">1er</text> >2 votes · Le pire CV</text>", "B. 1er sur 2 candidatures. 2 votes · Le pire CV."},
		"after_ballot": {`,"results":{"visibility":"after_ballot"}`, 24 * time.Hour, ">?</text> >Rang secret · Le pire CV</text>", "B. Rang secret jusqu&#39;à la fin du vote. Le pire CV."},
		"after_close":  {`,"results":{"visibility":"after_close"}`, 24 * time.Hour, ">?</text> >Rang secret · Le pire CV</text>", "B. Rang secret jusqu&#39;à la fin du vote. Le pire CV."},
		"frozen":       {`,"results":{"freeze":"2h"}`, 90 * time.Minute, ">votez</text> >Le pire CV</text>", "B. Le pire CV. Chiffres figés"},
	} {
		id := newID()
		e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(-time.Hour), time.Now().Add(c.closes), c.more), asOrganizer).want(201, "")
		path := "/badge/" + id + "/vercors-1.svg"
		before := e.do("GET", path, "").isBadge(200)
		e.cast(id, "vercors-1", 2)
		shown := e.do("GET", path, "").isBadge(200)
		for _, text := range append(strings.Split(c.shows, " >"), c.label) {
			if !strings.Contains(string(shown.body), text) {
				t.Errorf("%s: no %q in %s", name, text, shown.body)
			}
		}
		if moved := shown.header.Get("ETag") != before.header.Get("ETag"); moved != (name == "live") {
			t.Errorf("%s: the badge moves with ballots: %v", name, moved)
		}
		e.do("POST", "/v1/contests/"+id+"/close", "", asOrganizer).want(200, "")
		deadline := time.Now().Add(10 * time.Second)
		for !strings.Contains(string(e.do("GET", path, "").isBadge(200).body), ">2 votes · résultat final</text>") {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the result does not show", name)
			}
		}
	}
}

func TestBadge_SaysThatNumbersAreFrozen(t *testing.T) {
	e := start(t)
	id := newID()
	opens, closes := time.Now().Add(-time.Hour), time.Now().Add(90*time.Second)
	freeze := func(by time.Duration) string { return fmt.Sprintf(`,"results":{"freeze":%q}`, by) }
	e.do("PUT", "/v1/contests/"+id, contestTextAt(id, opens, closes, freeze(time.Second)), asOrganizer).want(201, "")
	e.cast(id, "vercors-1", 2)
	// Frozen from now on, which hides more.
	at := time.Until(closes.Truncate(time.Second)).Truncate(time.Second)
	e.do("PUT", "/v1/contests/"+id, contestTextAt(id, opens, closes, freeze(at)), asOrganizer).want(200, "")
	path := "/badge/" + id + "/vercors-1.svg?lang=en"
	deadline := time.Now().Add(10 * time.Second)
	for !strings.Contains(string(e.do("GET", path, "").isBadge(200).body), "numbers are frozen") {
		if time.Now().After(deadline) {
			t.Fatalf("%s", e.do("GET", path, "").body)
		}
	}
	before := e.do("GET", path, "")
	card := e.do("GET", "/card/"+id+"/e/vercors-1.png", "").isCard()
	page := graph(e.do("GET", "/c/"+id, ""))
	before.shows(">1st</text>", ">2 votes · numbers are frozen</text>")
	e.cast(id, "lumiere-1", 3) // takes the lead, unseen
	e.server.cards = newCards()
	if after := e.do("GET", path, ""); string(after.body) != string(before.body) {
		t.Errorf("the badge has moved: %s", after.body)
	}
	if after := e.do("GET", "/card/"+id+"/e/vercors-1.png", "").isCard(); string(after.body) != string(card.body) {
		t.Error("the card has moved")
	}
	if after := graph(e.do("GET", "/c/"+id, "")); fmt.Sprint(after) != fmt.Sprint(page) {
		t.Errorf("the page's tags have moved: %v", after)
	}
}

func TestBadge_LanguageThemeAndRevalidation(t *testing.T) {
	e := start(t)
	id, _ := e.contest(`,"accent":"#ff0"`)
	path := "/badge/" + id + "/lumiere-1.svg"
	auto := e.do("GET", path, "", "Accept-Language: en").isBadge(200)
	auto.shows(`lang="fr"`, "Le pire CV", `fill="#ffff00"`, `fill="#000000"`) // the contest's language: it is part of somebody's page
	for query, same := range map[string]bool{"?theme=light": true, "?theme=x%22": true, "?lang=xx": true, "?lang=fr": true, "?theme=dark": false, "?lang=en": false} {
		if got := e.do("GET", path+query, "").isBadge(200); (string(got.body) == string(auto.body)) != same {
			t.Errorf("%s: the same badge: %v", query, !same)
		}
	}
	if got := auto.header.Get("Cache-Control") + auto.header.Get("Vary"); got != "public, max-age=60" {
		t.Errorf("headers %q", got)
	}
	if again := e.do("GET", path, "", "If-None-Match: "+auto.header.Get("ETag")).want(304, ""); len(again.body) != 0 {
		t.Errorf("304 with %d bytes", len(again.body))
	}
	if head := e.do("HEAD", path, "").want(200, ""); head.header.Get("ETag") != auto.header.Get("ETag") {
		t.Errorf("HEAD: %v", head.header)
	}
}

func TestBadge_WhatIsNotThereIsABadgeToo(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	for path, text := range map[string]string{
		"/badge/no-such/lumiere-1.svg":         "No such contest",
		"/badge/" + id + "/nobody.svg":         "Candidature introuvable",
		"/badge/" + id + "/secret-1.svg":       "Candidature introuvable",
		"/badge/" + id + "/%3Cscript%3E.svg":   "Candidature introuvable",
		"/badge/" + id + "/nobody.svg?lang=en": "No such entry",
	} {
		a := e.do("GET", path, "").isBadge(404)
		a.shows(text)
		a.hides("secret-1", "Hidden one", "script")
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: %q", path, got)
		}
	}
	e.do("GET", "/badge/"+id+"/lumiere-1.png", "").want(404, "not-found")
}

func TestBadge_HostileTitlesAreText(t *testing.T) {
	for _, title := range []string{
		`</title><script>alert(1)</script>`, `]]>&amp;"'`, strings.Repeat("🎓", 300), strings.Repeat("W", 300), "\u202e\u2066abc\u200f", "\x00\x01\ufffe\uffff\x0b", "\xff\xc3", "", strings.Repeat("&", 300),
	} {
		b := &badge{Lang: "fr", Place: "1er", Title: title, Text: title, Label: title, Accent: color.RGBA{A: 0xff}, On: color.RGBA{0xff, 0xff, 0xff, 0xff}}
		body := string(b.svg())
		d := xml.NewDecoder(strings.NewReader(body))
		texts := 0
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%.40q: %v in %s", title, err, body)
			}
			if element, ok := token.(xml.StartElement); ok && element.Name.Local == "text" {
				texts++
				if wide, _ := strconv.Atoi(attr(element, "textLength")); wide > badgeMost {
					t.Errorf("%.40q is %d wide", title, wide)
				}
			}
		}
		if texts != 3 || strings.ContainsAny(body, "\u202e\u2066\u200f\x00\x01\ufffe") {
			t.Errorf("%.40q: %d texts in %s", title, texts, body)
		}
	}
}

func TestEmbedPage_OffersTheBadgeOfAnEntry(t *testing.T) {
	e := start(t)
	id := newID()
	title := `a](x) <b> & \"c\" *d*`
	e.do("PUT", "/v1/contests/"+id, strings.Replace(contestText(id, ""), `"title":"B"`, `"title":"`+title+`"`, 1), asOrganizer).want(201, "")
	page := e.do("GET", "/c/"+id+"/embed?entry=vercors-1&widget=fr&theme=dark&lang=en", "").want(200, "")
	page.shows(
		`<a href="https://vote.example.org/c/`+id+`/e/vercors-1"><img src="https://vote.example.org/badge/`+id+`/vercors-1.svg?lang=fr&amp;theme=dark" alt="a](x) &lt;b&gt; &amp; &#34;c&#34; *d* · The worst CV" height="48"></a>`,
		`[![a\]\(x\) \<b\> \& \"c\" \*d\* · The worst CV](https://vote.example.org/badge/`+id+`/vercors-1.svg?lang=fr&theme=dark)](https://vote.example.org/c/`+id+`/e/vercors-1)`,
		`<img src="/badge/`+id+`/vercors-1.svg?lang=fr&theme=dark" alt="a](x) <b> & "c" *d* · The worst CV" height="48">`,
	)
	e.do("GET", "/c/"+id+"/embed?kind=board", "").hides("/badge/")
}
