package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/internal/watchtest"

	"github.com/google/uuid"

	"github.com/joute/joute/internal/redistest"
)

// tree is every file below a folder, with mode and content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files[path] = info.Mode().String()
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files[path] += fmt.Sprintf(" %x", sha256.Sum256(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// refused is a start that cannot be: one clear sentence, exit status 1, and neither
// folder nor store touched. before is what a shell does first, in a mount namespace
// of its own.
func refused(t *testing.T, dir, before, sentence string, args ...string) {
	t.Helper()
	was, program := tree(t, dir), binary(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	if before != "" {
		script := before + ` && exec "$0" "$@"`
		cmd = exec.CommandContext(ctx, "unshare", append([]string{"--mount", "sh", "-c", script, program}, args...)...)
	}
	cmd.Env = append(os.Environ(), "JOUTE_ADMIN_KEY="+adminKey)
	var stdout, stderr watchtest.Log
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its status is looked at below
	var told []string
	for line := range strings.Lines(stderr.String()) {
		if strings.HasPrefix(line, "joute: ") {
			told = append(told, line)
		}
	}
	if cmd.ProcessState.ExitCode() != 1 || stdout.String() != "" || len(told) != 1 || !strings.Contains(told[0], sentence) {
		t.Errorf("exit %d, stdout %q, told %q, want one sentence with %q:\n%s", cmd.ProcessState.ExitCode(), stdout.String(), told, sentence, stderr.String())
	}
	if now := tree(t, dir); !maps.Equal(now, was) {
		t.Errorf("the folder was touched: %v, was %v", now, was)
	}
}

func TestStart_WhatCannotBeIsRefusedAndNothingIsTouched(t *testing.T) {
	t.Parallel()
	// Two stores that were used, each with its folder, and a folder that has a store of its own.
	redis, other, empty := redistest.Start(t), redistest.Start(t), redistest.Start(t)
	document := write(t, "c.yaml", hall("small", 3, 6))
	used := func(args ...string) string {
		t.Helper()
		dir := t.TempDir()
		s := serve(t, append(args, "--data", dir)...)
		s.joute("apply", document)
		if status, answer := s.casting("small", 6).ask("ada", uuid.New(), "e-1"); status != http.StatusCreated {
			t.Fatalf("%d %s", status, answer)
		}
		if code := s.stop(); code != 0 {
			t.Fatalf("exit %d\n%s", code, s.stderr.String())
		}
		return dir
	}
	ofRedis, ofOther, ofItself := used("--redis", redis.URL()), used("--redis", other.URL()), used()
	copied := func(dir string, spoil func(dir string) error) string {
		t.Helper()
		to := filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		for path, was := range tree(t, dir) { // CopyFS does not keep the modes
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err, was)
			}
			rest, _ := filepath.Rel(dir, path)
			if err := os.Chmod(filepath.Join(to, rest), info.Mode().Perm()); err != nil {
				t.Fatal(err)
			}
		}
		if spoil != nil {
			if err := spoil(to); err != nil {
				t.Fatal(err)
			}
		}
		return to
	}
	serving := []string{"serve", "--listen", "127.0.0.1:0"}
	withRedis := append(serving[:3:3], "--redis", redis.URL())
	restoring := []string{"restore", "--redis", empty.URL()}
	damage := func(pattern, text string) func(string) error {
		return func(dir string) error {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(found) == 0 {
				return fmt.Errorf("no %s: %w", pattern, err)
			}
			return os.WriteFile(found[0], []byte(text), 0o600)
		}
	}
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
	}
	read := func(dir, name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, tc := range map[string]struct {
		from     string
		spoil    func(dir string) error
		before   string // DIR is the folder
		sentence string
		args     []string
	}{
		"another dataset's":            {ofOther, nil, "", "two different datasets", withRedis},
		"a store that is empty":        {ofRedis, nil, "", "which is empty", append(serving[:3:3], "--redis", empty.URL())},
		"a Redis' without one":         {ofRedis, nil, "", "belongs to a Redis", serving},
		"an embedded store's, a Redis": {ofItself, nil, "", "belongs to a server without --redis", withRedis},
		"a key that others read": {ofRedis, func(dir string) error { return os.Chmod(filepath.Join(dir, "keys/server.key"), 0o644) }, "",
			"server.key may be read by others (mode 0644, expected 0600)", withRedis},
		"a key that is cut":           {ofRedis, func(dir string) error { return os.Truncate(filepath.Join(dir, "keys/server.key"), 10) }, "", "server.key: expected 32 bytes in base64", withRedis},
		"garbage for a key":           {ofItself, damage("keys/server.key", "\x00garbage"), "", "server.key: expected 32 bytes in base64", serving},
		"a ledger's key that is cut":  {ofItself, damage("keys/ledger.key", "c2hvcnQ="), "", "ledger.key: expected 32 bytes in base64", serving},
		"a ledger's key others read":  {ofRedis, func(dir string) error { return os.Chmod(filepath.Join(dir, "keys/ledger.key"), 0o640) }, "", "ledger.key may be read by others", withRedis},
		"a contest's key is garbage":  {ofRedis, damage("keys/contest-small.key", "?"), "", "contest-small.key: expected", withRedis},
		"no keys":                     {ofRedis, remove("keys"), "", "keys/server.key is missing", withRedis},
		"no server's key":             {ofRedis, remove("keys/server.key"), "", "keys/server.key is missing", withRedis},
		"no server's key, embedded":   {ofItself, remove("keys/server.key"), "", "keys/server.key is missing", serving},
		"no ledger's key":             {ofRedis, remove("keys/ledger.key"), "", "keys/ledger.key is missing", withRedis},
		"another ledger's key":        {ofRedis, damage("keys/ledger.key", read(ofOther, "keys/ledger.key")), "", "keys/ledger.key is another one", withRedis},
		"no key of a contest":         {ofRedis, remove("keys/contest-small.key"), "", "keys/contest-small.key is missing", withRedis},
		"no key of one, embedded":     {ofItself, remove("keys/contest-small.key"), "", "keys/contest-small.key is missing", serving},
		"a contest that is damaged":   {ofItself, damage("contests/small.json", "{}"), "", "damaged contest file", serving},
		"a ledger that is damaged":    {ofItself, damage("ledger/small/checkpoint", "garbage\n"), "", "damaged", serving},
		"the rest is damaged":         {ofItself, damage("rest.ndjson", "{]\n"), "", "rest.ndjson:1: ", serving},
		"an empty dataset's name":     {ofRedis, damage("dataset", ""), "", "is empty", withRedis},
		"read-only":                   {ofRedis, nil, `mount --bind DIR DIR && mount -o remount,ro,bind DIR`, "cannot be written in", withRedis},
		"read-only, embedded":         {ofItself, nil, `mount --bind DIR DIR && mount -o remount,ro,bind DIR`, "cannot be written in", serving},
		"full":                        {ofRedis, nil, `cp -a DIR /tmp/full-$$ && mount -t tmpfs -o size=1M none DIR && cp -a /tmp/full-$$/. DIR && rm -r /tmp/full-$$ && (head -c 2M /dev/zero > DIR/filled 2>/dev/null || true)`, "no space left", withRedis},
		"restore, damaged":            {ofRedis, damage("ledger/small/box-0/*.ndjson", "{}\n"), "", "see joute verify", restoring},
		"restore, damaged contest":    {ofRedis, damage("contests/small.json", "{"), "", "damaged contest file", restoring},
		"restore, ledger and no file": {ofRedis, remove("contests/small.json"), "", "and not contests/small.json", restoring},
		"restore, no data folder":     {t.TempDir(), nil, "", "is no data folder", restoring},
		"restore, no keys":            {ofRedis, remove("keys"), "", "it has no keys/server.key", restoring},
		"restore, no key of one":      {ofRedis, remove("keys/contest-small.key"), "", "keys/contest-small.key is missing", restoring},
		"restore, no ledger's key":    {ofRedis, remove("keys/ledger.key"), "", "keys/ledger.key is missing", restoring},
		"restore, another's key":      {ofRedis, damage("keys/ledger.key", read(ofOther, "keys/ledger.key")), "", "keys/ledger.key is another one", restoring},
		"restore, a store in use":     {ofRedis, nil, "", "not empty", []string{"restore", "--redis", redis.URL()}},
		"restore, no store":           {ofItself, nil, "", "--redis: expected the address of an empty Redis", []string{"restore", "--redis", ""}},
		"restore, another's store":    {ofRedis, nil, "", "not empty", []string{"restore", "--redis", other.URL()}},
		"restore, read-only":          {ofRedis, nil, `mount --bind DIR DIR && mount -o remount,ro,bind DIR`, "cannot be written in", restoring},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.before != "" && exec.Command("unshare", "--mount", "mount", "-t", "tmpfs", "none", t.TempDir()).Run() != nil {
				t.Skip("mounting is not allowed here")
			}
			dir := copied(tc.from, tc.spoil)
			refused(t, dir, strings.ReplaceAll(tc.before, "DIR", dir), tc.sentence, append(tc.args, "--data", dir)...)
		})
	}
	// A folder that is not there yet is not made where the start cannot be.
	parent := t.TempDir()
	refused(t, parent, "", "whose keys are not in", append(withRedis, "--data", filepath.Join(parent, "data"))...)
	if keys := empty.Client().Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("the empty store has %q", keys)
	}
	// Control: the folders are good, and so is the store.
	s := serve(t, "--redis", redis.URL(), "--data", ofRedis)
	s.stop()
	code, out, errs := run(t, nil, "", "restore", "--redis", empty.URL(), "--data", ofRedis)
	if code != 0 || !strings.Contains(out, "small") {
		t.Errorf("restore: exit %d\n%s%s", code, out, errs)
	}
}
