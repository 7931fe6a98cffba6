package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/antifraud"
)

// castTimeout is how long one attempt waits: twice what a server may take to
// find out that its store is gone.
const castTimeout = 5 * time.Second

// castAttempts is over about ten seconds: a restart of a server or its store.
const castAttempts = 10

// Voters casts ballots in one contest for any number of voters, as their
// browsers would. It uses fasthttp's client: measured with the same small POST
// at 64 connections it takes half the CPU of net/http's (30 against 59 us, the
// stub server included), and a load generator shares the machine with what it
// measures.
type Voters struct {
	host            *fasthttp.HostClient
	passes, ballots string
	attempts        int
}

// Voters makes a caster with at most so many connections.
func (c *Client) Voters(contest string, connections int) *Voters {
	addr := c.base.Host
	if c.base.Port() == "" {
		addr = net.JoinHostPort(c.base.Hostname(), map[string]string{"http": "80", "https": "443"}[c.base.Scheme])
	}
	return &Voters{
		host: &fasthttp.HostClient{
			Addr: addr, IsTLS: c.base.Scheme == "https",
			MaxConns: connections, MaxConnWaitTimeout: castTimeout,
			ReadTimeout: castTimeout, WriteTimeout: castTimeout,
			// What to repeat is decided here, not by the transport.
			MaxIdemponentCallAttempts:     1,
			MaxResponseBodySize:           1 << 20,
			DisablePathNormalizing:        true,
			DisableHeaderNamesNormalizing: false,
			Dial:                          func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, castTimeout) },
		},
		passes:   c.contestURL(contest, "passes").String(),
		ballots:  c.contestURL(contest, "ballots").String(),
		attempts: castAttempts,
	}
}

// Close ends idle connections.
func (v *Voters) Close() { v.host.CloseIdleConnections() }

// Origin is where a request seems to come from, for simulations: what a trusted
// proxy would write, and a browser. The zero value is this machine and nothing.
type Origin struct {
	Address, Agent string
}

// Pass is a device pass of somebody new. Asking again after an unknown outcome
// leaves nothing behind: a server does not store device passes.
func (v *Voters) Pass(ctx context.Context, from Origin) (string, error) {
	var answer struct {
		Answer
		Pass string `json:"pass"`
	}
	err := v.ask(ctx, http.MethodPost, v.passes, "", from, []byte(`{"level":"device"}`), &answer, &answer.Answer)
	if err == nil && answer.Status != http.StatusCreated {
		err = &Problem{Status: answer.Status, Code: answer.Code, Detail: answer.Detail}
	}
	return answer.Pass, err
}

// Ballot is one vote as it is sent.
type Ballot struct {
	Ballot    uuid.UUID         `json:"ballot"`
	Entry     string            `json:"entry"`
	Challenge string            `json:"challenge,omitempty"` // solved, when one was asked
	Client    *antifraud.Client `json:"client,omitempty"`
}

// Answer is what the server said of a ballot: accepted (200, 201, 202) or
// refused for good (4xx).
type Answer struct {
	Status   int `json:"-"`
	Attempts int `json:"-"` // how often it was sent until somebody answered

	Standing  string   `json:"standing"`
	Reasons   []string `json:"reasons"`
	At        string   `json:"at"` // RFC 3339
	Receipt   string   `json:"receipt"`
	Duplicate bool     `json:"duplicate"`

	Code      string               `json:"code"`
	Detail    string               `json:"detail"`
	Challenge *antifraud.Challenge `json:"challenge"` // to be solved first
}

// UnknownError is returned when no answer came however often it was asked: the
// ballot may be counted or not. The same ballot id may be sent again at any time.
type UnknownError struct {
	Why   string // one word of a closed set: timeout, connection, pending, http-N or the problem's code
	cause error
}

func (e *UnknownError) Error() string { return fmt.Sprintf("outcome unknown (%s): %v", e.Why, e.cause) }

func (e *UnknownError) Unwrap() error { return e.cause }

// Cast sends a ballot until it knows what became of it: after a timeout, a
// broken connection, a 429 or a 5xx it sends the same ballot id again.
func (v *Voters) Cast(ctx context.Context, pass string, b Ballot, from Origin) (Answer, error) {
	body, err := json.Marshal(b)
	if err != nil {
		return Answer{}, fmt.Errorf("ballot: %w", err)
	}
	var answer Answer
	err = v.ask(ctx, http.MethodPost, v.ballots, pass, from, body, &answer, &answer)
	return answer, err
}

// Withdraw takes a ballot back.
func (v *Voters) Withdraw(ctx context.Context, pass string, ballot uuid.UUID, from Origin) (Answer, error) {
	var answer Answer
	err := v.ask(ctx, http.MethodDelete, v.ballots+"/"+ballot.String(), pass, from, nil, &answer, &answer)
	return answer, err
}

// Find tells where a ballot stands, to whoever holds its pass.
func (v *Voters) Find(ctx context.Context, pass string, ballot uuid.UUID, from Origin) (Answer, error) {
	var answer Answer
	err := v.ask(ctx, http.MethodGet, v.ballots+"/"+ballot.String(), pass, from, nil, &answer, &answer)
	return answer, err
}

// Share makes a pass's holder a share code.
func (v *Voters) Share(ctx context.Context, pass string, from Origin) (string, error) {
	var answer struct {
		Answer
		Code string `json:"code"`
	}
	err := v.ask(ctx, http.MethodPost, strings.TrimSuffix(v.ballots, "ballots")+"shares", pass, from, []byte("{}"), &answer, &answer.Answer)
	if err == nil && answer.Status != http.StatusCreated {
		err = &Problem{Status: answer.Status, Code: answer.Code, Detail: answer.Detail}
	}
	return answer.Code, err
}

// ask sends a request until it is answered for good, and decodes the answer
// into out, of which common is a part.
func (v *Voters) ask(ctx context.Context, method, to, pass string, from Origin, body []byte, out any, common *Answer) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(to)
	request.Header.SetMethod(method)
	if body != nil {
		request.Header.SetContentType("application/json")
		request.SetBodyRaw(body)
	}
	if pass != "" {
		request.Header.Set("Authorization", "Bearer "+pass)
	}
	if from.Address != "" {
		request.Header.Set("X-Forwarded-For", from.Address)
	}
	if from.Agent != "" {
		request.Header.SetUserAgent(from.Agent)
	}
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		unknown := v.once(request, response, out, common)
		common.Attempts = attempt
		if unknown == nil {
			return nil
		}
		if attempt == v.attempts {
			return unknown
		}
		asked := retryAfter(string(response.Header.Peek("Retry-After")))
		if err := pause(ctx, attempt, asked); err != nil {
			return err
		}
	}
}

// once is one attempt; nil means that the answer is final.
func (v *Voters) once(request *fasthttp.Request, response *fasthttp.Response, out any, common *Answer) *UnknownError {
	response.Reset()
	if err := v.host.DoTimeout(request, response, castTimeout); err != nil {
		why := "connection"
		var timeout net.Error
		if errors.Is(err, fasthttp.ErrTimeout) || errors.As(err, &timeout) && timeout.Timeout() {
			why = "timeout"
		}
		return &UnknownError{Why: why, cause: err}
	}
	status := response.StatusCode()
	*common = Answer{}
	err := json.Unmarshal(response.Body(), out)
	common.Status = status
	switch {
	case status == http.StatusTooManyRequests || status >= 500:
		why := common.Code
		if why == "" {
			why = "http-" + strconv.Itoa(status)
		}
		return &UnknownError{Why: why, cause: &Problem{Status: status, Code: common.Code, Detail: common.Detail}}
	case status == http.StatusAccepted && common.Standing == "pending":
		return &UnknownError{Why: "pending", cause: errors.New("stored, not yet confirmed durable")}
	case err != nil && status != http.StatusNoContent:
		return &UnknownError{Why: "http-" + strconv.Itoa(status), cause: fmt.Errorf("the answer is not what a Joute server sends: %w", err)}
	}
	return nil
}
