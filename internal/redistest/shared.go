package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// shared is the server of one test binary. It outlives the test that asked
// first, so its TempDir and Cleanup are not that test's.
var shared = struct {
	sync.Once
	*Server
}{}

// Shared is one server for all tests of a package, started at the first call.
// Tests keep apart by the names of their contests, and none may kill it, flush
// it or change its settings. A package that uses it calls Main.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Do(func() {
		b := &binary{TB: t}
		shared.Server = Start(b)
		shared.Server.t = panicking{}
		stopShared = b.end
	})
	if shared.Server == nil {
		t.Fatal("redistest: the shared redis-server did not start")
	}
	return shared.Server
}

var stopShared = func() {}

// Main runs a package's tests, then ends the shared server:
//
//	func TestMain(m *testing.M) { redistest.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	stopShared()
	os.Exit(code)
}

// binary stands in for a test where the whole test binary is meant.
type binary struct {
	testing.TB
	dir      string
	cleanups []func()
}

func (b *binary) Cleanup(f func()) { b.cleanups = append(b.cleanups, f) }

func (b *binary) TempDir() string {
	b.Helper()
	dir, err := os.MkdirTemp("", "joute-redistest-")
	if err != nil {
		b.Fatal(err)
	}
	b.dir = filepath.Clean(dir)
	return b.dir
}

func (b *binary) end() {
	for _, f := range b.cleanups {
		f()
	}
	os.RemoveAll(b.dir)
}

// panicking is the test of a server whose test has ended.
type panicking struct{ testing.TB }

func (panicking) Helper()                   {}
func (panicking) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
