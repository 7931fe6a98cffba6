package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const profiles = `{"id":"farm <1>","followers":3,"following":1900,"posts":0,"has_picture":false,"has_bio":false,"username":"u84216","name":"Secret Name"}

{"id":"unknown","is_private":true,"shoe_size":43}
{"id":"person","followers":400,"following":380,"posts":60,"has_picture":true,"has_bio":true,"bio_length":40,"username":"a.person"}
`

func TestScore_OneLineAnAccountInOrder(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	zip.Write([]byte(profiles))
	zip.Close()
	want := `{"id":"farm <1>","score":0.8338`
	for name, in := range map[string]struct{ file, stdin string }{
		"plain": {write(t, "p.ndjson", profiles), ""}, "gzip": {write(t, "p.ndjson.gz", zipped.String()), ""}, "standard input": {"-", profiles},
	} {
		out := filepath.Join(t.TempDir(), "scores")
		code, stdout, stderr := run(t, nil, in.stdin, "score", "--profiles", in.file, "--out", out)
		if code != 0 || stdout != "" || stderr != "" {
			t.Fatalf("%s: exit %d, %q, %q", name, code, stdout, stderr)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		if len(lines) != 4 || lines[3] != "" || !strings.HasPrefix(lines[0], want) ||
			!strings.HasSuffix(lines[0], `"reasons":["follows-many","no-picture","digits-in-name","few-posts","no-bio","few-followers"]}`+"\n") ||
			lines[1] != `{"id":"unknown","score":0.1,"reasons":[]}`+"\n" || !strings.HasPrefix(lines[2], `{"id":"person","score":0.00`) {
			t.Errorf("%s:\n%s", name, text)
		}
		for _, name := range []string{"Secret", "u84216", "a.person"} {
			if strings.Contains(string(text), name) {
				t.Errorf("%s is in\n%s", name, text)
			}
		}
	}
}

func TestScore_ToStandardOutputAllOrNothing(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := run(t, nil, profiles, "score", "--profiles", "-", "--out", "-")
	if code != 0 || strings.Count(stdout, "\n") != 3 || !strings.HasPrefix(stdout, `{"id":"farm <1>"`) || stderr != "" {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	code, stdout, stderr = run(t, nil, profiles+"{", "score", "--profiles", "-", "--out", "-")
	if code != 1 || stdout != "" || !strings.Contains(stderr, "standard input:5:") {
		t.Errorf("a bad line: exit %d, %q, %q", code, stdout, stderr)
	}
}

func TestScore_BaseRateMovesTheUnknown(t *testing.T) {
	t.Parallel()
	in, out := write(t, "p.ndjson", `{"id":"unknown"}`), filepath.Join(t.TempDir(), "scores")
	if code, _, stderr := run(t, nil, "", "score", "--profiles", in, "--out", out, "--base-rate", "0.3"); code != 0 {
		t.Fatal(stderr)
	}
	if text, err := os.ReadFile(out); err != nil || !strings.Contains(string(text), `"score":0.3,`) {
		t.Errorf("%s, %v", text, err)
	}
	for _, rate := range []string{"0", "1", "-1", "NaN", "Inf"} {
		code, _, stderr := run(t, nil, "", "score", "--profiles", in, "--out", filepath.Join(t.TempDir(), "o"), "--base-rate="+rate)
		if code != 1 || !strings.Contains(stderr, "--base-rate: expected a share") {
			t.Errorf("%s: exit %d, %s", rate, code, stderr)
		}
	}
}

func TestScore_AFaultLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	in := write(t, "p.ndjson", profiles+`{"id":"a","posts":"Secret Name"}`+"\n")
	dir := t.TempDir()
	out := filepath.Join(dir, "scores")
	check := func(left int) {
		t.Helper()
		code, stdout, stderr := run(t, nil, "", "score", "--profiles", in, "--out", out)
		if files, err := os.ReadDir(dir); err != nil || len(files) != left {
			t.Errorf("%d files, %v", len(files), err)
		}
		if code != 1 || stdout != "" || stderr != "joute: "+in+":5: posts: expected a number\n" {
			t.Errorf("exit %d, %q, %q", code, stdout, stderr)
		}
	}
	check(0)
	if err := os.WriteFile(out, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(1)
	if text, err := os.ReadFile(out); err != nil || string(text) != "before" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestScore_AbsurdNumbersAreSaidOnce(t *testing.T) {
	t.Parallel()
	in := write(t, "p.ndjson", `{"id":"a"}
{"id":"b","posts":-1,"followers":1e300}
{"id":"c","posts":"NaN"}
{"id":"d","posts":1e999}
`)
	code, _, stderr := run(t, nil, "", "score", "--profiles", in, "--out", filepath.Join(t.TempDir(), "scores"))
	lines := strings.SplitAfter(stderr, "\n")
	if code != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "joute: "+in+":2: followers: ") || !strings.Contains(lines[0], "(1 in all)") ||
		!strings.HasPrefix(lines[1], "joute: "+in+":2: posts: ") || !strings.Contains(lines[1], "(3 in all)") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}
