package redistest

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

//go:embed testdata/sync.c
var syncSource []byte

// Disk is what a server's append-only file is on: it knows what was synced. A
// kill -9 leaves what was written, a power cut only what was synced.
type Disk struct {
	SyncTakes time.Duration // longer than it would; from the next start on

	server        *Server
	library, note string // note: inode and size last synced
}

// OnDisk puts a server that is not running yet on a Disk. It wants gcc and the
// dynamic loader of Linux.
func (s *Server) OnDisk() *Disk {
	s.t.Helper()
	if runtime.GOOS != "linux" {
		s.t.Skip("only Linux lets us stand between Redis and its disk")
	}
	d := &Disk{server: s, library: filepath.Join(s.dir, "sync.so"), note: filepath.Join(s.dir, "synced")}
	source := filepath.Join(s.dir, "sync.c")
	if err := os.WriteFile(source, syncSource, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", d.library, source).CombinedOutput(); err != nil {
		s.t.Fatalf("redistest: gcc (apt-get install gcc libc6-dev): %v\n%s", err, out)
	}
	s.disk = d
	return d
}

func (d *Disk) env() []string {
	if d == nil {
		return nil
	}
	return []string{
		"LD_PRELOAD=" + d.library, "JOUTE_SYNC_NOTE=" + d.note, fmt.Sprintf("JOUTE_SYNC_MICROS=%d", d.SyncTakes.Microseconds()),
	}
}

// CutPower leaves of a killed server's file what had been synced.
func (d *Disk) CutPower() {
	t := d.server.t
	t.Helper()
	path := d.server.AOF()
	file, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	note, err := os.ReadFile(d.note)
	if err != nil {
		t.Fatalf("redistest: the server was not on this disk: %v", err)
	}
	var inode uint64
	var size int64
	_, _ = fmt.Sscan(string(note), &inode, &size) // empty: nothing was ever synced
	if inode != file.Sys().(*syscall.Stat_t).Ino {
		size = 0
	}
	if err := os.Truncate(path, min(size, file.Size())); err != nil {
		t.Fatal(err)
	}
}
