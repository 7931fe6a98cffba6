package web

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/redistest"
)

// lived is a contest in which everything happened that leaves something of a
// person, and what its people hold.
type lived struct {
	*env
	id, path               string
	device, member         string // bearer headers
	cast, held             answer
	code, captain, renewed string
	pending, email         string
	confirm, leave         string // tokens of fans
	browser                *browser
}

func liveThrough(t *testing.T, url string) *lived {
	t.Helper()
	e := startOn(t, url)
	l := &lived{env: e, email: address()}
	l.id, l.path = e.contest(withFans + `,"boxes":2,"rules":{"ballots":{"max":1,"per":"contest"}}`)
	stored, _ := e.server.cfg.Registry.Get(l.id)
	l.device = e.pass(l.path)
	l.cast = e.do("POST", l.path+"/ballots", ballot(newBallot(), "lumiere-1"), l.device).want(201, "")
	member := e.prove(l.path, l.email, "").want(201, "")
	l.member = "Authorization: Bearer " + member.text("pass")
	l.held = e.do("POST", l.path+"/ballots", ballot(newBallot(), "vercors-1"), l.member).want(201, "")
	e.do("POST", l.path+"/standings", `{"ballots":["`+l.held.text("ballot")+`"],"standing":"held","reason":"lockstep"}`, asOrganizer).want(200, "")
	e.do("POST", l.path+"/ballots/"+l.held.text("ballot")+"/appeal", `{"text":"It was me, Ada."}`, l.member).want(202, "")
	l.code = e.do("POST", l.path+"/shares", "", l.device).want(201, "").text("code")
	l.captain = e.captain(l.path, "lumiere")
	l.renewed = e.captain(l.path, "lumiere", `,"renew":true`)
	l.browser = e.browser("Accept-Language: en")
	l.browser.follow(l.browser.scan(e.code(l.id, time.Now())))
	l.leave = e.server.fanTokens.Seal(community.Token{Purpose: community.ToLeave, Contest: l.id, Fan: e.fan(stored, "fan@example.org")})
	m := e.joining(l.id, "waits@example.org")
	l.confirm = strings.TrimPrefix(m, "/fan/")
	l.pending = e.do("POST", l.path+"/passes", `{"level":"email","email":"another@example.org"}`).want(202, "").text("pending")
	return l
}

// joining takes the offer and gives the link of the mail, unopened.
func (e *env) joining(id, address string) string {
	e.t.Helper()
	b := e.browser("Accept-Language: en")
	b.follow(b.fill(b.offered(id, "lumiere-1"), "opt_in=yes", "email="+address, "age=over"))
	return confirmLink(e.t, e.mailed(address, 1)[0])
}

// keys are those of the contest, and of its share codes, but for those that stay.
func (l *lived) keys() (found []string) {
	l.t.Helper()
	client := l.server.cfg.Store.Client()
	all, err := client.Keys(l.t.Context(), "*").Result()
	must(l.t, err)
	for _, key := range all {
		if stays.MatchString(key) {
			continue
		}
		if strings.Contains(key, l.id+"/") || strings.HasSuffix(key, "/"+l.id+"}") || strings.HasPrefix(key, "joute:share:") && strings.HasPrefix(client.Get(l.t.Context(), key).Val(), l.id+" ") {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	return found
}

// stays is what a forgotten contest has: see the keys of ballotbox. What an
// organizer decided is there for an hour, and the mails of a minute are counted.
var stays = regexp.MustCompile(`^joute:\{[a-z0-9-]+/\d+\}:(meta|tally|ledger|frozen|past|held|joining|(voters|ballots):[0-9a-f]{4}|act:.*)$|^joute:\{rate/mails/[a-z0-9-]+\}$`)

func TestForget_LeavesTheResultAndNothingOfAPerson(t *testing.T) {
	for name, store := range map[string]string{"redis": redistest.Start(t).URL(), "embedded": ""} {
		t.Run(name, func(t *testing.T) {
			l := liveThrough(t, store)
			e, path := l.env, l.path
			voter := l.held.text("receipt")
			before := l.keys()
			for _, kind := range []string{":evidence", ":appeals", "{code/", "/uses/presence/", "/captains}", "/share}:codes", "joute:share:", "/fans}:members", "/fans}:pending:", "/fans}:ledger"} {
				if !slices.ContainsFunc(before, func(key string) bool { return strings.Contains(key, kind) }) {
					t.Fatalf("no key with %s among %q: this test sees little", kind, before)
				}
			}
			// Not before the close: nothing changes.
			e.do("POST", path+"/forget", "", asOrganizer).want(409, "not-closed").fits("Problem")
			e.do("POST", path+"/forget", "").want(401, "unauthorized")
			e.do("POST", path+"/forget", `{"force":true}`, asOrganizer).want(400, "invalid-request")
			e.do("POST", "/v1/contests/nowhere/forget", "", asOrganizer).want(404, "no-such-contest")
			if after := l.keys(); !slices.Equal(before, after) {
				t.Fatalf("a refused call changed keys: %q, then %q", before, after)
			}
			if a := e.do("GET", path, "").want(200, ""); a.json()["forgotten_at"] != nil {
				t.Fatalf("%s", a.body)
			}
			e.do("POST", path+"/close", "", asOrganizer).want(200, "")
			ledger := e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body
			board := e.do("GET", path+"/leaderboard", "").want(200, "").json()

			first := e.do("POST", path+"/forget", "", asOrganizer).want(200, "").fits("ContestView")
			again := e.do("POST", path+"/forget", "{}", asOrganizer).want(200, "")
			if first.text("forgotten_at") != again.text("forgotten_at") {
				t.Errorf("forgotten at %s, then at %s", first.text("forgotten_at"), again.text("forgotten_at"))
			}
			if left := l.keys(); len(left) != 0 {
				t.Errorf("left: %q", left)
			}

			// What counts is there, and one record more in each box.
			rest, ok := strings.CutPrefix(string(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body), string(ledger))
			if !ok || strings.Count(rest, "\n") != 2 || strings.Count(rest, `"kind":"forget"`) != 2 {
				t.Errorf("the ledger has moved, or says %q more", rest)
			}
			for line := range strings.Lines(rest) {
				answer{t: t, body: []byte(line)}.fits("LedgerRecord")
			}
			if now := e.do("GET", path+"/leaderboard", "").want(200, "").json(); fmt.Sprint(now["totals"], now["entries"]) != fmt.Sprint(board["totals"], board["entries"]) {
				t.Errorf("the board was %v, is %v", board, now)
			}
			e.do("POST", path+"/publish", "", asOrganizer).want(200, "")
			e.do("GET", path+"/ledger", "").want(200, "")
			if log := string(e.do("GET", path+"/evidence", "", asOrganizer).want(200, "").body); strings.Contains(log, `"evidence"`) || strings.Contains(log, `"level"`) || strings.Count(log, "\n") != 3 {
				t.Errorf("the ballot log says %s", log)
			}
			if q := e.do("GET", path+"/held", "", asOrganizer).want(200, "").fits("Held"); strings.Contains(string(q.body), "me, Ada") || strings.Contains(string(q.body), `"net":"`) {
				t.Errorf("the queue says %s", q.body)
			}
			if got := len(e.fans(path)); got != 0 {
				t.Errorf("%d members", got)
			}
			if got := e.do("GET", path+"/fans/ledger", "", asOrganizer).want(200, "").body; len(got) != 0 {
				t.Errorf("the fan ledger says %s", got)
			}

			// What needs to know who somebody is ends with a sentence.
			for what, a := range map[string]answer{
				"a pass":          e.do("POST", path+"/passes", `{"level":"device"}`),
				"a proof":         e.do("POST", path+"/passes", `{"level":"email","email":"`+l.email+`"}`),
				"a code":          e.do("POST", path+"/passes/confirm", `{"pending":"`+l.pending+`","code":"123456"}`),
				"a vote":          e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), l.device),
				"a repeat":        e.do("POST", path+"/ballots", ballot(l.cast.text("ballot"), "lumiere-1"), l.device),
				"a vote, proven":  e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), l.member),
				"a look":          e.do("GET", path+"/ballots/"+l.cast.text("ballot"), "", l.device),
				"taking back":     e.do("DELETE", path+"/ballots/"+l.cast.text("ballot"), "", l.device),
				"a share":         e.do("POST", path+"/shares", "", l.device),
				"an appeal":       e.do("POST", path+"/ballots/"+l.held.text("ballot")+"/appeal", `{"text":"Again"}`, "Authorization: Bearer "+voter),
				"reach":           e.do("GET", path+"/reach", "", asOrganizer),
				"a captain, anew": e.do("POST", path+"/captains", `{"school":"lumiere"}`, asOrganizer),
			} {
				if a.status != 410 || a.json()["code"] != "forgotten" {
					t.Errorf("%s: %d %s", what, a.status, a.body)
				}
			}
			const gone = "This contest has forgotten its voters"
			b := l.browser
			for what, c := range map[string]struct {
				a      answer
				status int
				says   string
			}{
				"the wall's code":       {b.get("/p/" + e.code(l.id, time.Now())), 410, gone},
				"a captain's link":      {b.get(l.renewed), 404, "opens nothing"},
				"a void captain's link": {b.get(l.captain), 410, gone}, // which was void is forgotten
				"a share link":          {b.get("/s/" + l.code + "-w"), 404, ""},
				"the opt-in's mail":     {b.get("/fan/" + l.confirm), 404, ""},
				"leaving":               {b.get("/fan/leave/" + l.leave), 200, "does not have your address"},
				"the page":              {b.get("/c/" + l.id), 200, ""},
				"an entry's page":       {b.get("/c/" + l.id + "/e/lumiere-1"), 200, ""},
				"the proof's form":      {b.send("POST", "/c/"+l.id+"/email", url.Values{"email": {l.email}}.Encode(), ownPage), 410, gone},
				"the receipt":           {b.get("/r/" + l.held.text("receipt") + "?lang=en"), 200, "kept for review"},
				"an appeal's form":      {b.send("POST", "/r/"+l.held.text("receipt")+"/appeal?lang=en", "text=Again", ownPage), 410, gone},
			} {
				if c.a.status != c.status || !strings.Contains(string(c.a.body), c.says) {
					t.Errorf("%s: %d, want %d and %q: %s", what, c.a.status, c.status, c.says, c.a.body)
				}
			}
			b.get("/r/"+l.held.text("receipt")+"?lang=en").hides("<textarea", "What you can do")
			// The receipt still says where the ballot stands, to programs too.
			if a := e.do("GET", path+"/ballots/"+l.held.text("ballot"), "", "Authorization: Bearer "+voter).want(200, ""); a.text("standing") != "held" {
				t.Errorf("%s", a.body)
			}
			if store != "" { // the walk is the same on both
				// Every public address there is answers, and none of them fails.
				walk{env: e, contest: l.id, ballot: l.cast.text("ballot"), receipt: l.cast.text("receipt"), leave: l.leave, captain: strings.TrimPrefix(l.renewed, "/k/"), code: l.code}.see(t)
			}
			if came := l.keys(); len(came) != 0 {
				t.Errorf("came since: %q", came)
			}
			if strings.Contains(e.log.String(), "level=ERROR") {
				t.Errorf("the log: %s", e.log)
			}
		})
	}
}
