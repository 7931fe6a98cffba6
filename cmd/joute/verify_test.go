package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// signerOf is the key with which the servers of a data folder sign.
func signerOf(t *testing.T, data string) *ledger.Signer {
	t.Helper()
	keys, err := keyring.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// ledgerOf writes lines, which are of one box, as the contest's ledger in a new
// data folder, and gives the checkpoint as a file.
func ledgerOf(t *testing.T, data, contest string, signer *ledger.Signer, lines [][]byte) (checkpoint string) {
	t.Helper()
	w, err := ledger.Open(filepath.Join(data, "ledger"), contest, signer)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Append(0, lines); err != nil {
		t.Fatal(err)
	}
	c, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "checkpoint", string(c.Note))
}

func exported(s *running, contest string) [][]byte {
	return bytes.Split([]byte(strings.TrimSuffix(s.joute("export", contest), "\n")), []byte("\n"))
}

// TestVerify_AFolderAloneProvesTheCount has no server: the ledger of a real one is
// in a folder, and somebody edits it.
func TestVerify_AFolderAloneProvesTheCount(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", smallDocument("sealed", "")))
	s.bench("--contest", "sealed", "--voters", "50")
	data := t.TempDir()
	signer := signerOf(t, data)
	lines := exported(s, "sealed")
	kept := ledgerOf(t, data, "sealed", signer, lines)

	code, out, stderr := run(t, nil, "", "verify", data, "--public-key", signer.Public(), "--checkpoint", kept)
	for _, want := range []string{"counted       50\n", "held          0\n", signer.Public(), "entry e-1", "goes on from", "\nproved\n"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, without %q:\n%s%s", code, want, out, stderr)
		}
	}
	code, out, _ = run(t, nil, "", "verify", filepath.Join(data, "ledger", "sealed"), "--json")
	var report ledger.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || report.Contests[0].Tally.Counted != 50 || report.Contests[0].Boxes[0].Size != int64(len(lines)) {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}

	older := t.TempDir()
	ledgerOf(t, older, "sealed", signer, lines[:20])
	if code, out, stderr := run(t, nil, "", "verify", older); code != 0 {
		t.Errorf("an older state, and nothing was kept: exit %d, %s%s", code, out, stderr)
	}
	if code, _, stderr := run(t, nil, "", "verify", older, "--checkpoint", kept); code != 1 || !strings.Contains(stderr, "rolled back") {
		t.Errorf("an older state: exit %d, %s", code, stderr)
	}

	segment := filepath.Join(data, "ledger", "sealed", "box-0", "000000000001.ndjson")
	text := bytes.Join(append([][]byte{}, lines...), []byte("\n"))
	text = append(bytes.Replace(text, []byte(`"entry":"e-1"`), []byte(`"entry":"e-2"`), 1), '\n')
	if err := os.WriteFile(segment, text, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr = run(t, nil, "", "verify", data)
	if code != 1 || !strings.Contains(stderr, segment+":") || !strings.Contains(stderr, "not the one that was hashed") || !strings.HasSuffix(out, "\nnot proved\n") || strings.Contains(out, "counted") {
		t.Errorf("one vote moved: exit %d\n%s%s", code, out, stderr)
	}
}

// What is printed is one line a fact, whatever the one who is to be verified has called things.
func TestVerify_PrintsNamesAsText(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	line := `{"position":"1-0-1800000000000-1","kind":"cast","ballot":"00000000-0000-0000-0000-000000000001","at":"2027-01-15T08:00:00.000Z",` +
		`"entry":"e-1\u001b[2J\ncounted 99\nproved","school":"north","voter":"00000000000000000000000004","standing":"counted","actor":"voter"}`
	ledgerOf(t, data, "sealed", signerOf(t, data), [][]byte{[]byte(line)})
	code, out, stderr := run(t, nil, "", "verify", data)
	if code != 0 || strings.Contains(out, "\x1b") || strings.Contains(out, "\ncounted 99") || !strings.Contains(out, `entry "e-1\x1b[2J\ncounted 99\nproved"`) {
		t.Errorf("exit %d\n%q\n%s", code, out, stderr)
	}
}

// TestRecount_WithACheckpoint: what is counted is also what was signed.
func TestRecount_WithACheckpoint(t *testing.T) {
	t.Parallel()
	without := serve(t)
	without.joute("apply", write(t, "c.yaml", smallDocument("signed", "")))
	if out := without.joute("recount", "signed"); !strings.Contains(out, "signed no checkpoint yet") {
		t.Errorf("without a checkpoint:\n%s", out)
	}
	if code, out, stderr := without.try("recount", "signed", "--public-key", signerOf(t, t.TempDir()).Public()); code != 1 || out != "" || !strings.Contains(stderr, "signed no checkpoint yet") {
		t.Errorf("a key that has signed nothing: exit %d, %s%s", code, out, stderr)
	}
	data := t.TempDir()
	s := serve(t, "--data", data)
	s.joute("apply", write(t, "c.yaml", smallDocument("signed", "")))
	s.bench("--contest", "signed", "--voters", "40")
	signer, lines := signerOf(t, data), exported(s, "signed")
	early := ledgerOf(t, t.TempDir(), "signed", signer, lines[:10])
	forked := append(append([][]byte{}, lines[:10]...), bytes.Replace(lines[10], []byte(`"entry":"e-`), []byte(`"entry":"x-`), 1))
	fork := ledgerOf(t, t.TempDir(), "signed", signer, forked)
	wait(t, "all to be on disk", func() (int64, bool) { n := onDisk(t, data, "signed"); return n, n == int64(len(lines)) })
	checkpoint, err := os.ReadFile(filepath.Join(data, "ledger", "signed", "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	kept := write(t, "kept", string(checkpoint))
	s.bench("--contest", "signed", "--voters", "5", "--seed", "7") // further than the checkpoint

	out := s.joute("recount", "signed", "--public-key", signer.Public(), "--checkpoint", kept, "--checkpoint", early)
	for _, want := range []string{"records have the roots of the checkpoint signed by " + signer.Public(), "goes on from " + early, "\nmatch\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	var result recounted
	if err := json.Unmarshal([]byte(s.joute("recount", "signed", "--json")), &result); err != nil || result.Proof == nil || result.Proof.Records < int64(len(lines)) {
		t.Errorf("%+v, %v", result, err)
	}
	other := signerOf(t, t.TempDir())
	foreign := ledgerOf(t, t.TempDir(), "signed", other, lines)
	for name, row := range map[string]struct {
		args []string
		says string
	}{
		"another key":         {[]string{"--public-key", other.Public()}, "another key"},
		"of another contest":  {[]string{"--checkpoint", ledgerOf(t, t.TempDir(), "other", signer, lines)}, "it is of other"},
		"a foreign one":       {[]string{"--checkpoint", foreign}, "not of the key"},
		"a fork":              {[]string{"--checkpoint", fork}, "not those it was signed for"},
		"no checkpoint":       {[]string{"--checkpoint", write(t, "x", "hello\n")}, "the signature"},
		"no file":             {[]string{"--checkpoint", filepath.Join(data, "none")}, "none"},
		"of a longer history": {[]string{"--checkpoint", ledgerOf(t, t.TempDir(), "signed", signer, append(append([][]byte{}, lines...), longer(t, lines, 20)...))}, "rolled back"},
	} {
		if code, out, stderr := s.try(append([]string{"recount", "signed"}, row.args...)...); code != 1 || !strings.Contains(stderr, row.says) {
			t.Errorf("%s: exit %d, %s%s", name, code, out, stderr)
		}
	}

	// Published, and one entry hidden: its lines are known by their hashes.
	taken := strings.Replace(smallDocument("signed", ""), "title: Entry 1", "title: Entry 1, hidden: true", 1)
	s.joute("apply", write(t, "c.yaml", taken))
	s.organizer("POST", "/v1/contests/signed/close")
	s.organizer("POST", "/v1/contests/signed/publish")
	code, out, stderr := run(t, env{"JOUTE_SERVER": s.url}, "", "recount", "signed", "--checkpoint", kept)
	if code != 0 || !strings.Contains(out, "are of hidden entries") || !strings.HasSuffix(out, "\nmatch\n") {
		t.Errorf("once published: exit %d\n%s%s", code, out, stderr)
	}
}

// longer are more lines behind others: copies of the last with the next positions.
func longer(t *testing.T, lines [][]byte, more int64) (added [][]byte) {
	t.Helper()
	var r voting.Record
	if err := json.Unmarshal(lines[len(lines)-1], &r); err != nil {
		t.Fatal(err)
	}
	for range more {
		r.Position.Offset++
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		added = append(added, line)
	}
	return added
}
