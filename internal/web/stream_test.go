package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

func lines(a answer) []string {
	text := strings.TrimSuffix(string(a.body), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func TestLedger_ResumesWithoutLossOrRepeat(t *testing.T) {
	e := start(t)
	_, path := e.contest(`,"boxes":3`)
	for range 12 {
		e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	}
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	whole := e.do("GET", path+"/ledger", "", asOrganizer).want(200, "")
	if whole.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%v", whole.header)
	}
	all := lines(whole)
	if len(all) < 15 {
		t.Fatalf("%d records", len(all))
	}
	fold := voting.NewFold()
	for i, line := range all {
		var r voting.Record
		must(t, json.Unmarshal([]byte(line), &r))
		fold.Add(r)
		rest := lines(e.do("GET", path+"/ledger?after="+r.Position.String(), "", asOrganizer).want(200, ""))
		if strings.Join(rest, "\n") != strings.Join(all[i+1:], "\n") {
			t.Fatalf("after %s: %d records, want %d", r.Position, len(rest), len(all)-i-1)
		}
	}
	if tally := fold.Tally(); tally.Counted != 12 {
		t.Errorf("the ledger folds to %d counted", tally.Counted)
	}
	for _, after := range []string{"x", "1-2-3", "1-2-3-4", "-1-0-0-0", "1-99-1-1", "%00", "1-0-1-1%20", strings.Repeat("9", 40) + "-0-1-1"} {
		e.do("GET", path+"/ledger?after="+after, "", asOrganizer).want(400, "invalid-request")
	}
	e.do("HEAD", path+"/ledger", "", asOrganizer).want(200, "")
}

func TestLedger_PublishedShowsNoHiddenEntryAndEveryBallot(t *testing.T) {
	e := start(t)
	id, path := e.contest("")
	for _, entry := range []string{"lumiere-1", "vercors-1"} {
		e.do("POST", path+"/ballots", ballot(newBallot(), entry), e.pass(path)).want(201, "")
	}
	closes := e.do("GET", path, "").json()["phases"].(map[string]any)["voting"].(map[string]any)
	text := contestText(id, "")
	var m map[string]any
	must(t, json.Unmarshal([]byte(text), &m))
	m["phases"] = map[string]any{"voting": closes}
	m["entries"].([]any)[1].(map[string]any)["hidden"] = true
	hidden, err := json.Marshal(m)
	must(t, err)
	e.do("PUT", path, string(hidden), asOrganizer).want(200, "")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	e.do("POST", path+"/publish", "", asOrganizer).want(200, "")
	public, own := e.do("GET", path+"/ledger", "").want(200, ""), e.do("GET", path+"/ledger", "", asOrganizer).want(200, "")
	if strings.Contains(string(public.body), "vercors-1") || !strings.Contains(string(own.body), "vercors-1") {
		t.Errorf("public\n%s\norganizer\n%s", public.body, own.body)
	}
	if len(lines(public)) != len(lines(own)) {
		t.Error("the public ledger lacks records")
	}
}

// A client must be able to tell half a ledger from a whole one.
func TestStream_ThatBreaksIsNeverTakenForWhole(t *testing.T) {
	broken := errors.New("the store is gone")
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.app.Get("/broken/:lines", func(c *fiber.Ctx) error {
			n, err := c.ParamsInt("lines")
			if err != nil {
				return err
			}
			return s.stream(c, func(_ context.Context, line func(any) error) error {
				for i := range n {
					if err := line(map[string]int{"n": i}); err != nil {
						return err
					}
				}
				return broken
			})
		})
	})
	e.do("GET", "/broken/0", "").want(500, "internal-error") // nothing was sent yet
	for _, n := range []int{1, 10, 100_000} {
		resp, err := client.Get(fmt.Sprintf("http://%s/broken/%d", e.addr, n))
		if err != nil {
			continue // it broke before the header was out: nobody takes that for whole
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("%d lines, then an error: the answer ended as if whole", n)
		}
	}
	if !strings.Contains(e.log.String(), broken.Error()) {
		t.Error("the log does not say why")
	}
	e.do("GET", "/livez", "").want(200, "")
}

// The same with a store that dies while a real ledger is read.
func TestLedger_StoreDyingInTheMiddleBreaksTheAnswer(t *testing.T) {
	redis := redistest.Start(t)
	e := startOn(t, redis.URL())
	_, path := e.contest("")
	id := strings.TrimPrefix(path, "/v1/contests/")
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	// Copies of a real record: more than what the sockets hold between server and reader,
	// whose own is kept small.
	const copies = 20_000
	key := "joute:{" + id + "/0}:ledger"
	last, err := redis.Client().XRevRangeN(t.Context(), key, "+", "-", 1).Result()
	must(t, err)
	var fields []any
	for name, value := range last[0].Values {
		fields = append(fields, name, value)
	}
	var millis, n int64
	_, err = fmt.Sscanf(last[0].ID, "%d-%d", &millis, &n)
	must(t, err)
	sheets := redis.Client().XLen(t.Context(), key).Val()
	pipe := redis.Client().Pipeline()
	pipe.HSet(t.Context(), "joute:{"+id+"/0}:meta", "place", fmt.Sprintf("open|%d|%d|0|%d", millis, n+copies, sheets+copies)) // or they would be taken out as torn
	for i := range int64(copies) {
		pipe.Do(t.Context(), append([]any{"XADD", key, fmt.Sprintf("%d-%d", millis, n+1+i)}, fields...)...)
		if i%1000 == 999 { // a reply to all of them together would come too late on a busy machine
			_, err = pipe.Exec(t.Context())
			must(t, err)
		}
	}

	req, err := http.NewRequest("GET", "http://"+e.addr+path+"/ledger", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+organizerKey)
	slow := &http.Client{Transport: &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(16 << 10)
		}
		return c, err
	}}}
	resp, err := slow.Do(req)
	must(t, err)
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	first, err := r.ReadBytes('\n')
	must(t, err)
	redis.Kill()
	rest, err := io.ReadAll(r)
	if err == nil {
		t.Errorf("%d records of %d ended as if whole", bytes.Count(append(first, rest...), []byte("\n")), copies+2)
	}
	t.Logf("%d records of %d came, %d bytes", bytes.Count(append(first, rest...), []byte("\n")), copies+2, len(first)+len(rest))
}

func TestShutdown_FinishesWhatWasAccepted(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.app.Get("/slow", func(c *fiber.Ctx) error {
			close(entered)
			<-leave
			return c.SendString("done")
		})
	})
	got := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + e.addr + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		got <- string(body)
	}()
	<-entered
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := e.server.Shutdown(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown while a request is under way: %v, want the deadline", err)
	}
	if _, err := http.Get("http://" + e.addr + "/livez"); err == nil {
		t.Error("a request was accepted after the shutdown began")
	}
	close(leave)
	if body := <-got; body != "done" {
		t.Errorf("the request under way got %q", body)
	}
	if err := <-e.served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// Whoever was told that a code is on its way gets it from a server that stops, too: the
// outbox takes none once the server has ended.
func TestShutdown_PutsThePromisedMailsIntoTheOutbox(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	const to = "ada@shutdown.example.org"
	e.do("POST", path+"/passes", `{"level":"email","email":"`+to+`"}`).want(202, "")
	must(t, e.server.Shutdown(t.Context()))
	if e.server.cfg.Mail.Waiting() == 0 && len(e.mails.Messages(to)) == 0 {
		t.Error("the server has ended, and the mail is nowhere")
	}
}
