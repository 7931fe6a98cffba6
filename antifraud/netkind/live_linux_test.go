package netkind

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/joute/joute/internal/watchtest"

	"github.com/joute/joute/antifraud"
)

// asNobody has this goroutine open files as somebody who owns none, also where root runs the tests.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	runtime.LockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	})
}

// A list that may not be read is read once it may: neither its size nor its time tell.
func TestNetworks_AListThatMayNotBeReadIsReadOnceItMay(t *testing.T) {
	dir, err := os.MkdirTemp("", "netkind")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	list, said := filepath.Join(dir, "list"), &watchtest.Log{}
	write(t, dir, "list", "192.0.2.0/24 hosting")
	n, err := Open(Files{Dir: dir}, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "list", "192.0.2.0/24 residential")
	if err := os.Chmod(list, 0); err != nil {
		t.Fatal(err)
	}
	open, refused := make(chan struct{}), make(chan struct{})
	go func() { // as root, who may change what may be read
		<-refused
		if err := os.Chmod(list, 0o644); err != nil {
			t.Error(err)
		}
		close(open)
	}()
	asNobody(t)
	n.refresh()
	n.refresh()
	if got := n.Lookup(here).Kind; got != antifraud.NetHosting {
		t.Errorf("%s while the list may not be read", got)
	}
	close(refused)
	<-open
	n.refresh()
	if got := n.Lookup(here).Kind; got != antifraud.NetResidential {
		t.Errorf("%s once it may be read", got)
	}
	if text := said.String(); strings.Count(text, "permission denied") != 1 || strings.Count(text, "read again\"") != 1 {
		t.Errorf("the log says: %s", text)
	}
}

// A pipe has no end until somebody writes to it: it is told, and not waited for.
func TestLoad_APipeIsNoList(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a-list", "192.0.2.0/24 hosting")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Files{Dir: dir}).Load(); err == nil || !strings.Contains(err.Error(), "pipe: expected a file with a list") {
		t.Errorf("%v", err)
	}
}
