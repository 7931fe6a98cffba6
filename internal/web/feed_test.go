package web

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/redistest"
)

// follower is a reader of a feed on a connection of its own.
type follower struct {
	t    testing.TB
	conn net.Conn
	read *bufio.Reader
	head http.Header
}

func (e *env) feed(path string, headers ...string) *follower {
	e.t.Helper()
	conn, err := net.Dial("tcp", e.addr)
	must(e.t, err)
	e.t.Cleanup(func() { conn.Close() })
	must(e.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(conn, "GET "+path+"/feed HTTP/1.1\r\nHost: x\r\n"+strings.Join(append(headers, "\r\n"), "\r\n"))
	must(e.t, err)
	read := bufio.NewReader(conn)
	resp, err := http.ReadResponse(read, nil)
	must(e.t, err)
	if resp.StatusCode != 200 {
		e.t.Fatalf("status %d", resp.StatusCode)
	}
	return &follower{e.t, conn, bufio.NewReader(resp.Body), resp.Header}
}

// next reads up to the end of an event; the way in between is no event.
func (f *follower) next() (id, data string) {
	f.t.Helper()
	for {
		line, err := f.read.ReadString('\n')
		must(f.t, err)
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if data != "" {
				return id, data
			}
		}
	}
}

// ended says that the server closes the connection.
func (f *follower) ended() bool {
	f.t.Helper()
	must(f.t, f.conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err := io.Copy(io.Discard, f.read)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

func (e *env) readers(n int) {
	e.t.Helper()
	e.until("the readers are counted", func() bool { return e.server.cfg.Feeds.Readers() == n })
}

func TestFeed_IsAStreamOfWhatTheLeaderboardSays(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	f := e.feed(path)
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
		"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	} {
		if got := f.head.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if f.head.Get("X-Request-Id") == "" || f.head.Get("Set-Cookie") != "" {
		t.Errorf("%v", f.head)
	}
	first, _ := f.next()
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	cast := time.Now()
	id, data := f.next()
	t.Logf("the frame came %s after the answer", time.Since(cast))
	if board := e.do("GET", path+"/leaderboard", "").want(200, ""); string(board.body) != data || board.text("position") != id || id == first {
		t.Errorf("event %s\n%s\nleaderboard\n%s", id, data, board.body)
	}
	// Where an earlier connection ended, and where none can have been.
	for _, seen := range []string{first, id, "nonsense", "1-1", strings.Repeat("9", 400)} {
		if again, _ := e.feed(path, "Last-Event-ID: "+seen).next(); again != id {
			t.Errorf("after %s: %s", seen, again)
		}
	}
}

func TestFeed_NoticesWhoLeavesAndWhoTalks(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	stays, leaves, talks := e.feed(path), e.feed(path), e.feed(path)
	for _, f := range []*follower{stays, leaves, talks} {
		f.next()
	}
	e.readers(3)
	left := time.Now()
	leaves.conn.Close()
	e.readers(2)
	if took := time.Since(left); took > time.Second {
		t.Errorf("noticed after %s", took)
	}
	_, err := talks.conn.Write(make([]byte, 2*feedTalk))
	must(t, err)
	e.readers(1)
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path)).want(201, "")
	if _, data := stays.next(); !strings.Contains(data, `"counted":1`) {
		t.Error(data)
	}
}

func TestFeed_Refusals(t *testing.T) {
	redis := redistest.Start(t)
	e := startOn(t, redis.URL())
	_, path := e.contest("")
	e.do("GET", "/v1/contests/nowhere/feed", "").want(404, "no-such-contest")
	if head := e.do("HEAD", path+"/feed", "").want(200, ""); head.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%v", head.header)
	}
	e.do("POST", path+"/feed", "").want(405, "method-not-allowed")
	redis.Kill()
	e.until("refused while the store is gone", func() bool {
		a := e.do("HEAD", path+"/feed", "")
		return a.status == 503 && a.header.Get("Retry-After") != ""
	})
	redis.Restart()
	e.until("open again", func() bool { return e.do("HEAD", path+"/feed", "").status == 200 })
}

func TestFeed_OneAddressDoesNotTakeAllRoom(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.cfg.Feeds.Close()
		s.cfg.Feeds = live.NewFeeds(s.cfg.Boards, s.cfg.Registry.Get, s.log, live.FeedOptions{PerAddress: 2})
	})
	_, path := e.contest("")
	for range 2 {
		e.feed(path, "X-Forwarded-For: 192.0.2.1").next()
	}
	if a := e.do("GET", path+"/feed", "", "X-Forwarded-For: 192.0.2.1").want(503, "overloaded"); a.header.Get("Retry-After") == "" {
		t.Errorf("%v", a.header)
	}
	e.feed(path, "X-Forwarded-For: 192.0.2.2").next()
	// A ballot is taken from that address all the same.
	e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), e.pass(path), "X-Forwarded-For: 192.0.2.1").want(201, "")
	if log := e.log.String(); strings.Contains(log, "192.0.2.") {
		t.Error("an address in the log")
	}
}

func TestFeed_EndsWithTheServer(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	f := e.feed(path)
	f.next()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	must(t, e.server.Shutdown(ctx))
	if !f.ended() {
		t.Error("the connection goes on")
	}
}
