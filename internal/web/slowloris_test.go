package web

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/internal/live"
)

// slowOnes is how many connections of each kind hang on in a test.
const slowOnes = 340

// Connections that send a byte now and then, read nothing, or do nothing, end by
// their limits, and ballots are cast meanwhile as before.
func TestSlowloris_SlowOnesGoAndBallotsStay(t *testing.T) {
	const limit = 3 * time.Second
	e := startOn(t, sharedURL(t), func(s *Server) {
		s.app.Server().ReadTimeout, s.app.Server().IdleTimeout = limit, limit
	})
	if readTimeout > 5*time.Second || writeTimeout > 10*time.Second {
		t.Errorf("in earnest a request may take %v, a piece of an answer %v", readTimeout, writeTimeout)
	}
	_, path := e.contest(`,"rules":{"ballots":{"max":100000}},"antifraud":{"policy":"observe"}`)
	pass := e.pass(path)
	// The best of three, as the machine may be busy with other things. For the same reason
	// it is asked before and after, and the slower of both is what is compared with.
	cast := func() (p50, p99 time.Duration) {
		p50, p99 = time.Hour, time.Hour
		for range 3 {
			var took []time.Duration
			for range 200 {
				started := time.Now()
				e.do("POST", path+"/ballots", ballot(newBallot(), "lumiere-1"), pass).want(201, "")
				took = append(took, time.Since(started))
			}
			slices.Sort(took)
			p50, p99 = min(p50, took[len(took)/2]), min(p99, took[len(took)*99/100])
		}
		return p50, p99
	}
	median, before := cast()
	files := openFiles(t)

	var slow []net.Conn
	var ending sync.WaitGroup
	var mu sync.Mutex
	longest := map[string]time.Duration{}
	for kind, begun := range map[string]string{
		"header": "POST " + path + "/ballots HTTP/1.1\r\nHost: x\r\nX: ",
		"body":   "POST " + path + "/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{",
		"idle":   "",
	} {
		for range slowOnes {
			c, err := net.Dial("tcp", e.addr)
			must(t, err)
			slow = append(slow, c)
			_, err = io.WriteString(c, begun)
			must(t, err)
			ending.Go(func() {
				started := time.Now()
				dripping := make(chan struct{})
				if begun != "" {
					go func() {
						time.Sleep(rand.N(time.Second)) // or all drip at once
						for tick := time.NewTicker(time.Second); ; {
							select {
							case <-dripping:
								tick.Stop()
								return
							case <-tick.C:
								_, _ = io.WriteString(c, "a")
							}
						}
					}()
				}
				_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
				_, err := io.Copy(io.Discard, c) // until it ends
				close(dripping)
				mu.Lock()
				defer mu.Unlock()
				if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
					t.Errorf("%s: it hangs on", kind)
				}
				longest[kind] = max(longest[kind], time.Since(started))
			})
		}
	}
	middle, during := cast()
	hanging := openFiles(t)
	if hanging < files+len(slow) {
		t.Errorf("%d descriptors beside %d slow connections: they were not there any more", hanging, len(slow))
	}
	ending.Wait()
	for _, c := range slow {
		c.Close()
	}
	for kind, took := range longest {
		if took > 10*time.Second {
			t.Errorf("%s: the last of %d went after %v, with a limit of %v", kind, slowOnes, took, limit)
		}
	}
	after, afterwards := cast()
	median, before = max(median, after), max(before, afterwards)
	// The slowest of a hundred tells more of the machine's other work than of ours: it
	// is judged where there is none.
	if middle > 2*median+5*time.Millisecond || long() && during > 2*before+5*time.Millisecond {
		t.Errorf("casting takes %v, p99 %v, beside %d slow connections, and %v and %v without", middle, during, len(slow), median, before)
	}
	e.until("the descriptors are given back", func() bool { return openFiles(t) < files+20 })
	t.Logf("%d slow connections: gone after %v at most, casting %v, p99 %v before, %v and %v beside them", len(slow), longest, median, before, middle, during)
}

// Readers of a large answer who do not read are given up.
func TestSlowloris_ReadersThatDoNotReadAreGivenUp(t *testing.T) {
	const patience = 500 * time.Millisecond
	e := startOn(t, sharedURL(t), func(s *Server) { s.patience = patience })
	id, path := e.contest("")
	var more strings.Builder
	for i := range 9_000 {
		fmt.Fprintf(&more, `{"id":"e-%d","school":"vercors","title":%q},`, i, strings.Repeat("Un titre ", 20))
	}
	big := strings.Replace(contestText(id, ""), `"entries":[`, `"entries":[`+more.String(), 1)
	e.do("PUT", path, big, asOrganizer).want(200, "")
	files := openFiles(t)
	var slow []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", e.addr)
		must(t, err)
		defer c.Close()
		must(t, c.(*net.TCPConn).SetReadBuffer(4<<10))
		_, err = io.WriteString(c, strings.Repeat("GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n", 10))
		must(t, err)
		slow = append(slow, c)
	}
	e.until("their side of the server is closed", func() bool { return openFiles(t) <= files+len(slow)+20 })
	e.do("GET", path+"/leaderboard", "").want(200, "")
}

// openFiles is how many descriptors this process has: both ends of the test's
// connections.
func openFiles(t testing.TB) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc: descriptors cannot be counted")
	}
	return len(files)
}

// Where there is no room for another connection it is told so, and there is room
// again when one ends. Readers of feeds are counted elsewhere.
func TestListener_RefusesWhatIsTooMuchAndOutlivesIt(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) { s.connections = 5 })
	_, path := e.contest("")
	client.CloseIdleConnections()
	for range 3 {
		defer e.feed(path).conn.Close()
	}
	var held []net.Conn
	for len(held) < 5 {
		c, err := net.Dial("tcp", e.addr)
		must(t, err)
		defer c.Close()
		must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		_, err = io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
		buf := make([]byte, 15)
		if _, err := io.ReadFull(c, buf); err == nil && string(buf) == "HTTP/1.1 200 OK" { // else an earlier one has not left yet
			held = append(held, c)
		}
	}
	c, err := net.Dial("tcp", e.addr)
	must(t, err)
	defer c.Close()
	text, err := io.ReadAll(c)
	must(t, err)
	if !strings.HasPrefix(string(text), "HTTP/1.1 503 ") || !strings.Contains(string(text), "Retry-After: ") || !strings.Contains(string(text), `"code":"overloaded"`) {
		t.Errorf("%q", text)
	}
	held[0].Close()
	e.until("there is room", func() bool {
		resp, err := http.Get("http://" + e.addr + "/livez")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
}

// lacking is a listener of a process without a free descriptor, twice.
type lacking struct {
	net.Listener
	times int
}

func (l *lacking) Accept() (net.Conn, error) {
	if l.times--; l.times >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestListener_OutlivesAShortageOfDescriptors(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l := &listener{Listener: &lacking{inner, 2}, patience: time.Second, closed: func() {}, most: 1, log: slog.New(slog.DiscardHandler)}
	dialed, err := net.Dial("tcp", inner.Addr().String())
	must(t, err)
	defer dialed.Close()
	taken, err := l.Accept()
	must(t, err)
	taken.Close()
	must(t, l.Close())
	if _, err := l.Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
	if connections, feeds := Sockets(); connections < 1 || connections > maxConnections || feeds.Readers > live.MaxReaders {
		t.Errorf("room for %d connections and %d readers", connections, feeds.Readers)
	}
}
