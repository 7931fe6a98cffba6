package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/voting"
)

// casting is ballots that keep coming, each by somebody new. It counts every
// answer, also those after which the same ballot is sent again.
type casting struct {
	t       *testing.T
	ballots string // where they are sent
	sign    func(context.Context, string) (string, error)
	entries int
	client  *fasthttp.HostClient

	mu       sync.Mutex
	accepted []accepted  // guarded by mu
	statuses map[int]int // guarded by mu; 0: no answer
}

// accepted is a ballot whose 201 has come.
type accepted struct {
	offset int64 // of its ledger record
	at     time.Time
	took   time.Duration // from the instant it was due
}

// casting makes ballots for a contest of hall; nothing is sent yet.
func (r *running) casting(contest string, entries int) *casting {
	c := &casting{
		t: r.t, ballots: r.url + "/v1/contests/" + contest + "/ballots", sign: signer(contest, partnerSecret, time.Now().Add(time.Hour)),
		entries: entries, statuses: map[int]int{},
		client: &fasthttp.HostClient{
			Addr: strings.TrimPrefix(r.url, "http://"), MaxConns: 256, MaxIdemponentCallAttempts: 1,
			Dial: func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, 5*time.Second) },
		},
	}
	r.t.Cleanup(c.client.CloseIdleConnections)
	return c
}

// during casts so many ballots a second while f runs, and gives those that were
// accepted, in the order of the ledger. Ballots do not wait for each other.
func (c *casting) during(rate int, f func()) []accepted {
	ending := make(chan struct{})
	var casting sync.WaitGroup
	casting.Go(func() {
		began := time.Now()
		for i := 0; ; i++ {
			due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
			select {
			case <-ending:
				return
			case <-time.After(time.Until(due)):
				casting.Go(func() { c.cast(i, due) })
			}
		}
	})
	func() {
		defer func() { close(ending); casting.Wait() }() // where f ends the test too
		f()
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.accepted
	c.accepted = nil
	slices.SortFunc(all, func(a, b accepted) int { return int(a.offset - b.offset) })
	return all
}

// cast sends one ballot until it is taken.
func (c *casting) cast(i int, due time.Time) {
	id := uuid.Must(uuid.NewV7())
	pass, err := c.sign(context.Background(), id.String())
	if err != nil {
		c.t.Error(err)
		return
	}
	body := fmt.Appendf(nil, `{"ballot":%q,"entry":"e-%d"}`, id, i%c.entries)
	for deadline := due.Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		status, answer := c.once(pass, body)
		at := time.Now()
		c.mu.Lock()
		c.statuses[status]++
		c.mu.Unlock()
		switch {
		case status == http.StatusCreated, status == http.StatusOK: // or the first answer was lost
			var stored struct{ Position voting.Position }
			if err := json.Unmarshal(answer, &stored); err != nil {
				c.t.Errorf("%s: %v", answer, err)
				return
			}
			c.mu.Lock()
			c.accepted = append(c.accepted, accepted{stored.Position.Offset, at, at.Sub(due)})
			c.mu.Unlock()
			return
		case status == http.StatusAccepted && !at.After(deadline): // pending: no replica has confirmed it yet
		case status != 0 && status < 500, at.After(deadline):
			c.t.Errorf("a ballot was answered %d %s", status, answer)
			return
		}
	}
}

func (c *casting) once(pass string, body []byte) (status int, answer []byte) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(c.ballots)
	request.Header.SetMethod(http.MethodPost)
	request.Header.SetContentType("application/json")
	request.Header.Set("Authorization", "Bearer "+pass)
	request.SetBodyRaw(body)
	if err := c.client.DoTimeout(request, response, 10*time.Second); err != nil {
		return 0, nil
	}
	return response.StatusCode(), slices.Clone(response.Body())
}

// failures are the answers of 500 and above so far, and the attempts that got none.
func (c *casting) failures() (failed, unanswered int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for status, n := range c.statuses {
		if status >= 500 {
			failed += n
		}
	}
	return failed, c.statuses[0]
}

// hall is a contest whose voters' passes are signed here, with so many schools
// and entries.
func hall(id string, schools, entries int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "id: %s\ntitle: A contest in a hall\nphases:\n  voting: {opens: 2026-01-01T00:00:00Z, closes: 2036-01-01T00:00:00Z}\n"+
		"identity: partner\npartner: {secret: %s}\nantifraud: {policy: observe}\nschools:\n", id, partnerSecret)
	for i := range schools {
		fmt.Fprintf(&text, "  - {id: s-%d, name: Grand lycée de la ville numéro %d}\n", i, i)
	}
	text.WriteString("entries:\n")
	for i := range entries {
		fmt.Fprintf(&text, "  - {id: e-%d, school: s-%d, title: Le pire des curriculum vitae numéro %d}\n", i, i%schools, i)
	}
	return text.String()
}
