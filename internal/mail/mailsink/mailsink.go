// Package mailsink is a mail server that keeps what it is sent and passes
// nothing on: a real SMTP server in this process, for tests and the demo.
package mailsink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Message is a mail that came, read.
type Message struct {
	To, From            string // of the envelope
	Subject, Text, HTML string
	Raw                 string
	At                  time.Time
	TLS                 bool   // it came over an encrypted connection
	User                string // who signed in; empty: nobody
	Hello               string // how the client named itself
}

// Options are how a sink differs from one that takes everything in clear.
type Options struct {
	Keep           int    // newest mails kept; 0 = 1,000
	StartTLS       bool   // offer STARTTLS, with a certificate nobody signed
	RequireTLS     bool   // and take no mail without
	TLS            bool   // TLS from the first byte
	User, Password string // take mail from this user alone
}

const (
	defaultKeep = 1000

	// maxMessage is far above any letter of ours.
	maxMessage = 1 << 20
)

// Sink is a running server. Its switches may be turned at any time.
type Sink struct {
	opt      Options
	server   *smtp.Server
	listener *listener
	served   chan struct{}

	mu      sync.Mutex // guards the rest
	kept    []Message  // oldest first
	came    chan struct{}
	refused map[string]*smtp.SMTPError
	slow    time.Duration
	taken   int
}

// Start is StartWith no options.
func Start() (*Sink, error) { return StartWith(Options{}) }

// StartWith listens on a free port of the loopback interface until Close.
func StartWith(opt Options) (*Sink, error) {
	if opt.Keep == 0 {
		opt.Keep = defaultKeep
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mail sink: %w", err)
	}
	s := &Sink{
		opt: opt, listener: &listener{Listener: inner, gone: make(chan struct{}), open: map[net.Conn]struct{}{}}, served: make(chan struct{}),
		came: make(chan struct{}), refused: map[string]*smtp.SMTPError{},
	}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{sink: s, conn: c}, nil }))
	s.server.Domain = "localhost"
	s.server.AllowInsecureAuth = !opt.RequireTLS
	s.server.MaxMessageBytes, s.server.MaxRecipients = maxMessage, 10
	s.server.ReadTimeout, s.server.WriteTimeout = time.Minute, time.Minute
	s.server.ErrorLog = quiet{}
	var serving net.Listener = s.listener
	if opt.TLS || opt.StartTLS || opt.RequireTLS {
		config, err := selfSigned()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("mail sink: %w", err), inner.Close())
		}
		if opt.TLS {
			serving = tls.NewListener(serving, config)
		} else {
			s.server.TLSConfig = config
		}
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(serving) // ends by Close
	}()
	return s, nil
}

// URL is what --smtp takes.
func (s *Sink) URL() string {
	scheme, user := "smtp://", ""
	if s.opt.TLS {
		scheme = "smtps://"
	}
	if s.opt.User != "" {
		user = s.opt.User + ":" + s.opt.Password + "@"
	}
	return scheme + user + s.listener.Addr().String()
}

// Down makes the server hang up on everybody, or come back.
func (s *Sink) Down(down bool) { s.listener.setDown(down) }

// Refuse answers mail to an address with an SMTP code such as 550 (for good) or
// 450 (not now); 0 takes it again.
func (s *Sink) Refuse(address string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.refused, strings.ToLower(address))
	if code != 0 {
		// Servers quote addresses in what they say.
		s.refused[strings.ToLower(address)] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "<" + address + ">: not here"}
	}
}

// Slow makes the server take this long over each mail.
func (s *Sink) Slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// Taken is how many mails came, also those not kept any more.
func (s *Sink) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// Connections is how many were opened.
func (s *Sink) Connections() int { return s.listener.accepted() }

// Messages are the kept mails to an address, oldest first; to all when to is "".
func (s *Sink) Messages(to string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to(to)
}

func (s *Sink) to(to string) []Message {
	found := slices.Clone(s.kept)
	return slices.DeleteFunc(found, func(m Message) bool { return to != "" && !strings.EqualFold(m.To, to) })
}

// Wait answers the mails to an address once there are n of them, or what there
// is when ctx ends.
func (s *Sink) Wait(ctx context.Context, to string, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		found, came := s.to(to), s.came
		s.mu.Unlock()
		if len(found) >= n {
			return found, nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return found, fmt.Errorf("mail sink: %d of %d mails: %w", len(found), n, ctx.Err())
		}
	}
}

// keep adds a mail, and lets the oldest go.
func (s *Sink) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	s.kept = append(s.kept, m)
	if more := len(s.kept) - s.opt.Keep; more > 0 {
		s.kept = slices.Delete(s.kept, 0, more)
	}
	close(s.came)
	s.came = make(chan struct{})
}

// Close hangs up and returns when nothing of the sink is left running.
func (s *Sink) Close() error {
	err := s.listener.hangUp()
	_ = s.server.Shutdown(context.Background()) // waits for its connections, all of them closed
	<-s.served
	return err
}

// quiet drops what the server says of its clients: it would go to standard error.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// session is one client's connection.
type session struct {
	sink     *Sink
	conn     *smtp.Conn
	user     string
	from, to string
}

func (s *session) AuthMechanisms() []string {
	if s.sink.opt.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.sink.opt.User || password != s.sink.opt.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if _, encrypted := s.conn.TLSConnectionState(); s.sink.opt.RequireTLS && !encrypted {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "STARTTLS first"}
	}
	if s.sink.opt.User != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if refusal := s.sink.refused[strings.ToLower(to)]; refusal != nil {
		return refusal
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.sink.mu.Lock()
	slow := s.sink.slow
	s.sink.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-s.sink.listener.gone:
	}
	m, err := read(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "no mail: " + err.Error()}
	}
	m.From, m.To, m.At, m.User, m.Hello = s.from, s.to, time.Now(), s.user, s.conn.Hostname()
	_, m.TLS = s.conn.TLSConnectionState()
	s.sink.keep(m)
	return nil
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }

var sixDigits = regexp.MustCompile(`(?:^|[^0-9])([0-9]{6})(?:[^0-9]|$)`)

// Code finds the six digits of a mail's text; empty when it has none.
func Code(text string) string {
	if m := sixDigits.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
