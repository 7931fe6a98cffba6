// Package client speaks to a Joute server for the commands: it applies
// contests, reads boards and ledgers to their last line, and casts ballots.
//
// Nothing is sent twice that is not safe to send twice: reads, a PUT of a whole
// document, and a ballot under the id it had.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	// ErrServer is a server address that is not one.
	ErrServer = errors.New("expected the server as http://host:port or https://host")
	// ErrUnreachable is returned when nobody answers at the server's address.
	ErrUnreachable = errors.New("cannot reach the server")
	// ErrBroken is returned for an answer that broke off, again and again. What
	// was given of it until then is right and incomplete.
	ErrBroken = errors.New("the connection broke off")
)

const (
	// callTimeout is for one call with one answer; a PUT of 10,000 entries takes a second.
	callTimeout = 30 * time.Second

	// attempts is how often a call that may be repeated is sent in all.
	attempts = 6

	// maxWait bounds what a server may ask a command to wait before the next attempt.
	maxWait = 10 * time.Second

	// maxAnswer is more than a leaderboard of 10,000 entries needs.
	maxAnswer = 64 << 20
)

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base *url.URL
	key  string
	http *http.Client
}

// New makes a client of the server at an http or https address. key is the
// organizer's; empty for calls anyone may make. Nothing is sent yet.
func New(server, key string) (*Client, error) {
	base, err := url.Parse(server)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.RawQuery != "" || base.User != nil {
		return nil, fmt.Errorf("%w, found %q", ErrServer, server)
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	if strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }) {
		return nil, errors.New("the key holds characters that no key has: expected printable ASCII without spaces")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &Client{base: base, key: key, http: &http.Client{Transport: transport}}, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// contestURL is the address of something of one contest.
func (c *Client) contestURL(contest string, parts ...string) *url.URL {
	return c.base.JoinPath(append([]string{"v1", "contests", url.PathEscape(contest)}, parts...)...)
}

// call sends a request that may safely be repeated, and does so when the
// connection breaks or the server says that it cannot answer now. The answer is
// decoded into out, or is put there whole when that is a *[]byte.
func (c *Client) call(ctx context.Context, method string, to *url.URL, body []byte, out any) (status int, err error) {
	for attempt := 1; ; attempt++ {
		status, err = c.once(ctx, method, to, body, out)
		again, wait := repeatable(err)
		if !again || attempt == attempts {
			return status, err
		}
		if err := pause(ctx, attempt, wait); err != nil {
			return status, err
		}
	}
}

// repeatable tells whether another attempt may bring what this one did not, and
// how long the server asked to wait for it.
func repeatable(err error) (bool, time.Duration) {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem.busy(), problem.RetryAfter
	}
	return errors.Is(err, ErrBroken), 0
}

func (c *Client) once(ctx context.Context, method string, to *url.URL, body []byte, out any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.send(ctx, method, to, body)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return answer.StatusCode, c.explain(ctx, err)
	}
	if whole, ok := out.(*[]byte); ok {
		*whole = text
		return answer.StatusCode, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return answer.StatusCode, fmt.Errorf("%s %s: the answer is not what a Joute server sends: %w", method, to.Path, err)
	}
	return answer.StatusCode, nil
}

// send returns the answer to a request when it is a good one; anything else is
// a *Problem.
func (c *Client) send(ctx context.Context, method string, to *url.URL, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, to.Path, err)
	}
	request.Header.Set("Accept-Language", "en") // the commands speak English
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		return nil, readProblem(answer)
	}
	return answer, nil
}

// explain says what went wrong on the way to the server. Only a connection that
// was there and broke is worth another attempt.
func (c *Client) explain(ctx context.Context, err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err // the address is said once
	}
	var dial *net.OpError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w at %s: nothing listens there (--server or JOUTE_SERVER names another)", ErrUnreachable, c.base)
	case errors.As(err, &dial) && dial.Op == "dial", ctx.Err() != nil:
		return fmt.Errorf("%w at %s: %w", ErrUnreachable, c.base, err)
	default:
		return fmt.Errorf("%w: %s: %w", ErrBroken, c.base, err)
	}
}

// pause waits before the next attempt: as long as the server asked, else twice
// as long each time, by up to a half less so that many clients do not come back
// as one.
func pause(ctx context.Context, attempt int, asked time.Duration) error {
	wait := 50 * time.Millisecond << min(attempt, 5)
	wait -= rand.N(wait / 2)
	timer := time.NewTimer(min(max(wait, asked), maxWait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// retryAfter reads a Retry-After in seconds; the form with a date is not used by Joute.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(header))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// Problem is an error as the server says it (RFC 9457).
type Problem struct {
	Status     int
	Code       string        `json:"code"`
	Title      string        `json:"title"`
	Detail     string        `json:"detail"`
	Errors     []Fault       `json:"errors"`
	RetryAfter time.Duration `json:"-"`
}

// Fault is one thing wrong with a document.
type Fault struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

func readProblem(answer *http.Response) *Problem {
	p := &Problem{}
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20)) // what came says enough
	_ = json.Unmarshal(body, p)                               // a proxy's page is no problem+json: the status says it
	p.Status, p.RetryAfter = answer.StatusCode, retryAfter(answer.Header.Get("Retry-After"))
	return p
}

// Error is the server's sentence, with what it names: what exactly is wrong, and where
// the key comes from here.
func (p *Problem) Error() string {
	what := cmp.Or(p.Detail, p.Title, http.StatusText(p.Status))
	for _, fault := range p.Errors {
		what += fmt.Sprintf(" %s: %s.", fault.Path, fault.Message)
	}
	if p.Code == "unauthorized" {
		what += " (--key or JOUTE_KEY is the key)"
	}
	if p.Code == "" {
		return fmt.Sprintf("the server answered %d: %s", p.Status, what)
	}
	return fmt.Sprintf("the server answered %d %s: %s", p.Status, p.Code, what)
}

// busy tells whether the server did nothing and may do it when asked again.
func (p *Problem) busy() bool {
	return p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable
}
