package web

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// captain is the address of a school's captain's page.
func (e *env) captain(path, school string, more ...string) string {
	e.t.Helper()
	body := fmt.Sprintf(`{"school":%q%s}`, school, strings.Join(more, ""))
	link, err := url.Parse(e.do("POST", path+"/captains", body, asOrganizer).want(201, "").text("url"))
	must(e.t, err)
	return link.Path
}

func TestCaptain_TheSameSchoolHasTheSameLink(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	_, elsewhere := e.contest("")
	first := e.captain(path, "lumiere")
	if first != e.captain(path, "lumiere", `,"renew":false`) || first == e.captain(path, "vercors") || first == e.captain(elsewhere, "lumiere") {
		t.Error("not one link a school")
	}
	renewed := e.captain(path, "lumiere", `,"renew":true`)
	if renewed == first || renewed != e.captain(path, "lumiere") {
		t.Errorf("%s became %s", first, renewed)
	}
	for _, part := range []string{"", "/poster.svg", "/story.png"} {
		if a := e.do("GET", renewed+part, ""); a.status != 200 {
			t.Errorf("%s: %d", part, a.status)
		}
		a := e.do("GET", first+part, "", "Accept-Language: en")
		if a.status != 404 || !strings.Contains(string(a.body), "Ask the organizers for the new one") {
			t.Errorf("a void link%s: %d %s", part, a.status, a.body)
		}
	}
}

func TestCaptain_OnlyTheOrganizerGivesLinks(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	e.do("POST", path+"/captains", `{"school":"lumiere"}`).want(401, "unauthorized")
	e.do("POST", path+"/captains", `{"school":"lumiere"}`, e.pass(path)).want(401, "unauthorized")
	for _, body := range []string{`{}`, `{"school":"nowhere"}`, `{"school":""}`, `{"school":"lumiere","more":1}`, `{"school":7}`, `[]`} {
		e.do("POST", path+"/captains", body, asOrganizer).want(400, "invalid-request")
	}
	e.do("POST", "/v1/contests/nowhere/captains", `{"school":"lumiere"}`, asOrganizer).want(404, "no-such-contest")
}

func TestCaptain_AForgedLinkIsASentence(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	good := e.captain(path, "lumiere")
	for _, forged := range []string{"/k/x", good[:len(good)-1], good + "A", "/k/" + strings.Repeat("A", 2000), "/k/%00", "/k/..%2f"} {
		a := e.do("GET", forged, "", "Accept-Language: fr")
		if a.status != 404 || !strings.Contains(string(a.body), "lien de capitaine") {
			t.Errorf("%.40s: %d %.200s", forged, a.status, a.body)
		}
		if a.header.Get("Set-Cookie") != "" {
			t.Errorf("%.40s: a cookie", forged)
		}
	}
}

func TestCaptain_ThePageIsNotKeptNorFound(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	a := e.do("GET", e.captain(path, "lumiere"), "").want(200, "")
	if a.header.Get("Cache-Control") != "private, no-store" || a.framers() != "'none'" || !bytes.Contains(a.body, []byte(`name="robots" content="noindex"`)) ||
		a.header.Get("Set-Cookie") != "" || bytes.Contains(a.body, []byte(`rel="canonical"`)) || bytes.Contains(a.body, []byte("og:")) {
		t.Errorf("%v", a.header)
	}
}

// campaign is a contest whose school has ballots by a link of its own.
func campaign(t *testing.T, e *env, more string) (path, page, via string) {
	t.Helper()
	_, path = e.contest(more)
	page = e.captain(path, "lumiere")
	body := e.do("GET", page, "").want(200, "").body
	link := regexp.MustCompile(`id="link" value="https://vote.example.org(/s/[a-z0-9-]+)"`).FindSubmatch(body)
	if link == nil {
		t.Fatalf("no link in %s", body)
	}
	return path, page, string(link[1])
}

// byLink opens a link and casts a ballot on the page it leads to.
func (e *env) byLink(link string) {
	e.t.Helper()
	b := e.browser()
	a := b.send("GET", link, "")
	if a.status != 302 {
		e.t.Fatalf("%s: %d", link, a.status)
	}
	a = b.send("GET", a.header.Get("Location"), "")
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).FindAllSubmatch(bytes.SplitN(a.body, []byte("</form>"), 2)[0], -1) {
		form.Set(string(m[1]), string(m[2]))
	}
	id := regexp.MustCompile(`action="(/c/[^"]+/vote[^"]*)"`).FindSubmatch(a.body)
	if id == nil {
		e.t.Fatalf("no form in %s", a.body)
	}
	if a = b.send("POST", strings.ReplaceAll(string(id[1]), "&amp;", "&"), form.Encode()); a.status != 303 {
		e.t.Fatalf("vote: %d %s", a.status, a.body)
	}
}

func TestCaptain_LinksLeadToTheSchoolAndAreCounted(t *testing.T) {
	e := start(t)
	path, page, link := campaign(t, e, "")
	where := e.browser().send("GET", link, "").header.Get("Location")
	if !strings.HasPrefix(where, strings.Replace(path, "/v1/contests/", "/c/", 1)+"/s/lumiere?via=") {
		t.Errorf("leads to %s", where)
	}
	e.byLink(link)
	e.byLink(link)
	e.until("both ballots by the link", func() bool {
		return bytes.Contains(e.do("GET", page, "", "Accept-Language: en").body, []byte(`<th scope="row">Copied link</th><td>3</td><td>2</td><td>67%</td>`))
	})
	// The captain's code is nobody's who votes, and is in the organizer's reach.
	reach := string(e.do("GET", path+"/reach", "", asOrganizer).want(200, "").body)
	if !strings.Contains(reach, `"ballots":2`) {
		t.Errorf("reach: %s", reach)
	}
}

// Under review is a number, and of ballots by any way.
func TestCaptain_SeesHowManyAreUnderReview(t *testing.T) {
	e := start(t)
	path, page, link := campaign(t, e, "")
	e.byLink(link)
	cast := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "").text("ballot")
	e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), e.pass(path)).want(201, "")
	stand := func(standing string) {
		e.do("POST", path+"/standings", fmt.Sprintf(`{"ballots":[%q],"standing":%q,"reason":"lockstep"}`, cast, standing), asOrganizer).want(200, "")
	}
	told := func() bool {
		return bytes.Contains(e.do("GET", page, "", "Accept-Language: en").body, []byte("1 vote for the school is under review."))
	}
	stand("held")
	e.until("one is under review", told)
	if bytes.Contains(e.do("GET", e.captain(path, "vercors"), "", "Accept-Language: en").body, []byte("under review.")) {
		t.Error("another school has it too")
	}
	stand("counted")
	e.until("none is", func() bool { return !told() })
}

// Nothing of hidden or frozen numbers moves: not by links, not by what is held.
func TestCaptain_SecretNumbersStaySecret(t *testing.T) {
	e := startOn(t, redistest.Start(t).URL())
	for name, more := range map[string]string{"after_close": `,"results":{"visibility":"after_close"}`, "after_ballot": `,"results":{"visibility":"after_ballot"}`, "frozen": `,"results":{"freeze":"24h30m"}`} {
		t.Run(name, func(t *testing.T) {
			path, page, link := campaign(t, e, more)
			e.byLink(link)
			visits := `<td>1</td></tr>`
			see := func() string {
				return ever.ReplaceAllString(string(e.do("GET", page, "", "Accept-Language: en").body), "")
			}
			e.until("the visit is told", func() bool { return strings.Contains(see(), visits) })
			before := see()
			via := strings.TrimPrefix(link, "/s/")
			for range 3 {
				pass := e.pass(path)
				id := newBallot()
				body := fmt.Sprintf(`{"ballot":%q,"entry":"lumiere-1","client":{"via":%q}}`, id, via)
				e.do("POST", path+"/ballots", body, pass).want(201, "")
				e.do("POST", path+"/standings", fmt.Sprintf(`{"ballots":[%q],"standing":"held","reason":"lockstep"}`, id), asOrganizer).want(200, "")
				e.do("POST", path+"/ballots", fmt.Sprintf(`{"ballot":%q,"entry":"lumiere-1","client":{"via":%q}}`, newBallot(), via), e.pass(path)).want(201, "")
			}
			e.until("the organizer sees them", func() bool {
				return strings.Contains(string(e.do("GET", path+"/leaderboard", "", asOrganizer).body), `"held":3`)
			})
			e.until("the reach is read anew", func() bool {
				return strings.Contains(string(e.do("GET", path+"/reach", "", asOrganizer).body), `"from_voters":7`)
			})
			if after := see(); after != before {
				t.Errorf("moved:\n%s\nbecame\n%s", before, after)
			}
		})
	}
}

func TestCaptain_WithoutTheStoreIsASentence(t *testing.T) {
	redis := redistest.Start(t)
	e := startOn(t, redis.URL())
	_, path := e.contest("")
	page := e.captain(path, "lumiere")
	redis.Kill()
	for _, part := range []string{"", "/poster.svg", "/story.png"} {
		if a := e.do("GET", page+part, ""); a.status != 503 {
			t.Errorf("%q: %d", part, a.status)
		}
	}
}

func storySize(t *testing.T, a answer) image.Point {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "image/png" {
		t.Fatalf("content type %q: %s", got, a.body)
	}
	c, err := png.DecodeConfig(bytes.NewReader(a.body))
	must(t, err)
	return image.Pt(c.Width, c.Height)
}

// A made-up code is the picture without one: there are no more pictures than
// codes that were given out.
func TestStory_LeadsByACodeOfItsOwnContest(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	_, elsewhere := e.contest("")
	mint := func(path string) string {
		return e.do("POST", path+"/shares", "", e.pass(path)).want(201, "").text("code")
	}
	own, other := mint(path), mint(elsewhere)
	base := "/story/" + id + "/e/lumiere-1.png"
	tag := func(address string) string {
		t.Helper()
		a := e.do("GET", address, "").want(200, "")
		if size := storySize(t, a); size != image.Pt(1080, 1920) {
			t.Fatalf("%s: %v", address, size)
		}
		if a.header.Get("Cache-Control") != "public, max-age=60" || a.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %v", address, a.header)
		}
		return a.header.Get("ETag")
	}
	plain := tag(base)
	for _, via := range []string{other, "0123456789ab", "s7", "%00", strings.Repeat("x", 500)} {
		if tag(base+"?via="+via) != plain {
			t.Errorf("via %.20q: another picture", via)
		}
	}
	drawn := e.server.drawnStories.recent.Len()
	if drawn != 1 {
		t.Errorf("%d pictures were drawn for one", drawn)
	}
	by := tag(base + "?via=" + own)
	if by == plain || tag(base+"?via="+own+"-w") != by {
		t.Error("the code is not on it, or the channel is another than the story's")
	}
	if tag(base+"?lang=en") == tag(base+"?lang=fr") {
		t.Error("both languages are one picture")
	}
	if tag("/story/"+id+"/s/lumiere.png") == plain {
		t.Error("a school is its entry")
	}
	if a := e.do("GET", base, "", "If-None-Match: "+plain); a.status != 304 || len(a.body) != 0 {
		t.Errorf("asked again: %d", a.status)
	}
	e.do("GET", "/story/"+id+"/e/secret-1.png", "").want(404, "no-such-entry")
	e.do("GET", "/story/"+id+"/e/nobody.png", "").want(404, "no-such-entry")
	e.do("GET", "/story/"+id+"/s/nowhere.png", "").want(404, "not-found")
	e.do("GET", "/story/nowhere/e/lumiere-1.png", "").want(404, "no-such-contest")
}

func TestPoster_IsOfTheSchoolOrAnEntryOfIt(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	page := e.captain(path, "vercors")
	for query, want := range map[string]int{"": 200, "?entry=vercors-1&lang=en": 200, "?entry=lumiere-1": 404, "?entry=secret-1": 404, "?entry=nobody": 404} {
		for _, picture := range []string{"/poster.svg", "/story.png"} {
			if a := e.do("GET", page+picture+query, ""); a.status != want {
				t.Errorf("%s%s: %d, want %d", picture, query, a.status, want)
			}
		}
	}
	a := e.do("GET", page+"/poster.svg?lang=en", "").want(200, "")
	if a.header.Get("Content-Type") != "image/svg+xml" || a.framers() != "'none'" || !strings.Contains(string(a.body), "Vote for · Vercors · The worst CV · vote.example.org/s/") {
		t.Errorf("%v %.600s", a.header, a.body)
	}
}

// The offer after the vote has the picture by the voter's own link.
func TestStory_IsOfferedAfterTheVote(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	b := e.browser()
	contestPage := strings.Replace(path, "/v1/contests/", "/c/", 1)
	a := b.send("GET", contestPage+"/e/lumiere-1?lang=en", "")
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).FindAllSubmatch(a.body, -1) {
		form.Set(string(m[1]), string(m[2]))
	}
	a = b.send("POST", contestPage+"/vote?lang=en", form.Encode())
	a = b.send("GET", a.header.Get("Location"), "")
	offered := regexp.MustCompile(`href="(/story/[^"]+)" download="story\.png"`).FindSubmatch(a.body)
	if offered == nil {
		t.Fatalf("%d: no story in %s", a.status, a.body)
	}
	storySize(t, e.do("GET", strings.ReplaceAll(string(offered[1]), "&amp;", "&"), "").want(200, ""))
}

func TestVotesToPass_IsTheLeastThatDoes(t *testing.T) {
	for _, scoring := range []string{"{by: total}", "{by: per_student, per: 1000}", "{by: per_student, per: 7}"} {
		d, err := contest.Parse([]byte(`id: gaps
title: G
phases: {voting: {opens: 2026-11-01T00:00:00Z, closes: 2026-12-01T00:00:00Z}}
scoring: {schools: ` + scoring + `}
schools: [{id: a, name: A, students: 9000}, {id: b, name: B, students: 311}]
entries: [{id: a-1, school: a, title: X}, {id: b-1, school: b, title: Y}]
`))
		must(t, err)
		rows := func(a, b int64) map[string]voting.SchoolRow {
			by := map[string]voting.SchoolRow{}
			tally := voting.NewTally()
			tally.Votes["a-1"], tally.Votes["b-1"] = a, b
			for _, row := range voting.NewLeaderboard(d, contest.PhaseVoting, 1, tally, nil).Schools {
				by[row.ID] = row
			}
			return by
		}
		for a := int64(0); a < 400; a += 7 {
			for b := int64(0); b < 60; b += 3 {
				now := rows(a, b)
				behind, ahead := "a", "b"
				if *now["a"].Rank < *now["b"].Rank {
					behind, ahead = ahead, behind
				}
				n := votesToPass(d, now[behind], now[ahead])
				give := func(n int64) map[string]voting.SchoolRow {
					if behind == "a" {
						return rows(a+n, b)
					}
					return rows(a, b+n)
				}
				after, short := give(n), give(n-1)
				if *after[behind].Rank >= *after[ahead].Rank || *short[behind].Rank < *short[ahead].Rank {
					t.Fatalf("%s: a %d, b %d: %s needs %d", scoring, a, b, behind, n)
				}
			}
		}
	}
}

func TestWords_HoursAreDrawnAndTold(t *testing.T) {
	e := start(t)
	from := time.Date(2026, 11, 26, 19, 0, 0, 0, time.UTC)
	at := func(hours int) time.Time { return from.Add(time.Duration(hours) * time.Hour) }
	v := captainView{layout: layout{words: words{e.server.texts, "fr"}}}
	h := v.hours([]live.Hours{{From: at(0), To: at(1), Votes: 10}, {From: at(1), To: at(3), Votes: 40}, {From: at(3), To: at(4), Votes: -3}, {From: at(4), To: at(5), Votes: 40}}, time.FixedZone("", 3600))
	if len(h.Bars) != 4 || h.First != "13\u00a0h" || h.Since != "40 votes depuis 0\u00a0h." || h.Wide != 144 {
		t.Errorf("%+v", h)
	}
	for i, want := range []hourBar{
		{85.5, 54, 9, 18, "20\u00a0h", "21\u00a0h", "10"}, {97.5, 36, 21, 36, "21\u00a0h", "23\u00a0h", "40"},
		{121.5, 71, 9, 1, "23\u00a0h", "0\u00a0h", "-3"}, {133.5, 1, 9, 71, "0\u00a0h", "1\u00a0h", "40"},
	} {
		if h.Bars[i] != want {
			t.Errorf("bar %d: %+v, want %+v", i, h.Bars[i], want)
		}
	}
}

// A median is told as a span that it is less than.
func TestWords_HalfOfTheVotesCameInLessThanIsSaid(t *testing.T) {
	texts, err := newCatalogue()
	must(t, err)
	v := &captainView{layout: layout{words: words{texts, "en"}}}
	for took, want := range map[time.Duration]string{
		20 * time.Second: "1 minute", 90*time.Minute + time.Second: "91 minutes", 2 * time.Hour: "3 hours", 3*time.Hour + 40*time.Minute: "4 hours",
		47*time.Hour + 59*time.Minute: "2 days", 71 * time.Hour: "3 days", 30 * 24 * time.Hour: "31 days",
	} {
		k, cycle := 0.5, took.Seconds()
		lines := v.growth(sharing.Row{Shares: 1, Growth: &sharing.Growth{K: &k, Cycle: &cycle}})
		if len(lines) != 2 || !strings.Contains(lines[1], "came less than "+want+" after") {
			t.Errorf("%v: %q, want %s", took, lines, want)
		}
	}
}
