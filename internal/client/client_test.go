package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/contest"
)

// serve is a server of one handler and a client of it.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(server.URL, "the-organizers-key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": code, "detail": detail})
}

func TestNew_RefusesWhatIsNoServer(t *testing.T) {
	for _, server := range []string{"", "localhost:8080", "ftp://h", "http://", "http://u:p@h", "http://h?x=1"} {
		if _, err := New(server, ""); !errors.Is(err, ErrServer) {
			t.Errorf("New(%q): %v", server, err)
		}
	}
	if _, err := New("http://h", "two words"); err == nil {
		t.Error("a key with a space was taken: it would be cut in the header")
	}
}

func TestCall_SaysWhatTheProblemSays(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer the-organizers-key" {
			t.Errorf("authorization %q", got)
		}
		problem(w, 404, "no-such-contest", "There is no such contest.")
	})
	_, err := c.Contest(context.Background(), "x")
	var p *Problem
	if !errors.As(err, &p) || p.Status != 404 || p.Code != "no-such-contest" {
		t.Fatalf("error %v", err)
	}
	if want := "the server answered 404 no-such-contest: There is no such contest."; err.Error() != want {
		t.Errorf("%q, expected %q", err, want)
	}
}

func TestProblem_SaysWhatTheServerPointsAt(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"code": "invalid-request", "detail": "Something is wrong; errors says what.", "errors": [{"path": "school", "message": "no such school"}, {"path": "x", "message": "unknown"}]}`)
	})
	_, err := c.Contest(context.Background(), "x")
	if want := "the server answered 400 invalid-request: Something is wrong; errors says what. school: no such school. x: unknown."; err.Error() != want {
		t.Errorf("%q, expected %q", err, want)
	}
	c = serve(t, func(w http.ResponseWriter, r *http.Request) { problem(w, 401, "unauthorized", "Send the key.") })
	if _, err := c.Contest(context.Background(), "x"); !strings.HasSuffix(err.Error(), "Send the key. (--key or JOUTE_KEY is the key)") {
		t.Errorf("%q does not say where the key comes from", err)
	}
}

func TestCall_NobodyListens(t *testing.T) {
	server := httptest.NewServer(nil)
	address := server.URL
	server.Close()
	c, _ := New(address, "")
	start := time.Now()
	if _, err := c.Contest(context.Background(), "x"); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "--server") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("a wrong address took %v to be told", took)
	}
}

func TestCall_AsksABusyServerAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			problem(w, 503, "store-unavailable", "Try again.")
			return
		}
		fmt.Fprint(w, `{"id":"x","version":4}`)
	})
	got, err := c.Contest(context.Background(), "x")
	if err != nil || got.Version != 4 || calls.Load() != 3 {
		t.Errorf("%+v, %v after %d calls", got, err, calls.Load())
	}
}

func TestApply_TellsCreatedUpdatedUnchanged(t *testing.T) {
	document, err := contest.Parse([]byte(`{"id":"c","title":"C","phases":{"voting":{"opens":"2026-01-01T00:00:00Z","closes":"2027-01-01T00:00:00Z"}},
		"partner":{"secret":"0123456789abcdef0123456789abcdef"},"schools":[{"id":"s","name":"S"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		before, now int
		want        Applied
	}{
		{0, 1, Applied{Version: 1, Created: true, Changed: true}},
		{1, 1, Applied{Version: 1}},
		{1, 2, Applied{Version: 2, Changed: true}},
	} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			switch {
			case r.Method == http.MethodGet && tc.before == 0:
				problem(w, 404, "no-such-contest", "")
			case r.Method == http.MethodGet:
				fmt.Fprintf(w, `{"version":%d}`, tc.before)
			case !strings.Contains(string(body), `"secret":"0123456789abcdef0123456789abcdef"`):
				t.Errorf("the document came without its secret: %s", body)
			default:
				if tc.before == 0 {
					w.WriteHeader(http.StatusCreated)
				}
				fmt.Fprintf(w, `{"version":%d}`, tc.now)
			}
		})
		got, err := c.Apply(context.Background(), document)
		if err != nil || got != tc.want {
			t.Errorf("from %d to %d: %+v, %v", tc.before, tc.now, got, err)
		}
	}
}

// TestCast_SendsTheSameBallotUntilItKnows breaks the first attempts in every
// way an outcome can stay unknown.
func TestCast_SendsTheSameBallotUntilItKnows(t *testing.T) {
	t.Parallel()
	id := uuid.Must(uuid.NewV7())
	var bodies []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body)) // one call at a time
		switch len(bodies) {
		case 1: // counted, and the answer lost
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		case 2:
			problem(w, 503, "store-unavailable", "")
		case 3:
			problem(w, 429, "rate-limited", "")
		case 4:
			w.WriteHeader(202)
			fmt.Fprint(w, `{"standing":"pending"}`)
		default:
			fmt.Fprintf(w, `{"ballot":%q,"standing":"counted","duplicate":true,"receipt":"r"}`, id)
		}
	})
	voters := c.Voters("x", 1)
	defer voters.Close()
	answer, err := voters.Cast(context.Background(), "pass", Ballot{Ballot: id, Entry: "e"}, Origin{})
	if err != nil || answer.Status != 200 || !answer.Duplicate || answer.Receipt != "r" || answer.Attempts != 5 {
		t.Fatalf("%+v, %v", answer, err)
	}
	for i, body := range bodies {
		if body != fmt.Sprintf(`{"ballot":%q,"entry":"e"}`, id) {
			t.Errorf("attempt %d sent %s", i+1, body)
		}
	}
}

func TestCast_RefusalIsFinal(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		problem(w, 409, "already-voted", "You have voted.")
	})
	voters := c.Voters("x", 1)
	defer voters.Close()
	answer, err := voters.Cast(context.Background(), "pass", Ballot{Ballot: uuid.New(), Entry: "e"}, Origin{})
	if err != nil || answer.Status != 409 || answer.Code != "already-voted" || calls.Load() != 1 {
		t.Errorf("%+v, %v after %d calls", answer, err, calls.Load())
	}
}

func TestCast_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		problem(w, 503, "overloaded", "")
	})
	voters := c.Voters("x", 1)
	defer voters.Close()
	if _, err := voters.Cast(ctx, "pass", Ballot{Ballot: uuid.New(), Entry: "e"}, Origin{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestCast_SaysWhyTheOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	for why, answer := range map[string]func(http.ResponseWriter){
		"store-unavailable": func(w http.ResponseWriter) { problem(w, 503, "store-unavailable", "") },
		"http-502":          func(w http.ResponseWriter) { http.Error(w, "<html>bad gateway", http.StatusBadGateway) },
		"http-200":          func(w http.ResponseWriter) { fmt.Fprint(w, "<html>not a Joute server") },
		"connection": func(w http.ResponseWriter) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w) })
		voters := c.Voters("x", 1)
		voters.attempts = 2
		_, err := voters.Cast(context.Background(), "pass", Ballot{Ballot: uuid.New(), Entry: "e"}, Origin{})
		var unknown *UnknownError
		if !errors.As(err, &unknown) || unknown.Why != why {
			t.Errorf("%s: %v", why, err)
		}
		voters.Close()
	}
}

func TestCall_AsksAgainWhenTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	calls := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"id":`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, `{"id":"x"}`)
	})
	if got, err := c.Contest(context.Background(), "x"); err != nil || got.ID != "x" || calls != 2 {
		t.Errorf("%+v, %v after %d calls", got, err, calls)
	}
}
