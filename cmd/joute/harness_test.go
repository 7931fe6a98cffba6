package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// patience is how long a condition may take to come true on a busy machine.
const patience = 20 * time.Second

const adminKey = "an-organizers-key-for-tests"

// env is a program's environment.
type env map[string]string

// run is one run of the program to its end.
func run(t *testing.T, vars env, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs watchtest.Log
	m := Main{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, Getenv: func(name string) string { return vars[name] }}
	code = m.Run(t.Context(), args)
	return code, out.String(), errs.String()
}

// running is a program that has not ended yet.
type running struct {
	t              *testing.T
	stdout, stderr watchtest.Log
	cancel         context.CancelCauseFunc
	code           chan int
	url            string
}

// start runs the program until stop or the test's end. It returns once ready is
// on standard output, followed by the rest of its line.
func start(t *testing.T, vars env, ready string, args ...string) *running {
	t.Helper()
	r := &running{t: t, code: make(chan int, 1)}
	ctx, cancel := context.WithCancelCause(context.Background())
	r.cancel = cancel
	m := Main{Stdin: strings.NewReader(""), Stdout: &r.stdout, Stderr: &r.stderr, Getenv: func(name string) string { return vars[name] }}
	go func() { r.code <- m.Run(ctx, args) }()
	t.Cleanup(func() { r.stop() })
	r.url = wait(t, "the program to be ready", func() (string, bool) {
		select {
		case code := <-r.code:
			r.code <- code
			t.Fatalf("joute %s ended with %d:\n%s", strings.Join(args, " "), code, r.stderr.String())
		default:
		}
		_, rest, ok := strings.Cut(r.stdout.String(), ready)
		line, _, whole := strings.Cut(rest, "\n")
		return strings.TrimSpace(line), ok && whole
	})
	return r
}

// serve starts a service on a free port with more flags.
func serve(t *testing.T, args ...string) *running {
	t.Helper()
	return start(t, env{"JOUTE_ADMIN_KEY": adminKey}, "listening on ", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
}

// stop ends the program as a signal does, and returns its exit status.
func (r *running) stop() int {
	r.t.Helper()
	r.cancel(errors.New("interrupt signal received")) // as signal.NotifyContext does
	select {
	case code := <-r.code:
		r.code <- code // for who asks again
		return code
	case <-time.After(patience):
		r.t.Fatalf("the program does not end:\n%s", r.stderr.String())
		return -1
	}
}

// joute runs a command against the running service; it must succeed.
func (r *running) joute(args ...string) (stdout string) {
	r.t.Helper()
	code, stdout, stderr := r.try(args...)
	if code != 0 {
		r.t.Fatalf("joute %s: exit %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

func (r *running) try(args ...string) (code int, stdout, stderr string) {
	r.t.Helper()
	return run(r.t, env{"JOUTE_SERVER": r.url, "JOUTE_KEY": adminKey}, "", args...)
}

// bench runs a load and reads its summary.
func (r *running) bench(args ...string) summary {
	r.t.Helper()
	out := r.joute(append([]string{"bench"}, args...)...)
	decoder := json.NewDecoder(strings.NewReader(out))
	var s summary
	if err := decoder.Decode(&s); err != nil {
		r.t.Fatalf("bench printed %q: %v", out, err)
	}
	if decoder.More() {
		r.t.Fatalf("bench printed more than one document: %q", out)
	}
	return s
}

// board reads the organizer's leaderboard.
func (r *running) board(contest string) voting.Leaderboard {
	r.t.Helper()
	var board voting.Leaderboard
	r.get("/v1/contests/"+contest+"/leaderboard?limit=10000", &board)
	return board
}

// organizer makes a call with the organizer's key; it must succeed. Where the server is
// too busy it is asked again, as it says.
func (r *running) organizer(method, path string) {
	r.t.Helper()
	wait(r.t, "the server to have time for "+path, func() (int, bool) {
		req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, nil)
		if err != nil {
			r.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminKey)
		answer, err := http.DefaultClient.Do(req)
		if err != nil || answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusServiceUnavailable {
			r.t.Fatalf("%s %s: %v %v", method, path, answer, err)
		}
		answer.Body.Close()
		return 0, answer.StatusCode == http.StatusOK
	})
}

func (r *running) get(path string, out any) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminKey)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		r.t.Fatalf("GET %s: %s", path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		r.t.Fatalf("GET %s: %v", path, err)
	}
}

// wait returns what f gives once it gives it.
func wait[T any](t *testing.T, what string, f func() (T, bool)) T {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if got, ok := f(); ok {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// write makes a file of the test's own.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sharedData is the data folder of the shared Redis. It is in the server's own
// folder, so both go together.
func sharedData(t *testing.T) string {
	t.Helper()
	return filepath.Join(redistest.Shared(t).Dir(), "data-of-joute")
}

var building struct {
	sync.Once
	path string
	out  []byte
	err  error
}

// binary is the program itself: scripts/test says where it has built it.
func binary(t *testing.T) string {
	t.Helper()
	if built := os.Getenv("JOUTE_BINARY"); built != "" {
		return built
	}
	building.Do(func() {
		building.path = filepath.Join(redistest.Shared(t).Dir(), "joute")
		building.out, building.err = exec.Command("go", "build", "-o", building.path, ".").CombinedOutput()
	})
	if building.err != nil {
		t.Fatalf("go build: %v\n%s", building.err, building.out)
	}
	return building.path
}
