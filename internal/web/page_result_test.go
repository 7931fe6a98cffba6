package web

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// closed is a contest of two schools with so many ballots, ended by the organizer.
func (e *env) closed(scoring string, votes map[string]int) (id, path, document string) {
	e.t.Helper()
	id = newID()
	path = "/v1/contests/" + id
	now := time.Now()
	document = fmt.Sprintf(`{"id":%q,"title":"The end","locale":"en","phases":{"voting":{"opens":%q,"closes":%q}},"scoring":%s,"links":{"rules":"https://example.org/rules"},
		"schools":[{"id":"one","name":"One","students":7000},{"id":"two","name":"Two","students":14000},{"id":"none","name":"None","students":500}],
		"entries":[{"id":"a","school":"one","title":"A"},{"id":"b","school":"one","title":"B"},{"id":"c","school":"one","title":"C"},{"id":"d","school":"two","title":"D"}]}`,
		id, now.Add(-time.Hour).UTC().Format(time.RFC3339), now.Add(time.Hour).UTC().Format(time.RFC3339), scoring)
	e.do("PUT", path, document, asOrganizer).want(201, "")
	sum := 0
	for _, entry := range []string{"a", "b", "c", "d"} {
		for range votes[entry] {
			e.do("POST", path+"/ballots", ballot(newBallot(), entry), e.pass(path)).want(201, "")
			sum++
		}
	}
	e.settled(id, int64(sum))
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	e.until("closed", func() bool { return strings.Contains(string(e.do("GET", path+"/leaderboard", "").body), `"closed"`) })
	return id, path, document
}

func TestResult_NamesWinnersTiesAndEveryStep(t *testing.T) {
	e := start(t)
	for name, c := range map[string]struct {
		scoring string
		votes   map[string]int
		shown   []string
	}{
		"best two per student": {`{"schools":{"by":"per_student","per":1000,"best_entries":2}}`, map[string]int{"a": 3, "b": 2, "c": 1, "d": 4},
			[]string{`>One</a> <span>0.71</span>`, "its 2 most voted entries, divided by (its students ÷ 1,000)", "3 + 2 = 5; 5 ÷ (7,000 ÷ 1,000) = 5/7 ≈ 0.71",
				"4; 4 ÷ (14,000 ÷ 1,000) = 2/7 ≈ 0.29", "0; 0 ÷ (500 ÷ 1,000) = 0.00", "Equal scores share a rank."}},
		"equal per student": {`{"schools":{"by":"per_student","per":1000}}`, map[string]int{"a": 1, "d": 2},
			[]string{"Winners, equal", "Equal at rank 1: One and Two.", "1; 1 ÷ (7,000 ÷ 1,000) = 1/7 ≈ 0.14", "2; 2 ÷ (14,000 ÷ 1,000) = 1/7 ≈ 0.14"}},
		"total, the earlier first": {`{"schools":{"by":"total"},"ties":"earliest"}`, map[string]int{"a": 1, "b": 1, "d": 2},
			[]string{`>One</a> <span>2</span>`, "Equal, the older last vote first: One, Two.", "1 + 1 = 2", "the votes of all its entries"}},
		"nobody": {`{"schools":{"by":"total"}}`, nil, []string{"No vote was counted: there is no winner."}},
	} {
		t.Run(name, func(t *testing.T) {
			id, path, _ := e.closed(c.scoring, c.votes)
			page := e.do("GET", "/c/"+id, "").want(200, "")
			page.shows(append(c.shown, "Final result", "Voting ended on ", "https://example.org/rules", "is not public yet")...)
			page.hides("<form", "data-feed", "/ledger", ">result.", "<no value>")
			e.do("GET", "/c/"+id+"/e/a", "").want(200, "").hides("<form", `class="vote"`)
			e.do("GET", "/c/"+id+"/s/two", "").want(200, "").hides("<form", `class="vote"`)
			e.do("POST", path+"/publish", "", asOrganizer).want(200, "")
			published := e.do("GET", "/c/"+id, "")
			published.shows(`href="`+path+`/ledger"`, "joute recount "+id)
			e.do("GET", path+"/ledger", "").want(200, "")
		})
	}
}

// A hidden entry's ballots stay in its school's score, and nothing on the page
// says which of them were its.
func TestResult_HiddenEntriesCountAndAreNotTold(t *testing.T) {
	e := start(t)
	id, path, document := e.closed(`{"schools":{"by":"total"}}`, map[string]int{"a": 3, "b": 2, "d": 1})
	e.do("PUT", path, strings.Replace(document, `"id":"b",`, `"id":"b","hidden":true,`, 1), asOrganizer).want(200, "")
	for _, page := range []string{"/c/" + id, "/c/" + id + "/s/one"} {
		a := e.do("GET", page, "").want(200, "")
		a.shows(">5<")
		a.hides("3 + 2", "= 5", ">B<")
	}
	e.do("GET", "/c/"+id+"/e/b", "").want(404, "")
}
