package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

// TestHall_FromTheLinkToTheRecount goes the whole way: the link, the code on the
// wall, a pass with the mark, a ballot, and the count of those from the hall.
func TestHall_FromTheLinkToTheRecount(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	s := serve(t, "--redis", redis.URL(), "--data", t.TempDir())
	s.joute("apply", write(t, "c.yaml", smallDocument("halls", "")))
	s.bench("--contest", "halls", "--voters", "20")

	code, stdout, stderr := s.try("hall", "halls", "--for", "2h")
	link, rest, _ := strings.Cut(stdout, "\n")
	if code != 0 || rest != "" || !strings.HasPrefix(link, s.url+"/tv/halls?hall=") || !strings.Contains(stderr, "until 20") {
		t.Fatalf("exit %d, %q, %q", code, stdout, stderr)
	}
	answer, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	wall, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	presence := regexp.MustCompile(`/p/([0-9a-v]{32})`).FindSubmatch(wall)
	if err != nil || presence == nil {
		t.Fatalf("no code on the wall: %v\n%s", err, wall)
	}

	post := func(path, pass, body string, out any) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/contests/halls/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		if pass != "" {
			request.Header.Set("Authorization", "Bearer "+pass)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			t.Fatalf("POST %s: %s", path, answer.Status)
		}
		if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
	}
	var pass struct {
		Pass    string `json:"pass"`
		Present bool   `json:"present"`
	}
	post("passes", "", `{"level":"device","presence":"`+string(presence[1])+`"}`, &pass)
	if !pass.Present {
		t.Fatalf("%+v", pass)
	}
	post("ballots", pass.Pass, `{"entry":"e-2"}`, &struct{}{})
	wait(t, "the ballot on the board", func() (int64, bool) {
		n := *s.board("halls").Totals.Counted
		return n, n == 21
	})
	if out := s.joute("recount", "halls"); !strings.HasSuffix(out, "\nmatch\n") || !regexp.MustCompile(`school s-0 in the hall +1 +1\n`).MatchString(out) {
		t.Errorf("recount:\n%s", out)
	}
	// The control: one that nobody cast is found.
	if err := redis.Client().HIncrBy(t.Context(), "joute:{halls/0}:tally", "e-1/home", 1).Err(); err != nil {
		t.Fatal(err)
	}
	wait(t, "the board to show it", func() (string, bool) {
		code, out, _ := s.try("recount", "halls")
		return out, code == 1 && regexp.MustCompile(`school s-1 in the hall +1 +0 +differs by \+1\n`).MatchString(out)
	})

	for _, bad := range [][]string{{"hall", "nowhere"}, {"hall", "halls", "--for", "1s"}, {"hall", "halls", "--for", "soon"}, {"hall"}} {
		if code, stdout, stderr := s.try(bad...); code != 1 || stdout != "" || stderr == "" {
			t.Errorf("%v: exit %d, %q, %q", bad, code, stdout, stderr)
		}
	}
	if code, _, stderr := run(t, env{"JOUTE_SERVER": s.url}, "", "hall", "halls"); code != 1 || !strings.Contains(stderr, "401") {
		t.Errorf("without the key: exit %d, %s", code, stderr)
	}
}
