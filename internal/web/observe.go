package web

import (
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/internal/panics"
)

// isRequestID keeps what callers name their requests out of harm's way: the id is
// written into logs and headers.
func isRequestID(text string) bool {
	return text != "" && len(text) <= 64 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

const localLang = "lang"

// requestIDName is X-Request-Id as fasthttp spells it.
var requestIDName = []byte("X-Request-Id")

// requestID is the caller's X-Request-Id when it is sane, else one made up. The answer
// has it from the first time on that somebody asks.
func (s *Server) requestID(c *fiber.Ctx) string {
	answer := &c.Response().Header
	if id := answer.PeekBytes(requestIDName); len(id) > 0 {
		return string(id)
	}
	id := header(c, fiber.HeaderXRequestID)
	if !isRequestID(id) {
		id = newRequestID()
	}
	answer.SetCanonical(requestIDName, []byte(id))
	return id
}

// newRequestID is to be found in a log, and no secret.
func newRequestID() string {
	var id [8]byte
	var text [2 * len(id)]byte
	binary.BigEndian.PutUint64(id[:], rand.Uint64())
	hex.Encode(text[:], id[:])
	return string(text[:])
}

// lang is the language the caller reads: "en" or "fr".
func (s *Server) lang(c *fiber.Ctx) string {
	if lang, ok := c.Locals(localLang).(string); ok {
		return lang
	}
	lang := s.texts.pick(c.Get(fiber.HeaderAcceptLanguage))
	c.Locals(localLang, lang)
	return lang
}

// observe is around every route: request id, headers that every answer has,
// the access log, and the net under a handler that panics. The log names the
// route and not the path: no ballot id, token or query, and no address.
func (s *Server) observe(c *fiber.Ctx) (err error) {
	var start time.Time
	logged := s.log.Enabled(c.Context(), slog.LevelDebug)
	if logged {
		start = time.Now()
	}
	s.secure(c)
	s.requestID(c)
	if err = s.guarded(c); err != nil {
		// Answered here and not by fiber, so that the log has the status.
		err = s.fail(c, err)
	}
	if !logged {
		return err
	}
	s.access(c, start)
	return err
}

// access is apart from observe, whose variables are on the stack of every request.
func (s *Server) access(c *fiber.Ctx, start time.Time) {
	s.log.Debug("request", slog.String("request", s.requestID(c)), slog.String("method", c.Method()),
		slog.String("route", c.Route().Path), slog.Int("status", c.Response().StatusCode()), slog.Duration("took", time.Since(start)))
}

// guarded turns a panic of a handler into an error that nobody foresaw; its stack is in
// the log.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	defer panics.Catch(&err)
	return c.Next()
}

// secure sets what no answer may lack. Pages that may be framed or that load
// more than this write their own Content-Security-Policy over it.
func (s *Server) secure(c *fiber.Ctx) {
	if framers := s.ancestors(c); framers == nobody {
		framedByNobody.set(c)
	} else {
		c.Set(fiber.HeaderContentSecurityPolicy, plainPolicy+framers)
	}
	noSniff.set(c)
	sameOriginReferrer.set(c)
}

const plainPolicy = "default-src 'none'; frame-ancestors "

// fixed is a header that nearly every answer has, spelled as fasthttp spells it: it
// is written as it is, where Set goes through each name and value first.
type fixed struct{ name, value []byte }

var (
	framedByNobody = fixed{[]byte("Content-Security-Policy"), []byte(plainPolicy + nobody)}
	noSniff        = fixed{[]byte("X-Content-Type-Options"), []byte("nosniff")}
	// Not no-referrer: with it browsers send `Origin: null` from our own forms.
	sameOriginReferrer = fixed{[]byte("Referrer-Policy"), []byte("same-origin")}
	noStore            = fixed{[]byte("Cache-Control"), []byte("no-store")}
	variesByOrigin     = fixed{[]byte("Vary"), []byte("Origin")}
)

func (h fixed) set(c *fiber.Ctx) { c.Response().Header.SetCanonical(h.name, h.value) }
