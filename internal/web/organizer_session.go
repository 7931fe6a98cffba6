package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/joute/joute/contest/registry"
)

const (
	// organizerCookie: see passCookieName.
	organizerCookie = "__Host-joute_organizer"

	// sessionLife is a working day: the key is asked for again the next morning.
	sessionLife = 12 * time.Hour

	sessionID  = 16
	sessionRaw = 8 + sessionID + sha256.Size
)

// sessions sign organizers in. A session is an instant, a random name and a
// signature of both: nothing is stored, every server of the data folder knows it,
// and with another organizer key it is worth nothing.
type sessions struct{ key []byte }

// newSessions takes a key of the servers and the organizer's, which both have to
// stay for a session to last.
func newSessions(key []byte, adminKey string) sessions {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(adminKey))
	return sessions{mac.Sum(nil)}
}

// session is an organizer who signed in.
type session struct {
	id   string // of this session alone
	form string // what its forms carry
}

// open begins a session at an instant and gives the cookie's value.
func (s sessions) open(now time.Time) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(now.Add(sessionLife).Unix()))
	name := make([]byte, sessionID)
	rand.Read(name) // never fails
	raw = append(raw, name...)
	return tokenText.EncodeToString(append(raw, s.mac("session", raw)...))
}

// check reads a cookie's value. The reason why it is worth nothing is nobody's.
func (s sessions) check(value string, now time.Time) (session, bool) {
	raw, err := decodeToken(value)
	if err != nil || len(raw) != sessionRaw {
		return session{}, false
	}
	signed, mac := raw[:8+sessionID], raw[8+sessionID:]
	if !hmac.Equal(mac, s.mac("session", signed)) || now.Unix() >= int64(binary.BigEndian.Uint64(signed)) {
		return session{}, false
	}
	return session{id: tokenText.EncodeToString(signed[8:]), form: tokenText.EncodeToString(s.mac("form", signed))}, true
}

func (s sessions) mac(purpose string, text []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write(text)
	return mac.Sum(nil)
}

// made tells a form of this session's own pages.
func (s session) made(token string) bool { return hmac.Equal([]byte(token), []byte(s.form)) }

// organizerSession is who signed in with this browser.
func (s *Server) organizerSession(c *fiber.Ctx) (session, bool) {
	return s.sessions.check(strings.Clone(c.Cookies(organizerCookie)), time.Now())
}

// signIn takes the key from the form of the login page. Keys are too long to be
// guessed; that somebody tries is in the log and in a metric.
func (s *Server) signIn(c *fiber.Ctx) error {
	form, err := s.ownForm(c)
	if err != nil {
		return err
	}
	if !s.isOrganizerKey(strings.TrimSpace(string(form.Peek("key")))) {
		s.metrics.logins.WithLabelValues("refused").Inc()
		s.log.Warn("organizer key refused", slog.String("request", s.requestID(c)))
		return s.showLogin(c, string(form.Peek("contest")), fiber.StatusForbidden)
	}
	s.metrics.logins.WithLabelValues("accepted").Inc()
	s.log.Info("organizer signed in", slog.String("request", s.requestID(c)))
	s.setOrganizerCookie(c, s.sessions.open(time.Now()), sessionLife)
	return c.Redirect(s.organizePath(c, string(form.Peek("contest"))), fiber.StatusSeeOther)
}

// signOut takes the cookie away from this browser.
func (s *Server) signOut(c *fiber.Ctx) error {
	if !s.fromOwnPage(c) {
		return errForbidden
	}
	s.setOrganizerCookie(c, "", -time.Second)
	return c.Redirect("/organize/login"+chosen(c), fiber.StatusSeeOther)
}

// setOrganizerCookie: scripts cannot read it, and no link, form or frame of
// another site sends it.
func (s *Server) setOrganizerCookie(c *fiber.Ctx, value string, age time.Duration) {
	c.Cookie(&fiber.Cookie{
		Name: organizerCookie, Value: value, Path: "/", MaxAge: int(age.Seconds()), Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode,
	})
}

// organizePath is the queue of a contest, or else the list of contests.
func (s *Server) organizePath(c *fiber.Ctx, contestID string) string {
	if stored, ok := s.cfg.Registry.Get(contestID); ok {
		return "/organize/" + stored.Contest.ID + "/held" + chosen(c)
	}
	return "/organize" + chosen(c)
}

// organizerForm is the contest and the form of an organizer who is signed in, sent
// from a page of ours that was made for them.
func (s *Server) organizerForm(c *fiber.Ctx, who session) (*registry.Stored, *fasthttp.Args, error) {
	stored, err := s.contest(c)
	if err != nil {
		return nil, nil, err
	}
	form, err := s.ownForm(c)
	if err != nil {
		return nil, nil, err
	}
	if !who.made(string(form.Peek("token"))) {
		return nil, nil, errForbidden
	}
	return stored, form, nil
}
