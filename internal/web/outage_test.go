package web

import (
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
)

// until asks again and again, for as long as a busy machine may need.
func (e *env) until(what string, ok func() bool) {
	e.t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			e.t.Fatalf("still not: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestOutage_Is503WithinTwoSecondsAndEndsByItself(t *testing.T) {
	for name, outage := range map[string]struct{ begin, end func(*redistest.Server) }{
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"frozen": {(*redistest.Server).Freeze, (*redistest.Server).Thaw},
	} {
		t.Run(name, func(t *testing.T) {
			redis := redistest.Start(t)
			e := startOn(t, redis.URL())
			id, path := e.contest(`,"rules":{"undo":"10m","ballots":{"max":5}}`)
			pass, b, lost := e.pass(path), newBallot(), newBallot()
			e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(201, "")
			e.do("GET", "/readyz", "").want(200, "")

			outage.begin(redis)
			// A board may be a second old: it fails once it would be older.
			e.until("leaderboard unavailable", func() bool { return e.do("GET", path+"/leaderboard", "").status == 503 })
			var calls sync.WaitGroup
			for _, call := range []struct{ method, path, body, header string }{
				{"POST", path + "/ballots", ballot(lost, "lumiere-1"), pass},
				{"GET", path + "/ballots/" + b, "", pass},
				{"DELETE", path + "/ballots/" + b, "", pass},
				{"POST", path + "/standings", `{"ballots":["` + b + `"],"standing":"void","reason":"x"}`, asOrganizer},
				{"POST", path + "/close", "", asOrganizer},
				{"PUT", path, contestText(id, `,"brand":"x"`), asOrganizer},
				{"GET", path + "/ledger", "", asOrganizer},
				{"GET", path + "/evidence", "", asOrganizer},
				{"GET", path + "/leaderboard", "", pass},
				{"GET", path + "/reach", "", asOrganizer},
				{"POST", path + "/shares", `{"channel":"qr"}`, pass},
			} {
				calls.Go(func() {
					start := time.Now()
					a := e.do(call.method, call.path, call.body, "Content-Type: application/json", call.header)
					took := time.Since(start)
					if a.status != 503 || a.json()["code"] != "store-unavailable" || a.header.Get("Retry-After") == "" || took > 2*time.Second {
						t.Errorf("%s %s: %d after %v, Retry-After %q: %s", call.method, call.path, a.status, took, a.header.Get("Retry-After"), a.body)
					}
				})
			}
			calls.Wait()
			e.do("GET", "/s/0123456789ab", "").want(503, "") // not 404: nobody knows
			if a := e.do("GET", "/readyz", ""); a.want(503, "").json()["status"] != "not-ready" {
				t.Errorf("%s", a.body)
			}
			e.do("GET", "/livez", "").want(200, "")
			e.do("GET", path, "").want(200, "") // from memory
			e.do("POST", path+"/passes", `{"level":"device"}`).want(201, "")

			outage.end(redis)
			// What was asked meanwhile may have been done or not: asking again tells.
			e.until("casting again", func() bool { return e.do("POST", path+"/ballots", ballot(lost, "lumiere-1"), pass).status != 503 })
			a := e.do("POST", path+"/ballots", ballot(lost, "lumiere-1"), pass)
			if code := a.json()["code"]; a.status != 200 && code != "phase-closed" { // the close may have been done
				t.Errorf("%d %s", a.status, a.body)
			}
			if n := e.casts(path); n > 2 {
				t.Errorf("%d ballots in the ledger", n)
			}
			e.do("GET", "/readyz", "").want(200, "")
		})
	}
}
