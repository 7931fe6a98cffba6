package netkind

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/joute/joute/antifraud"
)

var here = netip.MustParseAddr("192.0.2.1")

// write replaces a file at once, as operators are told to.
func write(t testing.TB, dir, name, text string) {
	t.Helper()
	made := filepath.Join(dir, ".made")
	if err := os.WriteFile(made, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(made, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestLoad_AllFaultsOfAllFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.txt", "192.0.2.0/24 hosting\nbad\n")
	write(t, dir, "b.txt", "\n\n192.0.2.0/24 lamp\n")
	write(t, dir, ".hidden", "not a list")
	write(t, dir, "x.mmdb.txt", "10.0.0.0/8 vpn")
	notOne := filepath.Join(t.TempDir(), "asn.mmdb")
	write(t, filepath.Dir(notOne), "asn.mmdb", "no database")
	_, err := Files{Dir: dir, Databases: []string{notOne, notOne + ".gone"}}.Load()
	if err == nil {
		t.Fatal("all is taken")
	}
	for _, want := range []string{"a.txt:2: expected NETWORK KIND", "b.txt:3: expected hosting", "asn.mmdb: not a database", "asn.mmdb.gone: no such file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if _, err := (Files{Dir: filepath.Join(dir, "gone")}).Load(); err == nil {
		t.Error("a folder that is none is taken")
	}
	if table, err := (Files{}).Load(); err != nil || table.Size() != 0 {
		t.Errorf("no files: %v", err)
	}
}

func TestLoad_TheLaterNameHolds(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "10-bought", "192.0.2.0/24 hosting")
	write(t, dir, "90-ours", "192.0.2.0/24 residential")
	table, err := Files{Dir: dir}.Load()
	if err != nil || table.Lookup(here).Kind != antifraud.NetResidential {
		t.Errorf("%v", err)
	}
}

// A list that is replaced holds; one with a fault changes nothing, and says where.
func TestNetworks_FollowTheirFiles(t *testing.T) {
	dir, said := t.TempDir(), &watchtest.Log{}
	write(t, dir, "list", "192.0.2.0/24 hosting")
	n, err := Open(Files{Dir: dir}, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	again, ctx := make(chan os.Signal), t.Context()
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer running.Wait()
	defer stop()
	running.Go(func() { n.Run(ctx, again) })
	ask := func() antifraud.NetKind { // the second send is taken once the first was acted on
		again <- syscall.SIGHUP
		again <- syscall.SIGHUP
		return n.Lookup(here).Kind
	}
	write(t, dir, "list", "192.0.2.0/24 vpn")
	if kind := ask(); kind != antifraud.NetVPN {
		t.Errorf("%s after the list was replaced", kind)
	}
	write(t, dir, "list", "192.0.2.0/24 tor\n192.0.2.0/24 lamp")
	if kind := ask(); kind != antifraud.NetVPN || !strings.Contains(said.String(), "list:2: expected") {
		t.Errorf("%s after a list with a fault", kind)
	}
	write(t, dir, "list", "")
	if kind := ask(); kind != antifraud.NetUnknown {
		t.Errorf("%s after the list was emptied", kind)
	}
}

// Without a signal a change is noticed by size or time, and only a change.
func TestNetworks_ReadAgainWhatChanged(t *testing.T) {
	dir, said := t.TempDir(), &watchtest.Log{}
	write(t, dir, "list", "192.0.2.0/24 hosting")
	n, err := Open(Files{Dir: dir}, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	n.refresh()
	if strings.Contains(said.String(), "read again") {
		t.Error("read again although nothing changed")
	}
	write(t, dir, "list", "192.0.2.0/24 vpn")
	if err := os.Chtimes(filepath.Join(dir, "list"), time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	n.refresh()
	if n.Lookup(here).Kind != antifraud.NetVPN {
		t.Error("the list of before")
	}
	if err := os.Remove(filepath.Join(dir, "list")); err != nil {
		t.Fatal(err)
	}
	n.refresh()
	if n.Lookup(here).Kind != antifraud.NetUnknown {
		t.Error("a list that is gone")
	}
}
