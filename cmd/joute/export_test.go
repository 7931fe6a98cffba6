package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// cutting is a proxy in front of a server that cuts a connection after so many
// bytes of answers; the numbers are used up one by one, then nothing is cut.
type cutting struct {
	listener net.Listener
	target   string
	cuts     chan int64
	made     atomic.Int64 // how often it has cut
	open     sync.WaitGroup
}

func cut(t *testing.T, target string, after ...int64) *cutting {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cutting{listener: l, target: strings.TrimPrefix(target, "http://"), cuts: make(chan int64, len(after))}
	for _, n := range after {
		p.cuts <- n
	}
	p.open.Go(p.accept)
	t.Cleanup(func() { l.Close(); p.open.Wait() })
	return p
}

func (p *cutting) url() string { return "http://" + p.listener.Addr().String() }

func (p *cutting) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.open.Go(func() { p.relay(in) })
	}
}

func (p *cutting) relay(in net.Conn) {
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		in.Close()
		return
	}
	p.open.Go(func() {
		_, _ = io.Copy(out, in)
		out.Close()
	})
	defer in.Close()
	defer out.Close()
	select {
	case n := <-p.cuts:
		if _, err := io.CopyN(in, out, n); err == nil {
			p.made.Add(1)
		}
	default:
		_, _ = io.Copy(in, out)
	}
}

func TestExport_ResumesWhereItBroke(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", smallDocument("broken", "boxes: 4\n")))
	s.bench("--contest", "broken", "--voters", "500")
	for _, args := range [][]string{{"export", "broken"}, {"export", "broken", "--evidence"}} {
		whole := wait(t, "a ledger that has come to rest", func() (string, bool) {
			out := s.joute(args...)
			return out, strings.Count(out, "\n") >= 500
		})
		proxy := cut(t, s.url, 10, 20_000, 50_001, 30_000)
		code, got, stderr := run(t, env{"JOUTE_SERVER": proxy.url(), "JOUTE_KEY": adminKey}, "", args...)
		if code != 0 || got != whole {
			t.Errorf("%v: exit %d, %d bytes of %d\n%s", args, code, len(got), len(whole), stderr)
		}
		if proxy.made.Load() != 4 {
			t.Errorf("%v: cut %d times, the test means 4", args, proxy.made.Load())
		}
	}
	checkBallotLog(t, s.joute("export", "broken", "--evidence"))

	ledger := s.joute("export", "broken")
	lines := strings.SplitAfter(ledger, "\n")
	var record struct{ Position string }
	if err := json.Unmarshal([]byte(lines[99]), &record); err != nil {
		t.Fatal(err)
	}
	if got := s.joute("export", "broken", "--after", record.Position); got != strings.Join(lines[100:], "") {
		t.Errorf("--after gives %d lines, expected %d", strings.Count(got, "\n"), len(lines)-101)
	}
}

// checkBallotLog holds the lines to the contract's ballot log.
func checkBallotLog(t *testing.T, log string) {
	t.Helper()
	before := ""
	for line := range strings.Lines(log) {
		var got struct {
			Ballot, At, Voter, Entry, School, Level string
			Evidence                                map[string]any
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if got.Ballot == "" || got.Voter == "" || got.Entry == "" || got.School == "" || got.Level != "device" || got.Evidence["net"] == nil {
			t.Fatalf("not a line of a ballot log: %s", line)
		}
		if got.At < before {
			t.Errorf("%s comes after %s", got.At, before)
		}
		before = got.At
	}
}

// TestExport_PartIsNoSuccess has a server that breaks off again and again, and
// an output that is full.
func TestExport_PartIsNoSuccess(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", smallDocument("part", "")))
	s.bench("--contest", "part", "--voters", "200")
	proxy := cut(t, s.url, 20_000, 10, 10, 10, 10, 10, 10, 10)
	code, stdout, stderr := run(t, env{"JOUTE_SERVER": proxy.url(), "JOUTE_KEY": adminKey}, "", "export", "part")
	if code != 1 || stdout == "" || !strings.HasSuffix(stdout, "}\n") || !strings.Contains(stderr, "not complete") {
		t.Errorf("exit %d, %d bytes, stderr %q", code, len(stdout), stderr)
	}
	m := Main{
		Stdin: strings.NewReader(""), Stdout: fullDisk{}, Stderr: io.Discard,
		Getenv: func(name string) string { return env{"JOUTE_SERVER": s.url, "JOUTE_KEY": adminKey}[name] },
	}
	if code := m.Run(t.Context(), []string{"export", "part"}); code != 1 {
		t.Errorf("a full disk: exit %d", code)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
