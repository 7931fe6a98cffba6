package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// onDisk counts the records of a contest in the data folder, as far as they are signed.
func onDisk(t *testing.T, data, contest string) (n int64) {
	t.Helper()
	c, err := ledger.ReadCheckpoint(filepath.Join(data, "ledger"), contest)
	if err != nil && !errors.Is(err, ledger.ErrNoLedger) {
		t.Fatal(err)
	}
	for box := range c.Boxes {
		n += c.Size(box)
	}
	return n
}

// inStore counts the entries of a contest's streams.
func inStore(t *testing.T, redis *redistest.Server, contest string, boxes int) (n int64) {
	t.Helper()
	for box := range boxes {
		for _, stream := range []string{"ledger", "evidence"} {
			length, err := redis.Client().XLen(t.Context(), "joute:{"+contest+"/"+strconv.Itoa(box)+"}:"+stream).Result()
			if err != nil {
				t.Fatal(err)
			}
			n += length
		}
	}
	return n
}

// casters vote at a server that may die, each ballot until it is answered, at whichever
// server is there then.
type casters struct {
	mu    sync.Mutex
	url   string                     // guarded by mu
	acked map[string]voting.Position // by ballot; guarded by mu
}

func (c *casters) at() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.url
}

func (c *casters) vote(t *testing.T, contest string, stop <-chan struct{}) {
	sign := signer(contest, partnerSecret, time.Now().Add(time.Hour))
	client := &http.Client{Timeout: 3 * time.Second}
	for {
		select {
		case <-stop:
			return
		default:
		}
		id := uuid.Must(uuid.NewV7()).String()
		pass, err := sign(t.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		for settled := false; !settled; {
			req, err := http.NewRequest("POST", c.at()+"/v1/contests/"+contest+"/ballots", strings.NewReader(`{"ballot":"`+id+`","entry":"e-1"}`))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+pass)
			req.Header.Set("Content-Type", "application/json")
			answer, err := client.Do(req)
			if err != nil {
				time.Sleep(5 * time.Millisecond) // as a client waits before it asks again
				continue
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			var told struct{ Position voting.Position }
			if err == nil && (answer.StatusCode == 201 || answer.StatusCode == 200) && json.Unmarshal(body, &told) == nil {
				c.mu.Lock()
				c.acked[id], settled = told.Position, true
				c.mu.Unlock()
			}
		}
	}
}

// checkRecords counts what is exported: every ballot that was acknowledged, once, where
// it was said to be; no offset twice or left out.
func (c *casters) check(t *testing.T, r *running, contest string) {
	t.Helper()
	next, found := map[int]int64{}, map[string]voting.Position{}
	for line := range strings.Lines(r.joute("export", contest)) {
		var one voting.Record
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		// Of one box the order is the offsets'.
		if next[one.Position.Box]++; one.Position.Offset != next[one.Position.Box] {
			t.Fatalf("record %v is number %d of its box", one.Position, next[one.Position.Box])
		}
		if one.Kind == voting.KindCast {
			if _, twice := found[one.Ballot.String()]; twice {
				t.Fatalf("ballot %v is there twice", one.Ballot)
			}
			found[one.Ballot.String()] = one.Position
		}
	}
	for id, at := range c.acked {
		if found[id] != at {
			t.Fatalf("ballot %s was acknowledged at %v and is at %v", id, at, found[id])
		}
	}
	if out := r.joute("recount", contest); !strings.HasSuffix(out, "\nmatch\n") {
		t.Errorf("recount:\n%s", out)
	}
}

// Servers are killed while they cast and move records: the next one goes on, nothing
// acknowledged is lost, nothing is there twice, and all of it comes to be on disk.
func TestServe_KilledWhileItMovesRecords(t *testing.T) {
	cycles := 3
	if os.Getenv("JOUTE_FAULTS") == "long" {
		cycles = 50
	}
	redis, data := redistest.Start(t), t.TempDir()
	p := launch(t, "--redis", redis.URL(), "--data", data)
	r := &running{t: t, url: p.url}
	r.joute("apply", write(t, "c.yaml", smallDocument("killed", "identity: partner\npartner: {secret: "+partnerSecret+"}\nboxes: 3\n")))
	c := &casters{url: p.url, acked: map[string]voting.Position{}}
	stop := make(chan struct{})
	var casting sync.WaitGroup
	for range 8 {
		casting.Go(func() { c.vote(t, "killed", stop) })
	}
	for range cycles {
		before := onDisk(t, data, "killed")
		wait(t, "records to be moved", func() (int64, bool) { n := onDisk(t, data, "killed"); return n, n > before+20 })
		p.kill()
		p = launch(t, "--redis", redis.URL(), "--data", data)
		c.mu.Lock()
		c.url = p.url
		c.mu.Unlock()
	}
	close(stop)
	casting.Wait()
	r = &running{t: t, url: p.url}
	c.check(t, r, "killed")
	p.stop() // and moves what is left
	if left := inStore(t, redis, "killed", 3); left != 0 {
		t.Errorf("%d entries are left in the store", left)
	}
	if n := onDisk(t, data, "killed"); n != int64(len(c.acked))+3 { // an opening a box
		t.Errorf("%d records on disk, %d ballots acknowledged", n, len(c.acked))
	}
	if code, out, stderr := run(t, nil, "", "verify", data); code != 0 || !strings.Contains(out, "\nproved\n") {
		t.Errorf("verify: exit %d\n%s%s", code, out, stderr)
	}
	t.Logf("%d ballots", len(c.acked))
}

// Of three servers one moves the records. When it is killed another goes on.
func TestServe_AnotherServerMovesOn(t *testing.T) {
	redis, data := redistest.Start(t), t.TempDir()
	var servers []*process
	for range 3 {
		servers = append(servers, launch(t, "--redis", redis.URL(), "--data", data))
	}
	at := func(i int) *running { return &running{t: t, url: servers[i].url} }
	at(0).joute("apply", write(t, "c.yaml", smallDocument("moved", "boxes: 2\n")))
	for _, p := range servers {
		knows(t, p.url, "moved")
	}
	// Whoever had the contest first moves its records; that is whoever counts them.
	moves := func(i int) float64 { return metricOf(t, servers[i].url, "joute_ledger_archived_records_total") }
	at(1).bench("--contest", "moved", "--voters", "100", "--seed", "1")
	first := wait(t, "somebody to move records", func() (int, bool) {
		for i := range servers {
			if moves(i) > 0 {
				return i, true
			}
		}
		return 0, false
	})
	wait(t, "all to be on disk", func() (int64, bool) { n := onDisk(t, data, "moved"); return n, n == 102 })
	servers[first].kill()
	other := (first + 1) % 3
	at(other).bench("--contest", "moved", "--voters", "100", "--seed", "2")
	wait(t, "another to move the rest", func() (int64, bool) { n := onDisk(t, data, "moved"); return n, n == 202 })
	wait(t, "them to be counted", func() (float64, bool) { // last of all
		n := moves(other) + moves((first+2)%3)
		return n, n == 100
	})
	for _, i := range []int{other, (first + 2) % 3} {
		if out := at(i).joute("recount", "moved"); !strings.HasSuffix(out, "\nmatch\n") {
			t.Errorf("recount at server %d:\n%s", i, out)
		}
	}
}

// knows waits until a server has heard of a contest that another was told of.
func knows(t *testing.T, url, contest string) {
	t.Helper()
	wait(t, "the other server to know the contest", func() (int, bool) {
		answer, err := http.Get(url + "/v1/contests/" + contest)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode, answer.StatusCode == http.StatusOK
	})
}

// metricOf reads a metric without labels.
func metricOf(t *testing.T, url, name string) float64 {
	t.Helper()
	answer, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s in /metrics", name)
	return 0
}

// A tally that somebody edits turns /readyz red within a minute, and green again once
// it is put right. A store that was emptied takes no ballot.
func TestServe_TellsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	redis, data := redistest.Start(t), t.TempDir()
	s := serve(t, "--redis", redis.URL(), "--data", data)
	s.joute("apply", write(t, "c.yaml", smallDocument("watched", "boxes: 2\n")))
	s.bench("--contest", "watched", "--voters", "50")
	wait(t, "all to be on disk", func() (int64, bool) { n := onDisk(t, data, "watched"); return n, n == 52 })
	ready := func() (status int, text string) {
		answer, err := http.Get(s.url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	becomes := func(want int, says string) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			status, text := ready()
			if status == want && strings.Contains(text, says) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("/readyz: %d %s, want %d and %q", status, text, want, says)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	becomes(200, `"ledger"`)
	edit := func(by int64) {
		if err := redis.Client().HIncrBy(t.Context(), "joute:{watched/1}:tally", "e-1", by).Err(); err != nil {
			t.Fatal(err)
		}
	}
	edit(1)
	becomes(503, "joute recount watched")
	if n := metricOf(t, s.url, "joute_ledger_drift"); n != 1 {
		t.Errorf("joute_ledger_drift is %v", n)
	}
	edit(-1)
	becomes(200, `"ledger"`)
	if log := s.stderr.String(); strings.Count(log, "the tally in the store is not the count of the ledger") != 1 || !strings.Contains(log, "agree again") {
		t.Errorf("the log says:\n%s", log)
	}

	for box := range 2 {
		if err := redis.Client().Del(t.Context(), "joute:{watched/"+strconv.Itoa(box)+"}:meta").Err(); err != nil {
			t.Fatal(err)
		}
	}
	becomes(503, "the store knows of")
	status, body := post(t, s.url+"/v1/contests/watched/ballots", devicePass(t, s.url, "watched"), `{"entry":"e-1"}`)
	if status != 503 || !strings.Contains(body, "store-unavailable") {
		t.Errorf("a ballot meanwhile: %d %s", status, body)
	}
}

// What was seen of a forgotten contest goes from the folder too, on every server.
func TestForget_TheFolderKeepsNothingThatWasSeen(t *testing.T) {
	t.Parallel()
	redis, data := redistest.Start(t), t.TempDir()
	s, other := serve(t, "--redis", redis.URL(), "--data", data), serve(t, "--redis", redis.URL(), "--data", data)
	s.joute("apply", write(t, "c.yaml", smallDocument("gone", "boxes: 2\n")))
	s.bench("--contest", "gone", "--voters", "50")
	seen := filepath.Join(data, "evidence", "gone")
	wait(t, "evidence to be on disk", func() (int64, bool) {
		_, err := os.Stat(seen)
		return onDisk(t, data, "gone"), err == nil && onDisk(t, data, "gone") == 52
	})
	knows(t, other.url, "gone")
	if out := other.joute("export", "gone", "--evidence"); strings.Count(out, `"level":`) != 50 {
		t.Errorf("exported:\n%s", out)
	}
	s.organizer("POST", "/v1/contests/gone/close")
	other.joute("forget", "gone", "--yes")
	if _, err := os.Stat(seen); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("evidence is there: %v", err)
	}
	if out := s.joute("export", "gone", "--evidence"); strings.Contains(out, `"evidence"`) || strings.Count(out, "\n") != 50 {
		t.Errorf("exported after it:\n%s", out)
	}
	if out := s.joute("recount", "gone"); !strings.HasSuffix(out, "\nmatch\n") {
		t.Errorf("recount:\n%s", out)
	}
}

func post(t *testing.T, url, bearer, body string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(all)
}

func devicePass(t *testing.T, url, contest string) string {
	t.Helper()
	_, body := post(t, url+"/v1/contests/"+contest+"/passes", "", `{"level":"device"}`)
	var told struct{ Pass string }
	if err := json.Unmarshal([]byte(body), &told); err != nil || told.Pass == "" {
		t.Fatalf("no pass: %s", body)
	}
	return told.Pass
}
