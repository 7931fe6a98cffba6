package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/gate"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
	"github.com/joute/joute/voting/sweep"
)

// A problem is an answer that refuses: RFC 9457 with the members of Joute. Its
// title and sentence are messages of the catalogue: `problem.CODE.title` and
// `problem.CODE`, or `problem.CODE.SAY` where one code has several reasons.
type problem struct {
	status int
	code   string
	say    string         // which sentence, when the code has several
	data   map[string]any // for the sentence; instants are written for people

	errors   []fault // what exactly, by path
	reasons  []string
	opensAt  time.Time
	closedAt time.Time
	nextAt   *time.Time
	zone     *time.Location // in which the sentence tells instants
	left     *int           // remaining ballots

	challenge *antifraud.Challenge // to be solved first

	retryAfter int // seconds, at least: see wait
}

// fault is one entry of `errors`.
type fault struct {
	Path    string `json:"path"`
	Message string `json:"message"`
	Line    int    `json:"line,omitempty"`
}

func (p *problem) Error() string { return p.code }

// The refusals that need nothing more said.
var (
	errUnauthorized = &problem{status: 401, code: "unauthorized"}
	errInvalidPass  = &problem{status: 401, code: "invalid-pass"}
	errForbidden    = &problem{status: 403, code: "forbidden-origin"}
	errNotFound     = &problem{status: 404, code: "not-found"}
	errNoContest    = &problem{status: 404, code: "no-such-contest"}
	errNoReceipt    = &problem{status: 404, code: "not-found", say: "receipt"}
	errNoSchool     = &problem{status: 404, code: "not-found", say: "school"}
	errNoFan        = &problem{status: 404, code: "not-found", say: "fan"}
	errFanExpired   = &problem{status: 404, code: "not-found", say: "fan-expired"}
	errNoCaptain    = &problem{status: 404, code: "not-found", say: "captain"}
	errNoShare      = &problem{status: 404, code: "not-found", say: "share"}
	errNoCheckpoint = &problem{status: 404, code: "not-found", say: "checkpoint"}
	errNoFarm       = &problem{status: 404, code: "not-found", say: "farm"}
	errNoEntry      = &problem{status: 404, code: "no-such-entry"}
	errMediaType    = &problem{status: 415, code: "unsupported-media-type"}
	errEncoding     = &problem{status: 415, code: "unsupported-media-type", say: "encoding"}
	errUnavailable  = &problem{status: 503, code: "store-unavailable", retryAfter: 2}
	errOverloaded   = &problem{status: 503, code: "overloaded", retryAfter: 2}
	errForgotten    = &problem{status: 410, code: "forgotten"}
	errInternal     = &problem{status: 500, code: "internal-error"}
)

// sentinels are the errors of other packages that have a code. Order matters:
// an overloaded store is an unavailable one too.
var sentinels = []struct {
	err error
	is  *problem
}{
	{store.ErrOverloaded, errOverloaded},
	{live.ErrFull, errOverloaded},
	{store.ErrUnavailable, errUnavailable},
	{store.ErrUnsafe, errUnavailable},
	{context.DeadlineExceeded, errUnavailable}, // only the store makes a request wait
	{registry.ErrNoContest, errNoContest},
	{registry.ErrForgotten, errForgotten},
	{keyring.ErrForgotten, errForgotten},
	{voting.ErrPass, errInvalidPass},
	{voting.ErrReceipt, errInvalidPass},
	{sharing.ErrCaptain, errNoCaptain},
	{gate.ErrNoFarm, errNoFarm},
	{ledger.ErrNoLedger, errNoCheckpoint},
	{voting.ErrPosition, invalid("after", "position")},
	{ballotbox.ErrEpoch, invalid("after", "position")},
	{ballotbox.ErrNoSuchBallot, &problem{status: 404, code: "no-such-ballot"}},
	{ballotbox.ErrAmbiguousBallot, &problem{status: 409, code: "ambiguous-ballot"}},
	{ballotbox.ErrNothingToAppeal, &problem{status: 409, code: "nothing-to-appeal"}},
	{ballotbox.ErrAppealsFull, &problem{status: 503, code: "appeals-full"}},
	{ballotbox.ErrHeldPlace, invalid("after", "place")},
	{ballotbox.ErrUndoExpired, &problem{status: 409, code: "undo-expired"}},
	{sweep.ErrUnfinished, &problem{status: 409, code: "sweep-unfinished", retryAfter: 10}},
	{ballotbox.ErrNotClosed, &problem{status: 409, code: "not-closed"}},
}

// invalid is a request that cannot be understood: say names the sentence.
func invalid(path, say string) *problem {
	return &problem{status: 400, code: "invalid-request", say: say, data: map[string]any{"Path": path},
		errors: []fault{{Path: path, Message: sayings[say]}}}
}

// sayings are the same for programs, in English whatever the language.
var sayings = map[string]string{
	"place":          "expected the `next` of an answer to this call",
	"position":       "expected a position of this ledger",
	"limit":          "expected a number from 1 to 10000",
	"ballot":         "expected a ballot id (UUID)",
	"email":          "expected an e-mail address such as ada@example.org",
	"letters":        "expected unaccented letters before the @: most mail servers take no others",
	"disposable":     "expected an address that lasts: mailboxes that last minutes prove nobody",
	"presence":       "expected the code that the wall shows now",
	"presence-spent": "this code has marked as many as it may: expected the next one",
}

// problemOf finds what an error means outside. Nil is an error nobody foresaw.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.is
		}
	}
	var faults contest.Faults
	if errors.As(err, &faults) {
		p := &problem{status: 422, code: "invalid-document"}
		if errors.Is(err, contest.ErrFixedWhileOpen) {
			p = &problem{status: 409, code: "fixed-while-open"}
		}
		for _, f := range faults {
			p.errors = append(p.errors, fault{f.Path, f.Message, f.Line})
		}
		return p
	}
	var known *fiber.Error // of fiber or fasthttp; their texts quote the request
	if !errors.As(err, &known) {
		return nil
	}
	switch known.Code {
	case fiber.StatusNotFound:
		return errNotFound
	case fiber.StatusMethodNotAllowed:
		return &problem{status: 405, code: "method-not-allowed"}
	case fiber.StatusRequestEntityTooLarge:
		return &problem{status: 413, code: "too-large"}
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return &problem{status: 431, code: "too-large", say: "headers"}
	case fiber.StatusRequestTimeout:
		return &problem{status: 408, code: "invalid-request", say: "timeout"}
	case fiber.StatusBadRequest:
		return &problem{status: 400, code: "invalid-request", say: "http"}
	}
	return nil
}

// fail answers err, and is fiber's handler for errors of its own too. What
// nobody foresaw is "internal error" outside and whole in the log.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	p := problemOf(err)
	if unread, ok := c.Context().Conn().(*conn); ok && p != nil && (p.status == 413 || p.status == 431 || p.say == "http") {
		unread.linger.Store(true)
	}
	switch {
	case p == nil:
		p = errInternal
		s.log.Error("request failed", slog.String("request", s.requestID(c)), slog.String("method", c.Method()),
			slog.String("route", c.Route().Path), slog.Any("error", err))
	case p.status == 413:
		if isDocumentCall(c.Request().Header.Method(), c.Request().RequestURI()) && !s.isOrganizer(c.Get(fiber.HeaderAuthorization)) {
			p = errUnauthorized // a stranger's document is not too large, it is a stranger's
		}
	case p == errOverloaded:
		s.shed.refuse(classOf(c.Context()))
	case p.status >= 500:
		s.log.Warn("request refused", slog.String("request", s.requestID(c)), slog.String("code", p.code), slog.Any("error", err))
	}
	if p == errNotFound && wantsPage(c) {
		return s.failPage(c, p, message{})
	}
	return s.answerProblem(c, p)
}

// document is the wire form, in this order.
type document struct {
	Type      string               `json:"type"`
	Title     string               `json:"title"`
	Status    int                  `json:"status"`
	Detail    string               `json:"detail"`
	Code      string               `json:"code"`
	Errors    []fault              `json:"errors,omitempty"`
	Reasons   []string             `json:"reasons,omitempty"`
	NextAt    **string             `json:"next_at,omitempty"`
	OpensAt   string               `json:"opens_at,omitempty"`
	ClosedAt  string               `json:"closed_at,omitempty"`
	Remaining *int                 `json:"remaining,omitempty"`
	Challenge *antifraud.Challenge `json:"challenge,omitempty"`
	RequestID string               `json:"request_id"`
}

func (s *Server) answerProblem(c *fiber.Ctx, p *problem) error {
	lang := s.lang(c)
	body, err := json.Marshal(p.document(s.texts, lang, s.requestID(c)))
	if err != nil {
		return err
	}
	s.readRefusal(c.Context())
	c.Response().ResetBody()
	s.secure(c)
	c.Set(fiber.HeaderContentLanguage, lang)
	c.Vary(fiber.HeaderAcceptLanguage)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().Header.Del(fiber.HeaderETag)
	if p.status == 401 { // Allow, of a 405, is fiber's
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="joute"`)
	}
	p.wait(c)
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(p.status).Send(body)
}

// wait says when to come back, where the problem passes. Everybody is told
// another time, up to twice as long: they were refused at the same instant.
func (p *problem) wait(c *fiber.Ctx) {
	if p.retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, p.comeBack())
	}
}

// comeBack is after how many seconds.
func (p *problem) comeBack() string {
	return strconv.Itoa(p.retryAfter + rand.IntN(p.retryAfter+1))
}

func (p *problem) document(texts *catalogue, lang, requestID string) document {
	d := document{
		Type: "urn:joute:problem:" + p.code, Title: texts.say(lang, "problem."+p.code+".title", nil), Status: p.status,
		Code: p.code, Errors: p.errors, Reasons: p.reasons, Remaining: p.left, Challenge: p.challenge, RequestID: requestID,
	}
	data := map[string]any{}
	for name, value := range p.data {
		data[name] = value
	}
	stamp := func(name string, t time.Time) string {
		if t.IsZero() {
			return ""
		}
		data[name] = moment(lang, t, p.zone)
		return voting.FormatTime(t)
	}
	d.OpensAt, d.ClosedAt = stamp("OpensAt", p.opensAt), stamp("ClosedAt", p.closedAt)
	if p.nextAt != nil {
		var next *string // null says that there is no further turn
		if text := stamp("NextAt", *p.nextAt); text != "" {
			next = &text
		}
		d.NextAt = &next
	}
	id := "problem." + p.code
	if p.say != "" {
		id += "." + p.say
	}
	d.Detail = texts.say(lang, id, data)
	return d
}
