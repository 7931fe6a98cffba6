package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/internal/faulttest"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

const faultVoters = 32

// overHTTP casts at whichever server is there, as a client does that keeps to the
// contract: what got no answer, or one that promises nothing, is asked again.
func overHTTP(t *testing.T, contest string, url func() string) faulttest.Cast {
	client := &fasthttp.Client{MaxConnsPerHost: 8 * faultVoters, MaxIdemponentCallAttempts: 1}
	t.Cleanup(client.CloseIdleConnections)
	sign := signer(contest, partnerSecret, time.Now().Add(time.Hour))
	return func(ctx context.Context, ballot uuid.UUID) (faulttest.Answer, error) {
		pass, err := sign(ctx, ballot.String())
		if err != nil {
			return faulttest.Answer{}, err
		}
		request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(request)
		defer fasthttp.ReleaseResponse(response)
		request.SetRequestURI(url() + "/v1/contests/" + contest + "/ballots")
		request.Header.SetMethod(http.MethodPost)
		request.Header.SetContentType("application/json")
		request.Header.Set("Authorization", "Bearer "+pass)
		request.SetBodyRaw(fmt.Appendf(nil, `{"ballot":%q,"entry":"e-1"}`, ballot))
		if err := client.DoTimeout(request, response, 10*time.Second); err != nil {
			return faulttest.Answer{}, err
		}
		switch status := response.StatusCode(); status {
		case http.StatusCreated, http.StatusOK:
			var stored struct {
				Position  voting.Position
				Duplicate bool
			}
			err := json.Unmarshal(response.Body(), &stored)
			return faulttest.Answer{Position: stored.Position, Duplicate: stored.Duplicate}, err
		case http.StatusAccepted:
			return faulttest.Answer{Pending: true}, nil
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			return faulttest.Answer{}, errors.New(string(response.Body()))
		default:
			return faulttest.Answer{Refused: fmt.Sprintf("%d %s", status, response.Body())}, nil
		}
	}
}

// settled compares what voters were told with the ledger that a server gives, and
// the ledger with the tally.
func settled(t *testing.T, server *running, contest string, told faulttest.Told) {
	t.Helper()
	told.Check(t)
	survey := survey(t, server, contest, told)
	if survey.Lost > 0 || survey.Twice > 0 || survey.Casts != len(told.Ballots) {
		t.Errorf("%d acknowledged ballots lost, %d twice, %d in the ledger of %d", survey.Lost, survey.Twice, survey.Casts, len(told.Ballots))
	}
	if out := server.joute("recount", contest); !strings.HasSuffix(out, "\nmatch\n") {
		t.Errorf("recount:\n%s", out)
	}
	t.Logf("%v; %d in the ledger, %d lost, %d twice", told, survey.Casts, survey.Lost, survey.Twice)
}

// survey compares what voters were told with the ledger that a server gives.
func survey(t *testing.T, server *running, contest string, told faulttest.Told) faulttest.Survey {
	t.Helper()
	return told.Survey(func(yield func(voting.Record)) {
		for line := range strings.Lines(server.joute("export", contest)) {
			var r voting.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			yield(r)
		}
	})
}

// faultContest is one whose voters' passes are signed here.
func faultContest(id string) string {
	return smallDocument(id, "identity: partner\npartner: {secret: "+partnerSecret+"}\nboxes: 2\n")
}

// TestFault_KilledServersLoseNothing kills `joute serve` again and again while ballots
// are on their way through it, every other time while it moves records to disk; the
// next one goes on.
func TestFault_KilledServersLoseNothing(t *testing.T) {
	t.Parallel()
	kills := 6
	if faulttest.Long() {
		kills = 50
	}
	redis, data := redistest.Start(t), t.TempDir()
	next := func() *process { return launch(t, "--redis", redis.URL(), "--data", data) }
	p := next()
	var url atomic.Value
	url.Store(p.url)
	one := &running{t: t, url: p.url}
	one.joute("apply", write(t, "c.yaml", faultContest("killed")))
	voters := faulttest.Start(faultVoters, overHTTP(t, "killed", func() string { return url.Load().(string) }))
	for kill := range kills {
		before := voters.Acknowledged()
		wait(t, "ballots to be cast again", func() (int, bool) { n := voters.Acknowledged(); return n, n > before+faultVoters })
		if kill%2 == 0 {
			time.Sleep(rand.N(500 * time.Millisecond)) // the random moment
		} else {
			moved := onDisk(t, data, "killed")
			for deadline := time.Now().Add(patience); onDisk(t, data, "killed") == moved; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("waited %v for records to be moved", patience)
				}
			}
			time.Sleep(rand.N(30 * time.Millisecond)) // syncs, signs and trims
		}
		p.kill()
		p = next()
		url.Store(p.url)
	}
	told := voters.Stop()
	one.url = p.url
	settled(t, one, "killed", told)
	p.stop() // moves what is left
	code, out, errs := run(t, nil, "", "verify", "--json", data)
	var proved ledger.Report
	if err := json.Unmarshal([]byte(out), &proved); code != 0 || err != nil || len(proved.Contests) != 1 {
		t.Fatalf("joute verify: exit %d, %v\n%s%s", code, err, out, errs)
	}
	if counted := proved.Contests[0].Tally.Counted; counted != int64(len(told.Ballots)) {
		t.Errorf("joute verify proves %d ballots, %d were acknowledged", counted, len(told.Ballots))
	}
	t.Logf("%d kills; joute verify proves %d ballots", kills, proved.Contests[0].Tally.Counted)
}

// badNetwork is a network at its worst: replies later than anybody waits, connections
// reset, replies cut in the middle; fair for a while between these.
func badNetwork(proxy *redistest.Proxy, fair time.Duration) {
	clear := func() {
		proxy.Set(redistest.Weather{})
		time.Sleep(fair)
	}
	clear()
	late := store.DefaultTimeout + 400*time.Millisecond
	proxy.Set(redistest.Weather{Late: late})
	time.Sleep(late + 300*time.Millisecond)
	clear()
	for range 10 {
		proxy.Reset()
		time.Sleep(rand.N(80 * time.Millisecond))
	}
	clear()
	proxy.Set(redistest.Weather{Cut: 3_000})
	time.Sleep(500 * time.Millisecond)
	clear()
}

// TestFault_ABadNetworkToRedisLosesAndDoublesNothing: what was asked may have been
// done although no reply came, and is asked again.
func TestFault_ABadNetworkToRedisLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	want, fair := 2_000, time.Second
	if faulttest.Long() {
		want, fair = 100_000, 2*time.Second
	}
	proxy := redistest.NewProxy(t, redistest.Start(t).Addr())
	s := serve(t, "--redis", proxy.URL(), "--data", t.TempDir())
	s.joute("apply", write(t, "c.yaml", faultContest("stormy")))
	voters := faulttest.Start(4*faultVoters, overHTTP(t, "stormy", func() string { return s.url }))
	storms := 0
	for ; storms == 0 || voters.Acknowledged() < want; storms++ {
		badNetwork(proxy, fair)
	}
	settled(t, s, "stormy", voters.Stop())
	t.Logf("%d storms, %d connections hurt", storms, proxy.Hurt())
}

// Control: a plain INCR, by a client that repeats what failed as go-redis does unless
// told otherwise, counts more than was asked of it in the same storm.
func TestFault_TheStormDoublesAPlainCount(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr())
	options, err := redis.ParseURL(proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.ReadTimeout, options.WriteTimeout = store.DefaultTimeout, store.DefaultTimeout
	client := redis.NewClient(options)
	defer client.Close()
	asked := 0
	for storms := 1; ; storms++ {
		voters := faulttest.Start(faultVoters, func(ctx context.Context, _ uuid.UUID) (faulttest.Answer, error) {
			return faulttest.Answer{}, client.Incr(ctx, "votes").Err()
		})
		badNetwork(proxy, 300*time.Millisecond)
		told := voters.Stop()
		asked += len(told.Ballots) + told.Repeats // which are asked for, here
		counted, err := server.Client().Get(t.Context(), "votes").Int()
		if err != nil {
			t.Fatal(err)
		}
		if counted > asked {
			t.Logf("%d counted, asked for %d", counted, asked)
			return
		}
		if storms == 5 {
			t.Fatalf("%d counted, asked for %d: the storm doubles nothing, so it cannot show that we do not", counted, asked)
		}
	}
}
