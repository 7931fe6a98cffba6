package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

const (
	// formLife is how long a form may be pressed after it was made.
	formLife = 10 * time.Minute

	// formSkew is how far the clocks of two servers may be apart.
	formSkew = time.Minute
)

var (
	errFormForged  = &problem{status: 403, code: "rejected", reasons: []string{"form-token"}}
	errFormExpired = &problem{status: 403, code: "rejected", say: "expired", reasons: []string{"form-expired"}}
)

var tokenText = base64.RawURLEncoding.Strict()

// decodeToken is strict: one token has one spelling. base64 would pass over line ends.
func decodeToken(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errFormForged
	}
	return tokenText.DecodeString(text)
}

// formTokens sign vote forms that leave our own contest pages. A token holds a
// form together: it names one ballot of one voter, so a form that is sent twice
// is the same ballot twice, which the ballot box counts once. Nothing is stored.
type formTokens struct{ key []byte }

// formFacts are what a token binds.
type formFacts struct {
	contest, entry string
	origin         string // of the page around the frame; empty: not known
	ballot         uuid.UUID
	voter          voting.Voter
}

// seal gives the token of a form made at an instant.
func (f formTokens) seal(facts formFacts, at time.Time) string {
	stamp := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	return tokenText.EncodeToString(append(stamp, f.mac(facts, stamp)...))
}

// check says whether the form is as it was made. After [errFormExpired] it is,
// but too old.
func (f formTokens) check(token string, facts formFacts, now time.Time) error {
	raw, err := decodeToken(token)
	if err != nil || len(raw) != 8+sha256.Size || !hmac.Equal(raw[8:], f.mac(facts, raw[:8])) {
		return errFormForged
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)
	switch age := now.Sub(made); {
	case age < -formSkew:
		return errFormForged
	case age > formLife:
		return errFormExpired
	}
	return nil
}

// mac is over fields that hold no NUL each, so no two forms have the same text.
func (f formTokens) mac(facts formFacts, stamp []byte) []byte {
	mac := hmac.New(sha256.New, f.key)
	for _, text := range []string{facts.contest, facts.entry, facts.origin} {
		mac.Write([]byte(text))
		mac.Write([]byte{0})
	}
	mac.Write(facts.ballot[:])
	mac.Write(facts.voter[:])
	mac.Write(stamp)
	return mac.Sum(nil)
}

// isExpired tells a form that only needs a new token.
func isExpired(err error) bool { return errors.Is(err, errFormExpired) }
