package contest

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// Lengths are in characters, as their writer counts them. They are what a page,
// a phone and a share card can show without breaking, with room to spare.
const (
	maxTitle     = 200 // a contest's or an entry's: three lines on a phone
	maxName      = 120 // a school's, a brand's, a community's: the longest real school name is about 90
	maxCity      = 80
	maxAuthor    = 80
	maxAuthors   = 20
	maxOptIn     = 500 // a consent sentence people are supposed to read
	maxLink      = 500
	maxLanguages = 40
)

const (
	// minSecret is RFC 7518's minimum for HS256: a key as long as the hash.
	minSecret = 32
	maxSecret = 1024
)

// line reads one line of text for people.
func line(most int) func(value) string {
	return func(v value) string {
		if v.kind != kindString {
			v.expectedText("a text")
			return ""
		}
		switch r, bad := unprintable(v.text); {
		case strings.TrimSpace(v.text) == "":
			v.fault("expected a text, found an empty one")
		case utf8.RuneCountInString(v.text) > most:
			v.fault("expected at most %d characters, found %d", most, utf8.RuneCountInString(v.text))
		case bad:
			v.fault("expected one line of text without control or direction characters, found %U", r)
		default:
			return v.text
		}
		return ""
	}
}

// expectedText is for the usual slip of YAML: an unquoted 2027 is a number.
func (v value) expectedText(what string) {
	if v.kind == kindNumber || v.kind == kindBool {
		v.expected("%s (in quotes)", what)
		return
	}
	v.expected("%s", what)
}

// unprintable finds what must not reach a page: control characters and line
// separators, and the overrides and isolates that make a text read backwards.
func unprintable(s string) (rune, bool) {
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
			'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' {
			return r, true
		}
	}
	return 0, false
}

// text reads a string or {lang: string}.
func text(most int) func(value) Text {
	return func(v value) Text {
		if v.kind != kindObject {
			if v.kind != kindString {
				v.expectedText("a text or {language: text}")
				return Text{}
			}
			return Plain(line(most)(v))
		}
		if n := len(v.members); n == 0 || n > maxLanguages {
			v.fault("expected a text in 1 to %d languages, found %d", maxLanguages, n)
			return Text{}
		}
		byLang := make(map[string]string, len(v.members))
		for _, m := range v.members {
			at := value{m.node, v.r, v.member(shorten(m.name))}
			code, ok := languageCode(m.name)
			if !ok {
				value{&node{line: m.line}, v.r, at.path}.fault("expected a language code such as fr or en, found %q", shorten(m.name))
			} else if _, twice := byLang[code]; twice {
				value{&node{line: m.line}, v.r, at.path}.fault("expected once, found again")
			}
			byLang[code] = line(most)(at)
		}
		return Text{byLang: byLang}
	}
}

// languageCode is the canonical form of a BCP 47 code.
func languageCode(s string) (string, bool) {
	tag, err := language.Parse(s)
	if err != nil || tag == language.Und {
		return "", false
	}
	return tag.String(), true
}

func locale(v value) string {
	if v.kind == kindString {
		if code, ok := languageCode(v.text); ok {
			return code
		}
	}
	v.expected("a language code such as fr or en")
	return ""
}

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

const idWords = "an id of a-z, 0-9 and -, at most 64 long, not only digits and not v1"

// id reads an id. Only digits and v1 would be mistaken for a number or a path of the API.
func id(v value) string {
	if v.kind != kindString || !idShape.MatchString(v.text) || strings.Trim(v.text, "0123456789") == "" || v.text == "v1" {
		v.expectedText(idWords)
		return ""
	}
	return v.text
}

func integer(least, most int) func(value) int {
	return func(v value) int {
		n, err := strconv.Atoi(v.text)
		if v.kind != kindNumber || err != nil || n < least || n > most {
			v.expected("a whole number from %d to %d", least, most)
			return 0
		}
		return n
	}
}

func boolean(v value) bool {
	if v.kind != kindBool {
		v.expected("true or false")
	}
	return v.kind == kindBool && strings.EqualFold(v.text, "true")
}

// choice reads one of a closed set of words.
func choice[T ~string](options ...T) func(value) T {
	return func(v value) T {
		if v.kind == kindString && slices.Contains(options, T(v.text)) {
			return T(v.text)
		}
		words := make([]string, len(options))
		for i, o := range options {
			words[i] = string(o)
		}
		v.expected("%s", strings.Join(words, " or "))
		var none T
		return none
	}
}

// duration reads Go's form in whole seconds, or 0.
func duration(most time.Duration) func(value) time.Duration {
	return func(v value) time.Duration {
		if v.kind == kindNumber && v.text == "0" {
			return 0
		}
		d, err := time.ParseDuration(v.text)
		if v.kind != kindString || err != nil || d < 0 || d > most || d%time.Second != 0 {
			v.expected("a duration in whole seconds such as 10m or 2h, or 0, at most %s", formatDuration(most))
			return 0
		}
		return d
	}
}

// instant reads RFC 3339. Milliseconds are what the store's clock tells apart;
// years are bounded so that an instant in milliseconds stays exact everywhere.
func instant(v value) time.Time {
	var t time.Time
	if v.kind != kindString || t.UnmarshalText([]byte(v.text)) != nil {
		v.expected("an instant with its offset such as 2026-11-16T20:00:00+01:00")
		return time.Time{}
	}
	if t = t.UTC(); t.Year() < 2000 || t.Year() > 2199 || t.Nanosecond()%int(time.Millisecond) != 0 {
		v.expected("an instant of the years 2000 to 2199, in whole milliseconds")
		return time.Time{}
	}
	return t
}

func secret(v value) string {
	// The message must not show the key: only its length.
	if v.kind != kindString || len(v.text) < minSecret || len(v.text) > maxSecret {
		v.fault("expected a key of %d to %d bytes, found %d", minSecret, maxSecret, len(v.text))
		return ""
	}
	return v.text
}

// network reads a CIDR. One wider than a /8 or an IPv6 /19 (the largest networks ever
// given to one holder) is no campus but a way to turn screening off.
func network(v value) netip.Prefix {
	p, err := netip.ParsePrefix(v.text)
	if v.kind != kindString || err != nil || p.Addr().Is4In6() {
		v.expected("a network such as 192.0.2.0/24")
		return netip.Prefix{}
	}
	if p != p.Masked() {
		v.expected("a network without host bits such as %s", p.Masked())
	} else if p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 19 {
		v.expected("a network no wider than /8, or /19 for IPv6")
	}
	return p.Masked()
}

// maxCanaries is how many voters a contest may vouch for: a sample to watch the
// detectors by, not a list of all friends.
const maxCanaries = 1000

// voterLength is of a voter as ledgers write one: 128 bits in base32.
const voterLength = 26

// canary reads a voter's pseudonym.
func canary(v value) string {
	foreign := func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'v') }
	if v.kind != kindString || len(v.text) != voterLength || strings.ContainsFunc(v.text, foreign) {
		v.expected("a voter as the ledger names one: %d of 0-9 a-v", voterLength)
		return ""
	}
	return v.text
}
