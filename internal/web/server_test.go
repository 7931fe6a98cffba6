package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

func TestCast_ConcurrentRepeatsShareOneReceipt(t *testing.T) {
	e := start(t)
	_, path := e.contest("")
	pass, b := e.pass(path), newBallot()
	answers := make([]answer, 64)
	var calls sync.WaitGroup
	for i := range answers {
		calls.Go(func() { answers[i] = e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass) })
	}
	calls.Wait()
	first := 0
	for _, a := range answers {
		if a.status == 201 {
			first++
		} else {
			a.want(200, "")
		}
		if a.text("receipt") != answers[0].text("receipt") {
			t.Errorf("two receipts: %s\n%s", a.body, answers[0].body)
		}
	}
	if n := e.casts(path); first != 1 || n != 1 {
		t.Errorf("%d answers say it was counted now, %d ballots in the ledger; want 1 and 1", first, n)
	}
}

func TestServer_DoesNotWaitForSlowSenders(t *testing.T) {
	e := startOn(t, sharedURL(t), func(s *Server) { s.app.Server().ReadTimeout = 100 * time.Millisecond })
	if got := readTimeout; got > 5*time.Second {
		t.Errorf("a sender may hold a connection for %v", got)
	}
	for _, begun := range []string{
		"POST /v1/contests/x/ballots HT", "POST /v1/contests/x/ballots HTTP/1.1\r\nHost: x\r\nX: ",
		"POST /v1/contests/x/ballots HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
	} {
		c, err := net.Dial("tcp", e.addr)
		must(t, err)
		defer c.Close()
		must(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		_, err = io.WriteString(c, begun)
		must(t, err)
		text, err := io.ReadAll(c) // until the server closes
		must(t, err)
		if !bytes.HasPrefix(text, []byte("HTTP/1.1 408 ")) || !bytes.Contains(text, []byte(`"code":"invalid-request"`)) {
			t.Errorf("%q: %s", begun, text)
		}
	}
}

// A reader that never reads is given up; one that is slow but reads gets all.
func TestConn_BoundsEachWriteAndNotTheWhole(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	const patience = 300 * time.Millisecond
	bounded := &listener{Listener: l, patience: patience, most: 2}
	body := make([]byte, 64<<20) // more than sockets hold
	for name, read := range map[string]func(net.Conn) int64{
		"dead": func(net.Conn) int64 { return 0 },
		"slow": func(c net.Conn) (n int64) {
			tick := time.NewTicker(patience / 30)
			defer tick.Stop()
			for buf := make([]byte, 1<<20); ; <-tick.C {
				got, err := io.ReadFull(c, buf)
				if n += int64(got); err != nil {
					return n
				}
			}
		},
	} {
		reader, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		writer, err := bounded.Accept()
		must(t, err)
		got := make(chan int64, 1)
		go func() { got <- read(reader) }()
		start := time.Now()
		_, err = writer.Write(body)
		took := time.Since(start)
		writer.Close()
		switch n := <-got; name {
		case "dead":
			if !errors.Is(err, os.ErrDeadlineExceeded) || took > 10*time.Second {
				t.Errorf("dead: %v after %v", err, took)
			}
		case "slow":
			if err != nil || n != int64(len(body)) || took < patience {
				t.Errorf("slow: %d bytes, %v after %v", n, err, took)
			}
		}
		reader.Close()
	}
}

func TestNew_WantsAnOrganizerKey(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a server without a key would let everybody organize")
	}
}

func BenchmarkProblem(b *testing.B) {
	texts, err := newCatalogue()
	must(b, err)
	next := time.Now()
	p := &problem{status: 409, code: "already-voted", say: "next", nextAt: &next, zone: time.UTC}
	for b.Loop() {
		p.document(texts, "fr", "x")
	}
}
