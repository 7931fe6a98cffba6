package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

// Each master of a cluster loses all it has, in turn: the one that has the dataset's
// name, the one that has the contests, and one that has boxes alone. None is voted on
// until the cluster is made again from the folder, by the same server that runs on.
func TestCluster_AMasterThatLosesItsDataIsNotVotedOn(t *testing.T) {
	t.Parallel()
	c, data := redistest.StartCluster(t, 3, 1), t.TempDir()
	s := serve(t, "--redis", c.URL(), "--data", data)
	s.joute("apply", write(t, "c.yaml", hall("hall", 3, 6)+"boxes: 6\n"))
	load := s.casting("hall", 6)
	taken := func() int {
		load.mu.Lock()
		defer load.mu.Unlock()
		return len(load.accepted)
	}
	archived := func(more int64) {
		t.Helper()
		before := records(t, data, "hall")
		wait(t, "ballots to be archived", func() (int, bool) { return 0, records(t, data, "hall") > before+more })
	}
	what := map[*redistest.Server][]string{c.MasterOf("joute:dataset"): {"the name"}}
	what[c.MasterOf("joute:{contests}")] = append(what[c.MasterOf("joute:{contests}")], "the contests")
	for box := range 6 {
		master := c.MasterOf(fmt.Sprintf("joute:{hall/%d}:meta", box))
		what[master] = append(what[master], fmt.Sprintf("box %d", box))
	}
	if len(what) != 3 {
		t.Fatalf("boxes, name and contests are on %d masters", len(what))
	}
	load.during(50, func() {
		for _, master := range slices.Collect(maps.Keys(what)) {
			archived(100)
			if err := master.Client().FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			says := wait(t, "/readyz to be red", func() (string, bool) {
				ok, body := s.ready()
				return body, !ok && strings.Contains(body, "joute restore")
			})
			failed, _ := load.failures()
			wait(t, "ballots to be refused", func() (int, bool) { now, _ := load.failures(); return 0, now > failed+100 })
			if left := boxesIn(t, master, "hall"); len(left) > 0 {
				t.Errorf("the master that had %q was voted on, it has %q", what[master], left)
			}
			code, _, errs := run(t, nil, "", "restore", "--redis", c.URL(), "--data", data)
			if code != 1 || !strings.Contains(errs, "not empty") {
				t.Errorf("a cluster that has lost a part was restored into: exit %d %s", code, errs)
			}
			for _, one := range slices.Collect(maps.Keys(what)) {
				if err := one.Client().FlushAll(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
			}
			// A busy cluster may be too slow for a part of it; then restore says what to do.
			code, out, errs := restored(t, c.URL(), data)
			if code != 0 || !strings.Contains(out, "hall") {
				t.Fatalf("restore: exit %d\n%s%s", code, out, errs)
			}
			wait(t, "/readyz to be green again", func() (string, bool) { ok, body := s.ready(); return body, ok })
			before := taken()
			wait(t, "ballots to be taken again", func() (int, bool) { return 0, taken() > before+50 })
			t.Logf("without %q: %s", what[master], says)
		}
	})
	archived(-1)
	if out := s.joute("recount", "hall"); !strings.Contains(out, "match") {
		t.Errorf("recount:\n%s", out)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if code, out, errs := run(t, nil, "", "verify", data); code != 0 {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
}

// restored runs joute restore, and again where it says so.
func restored(t *testing.T, url, data string) (code int, out, errs string) {
	t.Helper()
	for range 5 {
		code, out, errs = run(t, nil, "", "restore", "--redis", url, "--data", data)
		if !strings.Contains(errs, "run joute restore again") {
			break
		}
	}
	return code, out, errs
}
