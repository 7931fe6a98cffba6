package main

import (
	"os"
	"strings"
	"testing"

	"github.com/joute/joute/internal/watchtest"

	"github.com/joute/joute/internal/redistest"
)

// TestCLI_AFullDiskIsNoSuccess sends what commands print to a disk without room. A
// script that keeps the output must not go on with an empty file.
func TestCLI_AFullDiskIsNoSuccess(t *testing.T) {
	t.Parallel()
	redis, data := redistest.Start(t), t.TempDir()
	s := serve(t, "--redis", redis.URL(), "--data", data, "--sweep-every", "1s")
	document := write(t, "c.yaml", smallDocument("full", ""))
	s.joute("apply", document)
	s.bench("--contest", "full", "--voters", "3")
	s.organizer("POST", "/v1/contests/full/close")
	for _, args := range [][]string{{"replay", "full"}, {"verify", data}} {
		wait(t, "something to "+args[0], func() (int, bool) { code, _, _ := s.try(args...); return 0, code == 0 })
	}
	for _, args := range [][]string{
		{"--help"},
		{"--version"},
		{"apply", document},
		{"hall", "full"},
		{"captain", "full", "s-1"},
		{"export", "full"},
		{"export", "full", "--evidence"},
		{"recount", "full"},
		{"recount", "full", "--json"},
		{"replay", "full"},
		{"verify", data},
		{"farmlab", "costs"},
		{"bench", "--contest", "full", "--voters", "1"},
		{"forget", "full", "--yes"},
	} {
		disk, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var stderr watchtest.Log
		vars := env{"JOUTE_SERVER": s.url, "JOUTE_KEY": adminKey}
		m := Main{Stdin: strings.NewReader(""), Stdout: disk, Stderr: &stderr, Getenv: func(name string) string { return vars[name] }}
		if code := m.Run(t.Context(), args); code != 1 || strings.Count(stderr.String(), "no space left on device") != 1 {
			t.Errorf("joute %v: exit %d, %q", args, code, stderr.String())
		}
		disk.Close()
	}
}
