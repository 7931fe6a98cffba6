package web

import (
	"strings"
	"testing"
)

func TestLeaderboard_RevalidatesByETag(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	board := path + "/leaderboard"
	a := e.do("GET", board, "").want(200, "")
	etag := a.header.Get("ETag")
	if a.header.Get("Cache-Control") != "public, max-age=1" || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Authorization") || etag == "" {
		t.Errorf("%v", a.header)
	}
	for header, status := range map[string]int{
		etag: 304, "W/" + etag: 304, "*": 304, `"x", ` + etag: 304, `"x",W/` + etag + `,"y"`: 304, `"x"`: 200, strings.Trim(etag, `"`): 200, "W/": 200,
	} {
		got := e.do("GET", board, "", "If-None-Match: "+header)
		if got.status != status || got.status == 304 && (len(got.body) > 0 || got.header.Get("ETag") != etag) {
			t.Errorf("If-None-Match %s: %d %s", header, got.status, got.body)
		}
	}
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	e.until("another ETag", func() bool { return e.do("GET", board, "", "If-None-Match: "+etag).status == 200 })
	own := e.do("GET", board, "", asOrganizer).want(200, "")
	if own.header.Get("Cache-Control") != "private, no-store" || !strings.Contains(string(own.body), `"boxes":[`) {
		t.Errorf("%v %s", own.header, own.body)
	}
	if head := e.do("HEAD", board, "").want(200, ""); head.header.Get("ETag") == "" {
		t.Errorf("%v", head.header)
	}
}

func TestLeaderboard_Limit(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	for limit, entries := range map[string]int{"": 2, "?limit=1": 1, "?limit=2": 2, "?limit=10000": 2, "?other=1": 2} {
		if got := len(e.do("GET", path+"/leaderboard"+limit, "").want(200, "").json()["entries"].([]any)); got != entries {
			t.Errorf("%q: %d entries, want %d", limit, got, entries)
		}
	}
	for _, limit := range []string{"0", "-1", "10001", "x", "", "1.5", "1e3", "+5", "05", "%201", "99999999999999999999"} {
		e.do("GET", path+"/leaderboard?limit="+limit, "").want(400, "invalid-request")
	}
}

func TestLeaderboard_WhoHasVotedSeesMore(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"results":{"visibility":"after_ballot"}`)
	voter, other := e.pass(path), e.pass(path)
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), voter).want(201, "")
	hidden := func(header string) bool {
		totals := e.do("GET", path+"/leaderboard", "", header).want(200, "").fits("Leaderboard").json()["totals"].(map[string]any)
		return totals["counted"] == nil
	}
	for header, want := range map[string]bool{
		"X-None: x": true, other: true, "Authorization: Bearer expired": true, voter: false, asOrganizer: false,
	} {
		if got := hidden(header); got != want {
			t.Errorf("%.30s: numbers hidden %v, want %v", header, got, want)
		}
	}
	if a := e.do("GET", path+"/leaderboard", "", voter); !strings.HasPrefix(a.header.Get("Cache-Control"), "private") {
		t.Errorf("what a voter sees would be shared: %v", a.header)
	}
}

func TestMetrics_CountBallotsByOutcome(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	pass, b := e.pass(path), newBallot()
	e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(201, "")
	e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(200, "")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(409, "already-voted")
	page := string(e.do("GET", "/metrics", "").want(200, "").body)
	for _, want := range []string{
		`joute_ballots_total{outcome="counted"} 1`, `joute_ballots_total{outcome="duplicate"} 1`, `joute_ballots_total{outcome="already-voted"} 1`,
		`joute_ballots_total{outcome="held"} 0`, "joute_cast_seconds_count 3", "joute_store_round_trips_total",
		// Alarms on the first one need the series from the start.
		`joute_screened_total{decision="hold",effect="spared"} 0`, `joute_screened_total{decision="reject",effect="spared"} 0`,
		`joute_screened_total{decision="challenge",effect="observed"} 0`, `joute_known_farm_total{became="spared"} 0`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	log := e.log.String()
	if token := strings.TrimPrefix(pass, "Authorization: Bearer "); strings.Contains(log, token) || strings.Contains(log, b) || !strings.Contains(log, "route=/v1/contests/:contest/ballots") {
		t.Errorf("the access log: %s", log)
	}
}
