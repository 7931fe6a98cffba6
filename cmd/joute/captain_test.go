package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/joute/joute/internal/redistest"
)

// The link is the same on every server of a store, and renewing voids it on all.
func TestCaptain_OneLinkASchoolOnTwoServers(t *testing.T) {
	t.Parallel()
	redis, data := redistest.Start(t), t.TempDir()
	one, two := serve(t, "--redis", redis.URL(), "--data", data), serve(t, "--redis", redis.URL(), "--data", data)
	one.joute("apply", write(t, "c.yaml", smallDocument("led", "")))
	wait(t, "the other server to know the contest", func() (string, bool) {
		code, _, stderr := two.try("captain", "led", "s-1")
		return stderr, code == 0
	})
	token := func(s *running, args ...string) string {
		t.Helper()
		out := s.joute(append([]string{"captain", "led", "s-1"}, args...)...)
		link, ok := strings.CutPrefix(out, s.url+"/k/")
		if !ok || strings.Count(out, "\n") != 1 {
			t.Fatalf("printed %q", out)
		}
		return strings.TrimSpace(link)
	}
	status := func(s *running, token string) int {
		t.Helper()
		answer, err := http.Get(s.url + "/k/" + token)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	before := token(one)
	if token(two) != before || status(two, before) != 200 {
		t.Error("two servers give two links")
	}
	now := token(two, "--renew")
	if now == before || token(one) != now || status(one, before) != 404 || status(one, now) != 200 {
		t.Error("the link before is not void, or the new one does not open")
	}
	code, stdout, stderr := one.try("captain", "led", "nowhere")
	if code != 1 || stdout != "" || !strings.Contains(stderr, "school") {
		t.Errorf("no such school: exit %d, %q, %q", code, stdout, stderr)
	}
}
