package web

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/voting"
)

const robotAgent, farmAddress = "User-Agent: Mozilla/5.0 (X11; Linux) Robot", "X-Forwarded-For: 198.51.100.7"

// robot is a ballot as a farm's members send it.
func robot(id, entry string) string {
	return fmt.Sprintf(`{"ballot":%q,"entry":%q,"client":{"device":"farm phone","dwell_ms":1500,"via":"k3x9"}}`, id, entry)
}

// knowFarm puts the signature of such ballots for lumiere-1, and waits until the
// door has it.
func (e *env) knowFarm(contestID, farm string) {
	e.t.Helper()
	key, err := e.server.cfg.Passes.EvidenceKey(contestID)
	must(e.t, err)
	dwell := int64(1500)
	seen := key.Evidence(antifraud.Attempt{UserAgent: strings.TrimPrefix(robotAgent, "User-Agent: "), Client: antifraud.Client{Device: "farm phone", DwellMS: &dwell}})
	s := antifraud.Signature{ID: farm, Entries: []string{"lumiere-1"}, Members: 50, Since: time.Now(), Expires: time.Now().Add(time.Hour)}
	for kind, odds := range map[string]float64{"device": 3, "agent": 1, "dwell": 2.5} {
		s.Features = append(s.Features, antifraud.Feature{Kind: kind, Value: seen.Feature(kind), LogOdds: odds})
	}
	must(e.t, e.server.cfg.Farms.Put(context.Background(), contestID, []antifraud.Signature{s}))
	e.soon("the door knows the farm", func() bool {
		_, ok := e.server.cfg.Farms.Match(contestID, "lumiere-1", &seen, time.Now())
		return ok
	})
}

func (e *env) soon(what string, is func() bool) {
	e.t.Helper()
	watchtest.Until(e.t, 10*time.Second, what, is)
}

// farms are the lines of the list, by id.
func (e *env) farms(path string) map[string]map[string]any {
	e.t.Helper()
	lines := map[string]map[string]any{}
	for _, line := range e.do("GET", path+"/farms", "", asOrganizer).want(200, "").fits("Farms").json()["farms"].([]any) {
		farm := line.(map[string]any)
		lines[farm["id"].(string)] = farm
	}
	return lines
}

func TestDoor_AKnownFarmIsRejectedAndNobodyElse(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	cast := func(body string, headers ...string) answer {
		return e.do("POST", path+"/ballots", body, append(headers, robotAgent, farmAddress)...)
	}
	before, b := e.pass(path), newBallot()
	first := cast(robot(b, "lumiere-1"), before).want(201, "")
	e.knowFarm(id, "n4-of-tests")

	refused := cast(robot(newBallot(), "lumiere-1"), e.pass(path)).want(403, "rejected").fits("Problem")
	if got := fmt.Sprint(refused.json()["reasons"]); got != "[known-farm]" {
		t.Errorf("reasons %s", got)
	}
	for _, secret := range []string{"n4-of-tests", "device", "dwell", "agent", "challenge"} {
		if strings.Contains(string(refused.body), secret) {
			t.Errorf("a farm is told of %s: %s", secret, refused.body)
		}
	}
	// What was accepted keeps its first answer, whatever is known since.
	if again := cast(robot(b, "lumiere-1"), before).want(200, ""); again.text("receipt") != first.text("receipt") {
		t.Errorf("another receipt: %s", again.body)
	}
	// A lone part of it, another entry, another page: each is let in.
	honest := func(entry, device string, dwell int) {
		t.Helper()
		body := fmt.Sprintf(`{"ballot":%q,"entry":%q,"client":{"device":%q,"dwell_ms":%d}}`, newBallot(), entry, device, dwell)
		cast(body, e.pass(path)).want(201, "")
	}
	honest("lumiere-1", "farm phone", 41000)
	honest("lumiere-1", "my phone", 1500)
	honest("vercors-1", "farm phone", 1500)
	if e.casts(path) != 4 {
		t.Errorf("%d casts", e.casts(path))
	}
	e.soon("the count is told", func() bool { return e.farms(path)["n4-of-tests"]["rejected"] == 1.0 })
	if text := string(e.do("GET", "/metrics", "").body); !strings.Contains(text, `joute_known_farm_total{became="rejected"} 1`) {
		t.Error("the metric does not count it")
	}
	if log := e.log.String(); strings.Contains(log, "farm phone") || strings.Contains(log, "198.51.100.7") {
		t.Error("the log has what was seen")
	}
}

func TestDoor_WhoIsProvenIsLetInOrHeld(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	e.knowFarm(id, "n4-of-tests")
	cast := func(bearer string) answer {
		return e.do("POST", path+"/ballots", robot(newBallot(), "lumiere-1"), "Authorization: Bearer "+bearer, robotAgent, farmAddress)
	}
	email := e.prove(path, address(), "").want(201, "").text("pass")
	held := cast(email).want(202, "")
	if got := held.json(); got["standing"] != "held" || fmt.Sprint(got["reasons"]) != "[known-farm]" {
		t.Errorf("an address: %s", held.body)
	}
	there := e.do("POST", path+"/passes", `{"level":"device","presence":"`+e.server.cfg.Presence.Code(id, time.Now()).Token+`"}`).want(201, "").text("pass")
	if got := cast(there).want(201, "").json(); got["standing"] != "counted" {
		t.Errorf("in the hall: %v", got)
	}
	e.soon("both are counted as met", func() bool { return e.farms(path)["n4-of-tests"]["met"] == 2.0 })
	if e.farms(path)["n4-of-tests"]["rejected"] != 0.0 {
		t.Error("somebody was rejected")
	}
}

func TestDoor_WhoIsProvenHow(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	e.knowFarm(id, "n4-of-tests")
	stored, _ := e.server.cfg.Registry.Get(id)
	dwell, many, few := int64(1500), int64(900), int64(200)
	for _, c := range []struct {
		attempt antifraud.Attempt
		want    farmMatch
	}{
		{antifraud.Attempt{Level: "device"}, farmRejected},
		{antifraud.Attempt{Level: "partner"}, farmRejected},
		{antifraud.Attempt{Level: "partner", Profile: &antifraud.Profile{Followers: &many, Following: &few, Posts: &many}}, farmRejected},
		{antifraud.Attempt{Level: "email", NetKind: antifraud.NetHosting}, farmHeld},
		{antifraud.Attempt{Level: "email"}, farmHeld},
		{antifraud.Attempt{Level: "email", School: true}, farmAccepted},
		{antifraud.Attempt{Level: "device", Present: true}, farmAccepted},
	} {
		c.attempt.UserAgent = strings.TrimPrefix(robotAgent, "User-Agent: ")
		c.attempt.Client = antifraud.Client{Device: "farm phone", DwellMS: &dwell}
		c.attempt.At = time.Now()
		k := &casting{stored: stored, entry: "lumiere-1", attempt: c.attempt}
		_, err := e.server.judge(k)
		got := &k.screened
		if must(t, err); got.farm != "n4-of-tests" || got.became != c.want {
			t.Errorf("%+v: %q %s", c.attempt, got.farm, got.became)
		}
	}
}

// The same attempt, by somebody whom the organizer vouches for and by somebody else.
func TestDoor_ACanaryIsNeitherHeldNorRejected(t *testing.T) {
	e := start(t)
	canary := voting.Voter{1}
	id, path := e.contest(`,"antifraud":{"canaries":["` + canary.String() + `"]}`)
	e.knowFarm(id, "n4-of-tests")
	stored, dwell := e.stored(path), int64(1500)
	attempt := antifraud.Attempt{
		At: time.Now(), Level: "device", UserAgent: strings.TrimPrefix(robotAgent, "User-Agent: "), Client: antifraud.Client{Device: "farm phone", DwellMS: &dwell},
	}
	for _, row := range []struct {
		voter   voting.Voter
		level   string
		refused voting.Code
		want    voting.Standing
		became  farmMatch
	}{
		{voting.Voter{2}, "device", voting.Rejected, voting.Counted, farmRejected}, {voting.Voter{2}, "email", "", voting.Held, farmHeld},
		{canary, "device", "", voting.Counted, farmSpared}, {canary, "email", "", voting.Counted, farmSpared},
	} {
		attempt.Level = row.level
		k := &casting{stored: stored, entry: "lumiere-1", pass: voting.Pass{Voter: row.voter}, attempt: attempt}
		err := e.server.screen(k)
		got := k.screened
		if must(t, err); got.refused != row.refused || got.standing != row.want || got.became != row.became || len(got.reasons) > 0 != (row.voter != canary) {
			t.Errorf("%+v: %+v", row, got)
		}
	}
	if n := strings.Count(e.log.String(), "a canary would be held or rejected"); n != 2 {
		t.Errorf("%d alarms", n)
	}
	if strings.Contains(e.log.String(), canary.String()) {
		t.Error("the log has the canary")
	}
}

func TestDoor_ObserveChangesNothingAndCounts(t *testing.T) {
	e := start(t)
	id, path := e.contest(`,"antifraud":{"policy":"observe"}`)
	e.knowFarm(id, "n4-of-tests")
	a := e.do("POST", path+"/ballots", robot(newBallot(), "lumiere-1"), e.pass(path), robotAgent).want(201, "")
	if got := a.json(); got["standing"] != "counted" || got["reasons"] != nil {
		t.Errorf("%s", a.body)
	}
	e.soon("it is counted", func() bool { return e.farms(path)["n4-of-tests"]["met"] == 1.0 })
	if e.farms(path)["n4-of-tests"]["rejected"] != 0.0 {
		t.Error("rejected by a policy that only observes")
	}
	if got := e.server.cfg.Pressure.Of(id); got.Suspect != 0 || got.Seen != 1 {
		t.Errorf("%+v: a policy that only observes makes no challenge harder", got)
	}
}

func TestFarms_AreLiftedByTheAPIAndToldToOrganizersAlone(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	e.knowFarm(id, "n4-of-tests")
	for _, call := range [][2]string{{"GET", "/farms"}, {"POST", "/farms/n4-of-tests/lift"}} {
		e.do(call[0], path+call[1], "").want(401, "unauthorized")
		e.do(call[0], path+call[1], "", e.pass(path)).want(401, "unauthorized")
	}
	e.do("POST", path+"/farms/nobody/lift", "", asOrganizer).want(404, "not-found").fits("Problem")
	if text := string(e.do("GET", path+"/farms", "", asOrganizer).body); strings.Contains(text, "features") || strings.Contains(text, "log_odds") {
		t.Errorf("the list tells what a farm is known by: %s", text)
	}
	for range 2 {
		if lifted := e.do("POST", path+"/farms/n4-of-tests/lift", "", asOrganizer).want(200, "").fits("Farm").json(); lifted["lifted_at"] == nil {
			t.Errorf("%v", lifted)
		}
	}
	e.soon("the door lets it in", func() bool {
		return e.do("POST", path+"/ballots", robot(newBallot(), "lumiere-1"), e.pass(path), robotAgent).status == 201
	})
}

func TestFarms_PageListsAndLifts(t *testing.T) {
	e := start(t)
	id, _ := e.contest("")
	e.knowFarm(id, "n4-of-tests")
	b := e.organizer()
	queue := b.get("/organize/"+id+"/held?lang=en").want(200, "")
	queue.shows(`href="/organize/` + id + `/farms?lang=en"`)
	page := b.get("/organize/"+id+"/farms?lang=fr").want(200, "")
	page.shows("Fermes connues", "50 votants", "0 bulletin refusé", "La lever", "modèle de téléphone")
	if a := b.submit(page, 0, "lift", "token", "made-up"); a.status != 403 {
		t.Errorf("a form of nobody's: %d", a.status)
	}
	if a := b.submit(page, 0, "lift", "farm", "nobody"); a.status != 404 {
		t.Errorf("an unknown farm: %d", a.status)
	}
	after := b.done(b.submit(page, 0, "lift"))
	after.shows("plus personne n'est refusé")
	after.hides("La lever")
	_, empty := e.contest("")
	b.get("/organize/"+strings.TrimPrefix(empty, "/v1/contests/")+"/farms?lang=en").want(200, "").shows("No farm is known.")
}

// Whoever is rejected on a page is told what a person can do, and led there: with the
// address proven the same vote waits for the organizers.
func TestDoor_APageLeadsToTheProof(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	e.knowFarm(id, "n4-of-tests")
	b, email := e.browser(robotAgent, "Accept-Language: en"), address()
	form := url.Values{"ballot": {newBallot()}, "entry": {"lumiere-1"}, "device": {"farm phone"}, "dwell_ms": {"1500"}}
	refused := b.send("POST", "/c/"+id+"/vote?lang=en", form.Encode()).want(403, "")
	refused.shows("scan the code in the hall", "Prove an address")
	refused.hides("farm", "n4-of-tests")
	way := regexp.MustCompile(`href="(/c/[^"]*/email[^"]*)"`).FindSubmatch(refused.body)
	if way == nil {
		t.Fatal("no way on")
	}
	code := b.follow(b.enter(b.get(html.UnescapeString(string(way[1]))), "email", email))
	action, fields := toolForm.FindStringSubmatch(string(code.body)), url.Values{"code": {e.mailedCode(email, 1)}, "device": {"farm phone"}, "dwell_ms": {"1500"}}
	for _, input := range toolInput.FindAllStringSubmatch(action[3], -1) {
		fields.Set(input[1], html.UnescapeString(input[2]))
	}
	b.follow(b.send("POST", html.UnescapeString(action[2]), fields.Encode()))
	records := string(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body)
	if !strings.Contains(records, `"standing":"held","reasons":["known-farm"]`) || e.casts(path) != 1 {
		t.Errorf("%s", records)
	}
}

// Under attack a challenge is harder, and says so itself; one of before still serves.
func TestChallenge_IsHarderWhileAContestIsUnderAttack(t *testing.T) {
	e := start(t)
	id, path := e.contest(priced)
	me, b := e.pass(path), newBallot()
	calm := e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), me).want(403, "challenge-required")
	if got := calm.asked().MaxNumber; got != antifraud.CostLeast {
		t.Fatalf("%d while nothing is wrong", got)
	}
	// That this policy asks everybody is no attack, however many come.
	for range 40 {
		e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(403, "challenge-required")
	}
	if got := e.server.cfg.Pressure.Of(id); got.Suspect != 0 || got.Seen != 41 {
		t.Fatalf("%+v of a policy that asks everybody", got)
	}
	e.knowFarm(id, "n4-of-tests")
	for range 100 {
		e.do("POST", path+"/ballots", robot(newBallot(), "lumiere-1"), e.pass(path), robotAgent).want(403, "rejected")
	}
	hard := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), me).asked()
	if hard.MaxNumber <= antifraud.CostLeast || hard.MaxNumber > antifraud.CostMost {
		t.Errorf("%d under attack", hard.MaxNumber)
	}
	solution := calm.solution()
	e.do("POST", path+"/ballots", pricedBallot(b, "lumiere-1", solution), me).want(201, "")
}

func TestFarms_GoWithAForgottenContest(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	e.knowFarm(id, "n4-of-tests")
	e.do("POST", path+"/ballots", robot(newBallot(), "lumiere-1"), e.pass(path), robotAgent).want(403, "rejected")
	keys := func() []string {
		found, err := e.server.cfg.Store.Client().Keys(context.Background(), "joute:{"+id+"/farms}*").Result()
		must(t, err)
		return found
	}
	e.soon("there is something to forget", func() bool { return len(keys()) == 3 })
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	e.do("POST", path+"/forget", "", asOrganizer).want(200, "")
	if left := keys(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
