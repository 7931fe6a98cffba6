package mail

import (
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// server is a mail server by its URL.
type server struct {
	host, port     string
	user, password string
	implicit       bool // TLS from the first byte
	loopback       bool // this machine: nobody listens between
}

// CheckURL says what is wrong with the URL of a mail server, without showing
// the password in it.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

var errURL = errors.New("expected smtp://[user:password@]host:port or smtps://…, such as smtp://127.0.0.1:25 (in a password, write @ : / # ? % in their %XX form)")

func parseURL(text string) (server, error) {
	u, err := url.Parse(text) // its errors quote the URL, and so the password
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Opaque != "" || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#") {
		return server{}, errURL
	}
	s := server{host: strings.ToLower(u.Hostname()), port: u.Port(), implicit: u.Scheme == "smtps"}
	if n, err := strconv.Atoi(s.port); err != nil || n < 1 || n > 65535 || !hostName(s.host) {
		return server{}, errURL
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.user == "" || s.password == "" || strings.ContainsAny(s.user+s.password, "\r\n\x00") {
			return server{}, errURL
		}
	}
	address, err := netip.ParseAddr(s.host)
	s.loopback = s.host == "localhost" || err == nil && address.IsLoopback()
	return s, nil
}

// hostName tells a name or an address that may be dialled and shown in a log.
func hostName(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:%", r)
	})
}

func (s server) address() string { return net.JoinHostPort(s.host, s.port) }

// CheckFrom says what is wrong with a sender's address.
func CheckFrom(text string) error {
	_, err := parseFrom(text)
	return err
}

var errFrom = errors.New("expected an address such as vote@example.org, or a name and an address: Joute <vote@example.org>")

// parseFrom reads a sender. Its domain, in ASCII, is how we name ourselves to
// servers and in Message-IDs: the machine's own name is nobody's business.
func parseFrom(text string) (*mail.Address, error) {
	from, err := mail.ParseAddress(text)
	if err != nil {
		return nil, errFrom
	}
	at := strings.LastIndexByte(from.Address, '@')
	local, domain := from.Address[:at], from.Address[at+1:]
	domain, err = idna.Lookup.ToASCII(domain)
	if err != nil || domain == "" || !hostName(domain) || strings.ContainsAny(domain, ":%_") || strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>\"\\(),:;[]@", r) }) {
		return nil, errFrom
	}
	return &mail.Address{Name: oneLine(from.Name), Address: local + "@" + domain}, nil
}

// domainOf is what follows the @.
func domainOf(a *mail.Address) string { return a.Address[strings.LastIndexByte(a.Address, '@')+1:] }
