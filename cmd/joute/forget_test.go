package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
)

// call sends JSON to a server and gives the status and what came back.
func call(t *testing.T, method, url, bearer, body string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+bearer)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil // nobody is there
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil
	}
	var got map[string]any
	_ = json.Unmarshal(text, &got)
	return answer.StatusCode, got
}

// memberVotes casts as a partner's member and gives status and code.
func memberVotes(t *testing.T, url, contest, member string) string {
	t.Helper()
	pass, err := signer(contest, partnerSecret, time.Now().Add(time.Hour))(t.Context(), member)
	if err != nil {
		t.Fatal(err)
	}
	status, got := call(t, "POST", url+"/v1/contests/"+contest+"/ballots", pass, `{"entry":"e-1"}`)
	return fmt.Sprint(status, " ", got["code"])
}

const partnered = "identity: partner\npartner: {secret: " + partnerSecret + "}\nboxes: 4\n"

func TestForget_AsksForTheIdAndSaysSince(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.joute("apply", write(t, "c.yaml", smallDocument("gone", partnered)))
	if got := memberVotes(t, s.url, "gone", "ada"); got != "201 <nil>" {
		t.Fatal(got)
	}
	vars := env{"JOUTE_SERVER": s.url, "JOUTE_KEY": adminKey}
	for what, typed := range map[string]string{"nothing": "", "yes": "yes\n", "another": "gone2\n", "much": strings.Repeat("gone", 1000)} {
		if code, out, errs := run(t, vars, typed, "forget", "gone"); code != 1 || out != "" || !strings.Contains(errs, "nothing was deleted") {
			t.Errorf("typed %s: exit %d, %q, %q", what, code, out, errs)
		} else if typed == "" && !strings.Contains(errs, "\njoute: nothing was typed") {
			t.Errorf("nobody to type, and what is said is not a line of its own: %q", errs)
		}
	}
	if code, _, errs := run(t, vars, "gone\n", "forget", "gone"); code != 1 || !strings.Contains(errs, "not-closed") {
		t.Errorf("while voting: exit %d, %q", code, errs)
	}
	if code, _, errs := s.try("forget", "nowhere", "--yes"); code != 1 || !strings.Contains(errs, "no-such-contest") {
		t.Errorf("no such contest: exit %d, %q", code, errs)
	}
	before := s.board("gone")
	if status, _ := call(t, "POST", s.url+"/v1/contests/gone/close", adminKey, ""); status != 200 {
		t.Fatalf("close: %d", status)
	}
	code, first, errs := run(t, vars, " gone \n", "forget", "gone")
	if code != 0 || !strings.HasPrefix(first, "gone forgotten since 20") || strings.Count(first, "\n") != 1 || !strings.Contains(errs, "for good") {
		t.Errorf("exit %d, %q, %q", code, first, errs)
	}
	if again := s.joute("forget", "gone", "--yes"); again != first {
		t.Errorf("again it says %q, first %q", again, first)
	}
	if out := s.joute("recount", "gone"); !strings.HasSuffix(out, "\nmatch\n") {
		t.Errorf("recount: %s", out)
	}
	if after := s.board("gone"); *after.Totals.Counted != 1 || *before.Totals.Counted > 1 {
		t.Errorf("counted %d", *after.Totals.Counted)
	}
	if got := memberVotes(t, s.url, "gone", "ada"); got != "410 forgotten" {
		t.Errorf("a vote: %s", got)
	}
}

// A contest that was forgotten is forgotten after a restart too, and where its
// document is lost, its id is not for another contest.
func TestForget_TheIdIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	data, document := t.TempDir(), write(t, "c.yaml", smallDocument("gone", partnered))
	s := serve(t, "--data", data)
	s.joute("apply", document)
	if got := memberVotes(t, s.url, "gone", "ada"); got != "201 <nil>" {
		t.Fatal(got)
	}
	call(t, "POST", s.url+"/v1/contests/gone/close", adminKey, "")
	s.joute("forget", "gone", "--yes")
	s.stop()
	s = serve(t, "--data", data)
	if got := memberVotes(t, s.url, "gone", "bob"); got != "410 forgotten" {
		t.Errorf("a vote after a restart: %s", got)
	}
	s.stop()
	for _, lost := range []string{"contests", "ledger"} {
		if err := os.RemoveAll(filepath.Join(data, lost)); err != nil {
			t.Fatal(err)
		}
	}
	s = serve(t, "--data", data)
	if code, _, errs := s.try("apply", document); code != 1 || !strings.Contains(errs, "410 forgotten") {
		t.Errorf("exit %d, %q", code, errs)
	}
	s.joute("apply", write(t, "c.yaml", smallDocument("gone-2", partnered)))
	if got := memberVotes(t, s.url, "gone-2", "ada"); got != "201 <nil>" {
		t.Errorf("under another id: %s", got)
	}
}

// Two servers of one store and one folder: what one forgets the other does within
// a second, and a third that starts later never knew.
func TestForget_EveryServerForgets(t *testing.T) {
	t.Parallel()
	store, data := redistest.Start(t), t.TempDir()
	one, two := serve(t, "--redis", store.URL(), "--data", data), serve(t, "--redis", store.URL(), "--data", data)
	one.joute("apply", write(t, "c.yaml", smallDocument("both", partnered)))
	one.joute("apply", write(t, "d.yaml", smallDocument("other", partnered)))
	wait(t, "the other server to know the contest", func() (string, bool) {
		got := memberVotes(t, two.url, "other", "ada")
		return got, got == "201 <nil>"
	})
	for n := range 30 {
		if got := memberVotes(t, []string{one.url, two.url}[n%2], "both", fmt.Sprint("member-", n)); got != "201 <nil>" {
			t.Fatal(got)
		}
	}
	call(t, "POST", one.url+"/v1/contests/both/close", adminKey, "")
	base := filesOfStore(t, store)
	one.joute("forget", "both", "--yes")
	start := time.Now()
	wait(t, "the other server to forget", func() (string, bool) {
		got := memberVotes(t, two.url, "both", "member-1")
		return got, got == "410 forgotten"
	})
	if took := time.Since(start); took > time.Second {
		t.Errorf("the other server took %v", took)
	}
	if _, err := os.Stat(filepath.Join(data, "keys", "contest-both.key")); !os.IsNotExist(err) {
		t.Errorf("the key's file: %v", err)
	}
	three := serve(t, "--redis", store.URL(), "--data", data)
	for _, s := range []*running{one, two, three} {
		if got := memberVotes(t, s.url, "both", "member-2"); got != "410 forgotten" {
			t.Errorf("a vote: %s", got)
		}
		if got := memberVotes(t, s.url, "other", "bob"); got != "201 <nil>" && got != "409 already-voted" {
			t.Errorf("a vote in another contest: %s", got)
		}
		if out := s.joute("recount", "both"); !strings.HasSuffix(out, "\nmatch\n") || *s.board("both").Totals.Counted != 30 {
			t.Errorf("recount: %s", out)
		}
	}
	// The store was asked to write its file anew: what was deleted is in none of its files.
	wait(t, "the store's file to be written anew", func() (string, bool) {
		now := filesOfStore(t, store)
		return now, now != base
	})
	if left := leftOf(t, store, "both"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// filesOfStore are the names of the store's files.
func filesOfStore(t *testing.T, store *redistest.Server) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(store.Dir(), "appendonlydir", "*.incr.aof"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(files, " ")
}

// leftOf are the keys of a contest that forgetting deletes.
func leftOf(t *testing.T, store *redistest.Server, contest string) (left []string) {
	t.Helper()
	keys, err := store.Client().Keys(t.Context(), "joute:{"+contest+"/*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if strings.HasSuffix(key, ":evidence") || strings.Contains(key, "/share}") || strings.Contains(key, "/fans}") || strings.HasSuffix(key, "/captains}") {
			left = append(left, key)
		}
	}
	return left
}

// TestForget_KilledInTheMiddle kills the only server, as kill -9 does, at some
// instant of the work. Once the mark is there the next server finishes by itself;
// before it nothing has begun, and the same call does it all.
func TestForget_KilledInTheMiddle(t *testing.T) {
	t.Parallel()
	store, data := redistest.Start(t), t.TempDir()
	flags := []string{"--redis", store.URL(), "--data", data}
	setup := serve(t, flags...)
	// Each write waits for the disk, so that a few milliseconds are a few steps.
	delays := []time.Duration{0, 2 * time.Millisecond, 4 * time.Millisecond, 8 * time.Millisecond, 15 * time.Millisecond}
	names := make([]string, len(delays))
	for n := range delays {
		names[n] = fmt.Sprint("cut-", n)
		setup.joute("apply", write(t, "c.yaml", smallDocument(names[n], partnered)))
		for m := range 8 {
			if got := memberVotes(t, setup.url, names[n], fmt.Sprint("member-", m)); got != "201 <nil>" {
				t.Fatal(got)
			}
		}
		setup.joute("captain", names[n], "s-1", "--renew")
		call(t, "POST", setup.url+"/v1/contests/"+names[n]+"/close", adminKey, "")
	}
	setup.stop()
	marked := 0
	for n, delay := range delays {
		name := names[n]
		p := launch(t, flags...)
		answered := make(chan int, 1)
		go func() {
			status, _ := call(t, "POST", p.url+"/v1/contests/"+name+"/forget", adminKey, "")
			answered <- status
		}()
		time.Sleep(delay) // not a wait for anything: where the cut falls
		p.kill()
		status := <-answered
		begun, err := store.Client().HExists(t.Context(), "joute:{contests}:"+name, "forgotten_at").Result()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("killed after %v: answer %d, mark %v, %d keys left", delay, status, begun, len(leftOf(t, store, name)))
		next := serve(t, flags...)
		if begun {
			marked++
		} else {
			if len(leftOf(t, store, name)) == 0 {
				t.Errorf("%s: deleted without a mark", name)
			}
			next.joute("forget", name, "--yes")
		}
		wait(t, "the next server to finish", func() (string, bool) {
			_, err := os.Stat(filepath.Join(data, "keys", "contest-"+name+".key"))
			return "", os.IsNotExist(err) && len(leftOf(t, store, name)) == 0
		})
		if out := next.joute("recount", name); !strings.HasSuffix(out, "\nmatch\n") || *next.board(name).Totals.Counted != 8 {
			t.Errorf("recount: %s", out)
		}
		if n := strings.Count(next.joute("export", name), `"kind":"forget"`); n != 4 {
			t.Errorf("%s: %d records of it in 4 boxes", name, n)
		}
		next.stop()
	}
	t.Logf("%d of %d were cut after the mark", marked, len(delays))
}
