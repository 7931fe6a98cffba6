package voting

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"golang.org/x/net/idna"

	"github.com/joute/joute/contest"
)

// ErrEmail is a text that is no address a mail can be sent to. Errors say what
// is wrong, and never quote the text: they may be logged.
var ErrEmail = errors.New("not an e-mail address")

// ErrEmailLetters is an address with letters beyond ASCII before the @. Such
// addresses exist, but most servers do not speak SMTPUTF8 (RFC 6531): the mail
// would not arrive, and nobody would learn why.
var ErrEmailLetters = fmt.Errorf("%w we can write to: only unaccented letters are possible before the @", ErrEmail)

const (
	// maxEmail and maxLocal are RFC 5321's 4.5.3.1: a path of 256 bytes with its
	// two brackets, and a local part of 64.
	maxEmail = 254
	maxLocal = 64

	// maxTyped bounds what is looked at. An international domain may be longer as
	// it is typed than as it is sent.
	maxTyped = 1024

	maxLabel = 63
)

// hiddenEmail stands for every address that something tries to print.
const hiddenEmail = "(e-mail)"

// Email is an address that a mail can be sent to. It shows itself to Deliver,
// Canonical and Domain alone: printed, logged or encoded, it is a placeholder.
// The zero Email is no address.
type Email struct {
	local  string // as typed
	domain string // ASCII, lower case
}

// ParseEmail reads an address as people type it: letters, digits and the usual
// marks before the @, a domain with a dot after it, in any script. Quoted local
// parts, comments and IP addresses are refused: the standards allow them, and
// nobody who votes has one. Errors are ErrEmail.
func ParseEmail(text string) (Email, error) {
	if len(text) > maxTyped {
		return Email{}, fmt.Errorf("%w: longer than %d characters", ErrEmail, maxEmail)
	}
	text = strings.Trim(text, " \t\r\n\u00a0")
	local, host, found := strings.Cut(text, "@")
	if !found || strings.Contains(host, "@") {
		return Email{}, fmt.Errorf("%w: expected one @", ErrEmail)
	}
	if err := checkLocal(local); err != nil {
		return Email{}, err
	}
	domain, err := mailDomain(host)
	if err != nil {
		return Email{}, fmt.Errorf("%w: %w", ErrEmail, err)
	}
	if len(local)+1+len(domain) > maxEmail {
		return Email{}, fmt.Errorf("%w: longer than %d characters", ErrEmail, maxEmail)
	}
	return Email{local, domain}, nil
}

// checkLocal holds the part before the @ against RFC 5322's dot-atom.
func checkLocal(local string) error {
	switch {
	case local == "":
		return fmt.Errorf("%w: nothing before the @", ErrEmail)
	case len(local) > maxLocal:
		return fmt.Errorf("%w: more than %d characters before the @", ErrEmail, maxLocal)
	case local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return fmt.Errorf("%w: a dot stands between two characters", ErrEmail)
	}
	for _, r := range local {
		switch {
		case r > 0x7f:
			return ErrEmailLetters
		case !atomText(r):
			return fmt.Errorf("%w: a character before the @ that no address has", ErrEmail)
		}
	}
	return nil
}

// atomText is RFC 5322's atext, and the dot.
func atomText(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r)
}

var errDomain = errors.New("a domain such as example.org is expected")

// mailDomain is the form of a domain that is compared and sent: ASCII and lower
// case. A domain has a dot, and is not an address in disguise such as 127.0.0.1.
func mailDomain(text string) (string, error) {
	if len(text) > maxTyped {
		return "", errDomain
	}
	domain, err := idna.Lookup.ToASCII(text)
	if err != nil { // it quotes the text
		return "", errDomain
	}
	// Bytes that are no text become one that it would not take back.
	if again, err := idna.Lookup.ToASCII(domain); err != nil || again != domain {
		return "", errDomain
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 || len(domain) > maxEmail {
		return "", errDomain
	}
	for _, label := range labels {
		outside := strings.ContainsFunc(label, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
		if label == "" || len(label) > maxLabel || outside || label[0] == '-' || label[len(label)-1] == '-' {
			return "", errDomain
		}
	}
	if first := labels[len(labels)-1][0]; first < 'a' || first > 'z' {
		return "", errDomain
	}
	return domain, nil
}

// IsZero tells an Email that is none.
func (e Email) IsZero() bool { return e == Email{} }

// Deliver is the address to send to, as it was typed: what comes before the @
// is its owner's, and may mean something to their server.
func (e Email) Deliver() string {
	if e.IsZero() {
		return ""
	}
	return e.local + "@" + e.domain
}

// Domain is what follows the @: ASCII, lower case.
func (e Email) Domain() string { return e.domain }

// Format implements [fmt.Formatter]: a placeholder, whatever the verb.
func (e Email) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenEmail) }

// String is a placeholder.
func (e Email) String() string { return hiddenEmail }

// GoString is a placeholder.
func (e Email) GoString() string { return hiddenEmail }

// LogValue implements [slog.LogValuer] by a placeholder.
func (e Email) LogValue() slog.Value { return slog.StringValue(hiddenEmail) }

// MarshalText implements [encoding.TextMarshaler] by a placeholder.
func (e Email) MarshalText() ([]byte, error) { return []byte(hiddenEmail), nil }

// SchoolOf is the school that an address is of: the one with the longest of the
// contest's email_domains that is the address's domain or stands above it. A
// domain that two schools share proves neither.
func SchoolOf(c *contest.Contest, e Email) (school string, ok bool) {
	longest := 0
	for _, s := range c.Schools {
		for _, domain := range s.EmailDomains {
			switch {
			case !within(e.domain, domain) || len(domain) < longest:
			case len(domain) > longest:
				school, ok, longest = s.ID, true, len(domain)
			case school != s.ID:
				school, ok = "", false
			}
		}
	}
	return school, ok
}

// within tells whether a domain is parent or stands below it.
func within(domain, parent string) bool {
	rest, found := strings.CutSuffix(domain, parent)
	return found && parent != "" && (rest == "" || rest[len(rest)-1] == '.')
}
