package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/internal/redistest"
)

// slow is a path whose requests wait until they may leave.
type slow struct{ entered, leave chan struct{} }

func (s slow) handle(c *fiber.Ctx) error {
	s.entered <- struct{}{}
	<-s.leave
	return c.SendString("done")
}

// A class that is full refuses, and the others go on.
func TestShed_EachClassHasItsRoom(t *testing.T) {
	busy := slow{make(chan struct{}), make(chan struct{})}
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.shed.atOnce[reads], s.shed.atOnce[organizers], s.shed.atOnce[ballots] = 1, 1, 2
		s.app.All("/slow", busy.handle)
		s.app.All("/organize/slow", busy.handle)
	})
	_, path := e.contest("")
	pass := e.pass(path)
	cast := func() answer { return e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass) }
	var waiting sync.WaitGroup
	wait := func(method, path string) {
		waiting.Go(func() { e.do(method, path, "").want(200, "") })
		<-busy.entered
	}
	refused := func(method, path, body string) {
		t.Helper()
		a := e.do(method, path, body, asOrganizer).want(503, "overloaded")
		if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 2 || after > 4 {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
	}

	wait("GET", "/slow")
	refused("GET", path, "")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	_, path = e.contest("")
	pass = e.pass(path)
	cast().want(201, "")
	wait("POST", "/organize/slow")
	refused("POST", path+"/close", "")
	refused("PUT", path, "{}")
	cast().want(409, "already-voted")
	wait("POST", "/slow")
	wait("POST", "/slow")
	refused("POST", path+"/ballots", "")
	for _, probe := range []string{"/livez", "/readyz", "/metrics"} {
		e.do("GET", probe, "").want(200, "")
	}
	metrics := string(e.do("GET", "/metrics", "").body)
	for _, line := range []string{`joute_shed_total{class="reads"} 1`, `joute_shed_total{class="organizers"} 2`, `joute_shed_total{class="ballots"} 1`, `joute_shed_total{class="feeds"} 0`} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("no %s in the metrics", line)
		}
	}
	close(busy.leave)
	waiting.Wait()
	e.until("there is room again", func() bool { return e.do("GET", path, "").status == 200 && cast().status == 409 })
}

// The longer ballots wait, the more is refused: ballots last.
func TestShed_BallotsComeLast(t *testing.T) {
	var waits atomic.Int64
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.shed.waits = func() time.Duration { return time.Duration(waits.Load()) }
	})
	id, path := e.contest("")
	pass := e.pass(path)
	e.do("GET", path+"/leaderboard", "").want(200, "")
	for _, step := range []struct {
		waits                             time.Duration
		feed, ledger, page, close, ballot int
	}{
		{0, 200, 200, 200, 200, 409},
		{300 * time.Millisecond, 200, 200, 200, 200, 409},
		{301 * time.Millisecond, 503, 503, 503, 200, 409},
		{701 * time.Millisecond, 503, 503, 503, 503, 409},
		{1001 * time.Millisecond, 503, 503, 503, 503, 503},
		{0, 200, 200, 200, 200, 409},
	} {
		waits.Store(int64(step.waits))
		got := []int{
			e.do("HEAD", path+"/feed", "").status, e.do("GET", path+"/ledger", "", asOrganizer).status, e.do("GET", "/c/"+id, "").status,
			e.do("POST", path+"/close", "", asOrganizer).status, e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).status,
		}
		if want := []int{step.feed, step.ledger, step.page, step.close, step.ballot}; !slices.Equal(got, want) {
			t.Errorf("ballots wait %v: feed, ledger, page, close, ballot are answered %v, want %v", step.waits, got, want)
		}
		e.do("GET", "/livez", "").want(200, "")
		e.do("GET", "/readyz", "").want(200, "")
	}
}

// A board that is in memory is shown, with its instant, to whoever sees what all see.
func TestShed_BoardsComeFromMemory(t *testing.T) {
	var busy atomic.Bool
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.shed.waits = func() time.Duration {
			if busy.Load() {
				return 500 * time.Millisecond
			}
			return 0
		}
	})
	_, path := e.contest("")
	board := path + "/leaderboard"
	busy.Store(true)
	e.do("GET", board, "").want(503, "overloaded") // never read: nothing is in memory
	busy.Store(false)
	pass := e.pass(path)
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(201, "")
	first := e.do("GET", board, "").want(200, "")
	busy.Store(true)
	if a := e.do("GET", board, "").want(200, ""); a.text("position") != first.text("position") || a.header.Get("ETag") != first.header.Get("ETag") {
		t.Errorf("%s, before %s", a.body, first.body)
	}
	e.do("GET", board, "", pass).want(503, "overloaded") // what a voter may see is asked of the store
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	e.until("the board is read again while others wait", func() bool {
		a := e.do("GET", board, "")
		return a.status == 200 && a.text("position") != first.text("position")
	})
}

// What any page may read, any page may read the refusal of: a browser shows it nothing
// else, neither the code nor when to come back.
func TestShed_PagesOfOtherSitesReadThatTheyAreRefused(t *testing.T) {
	var waits atomic.Int64
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.shed.waits = func() time.Duration { return time.Duration(waits.Load()) }
	})
	_, path := e.contest("")
	for _, busy := range []time.Duration{0, time.Minute} {
		waits.Store(int64(busy))
		for _, open := range []string{"/v1/contests", path, path + "/feed", path + "/ledger", path + "/checkpoint"} {
			a := e.do("HEAD", open, "", "Origin: https://blog.example.org")
			exposed := a.header.Get("Access-Control-Expose-Headers")
			if (a.status == 503) != (busy > 0) || a.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(exposed, "Retry-After") {
				t.Errorf("%s, ballots wait %v: status %d, %v", open, busy, a.status, a.header)
			}
		}
	}
	for _, other := range []answer{
		e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), "Origin: https://blog.example.org"),
		e.do("GET", "/", "", "Origin: https://blog.example.org"),
	} {
		if other.want(503, "overloaded").header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("any page may read %v", other.header)
		}
	}
}

// A storm of refusals is a line a second in the log, and a count.
func TestShed_DoesNotFillTheLog(t *testing.T) {
	// A store of its own: of others' contests the log would say that it cannot read them.
	e := startOn(t, redistest.Start(t).URL(), func(s *Server) { s.shed.waits = func() time.Duration { return time.Minute } })
	started := time.Now()
	for range 300 {
		e.do("POST", "/v1/contests/x/ballots", "{}").want(503, "overloaded")
	}
	if lines, most := strings.Count(e.log.String(), "\n"), int(time.Since(started).Seconds())+10; strings.Count(e.log.String(), "too much to do") < 1 || lines > most {
		t.Errorf("%d lines for 300 refusals, want at most %d:\n%s", lines, most, e.log)
	}
}

// Which class a call is of, for every route there is: a new one has to be thought about.
func TestShed_EveryRouteHasItsClass(t *testing.T) {
	e := start(t)
	seen := map[string]bool{}
	special := map[string]class{
		"GET /livez": probes, "GET /readyz": probes, "GET /metrics": probes,
		"GET " + onContest + "/feed": feeds,
	}
	for _, path := range []string{"/ledger", "/evidence", "/sweeps", "/fans", "/fans/ledger", "/fans/churn", "/reach"} {
		special["GET "+onContest+path] = exports
	}
	for _, call := range []string{
		"GET /held", "GET /farms", "POST /farms/:farm/lift", "POST /standings", "POST /halls", "POST /close", "POST /publish", "POST /forget", "POST /captains",
	} {
		method, path, _ := strings.Cut(call, " ")
		special[method+" "+onContest+path] = organizers
	}
	special["PUT "+onContest] = organizers
	for _, r := range e.server.app.GetRoutes(true) {
		call := r.Method + " " + r.Path
		switch r.Method {
		case "HEAD":
			call = "GET " + r.Path
		case "OPTIONS": // asks whether a call may be made, and is of little weight in any class
			continue
		}
		want, ok := special[call]
		switch {
		case ok:
			seen[call] = true
		case strings.HasPrefix(r.Path, "/organize"):
			want = organizers
		case r.Method == "GET" || r.Method == "HEAD":
			want = reads
		case r.Method == "POST" || r.Method == "DELETE":
			want = ballots
		default:
			t.Errorf("%s: of which class?", call)
		}
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.SetMethod(r.Method)
		ctx.Request.SetRequestURI(fiberParam.ReplaceAllString(r.Path, "x-1") + "?a=/livez")
		if got := classOf(&ctx); got != want {
			t.Errorf("%s is of the %s, want %s", call, rooms[got].name, rooms[want].name)
		}
	}
	for call := range special {
		if !seen[call] {
			t.Errorf("there is no %s any more", call)
		}
	}
}

func BenchmarkShed_Enter(b *testing.B) {
	s := newShedder(prometheus.NewCounterVec(prometheus.CounterOpts{Name: "x"}, []string{"class"}), nil)
	for c := range classes {
		s.atOnce[c] = rooms[c].atOnce
	}
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod("POST")
	ctx.Request.SetRequestURI("/v1/contests/pire-cv-video/ballots")
	for b.Loop() {
		if of := classOf(&ctx); s.enter(of) {
			s.voting.leave(s.voting.enter(), true)
			s.leave(of)
		}
	}
}

func BenchmarkShed_Refuse(b *testing.B) {
	texts, err := newCatalogue()
	must(b, err)
	for b.Loop() {
		if d := errOverloaded.document(texts, "fr", "x"); d.Detail == "" {
			b.Fatal(fmt.Sprint(d))
		}
	}
}
