package main

import (
	"fmt"
	"strings"
	"testing"
)

// smallDocument is a contest of three entries that anybody with a device may
// vote in once; more is more of the document.
func smallDocument(id, more string) string {
	return fmt.Sprintf(`id: %s
title: A small contest
timezone: UTC
phases:
  voting: {opens: 2026-01-01T00:00:00Z, closes: 2036-01-01T00:00:00Z}
antifraud: {policy: observe}
schools:
  - {id: s-0, name: School 0}
  - {id: s-1, name: School 1}
entries:
  - {id: e-0, school: s-0, title: Entry 0}
  - {id: e-1, school: s-1, title: Entry 1}
  - {id: e-2, school: s-0, title: Entry 2, hidden: false}
%s`, id, more)
}

func TestApply_CreatedUnchangedUpdated(t *testing.T) {
	t.Parallel()
	s := serve(t)
	file := write(t, "c.yaml", smallDocument("small", ""))
	renamed := write(t, "c.yaml", smallDocument("small", "brand: Another\n"))
	for _, step := range []struct{ file, want string }{
		{file, "small: created, version 1\n"},
		{file, "small: unchanged, version 1\n"},
		{renamed, "small: updated, version 2\n"},
		{renamed, "small: unchanged, version 2\n"},
	} {
		if got := s.joute("apply", step.file); got != step.want {
			t.Errorf("apply printed %q, expected %q", got, step.want)
		}
	}
	code, stdout, stderr := run(t, env{"JOUTE_SERVER": s.url, "JOUTE_KEY": adminKey}, smallDocument("from-stdin", ""), "apply", "-")
	if code != 0 || stdout != "from-stdin: created, version 1\n" {
		t.Errorf("apply -: exit %d, %q, %q", code, stdout, stderr)
	}
	code, stdout, stderr = run(t, env{"JOUTE_SERVER": s.url, "JOUTE_KEY": "somebody-elses-key"}, "", "apply", renamed)
	if code != 1 || stdout != "" || !strings.Contains(stderr, "401") {
		t.Errorf("apply with another key: exit %d, %q, %q", code, stdout, stderr)
	}
}

// TestApply_PrintsEveryFaultOfEveryFile has no server: nothing may be sent.
func TestApply_PrintsEveryFaultOfEveryFile(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", smallDocument("good", ""))
	faulty := write(t, "faulty.yaml", strings.Replace(smallDocument("faulty", "colour: red\n"), "school: s-1", "school: s-9", 1))
	broken := write(t, "broken.json", "{\n  \"id\": \"c\",\n  oops\n}")
	code, stdout, stderr := run(t, env{"JOUTE_SERVER": "http://127.0.0.1:1"}, "", "apply", good, faulty, broken, "absent.yaml")
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	if code != 1 || stdout != "" || len(lines) != 4 {
		t.Fatalf("exit %d, stdout %q, stderr:\n%s", code, stdout, stderr)
	}
	for i, begin := range []string{
		faulty + ":12 entries[1].school: expected ",
		faulty + ":14 colour: ",
		broken + ":3: ",
		"joute: absent.yaml: there is no such file",
	} {
		if !strings.HasPrefix(lines[i], begin) {
			t.Errorf("line %d is %q, expected %q…", i+1, lines[i], begin)
		}
	}
}

// TestApply_PrintsTheServersFaultsWithLines changes what is fixed once voting
// is open, which only the server knows.
func TestApply_PrintsTheServersFaultsWithLines(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", smallDocument("fixed", "")))
	changed := write(t, "changed.yaml", smallDocument("fixed", "rules:\n  ballots: {max: 5}\nboxes: 2\n"))
	code, stdout, stderr := s.try("apply", changed)
	if code != 1 || stdout != "" {
		t.Errorf("exit %d, stdout %q", code, stdout)
	}
	for _, line := range []string{changed + ":15 rules.ballots", changed + ":16 boxes: "} {
		if !strings.Contains(stderr, line) {
			t.Errorf("no line %q in:\n%s", line, stderr)
		}
	}
	if !strings.Contains(stderr, "fixed-while-open") {
		t.Errorf("it is not said why:\n%s", stderr)
	}
}

func TestLines_OfPaths(t *testing.T) {
	yaml := newLines([]byte(smallDocument("c", "")))
	json := newLines([]byte("{\n\"id\": \"c\",\n\"schools\": [\n {\"id\": \"a\"},\n {\"id\": \"b\",\n  \"name\": \"B\"}]}"))
	for _, tc := range []struct {
		lines lines
		path  string
		want  int
	}{
		{yaml, "id", 1},
		{yaml, "phases.voting.closes", 5},
		{yaml, "schools[1].id", 9},
		{yaml, "schools[1].students", 9}, // not there: its school is
		{yaml, "entries[2]", 13},
		{yaml, "partner.secret", 0},
		{yaml, "", 0},
		{json, "schools[1].name", 6},
		{json, "schools[0].id", 4},
		{newLines([]byte("{")), "id", 0},
	} {
		if got := tc.lines.of(tc.path); got != tc.want {
			t.Errorf("line of %q is %d, expected %d", tc.path, got, tc.want)
		}
	}
}
