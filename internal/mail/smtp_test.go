package mail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/joute/joute/internal/mail/mailsink"
	"github.com/joute/joute/voting"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

func sink(t testing.TB, opt mailsink.Options) *mailsink.Sink {
	t.Helper()
	s, err := mailsink.StartWith(opt)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, url string) *SMTP {
	t.Helper()
	s, err := Open(url, "Joute <vote@contests.example>")
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func address(t testing.TB, text string) voting.Email {
	t.Helper()
	e, err := voting.ParseEmail(text)
	must(t, err)
	return e
}

func codeTo(t testing.TB, to string) Message {
	t.Helper()
	m := Code("fr", CodeLetter{Contest: "Le pire CV vidéo", Brand: "Studio Été", Code: "482913", Minutes: 10})
	m.To = address(t, to)
	return m
}

// class is what a failed Send may tell.
func class(t testing.TB, err error) Class {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v", err)
	}
	if errors.Unwrap(err) != nil || err.Error() != "mail: "+string(e.Class) {
		t.Errorf("the error tells more than its class: %v", err)
	}
	return e.Class
}

func TestSend_ArrivesAsItShould(t *testing.T) {
	s := sink(t, mailsink.Options{})
	m := OptIn("fr", OptInLetter{Community: "Club", Contest: "Le pire CV vidéo", OptIn: "J'accepte.", ConfirmURL: confirmURL, LeaveURL: "https://vote.example.org/leave/x?y=1"})
	m.To = address(t, "Ada+Vote@Example.org")
	must(t, open(t, s.URL()).Send(t.Context(), m))
	got := s.Messages("")[0]
	if got.To != "Ada+Vote@example.org" || got.From != "vote@contests.example" || got.Hello != "contests.example" || got.TLS || got.User != "" {
		t.Errorf("envelope %+v", got)
	}
	if got.Subject != m.Subject || got.Text != m.Text || got.HTML != m.HTML {
		t.Errorf("sent %+v\ncame %q\n%s\n%s", m, got.Subject, got.Text, got.HTML)
	}
	parsed, err := mail.ReadMessage(strings.NewReader(got.Raw))
	must(t, err)
	allowed := map[string]string{
		"Auto-Submitted": `^auto-generated$`, "Content-Type": `^multipart/alternative;`, "Date": `.`, "From": `^"Joute" <vote@contests\.example>$`,
		"List-Unsubscribe": `^<https://vote\.example\.org/leave/x\?y=1>$`, "List-Unsubscribe-Post": `^List-Unsubscribe=One-Click$`,
		"Message-Id": `^<[A-Z2-7]{26}@contests\.example>$`, "Mime-Version": `^1\.0$`, "Subject": `.`, "To": `^<Ada\+Vote@example\.org>$`,
		"Received": `.`,
	}
	for name, values := range parsed.Header {
		if len(values) != 1 || allowed[name] == "" || !regexp.MustCompile(allowed[name]).MatchString(values[0]) {
			t.Errorf("%s: %q", name, values)
		}
		delete(allowed, name)
	}
	delete(allowed, "Received") // the sink adds none
	if len(allowed) > 0 {
		t.Errorf("no %v", allowed)
	}
	if date, err := parsed.Header.Date(); err != nil || time.Since(date) > time.Minute {
		t.Errorf("date %v, %v", date, err)
	}
	plain, html := strings.Index(got.Raw, "Content-Type: text/plain; charset=UTF-8"), strings.Index(got.Raw, "Content-Type: text/html; charset=UTF-8")
	if plain < 0 || html < plain {
		t.Errorf("the text does not come first:\n%s", got.Raw)
	}
	if host, err := os.Hostname(); err == nil && len(host) > 3 && strings.Contains(got.Raw, host) {
		t.Error("the machine's name is in the mail")
	}
	for line := range strings.Lines(got.Raw) {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e }) {
			t.Errorf("not of 7 bits: %q", line)
		}
	}
}

func TestSend_CodeStandsTogetherOnTheWire(t *testing.T) {
	s := sink(t, mailsink.Options{})
	must(t, open(t, s.URL()).Send(t.Context(), codeTo(t, "ada@example.org")))
	got := s.Messages("ada@example.org")[0]
	if mailsink.Code(got.Subject) != "482913" || mailsink.Code(got.Text) != "482913" || strings.Contains(got.Raw, "List-Unsubscribe") {
		t.Errorf("%s", got.Raw)
	}
	if n := strings.Count(got.Raw, "482913"); n < 4 { // subject, text, HTML's title and body
		t.Errorf("the digits are torn on the line, %d times whole:\n%s", n, got.Raw)
	}
}

func TestSend_HeadersCannotBeInjected(t *testing.T) {
	s := sink(t, mailsink.Options{})
	sender := open(t, s.URL())
	hostile := "CV\r\nBcc: victim@example.org\r\nSubject: other\r\n\r\n<p>\n.\r\nMAIL FROM:<x@example.org>"
	for _, m := range []Message{
		Code("fr", CodeLetter{Contest: hostile, Brand: hostile, Code: "482913", Minutes: 10}),
		OptIn("en", OptInLetter{Community: hostile, Contest: hostile, OptIn: hostile, ConfirmURL: "https://x.example/" + hostile, LeaveURL: "https://x.example/\r\nBcc: victim@example.org"}),
		{Subject: hostile, Text: hostile, HTML: hostile, Leave: "https://x.example/>\r\nBcc: victim@example.org"},
		{Subject: strings.Repeat("é\n", 400), Text: "x", Leave: "http://x.example/"},
		{Subject: "\xff\xfe\x00", Text: ".\n..\n", Leave: "https://x.example/a,<https://y.example/>"},
	} {
		m.To = address(t, "ada@example.org")
		before := s.Taken()
		must(t, sender.Send(t.Context(), m))
		all := s.Messages("")
		got := all[len(all)-1]
		parsed, err := mail.ReadMessage(strings.NewReader(got.Raw))
		must(t, err)
		if s.Taken() != before+1 || got.To != "ada@example.org" || parsed.Header.Get("Bcc") != "" || len(parsed.Header["Subject"]) != 1 || got.Subject != oneLine(got.Subject) || parsed.Header.Get("List-Unsubscribe") != "" {
			t.Errorf("injected:\n%s", got.Raw)
		}
		if strings.TrimSuffix(got.Text, "\n") != strings.TrimSuffix(strings.ReplaceAll(m.Text, "\r\n", "\n"), "\n") {
			t.Errorf("the text %q came as %q", m.Text, got.Text)
		}
	}
}

func TestSend_StartTLSWhenOffered(t *testing.T) {
	for name, opt := range map[string]mailsink.Options{
		"offered": {StartTLS: true}, "required": {StartTLS: true, RequireTLS: true}, "from the first byte": {TLS: true},
		"with a password": {StartTLS: true, RequireTLS: true, User: "joute", Password: "p@ss:word/"}, "both": {TLS: true, User: "joute", Password: "secret"},
		"a password to this machine": {User: "joute", Password: "secret"}, "in clear": {},
	} {
		s := sink(t, opt)
		url := strings.Replace(s.URL(), "p@ss:word/", "p%40ss%3Aword%2F", 1)
		if err := open(t, url).Send(t.Context(), codeTo(t, "ada@example.org")); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := s.Messages("ada@example.org")[0]; got.TLS != (opt.TLS || opt.StartTLS) || got.User != opt.User {
			t.Errorf("%s: TLS %v, user %q", name, got.TLS, got.User)
		}
	}
}

// A server elsewhere is held to more than this machine's own.
func TestSend_ElsewhereTrustsNoUnknownCertificateAndSendsNoPasswordInClear(t *testing.T) {
	elsewhere := func(s *mailsink.Sink) *SMTP {
		sender := open(t, s.URL())
		sender.server.loopback, sender.tls.InsecureSkipVerify = false, false
		return sender
	}
	for name, opt := range map[string]mailsink.Options{
		"STARTTLS": {StartTLS: true}, "TLS": {TLS: true}, "STARTTLS and a password": {StartTLS: true, User: "joute", Password: "secret"},
		"a password and no encryption": {User: "joute", Password: "secret"},
	} {
		s := sink(t, opt)
		if got := class(t, elsewhere(s).Send(t.Context(), codeTo(t, "ada@example.org"))); got != ClassTLS || s.Taken() != 0 {
			t.Errorf("%s: %s, %d mails", name, got, s.Taken())
		}
	}
	s := sink(t, mailsink.Options{})
	must(t, elsewhere(s).Send(t.Context(), codeTo(t, "ada@example.org")))
}

func TestSend_SaysWhatFailedAndNoMore(t *testing.T) {
	plain := sink(t, mailsink.Options{})
	plain.Refuse("gone@example.org", 550)
	plain.Refuse("later@example.org", 450)
	signed := sink(t, mailsink.Options{User: "joute", Password: "secret"})
	down := sink(t, mailsink.Options{})
	down.Down(true)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	nobody := "smtp://" + free.Addr().String()
	must(t, free.Close())
	for _, c := range []struct {
		name, url, to string
		class         Class
		final         bool
	}{
		{"refused for good", plain.URL(), "gone@example.org", ClassRecipient, true},
		{"refused for now", plain.URL(), "later@example.org", ClassRecipient, false},
		{"wrong password", strings.Replace(signed.URL(), "secret", "guess", 1), "ada@example.org", ClassAuth, false},
		{"no password", strings.Replace(signed.URL(), "joute:secret@", "", 1), "ada@example.org", ClassSender, true},
		{"a password nobody asks for", strings.Replace(plain.URL(), "://", "://joute:secret@", 1), "ada@example.org", ClassAuth, false},
		{"hangs up", down.URL(), "ada@example.org", ClassGreeting, false},
		{"nobody there", nobody, "ada@example.org", ClassDial, false},
		{"TLS to who speaks none", strings.Replace(plain.URL(), "smtp:", "smtps:", 1), "ada@example.org", ClassTLS, false},
	} {
		err := open(t, c.url).Send(t.Context(), codeTo(t, c.to))
		if got := class(t, err); got != c.class || err.(*Error).Final != c.final {
			t.Errorf("%s: %v, final %v", c.name, err, err.(*Error).Final)
		}
	}
	if got := class(t, open(t, plain.URL()).Send(t.Context(), Message{Subject: "x", Text: "x"})); got != ClassInvalid {
		t.Errorf("to nobody: %s", got)
	}
}

// A server that says nothing, or stops in the middle, holds nobody for longer
// than they wait.
func TestSend_EndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var held sync.WaitGroup
	held.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held.Go(func() { _, _ = new(bytes.Buffer).ReadFrom(c); c.Close() })
		}
	})
	defer held.Wait()
	defer l.Close()
	slow := sink(t, mailsink.Options{})
	slow.Slow(time.Hour)
	for name, url := range map[string]string{"silent": "smtp://" + l.Addr().String(), "silent, TLS": "smtps://" + l.Addr().String(), "slow": slow.URL()} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		err := open(t, url).Send(ctx, codeTo(t, "ada@example.org"))
		cancel()
		if class(t, err); time.Since(began) > patience/2 {
			t.Errorf("%s: ended after %v", name, time.Since(began))
		}
	}
}

func TestSend_SharesAConnectionAndSurvivesItsLoss(t *testing.T) {
	s := sink(t, mailsink.Options{})
	s.Refuse("gone@example.org", 550)
	sender := open(t, s.URL())
	for range 20 {
		must(t, sender.Send(t.Context(), codeTo(t, "ada@example.org")))
		class(t, sender.Send(t.Context(), codeTo(t, "gone@example.org")))
	}
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections for 40 mails", n)
	}
	s.Down(true)
	s.Down(false) // the server has restarted: the connection is dead, and we do not know
	must(t, sender.Send(t.Context(), codeTo(t, "ada@example.org")))
	if len(s.Messages("ada@example.org")) != 21 {
		t.Errorf("%d mails", len(s.Messages("ada@example.org")))
	}
}

func TestOpen_FaultsWithoutThePassword(t *testing.T) {
	for _, url := range []string{
		"", "mail.example.org", "mail.example.org:25", "http://mail.example.org:25", "smtp://mail.example.org", "smtp://:25", "smtp://mail.example.org:0",
		"smtp://mail.example.org:70000", "smtp://mail.example.org:25/inbox", "smtp://mail.example.org:25?x=hidden-word", "smtp://mail.example.org:25#x",
		"smtp://joute@mail.example.org:25", "smtp://:hidden-word@mail.example.org:25", "smtp://joute:hidden-word@mail.exa mple.org:25",
		"smtp://joute:hidden-word@:25", "smtp://joute:hidden-word/@mail.example.org:25", "smtp://joute:hidden%0d%0aword@mail.example.org:25",
		"smtp:mail.example.org:25", "smtp://jou\nte:hidden-word@mail.example.org:25",
	} {
		if err := CheckURL(url); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{"smtp://127.0.0.1:25", "smtps://mail.example.org:465", "smtp://[::1]:2525/", "smtp://joute%40example.org:p%2F%40ss@mail.example.org:587", "smtp://localhost:25"} {
		if err := CheckURL(url); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, from := range []string{"", "joute", "@example.org", "joute@", "a@b, c@d", "joute@exa mple.org", "joute@example.org\r\nBcc: x@example.org", "jôute@example.org", `"a b"@example.org`, "joute@[127.0.0.1]"} {
		if err := CheckFrom(from); err == nil {
			t.Errorf("%q is taken", from)
		}
	}
	for _, from := range []string{"joute@localhost", "vote@example.org", "Concours d'été <vote@école.example>"} {
		if err := CheckFrom(from); err != nil {
			t.Errorf("%q: %v", from, err)
		}
	}
	if _, err := Open("nonsense", "nonsense"); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("both faults: %v", err)
	}
}

func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"smtp://127.0.0.1:25", "smtps://u:p@mail.example.org:465", "smtp://u:p%00@[::1]:1", "smtp://h:1#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseURL(text)
		if err != nil {
			return
		}
		if strings.ContainsAny(s.address()+s.user+s.password, "\r\n\x00") || s.host == "" || (s.user == "") != (s.password == "") {
			t.Fatalf("%q: %+v", text, s)
		}
	})
}

func FuzzParseFrom(f *testing.F) {
	for _, seed := range []string{"joute@localhost", "Joute <vote@example.org>", "=?utf-8?q?a=0d=0ab?= <a@b.c>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseFrom(text)
		if err == nil && (strings.ContainsAny(a.Name+a.Address, "\r\n\x00") || domainOf(a) == "" || strings.ContainsAny(a.Address, " <>")) {
			t.Fatalf("%q: %+v", text, a)
		}
	})
}

const silence = "(silence)"

// scripted is a server that answers line by line as answer says, and hangs up
// when it has none; silence goes on listening. Its channel gets one value for each connection that ended.
func scripted(t *testing.T, greeting string, answer func(line string) string) (url string, ended <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	gone := make(chan struct{}, 10)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { gone <- struct{}{} }()
				defer c.Close()
				_, _ = c.Write([]byte(greeting))
				for lines := bufio.NewScanner(c); lines.Scan(); {
					reply := answer(lines.Text())
					if reply == "" {
						return
					}
					if reply == silence {
						continue
					}
					_, _ = c.Write([]byte(reply))
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return "smtp://" + l.Addr().String(), gone
}

// A server that takes the mail and is gone before the session goes on has the
// mail: a second try would be a second mail.
func TestSend_WhatWasTakenIsSent(t *testing.T) {
	writing := false
	url, _ := scripted(t, "220 here\r\n", func(line string) string {
		verb, _, _ := strings.Cut(line, " ")
		switch {
		case writing && line == ".":
			writing = false
			return "250 taken\r\n"
		case writing:
			return silence
		case verb == "DATA":
			writing = true
			return "354 go on\r\n"
		case verb == "RSET":
			return "" // gone
		}
		return "250 fine\r\n"
	})
	if err := open(t, url).Send(t.Context(), codeTo(t, "ada@example.org")); err != nil {
		t.Errorf("the mail was taken: %v", err)
	}
}

// A session that cannot begin leaves no connection behind.
func TestSend_HangsUpWhenItCannotBegin(t *testing.T) {
	for name, c := range map[string]struct {
		greeting string
		answer   string
		class    Class
	}{
		"no service":     {"554 not here\r\n", "500 what\r\n", ClassGreeting},
		"no EHLO":        {"220 here\r\n", "502 what\r\n", ClassGreeting},
		"nobody we know": {"220 here\r\n", "250-x\r\n250 AUTH PLAIN\r\n", ClassAuth},
		"not SMTP":       {"HTTP/1.1 400 Bad Request\r\n\r\n", "x\r\n", ClassGreeting},
	} {
		url, ended := scripted(t, c.greeting, func(line string) string {
			if strings.HasPrefix(line, "AUTH") {
				return "535 lovelace is unknown\r\n"
			}
			return c.answer
		})
		if c.class == ClassAuth {
			url = strings.Replace(url, "://", "://joute:secret@", 1)
		}
		if got := class(t, open(t, url).Send(t.Context(), codeTo(t, "ada@example.org"))); got != c.class {
			t.Errorf("%s: %s", name, got)
		}
		select {
		case <-ended:
		case <-time.After(patience):
			t.Errorf("%s: the connection stays open", name)
		}
	}
}
