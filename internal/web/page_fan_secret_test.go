package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/community"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/redistest"
)

// Known, unknown, over its budget: an address has the same answer, byte for byte.
func TestFan_TheAnswerDoesNotTellWhoIsKnown(t *testing.T) {
	e := start(t)
	id, _ := e.contest(withFans)
	e.join(id, "lumiere-1", "member@example.org")
	b := e.browser("Accept-Language: en")
	page := b.offered(id, "lumiere-1")
	_, fields := page.fanForm()
	var facts fanFacts
	must(t, e.server.unseal(fanFormPurpose, fields.Get("form"), &facts))
	ask := func(address string, n byte) string {
		facts.Ask = community.AskID{n}.String() // another form
		form, err := e.server.seal(fanFormPurpose, facts)
		must(t, err)
		a := b.fill(page, "opt_in=yes", "age=over", "email="+address, "form="+form)
		location := a.header.Get("Location")
		for _, name := range []string{"Date", "X-Request-Id"} {
			a.header.Del(name)
		}
		return fmt.Sprint(a.status, a.header, string(a.body), string(b.get(location).body))
	}
	first := ask("unknown@example.org", 1)
	for n := range byte(10) {
		for _, address := range []string{"member@example.org", "unknown@example.org", "unknown+1@gmail.com", "m.e@gmail.com"} {
			if got := ask(address, n+2); got != first {
				t.Fatalf("%s:\n%s\nwant\n%s", address, got, first)
			}
		}
	}
	// A member asks how to leave, and is told.
	mails := e.mailed("member@example.org", 4)
	if !strings.Contains(mails[3].Subject, "Welcome") {
		t.Errorf("a member gets %q", mails[3].Subject)
	}
	e.mailed("unknown@example.org", 3)
	if n := e.mails.Taken(); len(e.mails.Messages("unknown@example.org")) != 3 || len(e.mails.Messages("member@example.org")) != 4 {
		t.Errorf("%d mails", n)
	}
}

func TestFan_StoreLogAndMetricsHaveNoAddress(t *testing.T) {
	srv := redistest.Start(t)
	e := startOn(t, srv.URL())
	id, path := e.contest(withFans)
	m := e.join(id, "lumiere-1", "ada.lovelace@analytical.example")
	b := e.browser("Accept-Language: en", "User-Agent: Difference/1.0")
	b.follow(b.fill(b.offered(id, "vercors-1"), "opt_in=yes", "age=over", "email=charles@babbage.example"))
	e.mailed("charles@babbage.example", 1)
	wrong := e.browser("Accept-Language: en")
	wrong.fill(wrong.offered(id, "vercors-1"), "opt_in=yes", "age=over", "email=charles@babbage.example@")
	e.do("GET", path+"/fans", "", asOrganizer).want(200, "")
	e.do("GET", path+"/fans?format=csv", "", asOrganizer).want(200, "")
	ctx, client := t.Context(), srv.Client()
	var dump strings.Builder
	for _, key := range client.Keys(ctx, "*").Val() {
		fmt.Fprintln(&dump, key)
		switch kind := client.Type(ctx, key).Val(); kind {
		case "hash":
			fmt.Fprintln(&dump, client.HGetAll(ctx, key).Val())
		case "string":
			fmt.Fprintln(&dump, client.Get(ctx, key).Val())
		case "zset":
			fmt.Fprintln(&dump, client.ZRange(ctx, key, 0, -1).Val())
		case "stream":
			fmt.Fprintln(&dump, client.XRange(ctx, key, "-", "+").Val())
		default:
			t.Fatalf("%s is a %s", key, kind)
		}
	}
	for _, want := range []string{"/fans}:members", ":pending:", "I join Tremplin"} {
		if !strings.Contains(dump.String(), want) {
			t.Fatalf("the dump shows nothing: no %s", want)
		}
	}
	everything := map[string]string{
		"store": dump.String(), "log": e.log.String(), "metrics": string(e.do("GET", "/metrics", "").body),
		"ledger": string(e.do("GET", path+"/fans/ledger", "", asOrganizer).body), "churn": string(e.do("GET", path+"/fans/churn", "", asOrganizer).body),
		"links": confirmLink(t, m) + link(t, m, "/fan/leave/"),
	}
	for where, text := range everything {
		for _, secret := range []string{"lovelace", "babbage", "charles", "analytical", "Difference"} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%q is in the %s", secret, where)
			}
		}
	}
	if !strings.Contains(everything["log"], "fans downloaded") || !strings.Contains(everything["log"], "by=organizer") {
		t.Error("the downloads are not in the log")
	}
}

func TestFan_CountsAreShownOnlyBesideNumbersOfNow(t *testing.T) {
	e := start(t)
	closes := time.Now().Add(2 * time.Hour)
	for name, c := range map[string]struct {
		more  string
		shown bool
	}{
		"live":        {withFans, true},
		"not to show": {withoutCounts, false},
		"after_close": {withFans + `,"results":{"visibility":"after_close"}`, false},
		"frozen":      {withFans + `,"results":{"freeze":"3h"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			id := newID()
			e.do("PUT", "/v1/contests/"+id, contestTextAt(id, time.Now().Add(-4*time.Hour), closes, c.more), asOrganizer).want(201, "")
			page := func(path string) string {
				return string(e.do("GET", "/c/"+id+path, "", "Accept-Language: en").want(200, "").body)
			}
			if strings.Contains(page(""), ">0 fans<") {
				t.Error("nobody is counted")
			}
			e.join(id, "lumiere-1", "ada-"+id+"@example.org")
			stored, _ := e.server.cfg.Registry.Get(id)
			e.until("counted", func() bool {
				counts, err := e.server.cfg.Fans.Counts(t.Context(), stored)
				return err == nil && counts["lumiere"] == 1
			})
			if got := strings.Contains(page(""), `<span class="fans">1 fan</span>`); got != c.shown {
				t.Errorf("on the contest's page: %v", got)
			}
			if got := strings.Contains(page("/s/lumiere"), "<b>1</b> <span>fan</span>"); got != c.shown {
				t.Errorf("on the school's page: %v", got)
			}
			if strings.Contains(page("/s/vercors"), "<span>fan") {
				t.Error("a school without fans")
			}
			if strings.Contains(string(e.do("GET", "/v1/contests/"+id+"/leaderboard", "").body), `"fans"`) {
				t.Error("in the leaderboard")
			}
		})
	}
	// For who has voted, as their board.
	id, _ := e.contest(withFans + `,"results":{"visibility":"after_ballot"}`)
	e.join(id, "lumiere-1", "ada@example.org")
	b := e.browser("Accept-Language: en")
	stored, _ := e.server.cfg.Registry.Get(id)
	e.until("counted", func() bool {
		counts, err := e.server.cfg.Fans.Counts(t.Context(), stored)
		return err == nil && counts["lumiere"] == 1
	})
	b.get("/c/" + id).hides("1 fan")
	b.offered(id, "lumiere-1")
	e.until("on the board", func() bool {
		board, err := e.server.cfg.Boards.Board(t.Context(), stored, live.Voter)
		return err == nil && *board.Totals.Counted == 2
	})
	b.get("/c/" + id).shows("1 fan")
}

// Beside an address, the page of an entry would say who was voted for.
func TestFan_TheProofDoesNotNameTheEntry(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans)
	b := e.browser("Accept-Language: en")
	page := b.press(b.get("/c/"+id+"/e/lumiere-1").want(200, ""), "lumiere-1").want(200, "")
	faulty := b.fill(page)
	faulty.shows("No thanks")
	if !strings.Contains(string(faulty.body), `href="/c/`+id+`/e/lumiere-1?lang=en">No thanks`) {
		t.Errorf("no thanks leads elsewhere: %s", faulty.body)
	}
	b.follow(b.fill(page, "opt_in=yes", "email=ada@example.org", "age=over"))
	b.follow(b.pressOne(b.get(confirmLink(t, e.mailed("ada@example.org", 1)[0]))))
	if got := e.fans(path)[0].(map[string]any)["page"]; got != "/c/"+id+"/e/:entry" {
		t.Errorf("the proof's page is %v", got)
	}
	if strings.Contains(string(e.do("GET", path+"/fans/ledger", "", asOrganizer).body), "lumiere-1") {
		t.Error("the ledger names the entry")
	}
}

// How long an answer takes does not tell a member from a stranger: medians of
// many, asked in turns.
func TestFan_TheAnswerTakesAsLongForMembersAndStrangers(t *testing.T) {
	e := start(t)
	id, _ := e.contest(withFans)
	page := e.browser("Accept-Language: en").offered(id, "lumiere-1")
	stored, _ := e.server.cfg.Registry.Get(id)
	const each = 150 // from two networks, within what each may ask for
	networks := [2]*browser{e.browser("X-Forwarded-For: 198.51.100.1"), e.browser("X-Forwarded-For: 198.51.101.1")}
	for i := range each {
		e.fan(stored, fmt.Sprintf("member%d@example.org", i))
	}
	took := map[string][]time.Duration{}
	for i := range 2 * each {
		who := []string{"member", "stranger"}[i%2]
		start := time.Now()
		a := networks[i/each].fill(page, "opt_in=yes", "age=over", fmt.Sprintf("email=%s%d@example.org", who, i/2))
		took[who] = append(took[who], time.Since(start))
		if a.status != 303 {
			t.Fatalf("%s: %d %s", who, a.status, a.body)
		}
	}
	median := func(all []time.Duration) time.Duration { slices.Sort(all); return all[len(all)/2] }
	member, stranger := median(took["member"]), median(took["stranger"])
	t.Logf("medians: members %v, strangers %v", member, stranger)
	if ratio := float64(member) / float64(stranger); ratio < 0.6 || ratio > 1.7 {
		t.Errorf("medians: members %v, strangers %v", member, stranger)
	}
}
