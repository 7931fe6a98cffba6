package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/joute/joute/community"
	"github.com/joute/joute/community/fans"
)

func TestFan_OneClickOfAMailServerLeaves(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	for i, body := range []struct{ kind, text string }{
		{"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"},
	} {
		m := e.join(id, "lumiere-1", fmt.Sprintf("ada%d@example.org", i))
		header := regexp.MustCompile(`(?s)List-Unsubscribe: <https://vote\.example\.org(/[^>]*)>`).FindStringSubmatch(strings.ReplaceAll(m.Raw, "\r\n ", ""))
		if header == nil {
			t.Fatalf("no List-Unsubscribe in %s", m.Raw)
		}
		for range 2 { // mail servers try again
			if a := e.do("POST", header[1], body.text, "Content-Type: "+body.kind); a.status != 200 {
				t.Fatalf("%s: %d %s", body.kind, a.status, a.body)
			}
		}
		if list := e.fans(path); len(list) != 0 {
			t.Errorf("%s: members %v", body.kind, list)
		}
	}
}

func TestFan_ForgedLinksSayOneThingAndDoNothing(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	m := e.join(id, "lumiere-1", "ada@example.org")
	b := e.browser("Accept-Language: en")
	confirm, leave := confirmLink(t, m), link(t, m, "/fan/leave/")
	token := func(path string) string {
		path, _, _ = strings.Cut(path, "?")
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	flip := func(s string) string { return s[:30] + map[bool]string{true: "B", false: "A"}[s[30] == 'A'] + s[31:] }
	nowhere := e.server.fanTokens.Seal(community.Token{Purpose: community.ToLeave, Contest: "nowhere", Fan: community.Fan{1}})
	for name, address := range map[string]string{
		"confirm, changed": "/fan/" + flip(token(confirm)), "leave, changed": "/fan/leave/" + flip(token(leave)),
		"leave to confirm": "/fan/" + token(leave), "confirm to leave": "/fan/leave/" + token(confirm),
		"cut": "/fan/leave/" + token(leave)[:40], "junk": "/fan/x", "junk to leave": "/fan/leave/x", "long": "/fan/" + strings.Repeat("A", 3000),
		"a contest that is gone": "/fan/leave/" + nowhere,
	} {
		for _, method := range []string{"GET", "POST"} {
			a := b.send(method, address, map[string]string{"POST": "page=1"}[method], "Origin: http://"+e.addr)
			if a.status != 404 || a.framers() != "'none'" {
				t.Errorf("%s %s: %d", method, name, a.status)
			}
			a.shows("not one of ours")
		}
	}
	if a := b.send("POST", confirm, "page=1", "Origin: https://evil.example"); a.status != 403 {
		t.Errorf("confirmed from another site: %d", a.status)
	}
	// Who has not asked has nothing to leave, and learns nothing.
	stranger := e.server.fanTokens.Seal(community.Token{Purpose: community.ToLeave, Contest: id, Fan: community.Fan{1}})
	b.get("/fan/leave/"+stranger).want(200, "").shows("Done")
	if list := e.fans(path); len(list) != 1 {
		t.Errorf("members %v", list)
	}
	for _, address := range []string{confirm, leave} {
		if got := b.get(address).header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("kept by caches: %q", got)
		}
	}
}

func TestFan_NoOfferWithoutACommunityOrMails(t *testing.T) {
	e := start(t)
	bare, _ := e.contest("")
	id, _ := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	b.offered(bare, "lumiere-1").hides("novalidate")
	for _, method := range []string{"GET", "POST"} {
		if a := b.send(method, "/c/"+bare+"/fan", ""); a.status != 404 {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	page := b.offered(id, "lumiere-1")
	// Without a public address, links in mails would lead where whoever asks says.
	e.server.cfg.PublicURL = ""
	for host, offered := range map[string]bool{"evil.example": false, "localhost:8080": true, "127.0.0.1:8080": true, "[::1]:8080": true, "127.0.0.1.evil.example": false, "localhost.evil.example": false} {
		req, err := http.NewRequest("GET", "http://"+e.addr+"/c/"+id+"/fan", nil)
		must(t, err)
		req.Host = host
		resp, err := still.Do(req)
		must(t, err)
		resp.Body.Close()
		if got := resp.StatusCode == 200; got != offered {
			t.Errorf("%s: status %d", host, resp.StatusCode)
		}
	}
	e.server.cfg.PublicURL, e.server.cfg.Mail = "https://vote.example.org", nil
	if a := b.fill(page, "opt_in=yes", "email=ada@example.org", "age=over"); a.status != 404 {
		t.Errorf("without mails: %d", a.status)
	}
	if e.mails.Taken() != 0 {
		t.Error("a mail was sent")
	}
}

// A leave link outlives the offer.
func TestFan_LeavingWorksWhenTheOfferIsOver(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	m := e.join(id, "lumiere-1", "ada@example.org")
	e.do("PUT", path, contestText(id, `,"brand":"Maison"`), asOrganizer).want(200, "")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	b := e.browser("Accept-Language: en")
	page := b.get(link(t, m, "/fan/leave/")).want(200, "")
	page.shows("Leave Maison?")
	b.follow(b.pressOne(page)).shows("Done")
	if list := e.fans(path); len(list) != 0 {
		t.Errorf("members %v", list)
	}
}

func TestFan_MailServerDownKeepsTheRequestAndSaysSo(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	e.mails.Down(true)
	b := e.browser("Accept-Language: en")
	b.follow(b.fill(b.offered(id, "lumiere-1"), "opt_in=yes", "email=ada@example.org", "age=over"))
	e.until("down", func() bool { return e.server.cfg.Mail.Down() })
	b.get("/c/"+id+"/fan").shows("Your request is kept", "Your vote does not depend on it")
	e.settled(id, 1)
	e.mails.Down(false)
	m := e.mailed("ada@example.org", 1)[0]
	b.follow(b.pressOne(b.get(confirmLink(t, m)))).shows("You are in")
	if list := e.fans(path); len(list) != 1 {
		t.Errorf("members %v", list)
	}
}

func TestFan_TooManyAreToldSoAndTheVoteStands(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) { s.cfg.Fans = fans.New(s.cfg.Store, s.cfg.Keys, fans.Options{MailsOfContest: 1}) })
	id, _ := e.contest(withFans)
	for i, status := range []int{303, 503, 503} {
		b := e.browser("Accept-Language: en")
		a := b.fill(b.offered(id, "lumiere-1"), "opt_in=yes", "age=over", fmt.Sprintf("email=ada%d@example.org", i%2))
		if a.status != status {
			t.Errorf("%d: status %d", i, a.status)
		}
		if status == 503 {
			a.shows("try again in an hour", "Your vote does not depend on it")
			if a.header.Get("Retry-After") != "3600" {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
		}
	}
	e.settled(id, 3)
	if !strings.Contains(string(e.do("GET", "/metrics", "").body), `joute_fans_total{event="full"} 2`) {
		t.Error("not counted")
	}
}

func TestFan_SpeaksFrench(t *testing.T) {
	e := start(t)
	id, _ := e.contest(withFans)
	b := e.browser("Accept-Language: fr")
	page := b.offered(id, "lumiere-1")
	page.shows("Rejoindre Tremplin", "Je rejoins Tremplin", "Non merci", "15 ans ou plus")
	b.fill(page, "email=ada@example.org").shows("Cochez cette case", "Dites si vous avez 15 ans ou plus")
	b.follow(b.fill(page, "opt_in=yes", "email=ada@example.org", "age=over")).shows("Regardez vos mails")
	m := e.mailed("ada@example.org", 1)[0]
	if !strings.Contains(m.Subject, "Confirmez") || !strings.Contains(confirmLink(t, m), "?lang=fr") {
		t.Errorf("the mail: %s", m.Raw)
	}
	// A mail program whose browser speaks English still shows the mail's language.
	english := e.browser("Accept-Language: en")
	english.follow(english.pressOne(english.get(confirmLink(t, m)))).shows("Vous y êtes")
}

// The window that a frame opens has the offer too; whoever says no after a fault
// is not asked to vote again.
func TestFan_TheWindowOfAFrameIsAnotherChannel(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.press(b.get("/c/"+id+"/e/lumiere-1/confirm").want(200, ""), "lumiere-1").want(200, "")
	page.shows("Join Tremplin", "No thanks")
	faulty := b.fill(page)
	if !strings.Contains(string(faulty.body), `href="/c/`+id+`?lang=en">No thanks`) {
		t.Errorf("no thanks leads elsewhere: %s", faulty.body)
	}
	b.follow(b.fill(page, "opt_in=yes", "email=ada@example.org", "age=over"))
	b.follow(b.pressOne(b.get(confirmLink(t, e.mailed("ada@example.org", 1)[0]))))
	record := answer{t: t, body: e.do("GET", path+"/fans/ledger", "", asOrganizer).want(200, "").body}.json()
	if record["channel"] != "embed" || record["page"] != "/c/"+id+"/e/:entry/confirm" {
		t.Errorf("recorded %v", record)
	}
}
