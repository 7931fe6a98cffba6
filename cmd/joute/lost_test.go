package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting/ledger"
)

// ready asks /readyz.
func (r *running) ready() (ok bool, body string) {
	r.t.Helper()
	answer, err := http.Get(r.url + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK, string(text)
}

// boxesIn are the keys that ballots have left in a store.
func boxesIn(t *testing.T, redis *redistest.Server, contest string) []string {
	t.Helper()
	keys, err := redis.Client().Keys(t.Context(), "joute:{"+contest+"/[0-9]*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// A Redis that loses everything under a running server counts nothing from then on,
// and says so; joute restore brings back what was archived, and the same server goes on.
func TestLostStore_IsNotVotedOnUntilItIsRestored(t *testing.T) {
	for name, lose := range map[string]func(*testing.T, *redistest.Server){
		"emptied as it runs": func(t *testing.T, redis *redistest.Server) {
			if err := redis.Client().FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		},
		"started anew without its data": func(t *testing.T, redis *redistest.Server) {
			redis.Kill()
			if err := os.RemoveAll(filepath.Join(redis.Dir(), "appendonlydir")); err != nil {
				t.Fatal(err)
			}
			redis.Restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis, data := redistest.Start(t), t.TempDir()
			s := serve(t, "--redis", redis.URL(), "--data", data)
			s.joute("apply", write(t, "c.yaml", hall("hall", 3, 6)+"boxes: 3\n"))
			load := s.casting("hall", 6)
			taken := func() (n int, newest time.Time) {
				load.mu.Lock()
				defer load.mu.Unlock()
				for _, a := range load.accepted {
					if n++; a.at.After(newest) {
						newest = a.at
					}
				}
				return n, newest
			}
			var archived int64
			all := load.during(100, func() {
				wait(t, "ballots to be counted and archived", func() (int, bool) {
					archived = records(t, data, "hall")
					return 0, archived > 100
				})
				lose(t, redis)
				lost := time.Now()
				says := wait(t, "/readyz to be red", func() (string, bool) { ok, body := s.ready(); return body, !ok && strings.Contains(body, "empty") })
				if !strings.Contains(says, "joute restore") {
					t.Errorf("/readyz does not say what to do: %s", says)
				}
				if strings.Contains(says, "does not answer") {
					t.Errorf("/readyz says that a store which answers does not: %s", says)
				}
				before, _ := taken()
				failed, _ := load.failures()
				wait(t, "ballots to be refused", func() (int, bool) { now, _ := load.failures(); return 0, now > failed+200 })
				// An answer that was on its way when the store lost everything is of a ballot
				// before that.
				if after, newest := taken(); after > before || newest.After(lost.Add(5*time.Second)) {
					t.Errorf("%d ballots were taken by a store that has lost its own, the newest %v after", after-before, newest.Sub(lost))
				}
				if left := boxesIn(t, redis, "hall"); len(left) > 0 {
					t.Errorf("the store that was emptied has %q", left)
				}
				code, out, errs := run(t, nil, "", "restore", "--redis", redis.URL(), "--data", data)
				if code != 0 || !strings.Contains(out, "hall") {
					t.Fatalf("restore: exit %d\n%s%s", code, out, errs)
				}
				wait(t, "/readyz to be green again", func() (string, bool) { ok, body := s.ready(); return body, ok })
				again, _ := taken()
				wait(t, "ballots to be taken again", func() (int, bool) { n, _ := taken(); return 0, n > again+100 })
			})
			if len(all) == 0 {
				t.Fatal("no ballot was taken")
			}
			if out := s.joute("recount", "hall"); !strings.Contains(out, "match") {
				t.Errorf("recount:\n%s", out)
			}
			code, out, errs := run(t, nil, "", "restore", "--redis", redis.URL(), "--data", data)
			if code != 1 || !strings.Contains(errs, "not empty") || strings.Count(errs, "\n") != 1 {
				t.Errorf("a store in use was restored into: exit %d\n%s%s", code, out, errs)
			}
		})
	}
}

// records are how many the newest checkpoint of a data folder has of a contest.
func records(t *testing.T, data, contest string) (n int64) {
	t.Helper()
	c, err := ledger.ReadCheckpoint(filepath.Join(data, "ledger"), contest)
	if err != nil && !errors.Is(err, ledger.ErrNoLedger) {
		t.Fatal(err)
	}
	for box := range 64 {
		n += c.Size(box)
	}
	return n
}
