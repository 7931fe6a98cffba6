package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

const (
	// sendTimeout is for a whole mail: servers that check for spam take their
	// time, and one that greets late is often meaning to.
	sendTimeout = 30 * time.Second

	// idleTime is how long a connection waits for the next mail. In a rush mails
	// share a few connections; between rushes there are none.
	idleTime = 5 * time.Second

	// maxIdle is as many as an Outbox has workers by default.
	maxIdle = 4
)

// SMTP sends mails by one mail server. It may be used by many at once.
type SMTP struct {
	server server
	from   *mail.Address
	tls    *tls.Config

	mu     sync.Mutex // guards the rest
	idle   []*connection
	closed bool
}

// Open makes a sender for smtp://[user:password@]host:port (STARTTLS when the
// server offers it) or smtps:// (TLS), and connects to nothing yet. With a
// password, nothing is sent in clear but to this machine itself. A certificate
// must be good, but this machine's own: mail servers there sign theirs
// themselves, and nobody stands between.
func Open(url, from string) (*SMTP, error) {
	server, urlErr := parseURL(url)
	sender, fromErr := parseFrom(from)
	if err := errors.Join(urlErr, fromErr); err != nil {
		return nil, err
	}
	return &SMTP{
		server: server, from: sender,
		tls: &tls.Config{ServerName: server.host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: server.loopback},
	}, nil
}

// connection is a session with the server, ready for the next mail.
type connection struct {
	raw    net.Conn
	client *gomail.Client
	smtp   *smtp.Client
	expiry *time.Timer
}

// Send hands one mail to the server. A nil error means that the server has
// taken it over; after one of ClassUnanswered it may have. Errors are of type *Error.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := s.compose(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if c := s.takeIdle(); c != nil {
		err := s.sendBy(ctx, c, msg)
		if class, _ := classOf(err); err == nil || class != ClassLost || ctx.Err() != nil {
			return err
		}
		// The server hung up on a connection that waited: no fault of the mail's.
	}
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	return s.sendBy(ctx, c, msg)
}

// dial opens a session.
func (s *SMTP) dial(dialing context.Context) (*connection, error) {
	c := &connection{}
	failed := ClassDial
	hangUp := func() bool { return true }
	options := []gomail.Option{
		gomail.WithHELO(domainOf(s.from)), gomail.WithTimeout(sendTimeout), gomail.WithTLSConfig(s.tls), gomail.WithoutSMTPUTF8(),
		gomail.WithTLSPolicy(s.policy()),
		gomail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, s.server.address())
			if err != nil {
				return nil, err
			}
			c.raw, failed = raw, ClassGreeting
			// Once connected, the library keeps to deadlines and not to contexts.
			hangUp = context.AfterFunc(dialing, func() { _ = raw.Close() })
			if !s.server.implicit {
				return raw, nil
			}
			encrypted := tls.Client(raw, s.tls)
			if err := encrypted.HandshakeContext(ctx); err != nil {
				failed = ClassTLS
				return nil, err
			}
			return encrypted, nil
		}),
	}
	if s.server.user != "" {
		options = append(options, gomail.WithUsername(s.server.user), gomail.WithPassword(s.server.password), gomail.WithOpportunisticSMTPAuth(s.mechanisms()...))
	}
	var err error
	if c.client, err = gomail.NewClient(s.server.host, options...); err != nil {
		return nil, &Error{Class: ClassInvalid, Final: true}
	}
	c.smtp, err = c.client.DialToSMTPClientWithContext(dialing)
	if hangUp() && err == nil {
		return c, nil
	}
	c.close() // the library leaves it open
	return nil, &Error{Class: dialClass(failed, err)}
}

// policy says when encryption is a must. With TLS from the first byte there is
// none to begin.
func (s *SMTP) policy() gomail.TLSPolicy {
	switch {
	case s.server.implicit:
		return gomail.NoTLS
	case s.server.user != "" && !s.server.loopback:
		return gomail.TLSMandatory
	default:
		return gomail.TLSOpportunistic
	}
}

// mechanisms are the ways to sign in, best first. Those in clear are refused by
// the library itself where the connection is not encrypted, but to this machine.
func (s *SMTP) mechanisms() []gomail.SMTPAuthType {
	if s.server.loopback {
		return []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc, gomail.SMTPAuthCramMD5}
	}
	return []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5}
}

// dialClass is why a session could not begin. before is what was being done
// when the library took over.
func dialClass(before Class, err error) Class {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var reply *textproto.Error
	text := ""
	if err != nil {
		text = err.Error() // for the words of the library, never passed on
	}
	switch {
	case before != ClassGreeting:
		return before
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert), strings.Contains(text, "STARTTLS"):
		return ClassTLS
	case strings.Contains(text, "SMTP AUTH"), strings.Contains(text, "SMTP Auth"), errors.As(err, &reply) && (reply.Code == 530 || reply.Code == 534 || reply.Code == 535):
		return ClassAuth
	}
	return ClassGreeting
}

// sendBy sends msg in a session, and puts that back or hangs up.
func (s *SMTP) sendBy(ctx context.Context, c *connection, msg *gomail.Msg) error {
	// A closed connection ends whatever the library waits for.
	hangUp := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	err := c.client.SendWithSMTPClient(c.smtp, msg)
	whole := hangUp()
	if whole && (err == nil || refusedOnly(err)) {
		s.putIdle(c)
	} else {
		c.close()
	}
	if msg.IsDelivered() { // what failed came after
		return nil
	}
	return sendError(err)
}

// refusedOnly tells an answer after which the session goes on.
func refusedOnly(err error) bool {
	var e *gomail.SendError
	return errors.As(err, &e) && e.Reason == gomail.ErrSMTPRcptTo && e.ErrorCode() != 421 && e.ErrorCode() != 0
}

func sendError(err error) error {
	var e *gomail.SendError
	if errors.As(err, &e) && e.Reason == gomail.ErrSMTPDataClose && e.ErrorCode() == 0 {
		return &Error{Class: ClassUnanswered}
	}
	if !errors.As(err, &e) || e.ErrorCode() == 0 || e.ErrorCode() == 421 {
		return &Error{Class: ClassLost}
	}
	final := e.ErrorCode() >= 500
	switch e.Reason {
	case gomail.ErrSMTPMailFrom:
		return &Error{ClassSender, final}
	case gomail.ErrSMTPRcptTo:
		return &Error{ClassRecipient, final}
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrWriteContent:
		return &Error{ClassMessage, final}
	}
	return &Error{Class: ClassLost}
}

func (s *SMTP) takeIdle() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.idle) > 0 {
		c := s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
		if c.expiry.Stop() {
			return c
		}
	}
	return nil
}

func (s *SMTP) putIdle(c *connection) {
	s.mu.Lock()
	if s.closed || len(s.idle) >= maxIdle {
		s.mu.Unlock()
		c.quit()
		return
	}
	defer s.mu.Unlock()
	s.idle = append(s.idle, c)
	c.expiry = time.AfterFunc(idleTime, func() {
		s.mu.Lock()
		s.idle = slices.DeleteFunc(s.idle, func(other *connection) bool { return other == c })
		s.mu.Unlock()
		c.quit()
	})
}

// Close ends the connections that wait for mail. Those at work end by
// themselves.
func (s *SMTP) Close() {
	s.mu.Lock()
	s.closed = true
	idle := s.idle
	s.idle = nil
	s.mu.Unlock()
	for _, c := range idle {
		if c.expiry.Stop() {
			c.quit()
		}
	}
}

// quit says good-bye, and hangs up.
func (c *connection) quit() {
	_ = c.raw.SetDeadline(time.Now().Add(time.Second))
	_ = c.smtp.Quit()
	c.close()
}

func (c *connection) close() {
	if c.raw != nil {
		_ = c.raw.Close()
	}
}

// compose makes the mail as it goes over the line: the text first, so that
// readers and watches that show the beginning show it.
func (s *SMTP) compose(m Message) (*gomail.Msg, error) {
	if m.To.IsZero() || m.Text == "" {
		return nil, &Error{Class: ClassInvalid, Final: true}
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP))
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(&mail.Address{Address: m.To.Deliver()})
	msg.Subject(oneLine(m.Subject))
	msg.SetDate()
	if m.id == "" {
		m.id = rand.Text()
	}
	msg.SetMessageIDWithValue(m.id + "@" + domainOf(s.from))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if address := leave(m.Leave); address != "" {
		if err := msg.SetListUnsubscribeOneClick(address); err != nil {
			return nil, &Error{Class: ClassInvalid, Final: true}
		}
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}
