package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// process is a real `joute serve` of its own.
type process struct {
	cmd    *exec.Cmd
	stderr watchtest.Log
	url    string
	stop   func() // as a deployment does; the end of the test does too
	killed bool
}

// kill is kill -9.
func (p *process) kill() {
	p.killed = true
	_ = p.cmd.Process.Kill()
	p.stop()
}

func launch(t *testing.T, args ...string) *process {
	t.Helper()
	return launchIn(t, nil, "127.0.0.1:0", args...)
}

// launchIn is launch elsewhere: enter are the words that lead there.
func launchIn(t *testing.T, enter []string, listen string, args ...string) *process {
	t.Helper()
	words := append(append(slices.Clone(enter), binary(t), "serve", "--listen", listen), args...)
	p := &process{cmd: exec.Command(words[0], words[1:]...)}
	p.cmd.Env = append(os.Environ(), "JOUTE_ADMIN_KEY="+adminKey)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.stop = sync.OnceFunc(func() {
		stuck := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
		defer stuck.Stop()
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.cmd.Wait(); err != nil && !p.killed {
			t.Errorf("serve: %v\n%s", err, p.stderr.String())
		}
	})
	t.Cleanup(p.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(line, "listening on ")
	if err != nil || !ok {
		t.Fatalf("serve printed %q, %v\n%s", line, err, p.stderr.String())
	}
	p.url = strings.TrimSpace(url)
	return p
}

// TestServe_OneBallotThroughThreeServers sends one ballot 10,000 times at once,
// each once, through three servers that know nothing of each other: start them
// together on an empty store and an empty folder.
func TestServe_OneBallotThroughThreeServers(t *testing.T) {
	const servers, casts, connections = 3, 10_000, 500
	redis, data := redistest.Start(t), t.TempDir()
	processes := make([]*process, servers)
	var starting sync.WaitGroup
	binary(t)
	for i := range processes {
		starting.Go(func() { processes[i] = launch(t, "--redis", redis.URL(), "--data", data) })
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	one := &running{t: t, url: processes[0].url}
	one.joute("apply", write(t, "c.yaml", smallDocument("one", "identity: partner\npartner: {secret: "+partnerSecret+"}\nboxes: 4\n")))
	for _, p := range processes { // another server sees a contest within a second
		wait(t, "every server to know the contest", func() (int, bool) {
			answer, err := http.Get(p.url + "/v1/contests/one")
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			return 0, answer.StatusCode == http.StatusOK
		})
	}
	pass, err := signer("one", partnerSecret, time.Now().Add(time.Hour))(t.Context(), "somebody")
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Appendf(nil, `{"ballot":%q,"entry":"e-1"}`, uuid.Must(uuid.NewV7()))

	clients := make([]*fasthttp.HostClient, servers)
	for i, p := range processes {
		clients[i] = &fasthttp.HostClient{
			Addr: strings.TrimPrefix(p.url, "http://"), MaxConns: connections, MaxConnWaitTimeout: time.Minute,
			MaxIdemponentCallAttempts: 1, ReadTimeout: time.Minute,
			Dial: func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, time.Minute) },
		}
		defer clients[i].CloseIdleConnections()
	}
	type answer struct {
		status int
		again  int // how often it was asked again
		stored struct{ Receipt, At, Position, Standing string }
		err    error
	}
	answers := make([]answer, casts)
	gate := make(chan struct{})
	var casting sync.WaitGroup
	for i := range answers {
		casting.Go(func() {
			request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(request)
			defer fasthttp.ReleaseResponse(response)
			request.SetRequestURI(processes[i%servers].url + "/v1/contests/one/ballots")
			request.Header.SetMethod(http.MethodPost)
			request.Header.SetContentType("application/json")
			request.Header.Set("Authorization", "Bearer "+pass)
			request.SetBodyRaw(body)
			<-gate
			a := &answers[i]
			// A server too busy to say what became of the ballot is asked again, as the
			// contract tells clients to; each ask may be the one that counts.
			for deadline := time.Now().Add(time.Minute); ; a.again++ {
				if a.err = clients[i%servers].Do(request, response); a.err != nil {
					return
				}
				if a.status = response.StatusCode(); a.status != http.StatusServiceUnavailable || time.Now().After(deadline) {
					break
				}
			}
			a.err = json.Unmarshal(response.Body(), &a.stored)
		})
	}
	close(gate)
	casting.Wait()

	statuses, again := map[int]int{}, 0
	first := answers[0].stored
	for i, a := range answers {
		if a.err != nil {
			t.Fatalf("cast %d: %v", i, a.err)
		}
		statuses[a.status]++
		again += a.again
		if a.stored != first || first.Receipt == "" {
			t.Fatalf("cast %d was answered %+v, cast 0 %+v", i, a.stored, first)
		}
	}
	// The 201 may have been the answer that a busy server could not give any more.
	created := statuses[http.StatusCreated]
	if created > 1 || created == 0 && again == 0 || statuses[http.StatusOK] != casts-created {
		t.Errorf("answers by status: %v, %d asked again", statuses, again)
	}
	recorded := 0
	for line := range strings.Lines(one.joute("export", "one")) {
		var r voting.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.NamesBallot() {
			recorded++
		}
	}
	if out := one.joute("recount", "one"); recorded != 1 || !strings.HasSuffix(out, "\nmatch\n") || *one.board("one").Totals.Counted != 1 {
		t.Errorf("%d ballots in the ledger; recount:\n%s", recorded, out)
	}
}
