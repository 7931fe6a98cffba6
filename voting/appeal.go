package voting

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxAppeal is how many characters a voter has to object to what became of a
// ballot: enough to say what happened, and no more than somebody reads of many.
const MaxAppeal = 500

var (
	// ErrAppealEmpty is returned for an appeal that says nothing.
	ErrAppealEmpty = errors.New("expected a text, found an empty one")
	// ErrAppealLong is returned for an appeal of more than [MaxAppeal] characters.
	ErrAppealLong = errors.New("expected at most 500 characters")
	// ErrAppealText is returned for an appeal that is no plain text.
	ErrAppealText = errors.New("expected plain text without control or direction characters")
)

// ParseAppeal is an appeal as it is kept: plain text of at most [MaxAppeal]
// characters with bare line ends, nothing around it. Characters that would make
// it read otherwise than it is are refused, as somebody decides by it.
func ParseAppeal(text string) (string, error) {
	// Bytes first: what cannot fit is not looked at.
	if len(text) > 2*utf8.UTFMax*MaxAppeal {
		return "", ErrAppealLong
	}
	if !utf8.ValidString(text) {
		return "", ErrAppealText
	}
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" {
		return "", ErrAppealEmpty
	}
	if utf8.RuneCountInString(text) > MaxAppeal {
		return "", ErrAppealLong
	}
	for _, r := range text {
		if r != '\n' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
			'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' {
			return "", ErrAppealText
		}
	}
	return text, nil
}
