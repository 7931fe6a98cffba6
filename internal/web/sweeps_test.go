package web

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting/sweep"
)

// holder finds all ballots to be held: on two families, or on one.
type holder struct {
	families []antifraud.Family
	ballots  []detect.Ballot
	told     int
}

func (h *holder) Add(ballots ...detect.Ballot) { h.ballots = append(h.ballots, ballots...) }

func (h *holder) Run() detect.Report {
	r := h.report(h.ballots[h.told:])
	h.told = len(h.ballots)
	return r
}

func (h *holder) Whole() detect.Report { return h.report(h.ballots) }

func (h *holder) report(of []detect.Ballot) (r detect.Report) {
	for _, b := range of {
		r.Findings = append(r.Findings, detect.Finding{
			Ballot: b.ID, Voter: b.Voter, Entry: b.Entry, At: b.At, Score: .80134, Standing: detect.Held, Reasons: []string{antifraud.ReasonLockstep}, Cluster: "cluster-one",
			Families: h.families, Parts: []detect.Part{{Signal: "device", Family: antifraud.FamilyDevice, LogOdds: 1.4}},
		})
	}
	return r
}

// sweeping gives a server detectors; run lets them look at one contest until the
// test's end. The store has those of other tests too.
func (e *env) sweeping(families ...antifraud.Family) (run func(id string)) {
	e.t.Helper()
	cfg := &e.server.cfg
	s := sweep.New(cfg.Store, e.boxes, sweep.Options{
		Finder: func() sweep.Finder { return &holder{families: families} }, Every: 20 * time.Millisecond, Tick: 10 * time.Millisecond, Changed: cfg.Feeds.Changed,
	})
	cfg.Sweeps = s
	return func(id string) {
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			s.Run(ctx, func() []*registry.Stored {
				stored, _ := cfg.Registry.Get(id)
				return []*registry.Stored{stored}
			})
		})
		e.t.Cleanup(func() { cancel(); running.Wait() })
	}
}

func TestSweeps_TheQueueSaysWhatWasFoundAndThePublicDoesNot(t *testing.T) {
	e := start(t)
	run := e.sweeping(antifraud.FamilyDevice, antifraud.FamilyNetwork)
	id, path := e.contest("")
	run(id)
	cast := e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	e.until("it to be held", func() bool { return e.stands(path, cast) == "held [lockstep]" })
	queue := e.do("GET", path+"/held", "", asOrganizer).want(200, "").fits("Held")
	for _, want := range []string{`"finding":{"sweep":`, `"score":0.80134`, `"log_odds":1.4`, `"cluster":"cluster-one"`, `"detectors":{"sweep":`} {
		if !strings.Contains(string(queue.body), want) {
			t.Errorf("no %s in %s", want, queue.body)
		}
	}
	page := e.organizer().get("/organize/" + id + "/held?lang=en")
	if !strings.Contains(string(page.body), "detectors: 80% a farm&#39;s (device, network)") {
		t.Errorf("the page does not say it:\n%s", page.body)
	}
	for _, public := range []answer{
		e.do("GET", path+"/ballots/"+cast.text("ballot"), "", "Authorization: Bearer "+cast.text("receipt")),
		e.do("GET", "/r/"+cast.text("receipt"), ""), e.do("GET", path+"/leaderboard", ""), e.do("GET", path, ""),
	} {
		for _, secret := range []string{"0.80134", "log_odds", "cluster-one", "network"} {
			if strings.Contains(string(public.body), secret) {
				t.Errorf("%q in %s", secret, public.body)
			}
		}
	}
	e.do("GET", path+"/sweeps", "").want(401, "unauthorized")
	if sweeps := e.do("GET", path+"/sweeps", "", asOrganizer).want(200, ""); !strings.HasPrefix(string(sweeps.body), `{"sweep":1,`) || !strings.Contains(string(sweeps.body), `"fresh":{"policy":`) {
		t.Errorf("%s", sweeps.body)
	}
	if record := e.do("GET", path+"/ledger", "", asOrganizer); !strings.Contains(string(record.body), `"actor":"detector","policy":"`) || strings.Contains(string(record.body), "0.80134") {
		t.Errorf("%s", record.body)
	}
}

func TestSweeps_ThePersonIsAskedWhereTheGuardStops(t *testing.T) {
	e := start(t)
	run := e.sweeping(antifraud.FamilyDevice)
	id, path := e.contest("")
	casts := make([]answer, 7)
	for i := range casts {
		casts[i] = e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	}
	run(id)
	var queue answer
	e.until("the queue to ask", func() bool {
		queue = e.do("GET", path+"/held", "", asOrganizer).want(200, "").fits("Held")
		return strings.Contains(string(queue.body), `"scope":"entry","ballots":7`)
	})
	for _, cast := range casts {
		if got := e.stands(path, cast); got != "counted []" {
			t.Errorf("%s", got)
		}
		if !strings.Contains(string(queue.body), cast.text("ballot")+"/") {
			t.Errorf("%s is not named in %s", cast.text("ballot"), queue.body)
		}
	}
	if page := e.organizer().get("/organize/" + id + "/held?lang=en"); !strings.Contains(string(page.body), "7 ballots for A, cast in the hour of ") {
		t.Errorf("%s", page.body)
	}
}

func TestSweeps_PublishingWaitsForTheLastLook(t *testing.T) {
	e := start(t)
	run := e.sweeping(antifraud.FamilyDevice)
	id, path := e.contest("")
	e.do("POST", path+"/publish", "", asOrganizer).want(409, "not-closed")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	published := make(chan answer, 1)
	go func() { published <- e.do("POST", path+"/publish", "", asOrganizer) }()
	select {
	case a := <-published:
		t.Fatalf("published without a look: %d %s", a.status, a.body)
	case <-time.After(300 * time.Millisecond):
	}
	run(id)
	(<-published).want(200, "")
	p := problemOf(sweep.ErrUnfinished)
	if p.status != 409 || p.code != "sweep-unfinished" || p.retryAfter == 0 {
		t.Errorf("%+v", p)
	}
}
