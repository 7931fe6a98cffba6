package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/joute/joute/voting/ledger"
)

// ask sends one ballot of somebody, and gives status and body.
func (c *casting) ask(voter string, ballot uuid.UUID, entry string) (int, string) {
	c.t.Helper()
	pass, err := c.sign(c.t.Context(), voter)
	if err != nil {
		c.t.Fatal(err)
	}
	status, body := c.once(pass, []byte(`{"ballot":"`+ballot.String()+`","entry":"`+entry+`"}`))
	return status, string(body)
}

// member is the value of a JSON text member.
func member(t *testing.T, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `"`+name+`":"`)
	value, _, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		t.Fatalf("no %s in %s", name, body)
	}
	return value
}

// The embedded store of a real process with a folder: a stop loses nothing, a kill at
// most what the last second had not archived; repeats get their first answers.
func TestEmbedded_ComesBackFromItsFolder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := launch(t, "--data", data)
	s := &running{t: t, url: p.url}
	again := func(end func()) {
		t.Helper()
		end()
		p = launch(t, "--data", data)
		s = &running{t: t, url: p.url}
	}
	s.joute("apply", write(t, "c.yaml", hall("hall", 3, 6)+"boxes: 2\n"))
	first, second := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	load := s.casting("hall", 6)
	status, answer := load.ask("ada", first, "e-1")
	if status != 201 {
		t.Fatalf("%d %s", status, answer)
	}
	receipt, position := member(t, answer, "receipt"), member(t, answer, "position")
	epoch, _, _ := strings.Cut(s.board("hall").Position, "-")

	check := func(after string) {
		t.Helper()
		load := s.casting("hall", 6)
		if status, answer := load.ask("ada", first, "e-1"); status != 200 || member(t, answer, "receipt") != receipt || member(t, answer, "position") != position {
			t.Errorf("after %s: the same ballot again: %d %s", after, status, answer)
		}
		if status, answer := load.ask("ada", uuid.Must(uuid.NewV7()), "e-2"); status != 409 {
			t.Errorf("after %s: a second ballot: %d %s", after, status, answer)
		}
		if now, _, _ := strings.Cut(s.board("hall").Position, "-"); now == epoch {
			t.Errorf("after %s: the epoch is still %s", after, epoch)
		} else {
			epoch = now
		}
		if out := s.joute("recount", "hall"); !strings.Contains(out, "match") {
			t.Errorf("after %s: recount:\n%s", after, out)
		}
		if ok, body := s.ready(); !ok || !strings.Contains(body, "kept in --data") {
			t.Errorf("after %s: /readyz: %s", after, body)
		}
	}
	again(p.stop) // at once: nothing of it was archived yet
	check("a stop")
	if status, answer := s.casting("hall", 6).ask("grace", second, "e-2"); status != 201 {
		t.Fatalf("%d %s", status, answer)
	}
	wait(t, "it to be archived", func() (int, bool) { return 0, strings.Contains(ledgerText(t, data, "hall"), second.String()) })
	again(p.kill)
	check("a kill")
	if status, _ := s.casting("hall", 6).ask("grace", second, "e-2"); status != 200 {
		t.Errorf("a ballot that was archived before the kill: %d", status)
	}

	code, _, errs := run(t, nil, "", "serve", "--listen", "127.0.0.1:0", "--data", data)
	if code != 1 || !strings.Contains(errs, "in use by another server") {
		t.Errorf("two servers on one folder: exit %d %s", code, errs)
	}
	p.stop()
	if _, err := ledger.Verify(data, ledger.Options{}); err != nil {
		t.Errorf("verify: %v", err)
	}
	// A damaged ledger is not served from.
	segments, err := filepath.Glob(filepath.Join(data, "ledger", "hall", "box-*", "*.ndjson"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments: %v %v", segments, err)
	}
	text, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(segments[0], []byte(strings.Replace(string(text), "organizer", "0rganizer", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs = run(t, nil, "", "serve", "--listen", "127.0.0.1:0", "--data", data)
	if code != 1 || !strings.Contains(errs, "damaged") {
		t.Errorf("a damaged ledger: exit %d %s", code, errs)
	}
}

// ledgerText is all records of a contest on disk.
func ledgerText(t *testing.T, data, contest string) string {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(data, "ledger", contest, "box-*", "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range segments {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
