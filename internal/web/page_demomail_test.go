package web

import (
	"strings"
	"testing"
	"time"
)

func TestDemoMail_OfAnyOtherServerIsNoPage(t *testing.T) {
	e := start(t)
	for _, path := range []string{"/demo/mail", "/demo/mail?lang=fr&still=1", "/demo"} {
		if a := e.browser().send("GET", path, ""); a.status != 404 || strings.Contains(string(a.body), "refresh") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestDemoMail_ShowsWhatCameNewestFirst(t *testing.T) {
	var mails []DemoMail
	e := startOn(t, sharedURL(t), func(s *Server) { s.cfg.DemoMail = func() []DemoMail { return mails } })
	page := func(query string) string {
		t.Helper()
		a := e.browser().send("GET", "/demo/mail"+query, "")
		if a.status != 200 || a.header.Get("Cache-Control") != "private, no-store" || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Fatalf("%s: %d %v", query, a.status, a.header)
		}
		return string(a.body)
	}
	if p := page("?lang=fr"); !strings.Contains(p, "Aucun e-mail") || !strings.Contains(p, `<html lang="fr">`) || !strings.Contains(p, `<meta http-equiv="refresh" content="5">`) {
		t.Errorf("empty: %s", p)
	}
	mails = []DemoMail{
		{To: "ada@example.org", Subject: "<b>second</b>", Text: "open\nhttps://vote.example.org/x?a=1&b=2\nor <script>not</script>", At: time.Now()},
		{To: "bob@example.org", Subject: "first", Text: "javascript:alert(1)", At: time.Now()},
	}
	p := page("?lang=en")
	second, first := strings.Index(p, "&lt;b&gt;second"), strings.Index(p, ">first<")
	if second < 0 || first < second || !strings.Contains(p, "ada@example.org") || !strings.Contains(p, "bob@example.org") {
		t.Errorf("not both, or in another order: %s", p)
	}
	if !strings.Contains(p, `<a href="https://vote.example.org/x?a=1&amp;b=2">https://vote.example.org/x?a=1&amp;b=2</a>`) || strings.Contains(p, "<script>not") || strings.Contains(p, `href="javascript`) {
		t.Errorf("its text: %s", p)
	}
	if !strings.Contains(p, `href="/demo/mail?lang=en&amp;still=1"`) || !strings.Contains(p, `href="/demo/mail?lang=fr"`) {
		t.Errorf("no way to stop it, or to the other language: %s", p)
	}
	if p := page("?lang=en&still=1"); strings.Contains(p, "http-equiv") || !strings.Contains(p, `href="/demo/mail?lang=en"`) || !strings.Contains(p, `href="/demo/mail?lang=fr&amp;still=1"`) {
		t.Errorf("still: %s", p)
	}
}
