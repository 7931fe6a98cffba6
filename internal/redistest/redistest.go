// Package redistest gives tests a real redis-server of their own, with the
// settings that Joute demands of a store, that can be killed and brought back.
package redistest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// patience is how long a server may take to answer, on a busy machine.
const patience = 20 * time.Second

// demanded is what Joute asks of a store.
var demanded = []string{`save ""`, "appendonly yes", "appendfsync always", "maxmemory-policy noeviction"}

// Server is a private redis-server on loopback.
type Server struct {
	t     testing.TB
	dir   string
	port  int
	bus   int // of a cluster's node
	place place
	conf  []string // after the defaults, which it overrides
	disk  *Disk    // nil: the machine's

	authority *Authority // whose certificate it has; nil: it speaks in clear

	mu      sync.Mutex
	process *exec.Cmd // nil when down
	log     bytes.Buffer
	client  *redis.Client
}

// Start starts a server and returns when it answers; it ends with the test.
// Each conf is a line of redis.conf ("appendfsync no") and overrides what is
// set by default: appendonly yes, appendfsync always, noeviction.
func Start(t testing.TB, conf ...string) *Server {
	t.Helper()
	s := New(t, conf...)
	s.up()
	return s
}

// StartPlain is Start with the defaults of Redis instead, but for port, address
// and folder: to try a configuration as it stands.
func StartPlain(t testing.TB, conf ...string) *Server {
	t.Helper()
	s := New(t)
	s.conf = conf
	s.up()
	return s
}

// New is Start for a server that is not to run yet: see Restart.
func New(t testing.TB, conf ...string) *Server {
	t.Helper()
	return (*Authority)(nil).server(t, conf...)
}

// server is New for one that shows a certificate of the authority, if there is one.
func (a *Authority) server(t testing.TB, conf ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("these tests need redis-server (apt-get install redis-server): ./scripts/test installs it")
	}
	redis.SetLogger(&logging.VoidLogger{}) // waiting for a server is not worth a line each try
	s := &Server{t: t, dir: t.TempDir(), port: freePort(t), conf: slices.Clone(demanded), authority: a}
	if a != nil {
		s.conf = append(s.conf, a.conf(s.port)...)
	}
	s.conf = append(s.conf, conf...)
	s.at(place{})
	t.Cleanup(func() {
		s.client.Close()
		s.Kill() // a full disk or a failed snapshot makes Redis refuse an orderly end
	})
	return s
}

// at says where the server is to run, before it does.
func (s *Server) at(where place) {
	if s.client != nil {
		s.client.Close()
	}
	s.place = where
	s.client = redis.NewClient(&redis.Options{Addr: s.adminAddr(), MaxRetries: -1, TLSConfig: s.authority.trust()})
}

// Addr is host:port, the same for the server's whole life.
func (s *Server) Addr() string { return net.JoinHostPort(s.place.host(), strconv.Itoa(s.port)) }

func (s *Server) adminAddr() string { return net.JoinHostPort(s.place.admin(), strconv.Itoa(s.port)) }

// URL is the address as a store takes it.
func (s *Server) URL() string { return s.authority.scheme("redis") + s.Addr() }

// Client is a plain client that never repeats a call. It is closed by Stop and with the test.
func (s *Server) Client() *redis.Client { return s.client }

// Dir is the server's working directory, where its data is.
func (s *Server) Dir() string { return s.dir }

// Pid is the process id, 0 when down.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Process.Pid
}

// AOF is the path of the append-only file being written: the newest increment
// (Redis 7 keeps a base and increments, listed in a manifest).
func (s *Server) AOF() string {
	s.t.Helper()
	manifest, err := os.ReadFile(filepath.Join(s.dir, "appendonlydir", "appendonly.aof.manifest"))
	if err != nil {
		s.t.Fatalf("redistest: manifest of the append-only file: %v", err)
	}
	var name string
	for line := range strings.Lines(string(manifest)) {
		fields := strings.Fields(line) // file NAME seq N type i
		if len(fields) >= 6 && fields[5] == "i" {
			name = fields[1]
		}
	}
	if name == "" {
		s.t.Fatalf("redistest: no increment in the manifest:\n%s", manifest)
	}
	return filepath.Join(s.dir, "appendonlydir", name)
}

// Kill is kill -9, of a child that rewrites the file too: what was not written is
// gone. It returns once the process is.
func (s *Server) Kill() {
	s.mu.Lock()
	process := s.process
	s.process = nil
	s.mu.Unlock()
	if process == nil {
		return
	}
	_ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL) // the group
	_ = process.Process.Kill()
	_ = process.Wait() // killed: an error is expected
}

// Tear makes what a kill -9 in the middle of Redis' write to its file leaves: the file
// ends cut bytes after what it had before write. Redis starts from it, goOn is called,
// and at the next start the beginning of what was torn runs. It tells whether cut is
// past what write wrote: then nothing is torn.
func (s *Server) Tear(cut int64, write, goOn func()) (past bool) {
	s.t.Helper()
	size := func() int64 {
		info, err := os.Stat(s.AOF())
		if err != nil {
			s.t.Fatal(err)
		}
		return info.Size()
	}
	begin := size()
	write()
	end := size()
	s.Kill()
	if past = begin+cut >= end; !past {
		if err := os.Truncate(s.AOF(), begin+cut); err != nil {
			s.t.Fatal(err)
		}
		s.Restart()
		goOn()
		s.Kill()
	}
	s.Restart()
	return past
}

// Restart starts a server that is down again, on the same port and data, and
// returns when it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.up()
}

// Freeze stops the process without ending it: connections stay, answers do not
// come. Thaw undoes it.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

// Log is what the server wrote so far.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// Write collects the server's log; exec calls it.
func (s *Server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *Server) up() {
	s.t.Helper()
	if err := s.launch(); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !s.answers(ctx) {
		if ctx.Err() != nil {
			s.t.Fatalf("redistest: redis-server at %s does not answer:\n%s", s.Addr(), s.Log())
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (s *Server) launch() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return errors.New("redis-server already runs")
	}
	bind := "bind " + s.place.host()
	if s.place.admin() != s.place.host() {
		bind += " " + s.place.admin()
	}
	conf := append([]string{
		"port " + strconv.Itoa(s.port), bind, "dir " + s.dir,
	}, s.conf...)
	path := filepath.Join(s.dir, "redis.conf")
	if err := os.WriteFile(path, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	command := append(slices.Clone(s.place.Enter), "redis-server", path)
	s.process = exec.Command(command[0], command[1:]...)
	s.process.Stdout, s.process.Stderr = s, s
	s.process.Env = append(os.Environ(), s.disk.env()...)
	s.process.SysProcAttr = ownGroup()
	if err := s.process.Start(); err != nil {
		s.process = nil
		return err
	}
	return nil
}

// answers is true for an error reply too (NOAUTH, a replica's MASTERDOWN), but
// not while the data is being read.
func (s *Server) answers(ctx context.Context) bool {
	c := redis.NewClient(&redis.Options{Addr: s.adminAddr(), MaxRetries: -1, DialerRetries: 1, Protocol: 2, DisableIdentity: true, TLSConfig: s.authority.trust()})
	defer c.Close()
	err := c.Ping(ctx).Err()
	var reply redis.Error
	return err == nil || errors.As(err, &reply) && !redis.HasErrorPrefix(err, "LOADING")
}

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		_ = s.process.Process.Signal(sig) // a process already gone is what Kill will find
	}
}

// Ports of servers are below those that systems give to clients: a server that is down
// for a moment finds its own taken otherwise.
const firstPort, lastPort = 10_000, 32_000

var givenPorts = struct {
	sync.Mutex
	all map[int]bool // guarded
}{all: map[int]bool{}}

// freePort is a port that nobody listens at, and that this process gives only once.
func freePort(t testing.TB) int {
	t.Helper()
	givenPorts.Lock()
	defer givenPorts.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if givenPorts.all[port] {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		l.Close()
		givenPorts.all[port] = true
		return port
	}
	t.Fatal("redistest: no port is free")
	return 0
}
