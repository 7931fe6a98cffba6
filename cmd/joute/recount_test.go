package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// TestRecount_FindsWhatSomebodyChanged edits the store behind Joute's back: the
// control of every "match" elsewhere.
func TestRecount_FindsWhatSomebodyChanged(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	data := t.TempDir()
	s := serve(t, "--redis", redis.URL(), "--data", data)
	s.joute("apply", write(t, "c.yaml", smallDocument("edited", "boxes: 2\n")))
	s.bench("--contest", "edited", "--voters", "100")
	if out := s.joute("recount", "edited"); !strings.HasSuffix(out, "\nmatch\n") {
		t.Fatalf("recount of an honest store:\n%s", out)
	}
	ctx := t.Context()
	const box = "joute:{edited/1}:"

	seed := 1
	// edit changes the tally, and has one more ballot cast: a board may rest as
	// long as no record is added.
	edit := func(t *testing.T, field string, by int64) {
		t.Helper()
		if err := redis.Client().HIncrBy(ctx, box+"tally", field, by).Err(); err != nil {
			t.Fatal(err)
		}
		seed++
		before := s.board("edited").Position
		s.bench("--contest", "edited", "--voters", "1", "--seed", strconv.Itoa(seed))
		wait(t, "the board to show it", func() (string, bool) {
			position := s.board("edited").Position
			return position, position != before
		})
	}

	t.Run("tally", func(t *testing.T) {
		edit(t, "e-1", 5)
		_, out, _ := s.try("recount", "edited")
		for _, want := range []string{"entry e-1", "differs by +5", "school s-1", "counted", "\ndiffers\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in:\n%s", want, out)
			}
		}
		code, out, _ := s.try("recount", "edited", "--json")
		var result recounted
		if err := json.Unmarshal([]byte(out), &result); err != nil || code != 1 || result.Match {
			t.Errorf("--json: exit %d, %v, %s", code, err, out)
		}
		edit(t, "e-1", -5)
		if out := s.joute("recount", "edited"); !strings.HasSuffix(out, "\nmatch\n") {
			t.Errorf("after the edit was undone:\n%s", out)
		}
	})

	t.Run("held", func(t *testing.T) {
		edit(t, "/held", 2)
		if code, out, _ := s.try("recount", "edited"); code != 1 || !strings.Contains(out, "differs by +2") || !strings.HasSuffix(out, "\ndiffers\n") {
			t.Errorf("exit %d:\n%s", code, out)
		}
		edit(t, "/held", -2)
		if out := s.joute("recount", "edited"); !strings.HasSuffix(out, "\nmatch\n") {
			t.Errorf("after the edit was undone:\n%s", out)
		}
	})

	t.Run("ledger", func(t *testing.T) {
		segment := filepath.Join(data, "ledger", "edited", "box-1", "000000000001.ndjson")
		text := wait(t, "the records to be on disk and nowhere else", func() (string, bool) {
			left, err1 := redis.Client().XLen(ctx, box+"ledger").Result() // taken out once they are signed for
			text, err2 := os.ReadFile(segment)
			return string(text), errors.Join(err1, err2) == nil && left == 0 && strings.Count(string(text), "\n") >= 5
		})
		lines := strings.SplitAfter(text, "\n")
		if err := os.WriteFile(segment, []byte(strings.Join(slices.Delete(lines, 3, 4), "")), 0o600); err != nil {
			t.Fatal(err)
		}
		// The server itself gives no more of a ledger that is not whole.
		if code, out, stderr := s.try("recount", "edited"); code != 1 || strings.Contains(out, "\nmatch\n") || stderr == "" {
			t.Errorf("exit %d, %s%s", code, out, stderr)
		}
		if log := s.stderr.String(); !strings.Contains(log, "the ledger is damaged") {
			t.Errorf("the log does not say so:\n%s", log)
		}
	})
}

// A server that leaves a record out, or gives one twice, is told.
func TestRecount_RecordsComeWithoutAHole(t *testing.T) {
	t.Parallel()
	for name, offsets := range map[string][]int64{"a hole": {1, 3}, "twice": {1, 1}, "not from the first": {2}} {
		cut, err := newLedgerCut([]int64{3}, &proof{}), error(nil)
		for _, offset := range offsets {
			err = cut.add(nil, voting.Record{Position: voting.Position{Epoch: 1, Millis: 1, Offset: offset}})
		}
		if err == nil || !strings.Contains(err.Error(), "hole") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRecount_WhileVotingGoesOn takes its cut out of a moving ledger of many boxes.
func TestRecount_WhileVotingGoesOn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", hall("moving", 3, 3)+"boxes: 8\n"))
	positions := map[string]bool{}
	s.casting("moving", 3).during(50, func() {
		wait(t, "recounts of four moments", func() (int, bool) {
			code, out, stderr := s.try("recount", "moving", "--json")
			var result recounted
			if err := json.Unmarshal([]byte(out), &result); err != nil || code != 0 || !result.Match {
				t.Fatalf("exit %d, %v: %s%s", code, err, out, stderr)
			}
			positions[result.Position] = true
			return len(positions), len(positions) >= 4
		})
	})
}

func TestRecount_NeedsTheOrganizersKeyUntilTheLedgerIsPublic(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", smallDocument("keyed", "boxes: 3\n")))
	s.bench("--contest", "keyed", "--voters", "60")
	// One entry of each school is taken off, with its votes: they stay counted.
	taken := strings.Replace(smallDocument("keyed", "boxes: 3\n"), "hidden: false", "hidden: true", 1)
	s.joute("apply", write(t, "c.yaml", strings.Replace(taken, "title: Entry 1", "title: Entry 1, hidden: true", 1)))
	s.joute("recount", "keyed")
	code, stdout, stderr := run(t, env{"JOUTE_SERVER": s.url}, "", "recount", "keyed")
	if code != 1 || stdout != "" || !strings.Contains(stderr, "JOUTE_KEY") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if code, stdout, stderr = s.try("recount", "keyed", "--key", "of-another-server"); code != 1 || stdout != "" || !strings.Contains(stderr, "not the organizer's key") {
		t.Errorf("another key: exit %d, %q, %q", code, stdout, stderr)
	}
	s.organizer("POST", "/v1/contests/keyed/close")
	s.organizer("POST", "/v1/contests/keyed/publish")
	code, stdout, stderr = run(t, env{"JOUTE_SERVER": s.url}, "", "recount", "keyed")
	if code != 0 || !strings.HasSuffix(stdout, "\nmatch\n") || strings.Contains(stdout, "hidden/") {
		t.Errorf("once published: exit %d, %s%s", code, stdout, stderr)
	}
}
