// Package mail writes Joute's letters and hands them to a mail server.
//
// Letters are made by Code, OptIn and Joined, queued by an Outbox, and sent by
// an SMTP. Nothing here keeps an address longer than its mail is queued, and
// neither logs nor errors nor metrics name one: what a mail server says may
// quote it, so that only a word of a closed set is passed on.
package mail

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/joute/joute/voting"
)

// Message is one mail to one person.
type Message struct {
	To      voting.Email
	Subject string // one line; others are joined
	Text    string
	HTML    string // the same as Text; empty: text alone

	// Leave is the https address at which a POST takes the reader off the list
	// (RFC 8058); empty or otherwise: the mail is of no list.
	Leave string

	// Before is when the mail has no use any more; zero: Options.Patience.
	Before time.Time

	id string // of the Message-ID, the same at every try
}

// String says that it is a mail, and nothing of it.
func (Message) String() string { return "(mail)" }

// LogValue implements [slog.LogValuer]: letters hold codes and links that are
// for their reader alone.
func (Message) LogValue() slog.Value { return slog.StringValue("(mail)") }

// oneLine makes a header's text of any: control characters become spaces, and
// the marks that turn a line around are left out.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || 0x7f <= r && r < 0xa0 || r == '\u2028' || r == '\u2029':
			return ' '
		case '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	return strings.Trim(text, " ")
}

// leave is a Leave address that may stand in a header, or empty.
func leave(text string) string {
	u, err := url.Parse(text)
	odd := strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>\",\\", r) })
	if err != nil || odd || u.Scheme != "https" || u.Host == "" || u.User != nil || u.String() != text {
		return ""
	}
	return text
}

// Class says why a mail could not be sent, in a word that names nobody.
type Class string

// The classes of failures.
const (
	ClassDial       Class = "dial"               // no connection
	ClassTLS        Class = "tls"                // no encryption, or none that can be trusted
	ClassGreeting   Class = "greeting"           // the server would not begin
	ClassAuth       Class = "auth"               // it does not know us
	ClassLost       Class = "connection-lost"    // it went away
	ClassUnanswered Class = "unanswered"         // it had the whole mail, and did not say that it took it
	ClassSender     Class = "rejected-sender"    // it takes no mail from us
	ClassRecipient  Class = "rejected-recipient" // it takes no mail for this address
	ClassMessage    Class = "rejected-message"   // it does not like this mail
	ClassInvalid    Class = "invalid"            // no mail: nothing was sent
)

// Error is why a mail was not sent. It does not wrap what the server said.
type Error struct {
	Class Class
	Final bool // trying again would end the same way
}

func (e *Error) Error() string { return "mail: " + string(e.Class) }

// classOf is the class of an error of a sender.
func classOf(err error) (class Class, final bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Class, e.Final
	}
	return ClassLost, false
}
