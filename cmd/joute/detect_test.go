package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const detectContest = `
id: log
title: Log
timezone: UTC
phases: {voting: {opens: 2026-11-01T00:00:00Z, closes: 2026-12-01T00:00:00Z}}
schools: [{id: s, name: S}]
entries: [{id: e1, school: s, title: One}]
`

func logLine(ballot, evidence string) string {
	return fmt.Sprintf(`{"ballot":%q,"at":"2026-11-03T18:04:05.123Z","voter":"v-%s","entry":"e1","school":"s","level":"device","evidence":%s}`+"\n", ballot, ballot, evidence)
}

func TestDetect_OneLineABallotInTheLogsOrder(t *testing.T) {
	document := write(t, "contest.yaml", detectContest)
	var log strings.Builder
	for i := range 50 {
		log.WriteString(logLine(fmt.Sprint("b", i*7%50), `{"device":"d","news":{"of":"tomorrow"},"dwell_ms":1e300}`))
	}
	out := filepath.Join(t.TempDir(), "verdicts.ndjson")
	code, _, stderr := run(t, nil, "", "detect", "--contest", document, "--ballots", write(t, "log.ndjson", log.String()), "--out", out)
	if code != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "log.ndjson:1: evidence.dwell_ms: no ballot has 1e300") {
		t.Fatalf("exit %d:\n%s", code, stderr)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 50 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		_, scored := v["score"].(float64)
		_, reasoned := v["reasons"].([]any)
		if v["ballot"] != fmt.Sprint("b", i*7%50) || !scored || !reasoned || v["standing"] == "" {
			t.Fatalf("line %d: %s", i, line)
		}
	}
}

// What no contest writes and changes no verdict is said once, where the log has it first.
func TestDetect_SaysWhatALogHasThatNoContestWrites(t *testing.T) {
	good := logLine("b1", "{}")
	for name, row := range map[string]struct{ log, want string }{
		"nothing":             {good + logLine("b2", "{}") + strings.Replace(logLine("b3", "{}"), `"school":"s",`, "", 1), ""},
		"an id twice":         {logLine("b0", "{}") + good + "\n" + good + strings.Replace(good, "v-b1", "another", 1), `:4: ballot: there is one before with the same id: "b1" (2 in all): each line`},
		"a school of another": {good + strings.Replace(logLine("b2", "{}")+logLine("b3", "{}"), `"school":"s"`, `"school":"z"`, 2), `:2: school: not the entry's: "z", and entry e1 is of s (2 in all)`},
	} {
		out := filepath.Join(t.TempDir(), "verdicts")
		code, _, stderr := run(t, nil, "", "detect", "--contest", write(t, "contest.yaml", detectContest), "--ballots", write(t, "log.ndjson", row.log), "--out", out)
		said := strings.Count(stderr, "\n")
		if code != 0 || said != min(len(row.want), 1) || !strings.Contains(stderr, row.want) {
			t.Errorf("%s: exit %d:\n%s", name, code, stderr)
		}
		if text, err := os.ReadFile(out); err != nil || strings.Count(string(text), "\n") != strings.Count(row.log, `"at"`) {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
}

func TestDetect_ABadLineIsNamedAndNothingWritten(t *testing.T) {
	document, good := write(t, "contest.yaml", detectContest), logLine("b1", "{}")
	for name, row := range map[string]struct{ log, want string }{
		"no JSON":        {good + good + "nope\n", ":3: expected a ballot"},
		"a wrong type":   {good + logLine("b2", `{"visible":3}`), ":2: evidence.visible: expected true or false"},
		"another entry":  {strings.Replace(good, `"e1"`, `"e9"`, 1), `:1: entry: expected an entry of contest log, found "e9"`},
		"nothing":        {"\n\n", "there is no ballot in it"},
		"a torn archive": {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x00", "log.ndjson"},
	} {
		out := write(t, "verdicts", "before")
		code, _, stderr := run(t, nil, "", "detect", "--contest", document, "--ballots", write(t, "log.ndjson", row.log), "--out", out)
		kept, _ := os.ReadFile(out)
		if code != 1 || !strings.Contains(stderr, row.want) || string(kept) != "before" {
			t.Errorf("%s: exit %d, out %q:\n%s", name, code, kept, stderr)
		}
		if left, _ := filepath.Glob(out + "*"); len(left) != 1 {
			t.Errorf("%s: left %q", name, left)
		}
	}
	if code, _, stderr := run(t, nil, "", "detect", "--contest", write(t, "bad.yaml", "id: log\n"), "--ballots", "x", "--out", "y"); code != 1 || !strings.Contains(stderr, "bad.yaml") {
		t.Errorf("a faulty document: exit %d:\n%s", code, stderr)
	}
}

func TestDetect_ReadsTheResearchLogs(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "antifraud", "workloads", "opp-profiles")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the research logs are not here")
	}
	out := filepath.Join(t.TempDir(), "verdicts")
	code, _, stderr := run(t, nil, "", "detect", "--contest", filepath.Join(folder, "contest.yaml"), "--ballots", filepath.Join(folder, "ballots.ndjson.gz"), "--out", out)
	text, _ := os.ReadFile(out)
	if code != 0 || strings.Count(string(text), "\n") < 7837 {
		t.Fatalf("exit %d, %d bytes:\n%s", code, len(text), stderr)
	}
}
