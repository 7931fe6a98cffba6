package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

const (
	farmDocument = `id: besieged
title: A contest with a farm in it
timezone: UTC
phases:
  voting: {opens: 2026-01-01T00:00:00Z, closes: 2036-01-01T00:00:00Z}
rules: {ballots: {max: 3, per: contest}, per_entry: 1}
schools:
  - {id: s-0, name: School 0}
  - {id: s-1, name: School 1}
entries:
  - {id: e-0, school: s-0, title: Entry 0}
  - {id: e-1, school: s-1, title: Entry 1}
  - {id: e-2, school: s-0, title: Entry 2}
  - {id: e-3, school: s-1, title: Entry 3}
  - {id: e-4, school: s-0, title: Entry 4}
  - {id: e-5, school: s-1, title: Entry 5}
`
	farmNetworks = "198.18.0.0/16 hosting 64500\n10.0.0.0/8 residential 64501\n172.16.0.0/12 mobile 64502\n"
	knownFarm    = "rejected known-farm" // as answers name it
	schoolLink   = "k3x9m2"              // that the farm has too: it is public
)

// visitor is one voter as a server meets them.
type visitor struct {
	address, device, agent, via string
	dwell, confirm              int64
	entries                     []string
}

// farmEntries are those that the farm votes for, all of one school.
var farmEntries = []string{"e-1", "e-3", "e-5"}

// strangers makes honest voters: half of them with phones that others have too, of
// models that everybody has or some.
type strangers struct{ *rand.Rand }

func (c strangers) voter() visitor {
	v := visitor{
		device: fmt.Sprintf("own machine %d", c.Int()), agent: fmt.Sprintf("Browser %d", c.IntN(8)), address: c.home(),
		dwell: c.reading(9000), confirm: c.reading(900),
	}
	switch c.IntN(6) {
	case 0, 1:
		v.device = fmt.Sprintf("phone %d", c.IntN(12))
	case 2:
		v.device = c.rare()
	}
	for _, entry := range c.Perm(6)[:1+c.IntN(10)/7] {
		v.entries = append(v.entries, fmt.Sprintf("e-%d", entry))
	}
	v.via = c.link(v.entries[0])
	return v
}

// link is how somebody came to an entry: to those of the farm's school by its link,
// as often as not.
func (c strangers) link(entry string) string {
	switch n := c.IntN(10); {
	case n < 4 && slices.Contains(farmEntries, entry):
		return schoolLink
	case n < 7:
		return fmt.Sprintf("friend%d", c.IntN(60))
	}
	return ""
}

// rare is a model of phone that few have; the farm has those.
func (c strangers) rare() string { return fmt.Sprintf("phone %d", 100+c.IntN(30)) }

// home is an address that few others have; of a carrier many do.
func (c strangers) home() string {
	if c.IntN(4) == 0 {
		return fmt.Sprintf("172.16.%d.%d", c.IntN(4), c.IntN(250))
	}
	return fmt.Sprintf("10.%d.%d.%d", c.IntN(250), c.IntN(250), c.IntN(250))
}

// reading is a time that people take: log-normal around the median, in ms.
func (c strangers) reading(median float64) int64 {
	return int64(median*math.Exp(0.7*c.NormFloat64())) + 300
}

// worker is a voter of the farm: thirty devices, twelve machines of one provider, a
// script's pace, one link, three entries.
func (c strangers) worker(n int) visitor {
	return visitor{
		device: fmt.Sprintf("phone %d", 100+n%30), agent: fmt.Sprintf("Browser %d", n%4), address: fmt.Sprintf("198.18.7.%d", 1+n%12), via: schoolLink,
		dwell: 1500 + c.Int64N(40), confirm: 300 + c.Int64N(20), entries: farmEntries,
	}
}

// answers are what visitors got: the ballots that were taken, and refusals by code.
type answers struct {
	mu      sync.Mutex
	ballots map[string]bool
	refused map[string]int
}

// vote has visitors vote, some at once, each with a pass of their own. Challenges
// are solved, as pages do.
func (r *running) vote(visitors []visitor) *answers {
	r.t.Helper()
	a := &answers{ballots: map[string]bool{}, refused: map[string]int{}}
	next := make(chan visitor)
	var visits sync.WaitGroup
	for range 16 {
		visits.Go(func() {
			for v := range next {
				var pass struct{ Pass string }
				// Asked again, as a ballot is: without a pass a ballot would be refused, and look like a mistake.
				for end := time.Now().Add(time.Minute); r.post("/passes", "", v, map[string]any{"level": "device"}, &pass) == 503 && time.Now().Before(end); {
					time.Sleep(200 * time.Millisecond)
				}
				for _, entry := range v.entries {
					r.castAs(v, pass.Pass, entry, a)
				}
			}
		})
	}
	for _, v := range visitors {
		next <- v
	}
	close(next)
	visits.Wait()
	return a
}

func (r *running) castAs(v visitor, pass, entry string, a *answers) {
	body := map[string]any{"ballot": uuid.NewString(), "entry": entry, "client": map[string]any{
		"device": v.device, "dwell_ms": v.dwell, "confirm_ms": v.confirm, "visible": true, "via": v.via, "referrer": "site",
	}}
	var answer struct {
		Code      string
		Reasons   []string
		Challenge *antifraud.Challenge
	}
	cast := func() (status int) {
		// Too many at once for this machine is no refusal: as every client, it asks again.
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
			answer.Code = ""
			if status = r.post("/ballots", pass, v, body, &answer); status != 503 || time.Now().After(deadline) {
				return status
			}
		}
	}
	status := cast()
	if answer.Challenge != nil {
		solution, err := answer.Challenge.Solve()
		if err != nil {
			r.t.Errorf("challenge: %v", err)
		}
		answer.Code, answer.Challenge, body["challenge"] = "", nil, solution
		status = cast()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if status < 300 {
		a.ballots[body["ballot"].(string)] = true
	} else {
		a.refused[strings.Join(append([]string{answer.Code}, answer.Reasons...), " ")]++
	}
}

// post sends a visitor's request as the proxy in front would.
func (r *running) post(path, pass string, v visitor, body any, out any) int {
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Error(err)
		return 0
	}
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+"/v1/contests/besieged"+path, bytes.NewReader(text))
	if err != nil {
		r.t.Error(err)
		return 0
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {v.agent}, "X-Forwarded-For": {v.address}}
	if pass != "" {
		request.Header.Set("Authorization", "Bearer "+pass)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		r.t.Errorf("POST %s: %s: %v", path, answer.Status, err)
	}
	return answer.StatusCode
}

// standings are how ballots stand by the ledger, how many of each.
func (r *running) standings(ballots map[string]bool) map[voting.Standing]int {
	r.t.Helper()
	last := map[string]voting.Standing{}
	lines := bufio.NewScanner(strings.NewReader(r.joute("export", "besieged")))
	for lines.Scan() {
		var record struct {
			Ballot   string
			Standing voting.Standing
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			r.t.Fatal(err)
		}
		if ballots[record.Ballot] {
			last[record.Ballot] = record.Standing
		}
	}
	counts := map[voting.Standing]int{}
	for _, standing := range last {
		counts[standing]++
	}
	return counts
}

// signed tells whether the detectors find anything in what was cast so far that later
// attempts could be met by.
func (r *running) signed() bool {
	r.t.Helper()
	d := detect.New(detect.Options{})
	lines := bufio.NewScanner(strings.NewReader(r.joute("export", "--evidence", "besieged")))
	for lines.Scan() {
		var b detect.Ballot
		if err := json.Unmarshal(lines.Bytes(), &b); err != nil {
			r.t.Fatal(err)
		}
		d.Add(b)
	}
	return slices.ContainsFunc(d.Whole().Clusters, func(c detect.Cluster) bool { return c.Signature != nil })
}

// A farm votes beside a crowd: what it cast is void within a few looks of the
// detectors, its next wave is rejected at the door, and the honest are let in, also
// with its phones, of its provider, or by its link. Done again it is the same.
func TestFarm_IsVoidThenRejectedAndTheCrowdIsNot(t *testing.T) {
	// Not beside others: some of them measure rates, and two thousand visitors are felt.
	networks, redis := t.TempDir(), redistest.Start(t)
	if err := os.WriteFile(filepath.Join(networks, "networks.txt"), []byte(farmNetworks), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--redis", redis.URL(), "--data", t.TempDir(), "--networks", networks, "--trusted-proxies", "127.0.0.1/32")
	s.joute("apply", write(t, "c.yaml", farmDocument))
	c := strangers{rand.New(rand.NewPCG(7, 11))}
	crowdOf := func(n int, as func(i int, v *visitor)) (visitors []visitor) {
		for i := range n {
			v := c.voter()
			as(i, &v)
			visitors = append(visitors, v)
		}
		return visitors
	}
	plain := func(int, *visitor) {}
	farmOf := func(n int) (visitors []visitor) {
		for i := range n {
			visitors = append(visitors, c.worker(i))
		}
		return visitors
	}

	honest := s.vote(crowdOf(900, plain))
	var farm, beside *answers
	var both sync.WaitGroup
	burst, others := farmOf(200), crowdOf(300, plain)
	both.Go(func() { farm = s.vote(burst) })
	both.Go(func() { beside = s.vote(others) })
	both.Wait()
	for ballot := range beside.ballots {
		honest.ballots[ballot] = true
	}
	// Where it is found in the middle of its burst, the rest of that is its next wave.
	delete(farm.refused, knownFarm)
	if len(honest.refused)+len(beside.refused)+len(farm.refused) > 0 {
		t.Errorf("refused: %v %v, of the farm %v", honest.refused, beside.refused, farm.refused)
	}
	// The crowd goes on: so many ballots are looked at sooner than within a minute.
	found, deadline := s.standings(farm.ballots), time.Now().Add(2*time.Minute)
	for found[voting.Counted] > len(farm.ballots)/20 || found[voting.Void] <= len(farm.ballots)/4 {
		if time.Now().After(deadline) {
			t.Fatalf("the farm is still on the board: %v", found)
		}
		after := s.vote(crowdOf(100, plain))
		if len(after.refused) > 0 {
			t.Errorf("honest voters were refused: %v", after.refused)
		}
		for ballot := range after.ballots {
			honest.ballots[ballot] = true
		}
		found = s.standings(farm.ballots)
	}
	t.Logf("farm: %v; the crowd: %v", found, s.standings(honest.ballots))

	if s.signed() {
		s.door(t, farmOf(60), crowdOf(240, func(i int, v *visitor) {
			v.entries, v.via = []string{"e-1"}, c.link("e-1")
			switch i % 3 {
			case 0: // a phone as the farm has
				v.device = c.rare()
			case 1: // a machine of the farm's provider, next to its own
				v.address, v.device, v.via = fmt.Sprintf("198.18.7.%d", 1+i%200), fmt.Sprintf("own machine %d", i), ""
			}
		}), honest)
		// A farm may come by the school's own link: so do those whom the school sent it to.
		two := s.vote(crowdOf(30, func(i int, v *visitor) {
			v.entries, v.address, v.device, v.via = []string{"e-1"}, fmt.Sprintf("198.18.7.%d", 100+i), fmt.Sprintf("one more machine %d", i), schoolLink
		}))
		if len(two.ballots) != 30 {
			t.Errorf("of 30 honest voters from its block and by its link %d are taken, refused %v", len(two.ballots), two.refused)
		}
	} else {
		t.Log("THE DOOR IS NOT TRIED: the detectors give no signature of what they find")
	}

	if now := s.standings(honest.ballots); now[voting.Void] > 0 || now[voting.Held] > len(honest.ballots)/100 {
		t.Errorf("the crowd: %v of %d", now, len(honest.ballots))
	}
	now := s.standings(farm.ballots)
	t.Logf("in the end, farm: %v", now)
	if now[voting.Counted] > len(farm.ballots)/20 {
		t.Errorf("the farm is on the board again: %v", now)
	}
	if out := s.joute("replay", "besieged"); !strings.Contains(out, "\nsame: ") {
		t.Errorf("replay:\n%s", out)
	}
	if out := s.joute("recount", "besieged"); !strings.Contains(out, "match") {
		t.Errorf("recount:\n%s", out)
	}
}

// door has the farm come again, and honest voters who look like it in one thing.
func (r *running) door(t *testing.T, wave, crowd []visitor, honest *answers) {
	t.Helper()
	var farms struct{ Farms []struct{ Entries []string } }
	wait(t, "the farm to be known", func() (bool, bool) {
		r.get("/v1/contests/besieged/farms", &farms)
		return true, len(farms.Farms) > 0
	})
	// A server's copy follows within a second while there are casts: until then its
	// members get in, and are found like the first ones.
	wait(t, "the door to know it", func() (bool, bool) {
		return true, r.vote(wave[:1]).refused[knownFarm] > 0
	})
	var again, beside *answers
	var both sync.WaitGroup
	both.Go(func() { again = r.vote(wave) })
	both.Go(func() { beside = r.vote(crowd) })
	both.Wait()
	sent := 3 * len(wave)
	t.Logf("next wave: %d of %d rejected; the crowd: %d taken, refused %v", again.refused[knownFarm], sent, len(beside.ballots), beside.refused)
	if again.refused[knownFarm] < sent*95/100 {
		t.Errorf("of the farm's next %d ballots %d were taken, refused %v", sent, len(again.ballots), again.refused)
	}
	if len(beside.refused) > 0 {
		t.Errorf("honest voters were refused: %v", beside.refused)
	}
	for ballot := range beside.ballots {
		honest.ballots[ballot] = true
	}
}
