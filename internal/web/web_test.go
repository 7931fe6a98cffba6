package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/community/fans"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/forget"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/mail"
	"github.com/joute/joute/internal/mail/mailsink"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing/captains"
	"github.com/joute/joute/sharing/reach"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/archive"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/codes"
)

func TestMain(m *testing.M) { redistest.Main(m) }

const organizerKey = "organizer-key-of-the-tests"

// env is a whole server on a real Redis, listening on loopback.
type env struct {
	t      testing.TB
	server *Server
	boxes  *ballotbox.Boxes
	known  *registry.Registry
	data   string         // its folder
	mails  *mailsink.Sink // where its mails go
	addr   string
	log    *watchtest.Log
	served chan error
}

// start serves on the Redis that this package's tests share.
func start(t testing.TB) *env { return startOn(t, redistest.Shared(t).URL()) }

func startOn(t testing.TB, redisURL string, before ...func(*Server)) *env {
	t.Helper()
	ctx := t.Context()
	e := &env{t: t, log: &watchtest.Log{}, served: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	metrics := prometheus.NewRegistry()
	st, err := store.Open(ctx, store.Options{URL: redisURL, Registerer: metrics, Log: log})
	must(t, err)
	t.Cleanup(func() { st.Close() })
	interlock, err := store.OpenInterlock(ctx, st, store.InterlockOptions{Log: log})
	must(t, err)
	e.data = t.TempDir()
	ring, err := keyring.Open(e.data)
	must(t, err)
	receipts, err := voting.NewReceipts(ring.Derive("receipt"))
	must(t, err)
	e.boxes = ballotbox.New(st).WithArchive(archive.NewReader(e.data))
	contests := registry.New(st, ring, registry.Options{Log: log})
	must(t, contests.Refresh(ctx))
	e.known = contests
	boards := live.New(e.boxes, log)
	feeds := live.NewFeeds(boards, contests.Get, log, live.FeedOptions{})
	announcing, stop := context.WithCancel(context.Background())
	var announced sync.WaitGroup
	announced.Go(func() { feeds.Run(announcing) })
	t.Cleanup(func() { stop(); announced.Wait() })
	counters := gate.New(st)
	farms, pressure := gate.NewFarms(st, log), gate.NewPressure(st, log)
	announced.Go(func() { farms.Run(announcing) })
	announced.Go(func() { pressure.Run(announcing) })
	e.mails, err = mailsink.Start()
	must(t, err)
	sender, err := mail.Open(e.mails.URL(), "joute@vote.example.org")
	must(t, err)
	outbox := mail.NewOutbox(sender, log, mail.Options{Registerer: metrics})
	announced.Go(func() { outbox.Run(announcing) })
	t.Cleanup(func() { e.mails.Close() })
	links, err := captains.New(st, ring.Derive("captain"))
	must(t, err)
	members, sharers, proofs := fans.New(st, ring, fans.Options{}), reach.New(st, e.boxes, reach.Options{Fresh: time.Nanosecond}), codes.New(st, counters, ring.Derive("code"))
	e.server, err = New(Config{
		Forget: forget.New(forget.Parts{
			Store: st, Registry: contests, Keys: ring, Boxes: e.boxes, Stores: []forget.Store{members, sharers, links, farms}, Brief: []forget.Store{proofs, counters, pressure},
		}, log),
		Fans: members, Keys: ring,
		Windows:  window.New(),
		Counters: counters, Farms: farms, Pressure: pressure, Codes: proofs, Mail: outbox, Disposable: voting.BuiltinDisposable(),
		Store: st, Interlock: interlock, Registry: contests, Boxes: e.boxes, Boards: boards, Feeds: feeds,
		Passes: voting.NewPasses(ring), Receipts: receipts, Reach: sharers, Captains: links, Presence: voting.NewPresence(ring.Derive("presence")), FormKey: ring.Derive("form"), AdminKey: organizerKey, PublicURL: "https://vote.example.org",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Log: log, Metrics: metrics, Version: "test",
	})
	must(t, err)
	for _, f := range before {
		f(e.server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	e.addr = l.Addr().String()
	go func() { e.served <- e.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is a response, read.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

var client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}, Timeout: 20 * time.Second}

// do sends one request; headers are "Name: value".
func (e *env) do(method, path, body string, headers ...string) answer {
	e.t.Helper()
	req, err := http.NewRequest(method, "http://"+e.addr+path, strings.NewReader(body))
	must(e.t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	must(e.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(e.t, err)
	a := answer{e.t, resp.StatusCode, resp.Header, raw}
	if a.header.Get("Content-Type") == "application/problem+json" && method != "HEAD" {
		if code, _ := a.json()["code"].(string); !told(method, path, a.status, code) {
			e.t.Errorf("/openapi.json does not say that %s %s may be answered %d %s", method, path, a.status, code)
		}
	}
	return a
}

const asOrganizer = "Authorization: Bearer " + organizerKey

// want checks the status and, for a problem, its form and code.
func (a answer) want(status int, code string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if code == "" {
		return a
	}
	m := a.json()
	if m["code"] != code {
		a.t.Fatalf("code %v, want %s: %s", m["code"], code, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Fatalf("content type %q", got)
	}
	for _, member := range []string{"type", "title", "detail", "request_id"} {
		if text, _ := m[member].(string); text == "" || strings.HasPrefix(text, "problem.") || strings.Contains(text, "<no value>") {
			a.t.Fatalf("%s is %q: %s", member, text, a.body)
		}
	}
	if m["status"] != float64(status) || a.header.Get("X-Request-Id") != m["request_id"] {
		a.t.Fatalf("status or request_id differ from the response: %s", a.body)
	}
	if a.header.Get("Content-Language") == "" || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Accept-Language") {
		a.t.Fatalf("no language in %v", a.header)
	}
	return a
}

func (a answer) json() map[string]any {
	a.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.body, &m); err != nil {
		a.t.Fatalf("not a JSON object: %v\n%s", err, a.body)
	}
	return m
}

func (a answer) text(member string) string {
	a.t.Helper()
	text, ok := a.json()[member].(string)
	if !ok {
		a.t.Fatalf("no text %q in %s", member, a.body)
	}
	return text
}

// testsBegan is one instant for all, so that a contest that is stored twice has the
// phases that it had.
var testsBegan = time.Now()

// contestText is a contest that is open now. more are further members, `,"x":1`.
func contestText(id string, more string) string {
	return contestTextAt(id, testsBegan.Add(-time.Hour), testsBegan.Add(24*time.Hour), more)
}

func contestTextAt(id string, opens, closes time.Time, more string) string {
	return fmt.Sprintf(`{"id":%q,"title":{"fr":"Le pire CV","en":"The worst CV"},"phases":{"voting":{"opens":%q,"closes":%q}},
		"schools":[{"id":"lumiere","name":"École Lumière"},{"id":"vercors","name":"Vercors","email_domains":["edu.vercors.example"]}],
		"entries":[{"id":"lumiere-1","school":"lumiere","title":"A"},{"id":"vercors-1","school":"vercors","title":"B"},
			{"id":"secret-1","school":"vercors","title":"Hidden one","hidden":true}]%s}`,
		id, opens.UTC().Format(time.RFC3339), closes.UTC().Format(time.RFC3339), more)
}

// contest stores a contest of its own for the test and gives its path.
func (e *env) contest(more string) (id, path string) {
	e.t.Helper()
	id = newID()
	e.do("PUT", "/v1/contests/"+id, contestText(id, more), asOrganizer).want(201, "")
	return id, "/v1/contests/" + id
}

func newID() string { return "t-" + strings.ToLower(rand.Text()) }

// pass issues a device pass and gives it as a header.
func (e *env) pass(path string) string {
	e.t.Helper()
	return "Authorization: Bearer " + e.do("POST", path+"/passes", `{"level":"device"}`).want(201, "").text("pass")
}

func ballot(id, entry string) string { return fmt.Sprintf(`{"ballot":%q,"entry":%q}`, id, entry) }

func newBallot() string { return uuid.NewString() }

// casts is how many ballots the contest's ledger has.
func (e *env) casts(path string) int {
	e.t.Helper()
	return bytes.Count(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body, []byte(`"kind":"cast"`))
}

func sharedURL(t testing.TB) string { return redistest.Shared(t).URL() }
