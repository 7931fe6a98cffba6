package web

import (
	"testing"

	"github.com/joute/joute/internal/redistest"
)

// On a cluster whose replica is silent nothing is said to be done that may yet be
// lost, and everything gets its answer by being asked again.
func TestPending_IsNotSaidToBeDoneAndSettlesByItself(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 1, 1)
	e := startOn(t, c.URL())
	_, path := e.contest(`,"rules":{"undo":"10m","ballots":{"max":5}}`)
	pass, b, other := e.pass(path), newBallot(), newBallot()
	e.do("POST", path+"/ballots", ballot(other, "lumiere-1"), pass).want(201, "")

	c.Nodes[1].Freeze()
	for range 2 {
		a := e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(202, "")
		said := a.json()
		if said["standing"] != "pending" || said["receipt"] != nil || said["at"] != nil || said["position"] != nil || a.header.Get("Retry-After") == "" {
			t.Fatalf("%s", a.body)
		}
	}
	if said := e.do("GET", path+"/ballots/"+b, "", pass).want(200, "").json(); said["standing"] != "pending" {
		t.Fatalf("%v", said)
	}
	// A refusal that rests on what may be lost is not said either.
	e.do("POST", path+"/ballots", ballot(b, "vercors-1"), pass).want(503, "store-unavailable")
	for _, call := range []struct{ method, path, body, header string }{
		{"DELETE", path + "/ballots/" + other, "", pass},
		{"POST", path + "/standings", `{"ballots":["` + other + `"],"standing":"void","reason":"x"}`, asOrganizer},
		{"POST", path + "/close", "", asOrganizer},
	} {
		a := e.do(call.method, call.path, call.body, "Content-Type: application/json", call.header)
		a.want(503, "store-unavailable")
	}

	c.Nodes[1].Thaw()
	e.until("the ballot's final answer", func() bool {
		return e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).status != 202
	})
	said := e.do("POST", path+"/ballots", ballot(b, "lumiere-1"), pass).want(200, "").json()
	if said["standing"] != "counted" || said["duplicate"] != true || said["receipt"] == nil {
		t.Fatalf("%v", said)
	}
	if said := e.do("GET", path+"/ballots/"+b, "", pass).want(200, "").json(); said["standing"] != "counted" {
		t.Fatalf("%v", said)
	}
	e.do("POST", path+"/ballots", ballot(b, "vercors-1"), pass).want(409, "ballot-reused")
	if said := e.do("GET", path+"/ballots/"+other, "", pass).want(200, "").json(); said["standing"] != "withdrawn" {
		t.Fatalf("%v", said) // done all the same, as 503 says it may be
	}
}
