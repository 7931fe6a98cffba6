package web

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting/archive"
	"github.com/joute/joute/voting/ledger"
)

const (
	voters        = 1000
	partnerSecret = "a-secret-of-at-least-thirty-two-bytes"
)

// crowd is a contest and people who do everything there that may leave a trace.
type crowd struct {
	*env
	id, path string
	hall     string
	mu       sync.Mutex
	receipt  string // of somebody; guarded by mu, as are the rest
	ballot   string
	code     string
	leave    string
}

// as are the headers of somebody's requests, through the proxy in front.
func (p person) as(more ...string) []string {
	return append([]string{
		"X-Forwarded-For: 203.0.113.9, " + p.address.String(), "User-Agent: " + p.agent, "Accept-Language: en",
		"Referer: https://" + p.username + ".example/" + p.email,
	}, more...)
}

// vote casts, with all that the caller's page saw.
func (c *crowd) vote(p person, bearer, entry string) answer {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"ballot": newBallot(), "entry": entry, "client": map[string]any{
		"via": "7k3m9qd2x5fh", "referrer": "social", "dwell_ms": 5400, "confirm_ms": 900, "visible": true, "device": p.device,
	}})
	must(c.t, err)
	return c.do("POST", c.path+"/ballots", string(body), p.as(bearer)...).want(201, "")
}

func (c *crowd) devicePass(p person, more string) string {
	c.t.Helper()
	return "Authorization: Bearer " + c.do("POST", c.path+"/passes", `{"level":"device"`+more+`}`, p.as()...).want(201, "").text("pass")
}

// member votes as a partner's member, whose pass tells of the account.
func (c *crowd) member(p person) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"aud": c.id, "sub": p.member, "exp": time.Now().Add(time.Hour).Unix(),
		"profile": map[string]any{"followers": 10, "following": 900, "posts": 0, "created_at": "2026-01-01T00:00:00Z", "has_picture": true,
			"has_bio": false, "bio_length": 0, "name": p.name, "username": p.username, "email_verified": true},
	}).SignedString([]byte(partnerSecret))
	must(c.t, err)
	c.vote(p, "Authorization: Bearer "+token, "lumiere-1")
}

// prover votes with a device and proves the address, after a wrong code.
func (c *crowd) prover(p person) {
	c.t.Helper()
	device := c.devicePass(p, "")
	c.vote(p, device, "vercors-1")
	pending := c.do("POST", c.path+"/passes", fmt.Sprintf(`{"level":"email","email":%q}`, p.email), p.as(device)...).want(202, "").text("pending")
	c.do("POST", c.path+"/passes/confirm", `{"pending":"`+pending+`","code":"quatre"}`, p.as(device)...).want(400, "invalid-request")
	code := c.mailedCode(p.email, 1)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	c.do("POST", c.path+"/passes/confirm", `{"pending":"`+pending+`","code":"`+wrong+`"}`, p.as(device)...).want(403, "wrong-code")
	c.do("POST", c.path+"/passes/confirm", `{"pending":"`+pending+`","code":"`+code+`"}`, p.as(device)...).want(201, "")
}

// appellant is in the hall, votes, shares, is held and writes to the organizers.
func (c *crowd) appellant(p person) {
	c.t.Helper()
	device := c.devicePass(p, `,"presence":"`+c.env.code(c.id, time.Now())+`"`)
	cast := c.vote(p, device, "lumiere-1")
	code := c.do("POST", c.path+"/shares", `{"channel":"whatsapp"}`, p.as(device)...).want(201, "").text("code")
	c.do("GET", "/s/"+code+"-w", "", p.as()...)
	c.do("POST", c.path+"/standings", `{"ballots":["`+cast.text("ballot")+`"],"standing":"held","reason":"lockstep"}`, asOrganizer).want(200, "")
	text, err := json.Marshal(map[string]string{"text": "I am " + p.name + ", write to " + p.email})
	must(c.t, err)
	c.do("POST", c.path+"/ballots/"+cast.text("ballot")+"/appeal", string(text), p.as(device)...).want(202, "")
	c.mu.Lock()
	c.receipt, c.ballot, c.code = cast.text("receipt"), cast.text("ballot"), code
	c.mu.Unlock()
}

// fan votes on the page, scans the wall, joins the community, and leaves it again or not.
func (c *crowd) fan(p person, leaves bool) {
	c.t.Helper()
	b := c.browser(p.as()...)
	b.follow(b.scan(c.env.code(c.id, time.Now())))
	page := b.offered(c.id, "lumiere-1")
	b.fill(page, "opt_in=yes", "age=over", "email="+p.email+"\r\nBcc: "+p.email)
	b.follow(b.fill(page, "opt_in=yes", "email="+p.email, "age=over"))
	if p.refused() {
		return
	}
	b.follow(b.pressOne(b.get(confirmLink(c.t, c.mailed(p.email, 1)[0])).want(200, "")))
	welcome := c.mailed(p.email, 2)[1]
	leave := link(c.t, welcome, "/fan/leave/")
	if leaves {
		b.pressOne(b.get(leave).want(200, ""))
		return
	}
	c.mu.Lock()
	token, _, _ := strings.Cut(strings.TrimPrefix(leave, "/fan/leave/"), "?")
	c.leave = token
	c.mu.Unlock()
}

// refused says that the mail server has no such mailbox, and says so with the address.
func (p person) refused() bool { return strings.Contains(p.email, ".0003@") }

// clumsy sends what is refused: nothing of it may be kept or told either.
func (c *crowd) clumsy(p person) {
	c.t.Helper()
	device := c.devicePass(p, "")
	cast := c.vote(p, device, "vercors-1")
	for _, bad := range []struct{ method, path, body string }{
		{"POST", c.path + "/passes", `{"level":"email","email":"` + p.email + `@"}`},
		{"POST", c.path + "/passes", `{"level":"email","email":"Zéphyrine.Quatrevingt@example.org"}`},
		{"POST", c.path + "/passes", `{"level":"email","email":"` + p.username + `@yopmail.com"}`},
		{"POST", c.path + "/passes", `{"level":"` + p.email + `"}`},
		{"POST", c.path + "/passes", `{"level":"email","` + p.email + `":1}`},
		{"POST", c.path + "/passes", `{"level":"email","email":"` + p.email},
		{"POST", c.path + "/passes", p.email},
		{"POST", c.path + "/passes/confirm", `{"pending":"` + p.email + `","code":"123456"}`},
		{"POST", c.path + "/ballots", `{"entry":"` + p.username + `","ballot":"` + newBallot() + `"}`},
		{"POST", c.path + "/ballots", `{"entry":"lumiere-1","ballot":"` + p.email + `"}`},
		{"POST", c.path + "/ballots", `{"entry":"lumiere-1","client":{"via":"` + p.email + `"}}`},
		{"POST", c.path + "/ballots", `{"entry":"lumiere-1","client":{"device":"` + strings.Repeat(p.device, 30) + `"}}`},
		{"POST", c.path + "/ballots/" + cast.text("ballot") + "/appeal", `{"text":"` + strings.Repeat(p.name+" ", 40) + `"}`},
		{"POST", c.path + "/ballots/" + cast.text("ballot") + "/appeal", `{"text":"` + p.name + `"}`},
		{"POST", c.path + "/ballots/" + p.username + "/appeal", `{"text":"` + p.name + `"}`},
		{"POST", c.path + "/shares", `{"channel":"` + p.email + `"}`},
		{"POST", c.path + "/standings", `{"ballots":["` + p.email + `"]}`},
		{"PUT", "/v1/contests/" + p.username, `{"id":"` + p.email + `"}`},
		{"GET", "/v1/contests/" + p.username + "?email=" + url.QueryEscape(p.email), ""},
		{"GET", "/c/" + c.id + "/e/" + p.username, ""},
		{"GET", "/s/" + p.username, ""},
		{"GET", "/fan/" + p.username, ""},
		{"GET", "/r/" + url.PathEscape(p.email), ""},
		{"GET", "/k/" + p.username, ""},
		{"GET", "/" + url.PathEscape(p.email), ""},
		{"GET", c.path + "/ledger?after=" + url.QueryEscape(p.email), ""},
	} {
		if a := c.do(bad.method, bad.path, bad.body, p.as(device)...); a.status < 400 || a.status >= 500 {
			c.t.Errorf("%s %s: %d %s", bad.method, bad.path, a.status, a.body)
		}
	}
	b := c.browser(p.as("Origin: http://"+c.addr, "Sec-Fetch-Site: same-origin")...)
	for _, form := range []struct{ path, body string }{
		{"/c/" + c.id + "/vote", "entry=" + p.username}, {"/c/" + c.id + "/fan", "form=" + p.email + "&email=" + url.QueryEscape(p.email)},
		{"/c/" + c.id + "/email", "email=" + url.QueryEscape(p.email+"@")}, {"/organize/login", "key=" + url.QueryEscape(p.email)},
	} {
		if a := b.send("POST", form.path, form.body); a.status < 400 || a.status >= 500 {
			c.t.Errorf("%s: %d", form.path, a.status)
		}
	}
	b.get("/c/" + c.id + "?via=" + url.QueryEscape(p.email) + "&receipt=" + url.QueryEscape(p.name))
}

// TestPrivacy_NothingOfAThousandPeopleIsInClear lets a thousand people do what
// there is to do and then searches every place where something stays, or comes
// out: their addresses, names, agents and devices are nowhere, in no form, and
// neither is a hash of them that needs no key. See needles_test.go for what is
// looked for, and its control.
func TestPrivacy_NothingOfAThousandPeopleIsInClear(t *testing.T) {
	srv := redistest.Start(t, "rdbcompression no") // a compressed value would be none that is searched
	e := startOn(t, srv.URL())
	c := &crowd{env: e}
	c.id, c.path = e.contest(withFans + `,"boxes":4,"rules":{"ballots":{"max":2,"per":"contest"}},"partner":{"secret":"` + partnerSecret + `"}`)
	c.hall = e.code(c.id, time.Now())
	began := time.Now()
	people := make([]person, voters)
	for n := range people {
		people[n] = personOf(n)
		if people[n].refused() {
			e.mails.Refuse(people[n].email, 550)
		}
	}
	next := make(chan int)
	var running sync.WaitGroup
	for range 24 {
		running.Go(func() {
			for n := range next {
				switch p := people[n]; {
				case n%20 == 3:
					c.fan(p, n%40 == 23)
				case n%20 == 7:
					c.clumsy(p)
				case n%20 == 11:
					c.appellant(p)
				case n%5 == 0:
					c.prover(p)
				default:
					c.member(p)
				}
			}
		})
	}
	for n := range people {
		next <- n
	}
	close(next)
	running.Wait()
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("%v to act", time.Since(began))
	if n := e.casts(c.path); n != voters {
		t.Fatalf("%d ballots of %d people", n, voters)
	}
	all := needles(people)
	acted := time.Now()
	c.search(t, all, c.shown(t))
	e.do("POST", c.path+"/close", "", asOrganizer).want(200, "")
	e.do("POST", c.path+"/publish", "", asOrganizer).want(200, "")
	c.move(t)
	over := c.shown(t) // pages of the result
	for place, text := range places(t, srv, e) {
		over[place] = text
	}
	c.search(t, all, over)
	for _, must := range []string{"dump.rdb", "joute:{" + c.id + "/fans}:members", "data/evidence/" + c.id + "/box-0/000000000002.ndjson", "data/ledger/" + c.id + "/box-0/000000000001.ndjson", "joute:{" + c.id + "/0}:appeals", "page /c/:contest /c/" + c.id} {
		if len(over[must]) == 0 {
			t.Errorf("there is no %s: this test sees less than it thinks", must)
		}
	}
	t.Logf("%v to search", time.Since(acted))

	// The controls: what is kept for the organizer alone is there in clear for them,
	// and something planted is found.
	members := e.do("GET", c.path+"/fans", "", asOrganizer).want(200, "").body
	if n := len(e.fans(c.path)); len(found(all, members)) == 0 || n != 24 {
		t.Errorf("%d members in an export of %d bytes: this test sees nothing", n, len(members))
	}
	if queue := e.do("GET", c.path+"/held", "", asOrganizer).want(200, "").body; len(found(all, queue)) == 0 {
		t.Error("no appeal in the queue: this test sees nothing")
	}
	if kept := places(t, srv, e); len(found(all, kept["joute:{"+c.id+"/fans}:members"])) != 0 || len(kept["joute:{"+c.id+"/fans}:members"]) < 24*100 {
		t.Error("the sealed members are missing, or not sealed")
	}
	must(t, srv.Client().Set(t.Context(), "joute:planted", "x"+people[500].email, 0).Err())
	for place, text := range places(t, srv, e) {
		planted := place == "joute:planted" || strings.HasSuffix(place, ".incr.aof") || place == "dump.rdb"
		if planted && len(found(all, text)) == 0 {
			t.Errorf("what was planted is not found in %s", place)
		}
	}
}

// places are the store's keys and files, as they are.
func places(t *testing.T, srv *redistest.Server, e *env) map[string][]byte {
	t.Helper()
	client := srv.Client()
	must(t, client.Save(t.Context()).Err()) // dump.rdb
	all := map[string][]byte{}
	keys, err := client.Keys(t.Context(), "*").Result()
	must(t, err)
	names := strings.Join(keys, "\n")
	all["the names of keys"] = []byte(names)
	for _, key := range keys {
		dump, err := client.Dump(t.Context(), key).Result()
		if err != nil {
			continue // gone since: what expires is in the files
		}
		all[key] = []byte(dump)
	}
	must(t, filepath.Walk(srv.Dir(), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || strings.HasSuffix(path, ".conf") {
			return err
		}
		all[filepath.Base(path)], err = os.ReadFile(path)
		return err
	}))
	must(t, filepath.Walk(e.data, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, err := filepath.Rel(e.data, path)
		if err != nil {
			return err
		}
		all["data/"+filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	}))
	return all
}

// move moves the records of every contest to the folder, and what was seen.
func (c *crowd) move(t *testing.T) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	signer, err := ledger.NewSigner(key)
	must(t, err)
	mover := archive.New(c.boxes, c.data, signer, archive.Options{Every: 10 * time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	var moving sync.WaitGroup
	moving.Go(func() { mover.Run(ctx, c.known.List) })
	defer moving.Wait()
	defer stop()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		stored, _ := c.known.Get(c.id)
		boxes, err := c.boxes.Moved(t.Context(), stored)
		must(t, err)
		left := int64(0)
		for _, box := range boxes {
			left += box.Offset - box.Trimmed
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d records stay in the store", left)
		}
	}
}

// appealShape is what the organizer is to read, and nobody else.
var appealShape = regexp.MustCompile(`"appeal":"(?:[^"\\]|\\.)*"`)

// shown is all that comes out of the server now, by where it does.
func (c *crowd) shown(t *testing.T) map[string][]byte {
	t.Helper()
	e, looked := c.env, map[string][]byte{}
	get := func(path string, headers ...string) []byte {
		t.Helper()
		a := e.do("GET", path, "", headers...)
		if a.status != 200 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		return a.body
	}
	looked["log"] = []byte(e.log.String())
	for name, path := range map[string]string{
		"ledger": "/ledger", "evidence": "/evidence", "fan ledger": "/fans/ledger", "churn": "/fans/churn", "reach": "/reach", "reach CSV": "/reach?format=csv",
		"leaderboard": "/leaderboard?limit=10000", "contest": "",
	} {
		looked[name] = get(c.path+path, asOrganizer)
	}
	looked["queue"] = appealShape.ReplaceAll(get(c.path+"/held?limit=10000", asOrganizer), nil)
	looked["metrics"] = get("/metrics")
	pages := walk{env: e, contest: c.id, ballot: c.ballot, receipt: c.receipt, leave: c.leave, code: c.code}
	pages.captain = strings.TrimPrefix(e.captain(c.path, "lumiere"), "/k/")
	for address, text := range pages.see(t) {
		looked["page "+address] = []byte(text)
	}
	if n := bytes.Count(looked["evidence"], []byte(`"device":`)); n < voters-100 {
		t.Errorf("evidence of %d devices", n)
	}
	return looked
}

// search fails for whatever is found.
func (c *crowd) search(t *testing.T, all []needle, looked map[string][]byte) {
	t.Helper()
	bytesRead := 0
	for place, text := range looked {
		bytesRead += len(text)
		for i, hit := range found(all, text) {
			if i < 3 {
				t.Errorf("in %s: %s", place, hit)
			}
		}
	}
	t.Logf("%d places, %d bytes, %d needles", len(looked), bytesRead, len(all))
}
