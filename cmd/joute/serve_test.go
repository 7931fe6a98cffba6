package main

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"go.uber.org/goleak"

	"github.com/joute/joute/internal/redistest"
)

func TestServe_ReportsAllFaultsAtOnceAndTouchesNothing(t *testing.T) {
	t.Parallel()
	faulty := write(t, "domains.txt", "mail.example\ncom\nuser@mail.example\n")
	badNetworks := filepath.Dir(write(t, "list", "192.0.2.0/24 hosting\n192.0.2.0/24\n"))
	for name, tc := range map[string]struct {
		vars   env
		args   []string
		faults []string
	}{
		"everything": {
			env{"JOUTE_ADMIN_KEY": "short"},
			[]string{
				"--listen", "8080", "--redis", "redis://127.0.0.1:1", "--trusted-proxies", "10.0.0.0/8,here,10.0.0.1",
				"--public-url", "vote.example.org", "--accept-unverified-store", "--unsafe-store",
				"--smtp", "smtp://joute:hidden-word@mail.example.org", "--mail-from", "nobody", "--disposable-domains", faulty,
			},
			[]string{"--listen: ", "--data is required", "JOUTE_ADMIN_KEY: expected at least 16", "--trusted-proxies: ", "--public-url: ", "--mail-from: ", "--smtp: expected smtp://", "--disposable-domains: line 2: ", "--disposable-domains: line 3: ", "--accept-unverified-store and --unsafe-store"},
		},
		"real store without anything": {
			nil, []string{"--redis", "redis://127.0.0.1:1"},
			[]string{"--data is required", "JOUTE_ADMIN_KEY is required"},
		},
		"key with a space":        {env{"JOUTE_ADMIN_KEY": "sixteen or more characters"}, nil, []string{"JOUTE_ADMIN_KEY: expected printable"}},
		"data is a file":          {nil, []string{"--data", "serve.go"}, []string{"--data: "}},
		"data in a file":          {nil, []string{"--data", "serve.go/data"}, []string{"--data: "}},
		"data cannot be written":  {nil, []string{"--data", "/proc/joute"}, []string{"--data: "}},
		"public address: path":    {nil, []string{"--public-url", "https://example.org/vote"}, []string{"--public-url: "}},
		"public address: no http": {nil, []string{"--public-url", "ftp://example.org"}, []string{"--public-url: "}},
		"no list of domains":      {nil, []string{"--disposable-domains", "absent.txt"}, []string{"--disposable-domains: the list cannot be read"}},
		"bad networks":            {nil, []string{"--networks", badNetworks, "--mmdb", faulty + ",absent.mmdb"}, []string{"--networks, --mmdb: " + badNetworks + "/list:2: expected NETWORK KIND", "--networks, --mmdb: " + faulty + ": not a database", "--networks, --mmdb: open absent.mmdb: no such file"}},
		"no networks":             {nil, []string{"--networks", "absent"}, []string{"--networks, --mmdb: networks: open absent: no such file"}},
		"mail server, no scheme":  {nil, []string{"--smtp", "mail.example.org:25"}, []string{"--smtp: expected smtp://"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := run(t, tc.vars, "", append([]string{"serve"}, tc.args...)...)
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if code != 1 || stdout != "" || len(lines) != len(tc.faults) || strings.Contains(stderr, "hidden-word") {
				t.Fatalf("exit %d, stdout %q, stderr:\n%s", code, stdout, stderr)
			}
			for i, fault := range tc.faults {
				if !strings.HasPrefix(lines[i], "joute: "+fault) {
					t.Errorf("line %d is %q, expected %q", i+1, lines[i], fault)
				}
			}
		})
	}
}

func TestServe_FaultLeavesNoDataFolder(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	code, _, stderr := run(t, nil, "", "serve", "--data", filepath.Join(parent, "a", "b"), "--public-url", "nonsense")
	if left, err := os.ReadDir(parent); code != 1 || err != nil || len(left) > 0 {
		t.Errorf("exit %d, left %v, %v\n%s", code, left, err, stderr)
	}
}

func TestServe_RefusesAStoreThatLosesBallots(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t, "appendfsync everysec", "maxmemory-policy allkeys-lru")
	args := []string{"serve", "--listen", "127.0.0.1:0", "--redis", redis.URL(), "--data", t.TempDir()}
	code, stdout, stderr := run(t, env{"JOUTE_ADMIN_KEY": adminKey}, "", args...)
	if code != 1 || stdout != "" {
		t.Errorf("exit %d, stdout %q", code, stdout)
	}
	for _, fault := range []string{"appendfsync", "maxmemory-policy"} {
		told := slices.ContainsFunc(strings.Split(stderr, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "joute: ") && strings.Contains(line, fault)
		})
		if !told {
			t.Errorf("no line of its own about %s:\n%s", fault, stderr)
		}
	}
	// The same store with the flag that takes it as it is.
	s := serve(t, append(args[3:], "--unsafe-store")...)
	if code := s.stop(); code != 0 {
		t.Errorf("--unsafe-store: exit %d", code)
	}
}

func TestServe_SaysWhenRedisIsNotThere(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := run(t, env{"JOUTE_ADMIN_KEY": adminKey}, "",
		"serve", "--listen", "127.0.0.1:0", "--redis", "redis://user:hidden-word@127.0.0.1:1", "--data", t.TempDir())
	if code != 1 || stdout != "" || strings.Contains(stderr, "hidden-word") || !strings.Contains(stderr, "127.0.0.1:1") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestServe_AnotherDatasetsFolderIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	one, other := redistest.Start(t), redistest.Start(t)
	first := serve(t, "--redis", one.URL(), "--data", folder)
	first.stop()
	code, _, stderr := run(t, env{"JOUTE_ADMIN_KEY": adminKey}, "", "serve", "--listen", "127.0.0.1:0", "--redis", other.URL(), "--data", folder)
	if code != 1 || !strings.Contains(stderr, "not the store's") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestServe_PortTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, command := range []string{"serve", "demo"} {
		code, stdout, stderr := run(t, nil, "", command, "--listen", taken.Addr().String())
		last := stderr[strings.LastIndex(strings.TrimSuffix(stderr, "\n"), "\n")+1:]
		if code != 1 || stdout != "" || !strings.HasPrefix(last, "joute: "+taken.Addr().String()+" is taken") || !strings.Contains(last, "--listen") {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", command, code, stdout, stderr)
		}
	}
}

// TestServe_TermEndsItInOrder runs the program as an operator does.
func TestServe_TermEndsItInOrder(t *testing.T) {
	t.Parallel()
	p := exec.Command(binary(t), "serve", "--listen", "127.0.0.1:0", "--log-format", "json")
	p.Env = append(os.Environ(), "JOUTE_ADMIN_KEY=")
	var stderr watchtest.Log
	p.Stderr = &stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(patience, func() { _ = p.Process.Kill() })
	defer stuck.Stop()
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "listening on http://127.0.0.1:") {
		t.Fatalf("first line %q\n%s", lines.Text(), stderr.String())
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Errorf("more on standard output: %q", lines.Text())
	}
	if err := p.Wait(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, stderr.String())
	}
	if !strings.Contains(stderr.String(), "\norganizer key") && !strings.HasPrefix(stderr.String(), "organizer key") {
		t.Errorf("no organizer's key was made up:\n%s", stderr.String())
	}
	logged := 0
	for line := range strings.Lines(stderr.String()) {
		if strings.HasPrefix(line, "organizer key") {
			continue
		}
		if logged++; !json.Valid([]byte(line)) {
			t.Errorf("--log-format json logs %q", line)
		}
	}
	if logged == 0 || !strings.Contains(stderr.String(), "trial store in memory") {
		t.Errorf("nobody is told that nothing stays:\n%s", stderr.String())
	}
}

// TestServe_LeavesNothingRunning is not parallel: goroutines are counted.
func TestServe_LeavesNothingRunning(t *testing.T) {
	redis := redistest.Shared(t)
	before := goleak.IgnoreCurrent()
	for _, args := range [][]string{nil, {"--redis", redis.URL(), "--data", sharedData(t)}} {
		s := serve(t, args...)
		s.joute("apply", write(t, "c.yaml", smallDocument("leaving", "")))
		if code := s.stop(); code != 0 {
			t.Errorf("exit %d\n%s", code, s.stderr.String())
		}
	}
	demo := start(t, nil, "page ", "demo", "--listen", "127.0.0.1:0")
	if code := demo.stop(); code != 0 {
		t.Errorf("demo: exit %d\n%s", code, demo.stderr.String())
	}
	goleak.VerifyNone(t, before,
		// fasthttp's: one a process; one a server and one a client that look every 10 s whether they may end.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
		// The test's own client.
		goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}
