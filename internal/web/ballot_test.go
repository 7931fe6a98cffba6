package web

import (
	"fmt"
	"strings"
	"testing"
)

func TestBallot_IsSeenWithItsPassOrReceipt(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	pass, b := e.pass(path), newBallot()
	cast := e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(201, "")
	for _, bearer := range []string{pass, "Authorization: Bearer " + cast.text("receipt")} {
		a := e.do("GET", path+"/ballots/"+b, "", bearer).want(200, "").fits("Standing")
		if a.text("position") != cast.text("position") || a.text("at") != cast.text("at") || a.text("standing") != "counted" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s", a.body)
		}
	}
	receipt := "Authorization: Bearer " + cast.text("receipt")
	e.do("GET", path+"/ballots/"+b, "").want(401, "invalid-pass")
	e.do("GET", path+"/ballots/"+b, "", receipt+"x").want(401, "invalid-pass")
	e.do("GET", path+"/ballots/"+b, "", e.pass(path)).want(404, "no-such-ballot")
	e.do("GET", path+"/ballots/"+newBallot(), "", receipt).want(404, "no-such-ballot")
	_, other := e.contest("")
	e.do("GET", other+"/ballots/"+b, "", receipt).want(401, "invalid-pass")
	e.do("DELETE", path+"/ballots/"+b, "", receipt).want(401, "invalid-pass") // a receipt only looks
}

func TestBallot_IsTakenBackInsideTheUndoWindow(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"rules":{"undo":"10m"}`)
	pass, b := e.pass(path), newBallot()
	e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(201, "")
	e.do("DELETE", path+"/ballots/"+b, "").want(401, "invalid-pass")
	e.do("DELETE", path+"/ballots/"+b, "", e.pass(path)).want(404, "no-such-ballot")
	first := e.do("DELETE", path+"/ballots/"+b, "", pass).want(200, "").fits("Standing")
	if again := e.do("DELETE", path+"/ballots/"+strings.ToUpper(b), "", pass).want(200, ""); string(again.body) != string(first.body) || first.text("standing") != "withdrawn" {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	if a := e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(200, ""); a.text("standing") != "withdrawn" {
		t.Errorf("its id counts again: %s", a.body)
	}
	e.do("POST", path+"/ballots", ballot(newBallot(), "vercors-1"), pass).want(201, "") // its turn came back

	_, never := e.contest("")
	pass = e.pass(never)
	e.do("POST", never+"/ballots", ballot(b, "lumiere-1"), pass).want(201, "")
	e.do("DELETE", never+"/ballots/"+b, "", pass).want(409, "undo-expired")

	second := newBallot()
	voter := e.pass(path)
	e.do("POST", path+"/ballots", ballot(second, "lumiere-1"), voter).want(201, "")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	e.do("DELETE", path+"/ballots/"+second, "", voter).want(409, "undo-expired")
}

func TestStandings(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"boxes":4`)
	var ids []string
	for range 6 {
		id := newBallot()
		e.do("POST", path+"/ballots", ballot(id, "lumiere-1"), e.pass(path)).want(201, "")
		ids = append(ids, id)
	}
	change := func(standing string, names ...string) answer {
		return e.do("POST", path+"/standings", fmt.Sprintf(`{"ballots":["%s"],"standing":%q,"reason":"farm-7"}`, strings.Join(names, `","`), standing), asOrganizer)
	}
	counts := func(a answer, changed, unchanged float64) {
		t.Helper()
		if m := a.want(200, "").json(); m["changed"] != changed || m["unchanged"] != unchanged {
			t.Errorf("%s, want %v and %v", a.body, changed, unchanged)
		}
	}
	counts(change("void", ids[0], ids[1]), 2, 0)
	counts(change("void", ids[0], ids[1], ids[2]), 1, 2)
	counts(change("counted", ids[0]), 1, 0)
	counts(change("held", ids[3], ids[3]), 1, 1)

	missing := change("void", ids[4], newBallot(), ids[5]).want(404, "no-such-ballot")
	if !strings.Contains(string(missing.body), `"path":"ballots[1]"`) {
		t.Errorf("%s", missing.body)
	}
	if a := e.do("GET", path+"/leaderboard", "", asOrganizer); !strings.Contains(string(a.body), `"totals":{"counted":3,"held":1`) {
		t.Errorf("one ballot that is not there must change none: %s", a.body)
	}

	// Two voters with one ballot id: the id alone is not enough.
	shared := newBallot()
	var voter string
	for range 2 {
		a := e.do("POST", path+"/passes", `{"level":"device"}`).want(201, "")
		voter = a.text("voter")
		e.do("POST", path+"/ballots", ballot(shared, "lumiere-1"), "Authorization: Bearer "+a.text("pass")).want(201, "")
	}
	change("void", ids[4], shared).want(409, "ambiguous-ballot")
	counts(change("void", shared+"/"+voter), 1, 0)

	for _, body := range []string{
		`{"ballots":[],"standing":"void","reason":"x"}`, `{"standing":"void","reason":"x"}`, `{"ballots":["x"],"standing":"void","reason":"x"}`,
		`{"ballots":["` + ids[0] + `/"],"standing":"void","reason":"x"}`, `{"ballots":["` + ids[0] + `/short"],"standing":"void","reason":"x"}`,
		`{"ballots":["` + ids[0] + `"],"standing":"withdrawn","reason":"x"}`, `{"ballots":["` + ids[0] + `"],"standing":"","reason":"x"}`,
		`{"ballots":["` + ids[0] + `"],"standing":"void"}`, `{"ballots":["` + ids[0] + `"],"standing":"void","reason":"he is a cheat"}`,
		`{"ballots":"` + ids[0] + `","standing":"void","reason":"x"}`,
	} {
		e.do("POST", path+"/standings", body, asOrganizer).want(400, "invalid-request")
	}
	e.do("POST", path+"/standings", `{}`, e.pass(path)).want(401, "unauthorized")
	records := string(e.do("GET", path+"/ledger", "", asOrganizer).body)
	if strings.Count(records, `"reasons":["farm-7"],"actor":"organizer"`) != 6 {
		t.Errorf("want one record a change: %s", records)
	}
}
