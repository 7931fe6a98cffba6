package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// jar is a browser's cookies of one site, the oldest first, as browsers send them.
type jar []*http.Cookie

func (j *jar) take(a answer) {
	for _, cookie := range (&http.Response{Header: a.header}).Cookies() {
		at := slices.IndexFunc(*j, func(kept *http.Cookie) bool { return kept.Name == cookie.Name })
		switch {
		case at >= 0 && cookie.MaxAge < 0, at >= 0 && !cookie.Expires.IsZero() && cookie.Expires.Before(time.Now()):
			*j = slices.Delete(*j, at, at+1)
		case at >= 0:
			(*j)[at] = cookie
		case cookie.MaxAge > 0:
			*j = append(*j, cookie)
		}
	}
}

func (j jar) header() string {
	var pairs []string
	for _, cookie := range j {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	return "Cookie: " + strings.Join(pairs, "; ")
}

func (j jar) has(contest string) bool {
	return slices.ContainsFunc(j, func(cookie *http.Cookie) bool { return cookie.Name == passCookieName(contest) })
}

// Whoever votes in contest after contest of one site goes on being let in: the passes of
// contests that are over are let go first, then the oldest, and never the one just given.
func TestCookies_OfManyContestsLeaveRoomForTheRest(t *testing.T) {
	e := start(t)
	var kept jar
	// What a browser sends beside cookies, on a long way back from a proof.
	rest := []string{"User-Agent: " + strings.Repeat("a", 300), "Referer: http://" + e.addr + "/" + strings.Repeat("r", 1500), "Accept: " + strings.Repeat("x", 700)}
	var contests, gone []string
	for i := range 30 {
		id, path := e.contest("")
		contests = append(contests, id)
		given := e.do("POST", path+"/passes", `{"level":"device"}`, append(rest, "Sec-Fetch-Site: same-origin", kept.header())...).want(201, "")
		kept.take(given)
		if !kept.has(id) {
			t.Fatalf("the pass of contest %d was not left with the browser", i)
		}
		e.do("GET", "/c/"+id+"?receipt="+strings.Repeat("r", 500), "", append(rest, kept.header())...).want(200, "")
		if i == 3 {
			e.do("POST", path+"/close", "", asOrganizer).want(200, "")
		}
		for _, old := range contests {
			if !kept.has(old) && !slices.Contains(gone, old) {
				gone = append(gone, old)
			}
		}
	}
	if len(gone) < 3 || len(gone) > 20 || gone[0] != contests[3] || gone[1] != contests[0] || gone[2] != contests[1] {
		t.Errorf("let go were %v of %v, want the fourth, which is over, then the oldest", gone, contests)
	}
}
