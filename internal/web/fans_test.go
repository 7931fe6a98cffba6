package web

import (
	"strings"
	"testing"
)

func TestFans_AreForTheOrganizerAndSafeInASpreadsheet(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	for _, more := range []string{"/fans", "/fans/ledger", "/fans/churn"} {
		e.do("GET", path+more, "").want(401, "unauthorized")
		e.do("GET", path+more, "", "Authorization: Bearer x").want(401, "unauthorized")
		if a := e.do("GET", path+more, "", asOrganizer).want(200, ""); a.header.Get("Cache-Control") != "no-store" || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", more, a.header)
		}
		e.do("GET", "/v1/contests/nowhere"+more, "", asOrganizer).want(404, "no-such-contest")
	}
	const head = "\ufeff" + `"email","school","joined_at","asked_at","wording","lang","page","under_15_parent"` + "\r\n"
	if a := e.do("GET", path+"/fans", "", asOrganizer, "Accept: text/csv").want(200, ""); string(a.body) != head {
		t.Errorf("nobody: %q", a.body)
	}
	e.join(id, "lumiere-1", "=cmd|'/c'!a1@example.org")
	for _, address := range []string{"+1@example.org", "-1@example.org", "'@example.org"} {
		e.join(id, "vercors-1", address)
	}
	for _, how := range [][]string{{"", "Accept: text/csv"}, {"?format=csv"}, {"?format=csv", "Accept: application/json"}} {
		a := e.do("GET", path+"/fans"+how[0], "", append(how[1:], asOrganizer)...).want(200, "")
		if got := a.header.Get("Content-Type"); got != typeCSV || !strings.Contains(a.header.Get("Content-Disposition"), "fans-"+id+".csv") {
			t.Errorf("%v: %q", how, a.header)
		}
		lines := strings.Split(string(a.body), "\r\n")
		if len(lines) != 6 || lines[0]+"\r\n" != head {
			t.Fatalf("%v: %q", how, lines)
		}
		for i, begin := range []string{`"'=cmd|'/c'!a1@example.org","lumiere",`, `"'+1@example.org","vercors",`, `"'-1@example.org",`, `"'@example.org",`} {
			if !strings.HasPrefix(lines[i+1], begin) || !strings.HasSuffix(lines[i+1], `,"en","/c/`+id+`","false"`) {
				t.Errorf("line %d: %s", i+1, lines[i+1])
			}
		}
	}
	for _, how := range [][]string{{""}, {"", "Accept: */*"}, {"", "Accept: application/json"}, {"?format=json", "Accept: text/csv"}} {
		a := e.do("GET", path+"/fans"+how[0], "", append(how[1:], asOrganizer)...).want(200, "").fits("Fans")
		if got := a.json()["fans"].([]any)[0].(map[string]any)["email"]; got != "=cmd|'/c'!a1@example.org" {
			t.Errorf("%v: %v", how, got)
		}
	}
}
