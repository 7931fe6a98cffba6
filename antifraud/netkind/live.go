package netkind

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// lookEvery is how often it is looked whether files have changed.
const lookEvery = 30 * time.Second

// Files are what a table is read from.
type Files struct {
	Dir       string   // of prefix lists: every file in it whose name does not begin with a dot; empty: none
	Databases []string // in MaxMind's format; the first that knows is believed
}

// Load reads all files anew. The error has a line for each fault, most as
// FILE:LINE: what was expected.
func (f Files) Load() (*Table, error) {
	t := &Table{}
	var faults []error
	lists, err := f.lists()
	if err != nil {
		return nil, fmt.Errorf("networks: %w", err)
	}
	for _, name := range lists {
		if err := t.readFile(name); err != nil {
			faults = append(faults, err)
		}
	}
	for _, name := range f.Databases {
		database, err := openDatabase(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		t.databases = append(t.databases, database)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Table) readFile(name string) error {
	// Opened, a pipe waits for somebody who writes, and no list would be read any more.
	if at, err := os.Stat(name); err == nil && !at.Mode().IsRegular() {
		return fmt.Errorf("%s: expected a file with a list, found none that is regular", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return t.read(name, file)
}

// lists are the prefix lists in the order of their names.
func (f Files) lists() ([]string, error) {
	if f.Dir == "" {
		return nil, nil
	}
	in, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range in {
		name := filepath.Join(f.Dir, file.Name())
		if info, err := os.Stat(name); strings.HasPrefix(file.Name(), ".") || err == nil && info.IsDir() {
			continue
		}
		names = append(names, name)
	}
	return names, nil
}

// fingerprint changes when a file does, comes or goes.
func (f Files) fingerprint() string {
	names, err := f.lists()
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, name := range append(names, f.Databases...) {
		info, err := os.Stat(name)
		if err != nil {
			fmt.Fprintln(&b, name, "gone")
			continue
		}
		fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
	}
	return b.String()
}

// Networks is a table that follows its files. It is safe for concurrent use.
type Networks struct {
	files Files
	log   *slog.Logger
	table atomic.Pointer[Table]

	// Of Run alone.
	seen string // fingerprint of what was read or refused last
	told string // why it was refused; empty: it was not
}

// Open reads the files; faults in them are an error here, and not later.
func Open(files Files, log *slog.Logger) (*Networks, error) {
	n := &Networks{files: files, log: log, seen: files.fingerprint()}
	table, err := files.Load()
	if err != nil {
		return nil, err
	}
	n.table.Store(table)
	return n, nil
}

// Lookup is what is known of an address now.
func (n *Networks) Lookup(address netip.Addr) Network { return n.table.Load().Lookup(address) }

// Run reads the files again when one of them changes, within half a minute, or when
// again is sent to, until ctx ends. A file should be replaced by renaming another:
// one that is being written is read as far as it is. Files with a fault change nothing: the log says
// what is wrong, and what was read before goes on.
func (n *Networks) Run(ctx context.Context, again <-chan os.Signal) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
			n.seen, n.told = "", "" // whoever asks is told
		case <-tick.C:
		}
		n.refresh()
	}
}

func (n *Networks) refresh() {
	now := n.files.fingerprint()
	if now == n.seen {
		return
	}
	table, err := n.files.Load()
	// What may not be read may be later, with the same size and time.
	if unread := (*fs.PathError)(nil); !errors.As(err, &unread) {
		n.seen = now
	}
	if err != nil {
		if err.Error() != n.told {
			n.log.Error("networks are not read again: those of before go on", "error", err)
		}
		n.told = err.Error()
		return
	}
	n.told = ""
	n.table.Store(table)
	n.log.Info("networks are read again", "prefixes", table.Size(), "databases", len(table.databases))
}
