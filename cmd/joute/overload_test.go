package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// far is a way to a server on which every answer takes a while longer: with a
// batch at a time, that is what a store can do in a second, on any machine.
func far(t *testing.T, server string, delay time.Duration) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	type piece struct {
		at    time.Time
		bytes []byte
	}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			away, err := net.Dial("tcp", server)
			if err != nil {
				near.Close()
				continue
			}
			go func() { _, _ = io.Copy(away, near); away.Close() }()
			pieces := make(chan piece, 1<<16)
			go func() {
				defer close(pieces)
				for {
					buf := make([]byte, 32<<10)
					n, err := away.Read(buf)
					if err != nil {
						return
					}
					pieces <- piece{time.Now().Add(delay), buf[:n]}
				}
			}()
			go func() {
				defer near.Close()
				for p := range pieces {
					time.Sleep(time.Until(p.at))
					if _, err := near.Write(p.bytes); err != nil {
						away.Close()
						for range pieces { // until its reader has noticed
						}
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// surge sends ballots, each at its own instant, whatever became of the others.
type surge struct {
	t      *testing.T
	client *fasthttp.HostClient
	url    string
	passes []string

	mu       sync.Mutex
	statuses map[int]int
	codes    map[string]int
	counted  map[string]bool // ids whose 201 or 200 has come
	refused  map[string]bool // ids that were said not to be counted
	took     []time.Duration // of the accepted
	odd      []string        // what must not be
	unsent   int             // for want of a connection
	sent     atomic.Int64
}

// newSurge has so many voters, who come one after the other, and again once all have been.
func newSurge(t *testing.T, url, contest string, voters, connections int) *surge {
	t.Helper()
	c := &surge{
		t: t, url: url + "/v1/contests/" + contest + "/ballots", statuses: map[int]int{}, codes: map[string]int{}, counted: map[string]bool{}, refused: map[string]bool{},
		client: &fasthttp.HostClient{
			Addr: strings.TrimPrefix(url, "http://"), MaxConns: connections, MaxIdemponentCallAttempts: 1, MaxIdleConnDuration: time.Minute,
			Dial: func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, 10*time.Second) },
		},
	}
	t.Cleanup(c.client.CloseIdleConnections)
	sign := signer(contest, partnerSecret, time.Now().Add(time.Hour))
	for i := range voters {
		pass, err := sign(t.Context(), fmt.Sprint("crowd-", i))
		if err != nil {
			t.Fatal(err)
		}
		c.passes = append(c.passes, "Bearer "+pass)
	}
	return c
}

// one sends one ballot once.
func (c *surge) one(i int) (status int) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	id := uuid.Must(uuid.NewV7()).String()
	request.SetRequestURI(c.url)
	request.Header.SetMethod(http.MethodPost)
	request.Header.SetContentType("application/json")
	request.Header.Set("Authorization", c.passes[i%len(c.passes)])
	request.SetBodyString(`{"ballot":"` + id + `","entry":"e-1"}`)
	started := time.Now()
	err := c.client.DoTimeout(request, response, 10*time.Second)
	took := time.Since(started)
	var answer struct{ Code string }
	if err == nil {
		status = response.StatusCode()
		if status >= 400 {
			_ = json.Unmarshal(response.Body(), &answer)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, fasthttp.ErrNoFreeConns) {
		c.unsent++ // who sends is at its end, not the server
		return 0
	}
	c.statuses[status]++
	switch {
	case err != nil:
		c.odd = append(c.odd, err.Error())
	case status == 201 || status == 200:
		c.counted[id] = true
		c.took = append(c.took, took)
	case status == 503 || status == 429:
		c.codes[answer.Code]++
		if len(response.Header.Peek("Retry-After")) == 0 {
			c.odd = append(c.odd, "no Retry-After")
		}
		if answer.Code == "overloaded" {
			c.refused[id] = true
		}
	default:
		c.odd = append(c.odd, fmt.Sprintf("%d %s", status, response.Body()))
	}
	return status
}

// storm is an open loop of so many ballots a second.
func (c *surge) storm(rate float64, d time.Duration) {
	var sending sync.WaitGroup
	began := time.Now()
	for i := 0; ; i++ {
		due := time.Duration(float64(i) / rate * float64(time.Second))
		if due > d {
			break
		}
		if wait := due - time.Since(began); wait > time.Millisecond {
			time.Sleep(wait)
		}
		c.sent.Add(1)
		sending.Go(func() { c.one(i) })
	}
	sending.Wait()
}

// closed is so many who each wait for their answer, and how many were counted a second.
func (c *surge) closed(voters int, d time.Duration) (rate float64) {
	var sending sync.WaitGroup
	var counted atomic.Int64
	began := time.Now()
	for v := range voters {
		sending.Go(func() {
			for i := v; time.Since(began) < d; i += voters {
				if c.one(i) == 201 && time.Since(began) < d { // not what is left over at the end
					counted.Add(1)
				}
			}
		})
	}
	sending.Wait()
	return float64(counted.Load()) / d.Seconds()
}

// memory is the most that a process has had, in MiB.
func memory(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("no /proc: memory cannot be told")
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}

// TestOverload_IsShedAndNothingAcknowledgedIsLost sends twice the ballots that a
// server can count: for eight seconds with a store that is far away, at length for
// two minutes and with one that is near.
func TestOverload_IsShedAndNothingAcknowledgedIsLost(t *testing.T) {
	t.Run("far store", func(t *testing.T) { overload(t, 150*time.Millisecond, 8*time.Second) })
	if os.Getenv("JOUTE_FAULTS") == "long" {
		t.Run("far store, two minutes", func(t *testing.T) { overload(t, 150*time.Millisecond, 2*time.Minute) })
		t.Run("near store, two minutes", func(t *testing.T) { overload(t, 0, 2*time.Minute) })
	}
}

func overload(t *testing.T, delay, lasting time.Duration) {
	redis := redistest.Start(t)
	var enter []string
	if delay == 0 {
		enter = apart(t, redis)
	}
	address := strings.TrimPrefix(redis.URL(), "redis://")
	address, _, _ = strings.Cut(address, "/")
	if delay > 0 {
		address = far(t, address, delay)
	}
	server := launchIn(t, enter, "127.0.0.1:0", "--redis", "redis://"+address, "--data", t.TempDir())
	s := &running{t: t, url: server.url}
	s.joute("apply", write(t, "c.yaml", hall("storm", 4, 8)+"rules: {ballots: {max: 100}}\n"))
	// Voters enough for a few ballots each: with hundreds, as no crowd has, a cast costs more
	// with every one that its voter has, and what was measured before is not what it can do.
	c := newSurge(t, server.url, "storm", int(lasting.Seconds())*3_000, 9_000)

	// What it can do, by as many as make its batches full: three times what goes in one,
	// so that the next one is waiting when one is back. And the control: with a
	// quarter of it next to nothing is refused, on a machine that does other things too.
	// Measured again where the control fails: the machine had something else to do.
	c.closed(900, time.Second) // connections are made, code is warm
	var capacity float64
	for try := 1; ; try++ {
		capacity = c.closed(900, max(2*time.Second, lasting/20))
		c.statuses, c.codes = map[int]int{}, map[string]int{}
		c.storm(capacity/4, 2*time.Second)
		if n := c.statuses[201]; n >= int(capacity*0.45) && c.statuses[503] <= n/50 {
			break
		}
		if try == 3 {
			t.Fatalf("with a quarter of the %.0f a second that it can do: %v, %v, %.5q", capacity, c.statuses, c.codes, c.odd)
		}
	}
	calm := memory(t, server.cmd.Process.Pid)
	c.took = nil

	s.board("storm") // a reader has been here: there is something in memory

	looking := make(chan struct{})
	var lookers sync.WaitGroup
	stop := sync.OnceFunc(func() { close(looking); lookers.Wait() })
	defer stop()
	var pages, boards [2]atomic.Int64 // answered, refused
	look := func(path string, seen *[2]atomic.Int64) {
		lookers.Go(func() {
			for {
				select {
				case <-looking:
					return
				case <-time.After(50 * time.Millisecond):
				}
				answer, err := http.Get(server.url + path)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					continue
				}
				text, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				switch {
				case path == "/readyz" && strings.Contains(string(text), `"not-ready"`): // the store was too slow for it, and it says so
					seen[0].Add(1)
				case answer.StatusCode == 200:
					seen[0].Add(1)
				case answer.StatusCode == 503 && answer.Header.Get("Retry-After") != "":
					seen[1].Add(1)
				default:
					t.Errorf("%s: %d", path, answer.StatusCode)
				}
			}
		})
	}
	var alive, ready [2]atomic.Int64
	look("/livez", &alive)
	look("/readyz", &ready)
	look("/c/storm", &pages)
	look("/v1/contests/storm/leaderboard", &boards)
	before := c.statuses[201]
	began := time.Now()
	c.storm(2*capacity, lasting)
	counted, took := c.statuses[201]-before, time.Since(began)
	stop()

	// Over: whoever comes now is served as ever.
	ended := time.Now()
	for calm := 0; calm < 10; {
		started := time.Now()
		if c.one(calm) == 201 && time.Since(started) < delay*3+time.Second {
			calm++
		} else if calm = 0; time.Since(ended) > 5*time.Second {
			t.Fatal("not as before within 5 s")
		}
	}
	recovered := time.Since(ended)
	most := memory(t, server.cmd.Process.Pid)

	odd := slices.Compact(slices.Sorted(slices.Values(c.odd)))
	odd = odd[:min(len(odd), 5)]
	for status := range c.statuses {
		if !slices.Contains([]int{200, 201, 202, 429, 503}, status) {
			t.Errorf("%d answers with status %d: %q", c.statuses[status], status, odd)
		}
	}
	if len(c.odd) > 0 {
		t.Errorf("%d odd answers: %q", len(c.odd), odd)
	}
	slices.Sort(c.took)
	slowest := c.took[len(c.took)*999/1000]
	if refused := c.codes["overloaded"]; refused < int(capacity*lasting.Seconds()/8) {
		t.Errorf("%d ballots were refused: there was no overload", refused)
	}
	if n := late(t, s); n > 0 {
		t.Errorf("%d ballots were under way in the ballot box for more than two seconds", n)
	}
	// How much is still done, and how soon it is seen, is a matter of processors: other
	// tests have them too while all are run.
	if long := lasting > 30*time.Second; long && float64(counted) < capacity*took.Seconds()/2 {
		t.Errorf("%d ballots were counted in %v, by a server that can do %.0f a second", counted, took, capacity)
	} else if long && slowest > 3*time.Second {
		t.Errorf("an accepted ballot took %v", slowest)
	}
	if pages[1].Load() == 0 || boards[0].Load() == 0 || alive[1].Load()+ready[1].Load() > 0 {
		t.Errorf("pages %d answered and %d refused, boards %d and %d, probes refused %d", pages[0].Load(), pages[1].Load(), boards[0].Load(), boards[1].Load(), alive[1].Load()+ready[1].Load())
	}
	// Connections and what waits have their bound, however many are refused; what was counted
	// is kept for the detectors, and what voters have in common for those who come after.
	if bound := calm + 150 + counted*350>>20; most > bound {
		t.Errorf("it had %d MiB, more than %d, and %d before", most, bound, calm)
	}
	t.Logf("%.0f a second; twice that for %v: %d counted (%.0f a second), codes %v, not sent %d, p50 %v p99.9 %v, pages %d/%d boards %d/%d, %d MiB then %d, as before after %v",
		capacity, took.Round(time.Second), counted, float64(counted)/took.Seconds(), c.codes, c.unsent, c.took[len(c.took)/2], slowest,
		pages[0].Load(), pages[1].Load(), boards[0].Load(), boards[1].Load(), calm, most, recovered.Round(time.Millisecond))

	c.settle(s)
}

// apart leaves the first processor to a Redis and to whatever is started by the words
// it returns, and takes the others for this process until the test ends: who sends
// twice what a server can do must not take it from it. Where processors cannot be told
// apart, all share them, and the test is harder.
func apart(t *testing.T, redis *redistest.Server) (enter []string) {
	t.Helper()
	last := runtime.NumCPU() - 1
	bind := func(pid int, processors string) bool {
		said, err := exec.Command("taskset", "--all-tasks", "--cpu-list", "--pid", processors, strconv.Itoa(pid)).CombinedOutput()
		if err != nil {
			t.Logf("processors are shared: %v: %s", err, said)
		}
		return err == nil
	}
	if last == 0 || !bind(redis.Pid(), "0") || !bind(os.Getpid(), fmt.Sprint("1-", last)) {
		return nil
	}
	t.Cleanup(func() { bind(os.Getpid(), fmt.Sprint("0-", last)) })
	return []string{"taskset", "--cpu-list", "0"}
}

// late is how many casts the ballot box decided after more than two seconds.
func late(t *testing.T, s *running) int {
	t.Helper()
	answer, err := http.Get(s.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	number := func(name string) float64 {
		_, rest, ok := strings.Cut(string(text), "\n"+name+" ")
		if !ok {
			t.Fatalf("no %s in the metrics", name)
		}
		n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return int(number("joute_cast_seconds_count") - number(`joute_cast_seconds_bucket{le="2"}`))
}

// settle holds every answer against the ledger: what was said to be counted is
// there once, what was said to be refused is not.
func (c *surge) settle(s *running) {
	c.t.Helper()
	times := map[string]int{}
	for line := range strings.Lines(s.joute("export", "storm")) {
		var r voting.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			c.t.Fatal(err)
		}
		if r.NamesBallot() {
			times[r.Ballot.String()]++
		}
	}
	lost, twice, late := 0, 0, 0
	for id := range c.counted {
		if times[id] == 0 {
			lost++
		}
	}
	for _, n := range times {
		if n > 1 {
			twice++
		}
	}
	for id := range c.refused {
		if times[id] > 0 {
			late++
		}
	}
	if lost > 0 || twice > 0 || late > 0 {
		c.t.Errorf("of %d acknowledged %d are lost, %d are there twice; of %d that were refused %d are there", len(c.counted), lost, twice, len(c.refused), late)
	}
	if out := s.joute("recount", "storm"); !strings.HasSuffix(out, "\nmatch\n") {
		c.t.Errorf("recount:\n%s", out)
	}
}
