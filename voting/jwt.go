package voting

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/jsonread"
	"github.com/joute/joute/internal/keyed"
)

// Tokens are JWTs (RFC 7519) signed with HS256 and nothing else. They are read here
// and not by the library that writes them: it decodes each part twice by reflection
// and took 8 % of a cast. The fuzz test holds this reader against it.

// claims are what a token says, of us or of a partner.
type claims struct {
	Subject  string             `json:"sub"`
	Audience audience           `json:"aud"`
	Expires  *seconds           `json:"exp"`
	After    *seconds           `json:"nbf"`
	IssuedAt *seconds           `json:"iat"`
	Level    contest.Level      `json:"level"`
	Present  bool               `json:"present"`
	School   string             `json:"school"`
	Profile  *antifraud.Profile `json:"profile"`
	Made     *seconds           `json:"made"`
}

// seconds are since 1970, as JWTs have them: a number, maybe with a fraction.
type seconds float64

func (s seconds) time() time.Time {
	whole, part := math.Modf(float64(s))
	return time.Unix(int64(whole), int64(part*1e9)).Truncate(time.Second)
}

// audience is one name or a list of them.
type audience []string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (a *audience) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		*a = make(audience, 1)
		return json.UnmarshalDecode(d, &(*a)[0])
	}
	return json.UnmarshalDecode(d, (*[]string)(a))
}

var (
	errToken     = errors.New("not a token")
	errAlgorithm = errors.New("signed by another algorithm than HS256")
	errCritical  = errors.New("has critical headers, of which none is known here (RFC 7515, 4.1.11)")
	errSignature = errors.New("the signature is not the key's")
)

var tokenText = base64.RawURLEncoding.Strict()

// openToken reads a token that key's signature is under; key is chosen by the type
// that the token says it has. What it says of time and audience is not looked at.
func openToken(token string, key func(kind string) (*keyed.Hash, error)) (c claims, kind string, err error) {
	head, rest, ok1 := strings.Cut(token, ".")
	body, signature, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.IndexByte(token, '\r') >= 0 || strings.IndexByte(token, '\n') >= 0 { // which base64 skips
		return claims{}, "", errToken
	}
	kind, usual := usualHeads[head]
	if !usual {
		if kind, err = kindOf(head); err != nil {
			return claims{}, "", err
		}
	}
	by, err := key(kind)
	if err != nil {
		return claims{}, "", err
	}
	// Compared as text: one signature has one spelling.
	signed := by.Sum(token[:len(head)+1+len(body)])
	var given, expected [43]byte // so long is the text of 32 bytes
	tokenText.Encode(expected[:], signed[:])
	if copy(given[:], signature) != len(signature) || !hmac.Equal(given[:len(signature)], expected[:]) {
		return claims{}, "", errSignature
	}
	raw, err := part(body)
	if err == nil {
		err = c.decode(raw)
	}
	return c, kind, err
}

// decode reads claims; those that most tokens have without reflection. A fuzz test
// holds these against the tags.
func (c *claims) decode(text []byte) error {
	if c.read(text) {
		return nil
	}
	*c = claims{}
	return unmarshal(text, c)
}

func (c *claims) read(text []byte) (ok bool) {
	r := jsonread.New(text)
	r.Object()
	for name, more := r.Member(); more; name, more = r.Member() {
		switch string(name) {
		case "sub":
			c.Subject = r.Text()
		case "aud":
			if r.Peek() == '[' {
				c.Audience = r.Texts()
			} else {
				c.Audience = audience{r.Text()}
			}
		case "exp":
			c.Expires = readSeconds(r)
		case "nbf":
			c.After = readSeconds(r)
		case "iat":
			c.IssuedAt = readSeconds(r)
		case "level":
			c.Level = contest.Level(r.Text())
		case "present":
			c.Present = r.Bool()
		case "school":
			c.School = r.Text()
		case "profile":
			c.Profile = &antifraud.Profile{}
			c.Profile.ReadJSON(r)
		case "made":
			c.Made = readSeconds(r)
		case "iss", "jti":
			r.Bytes() // often there, and of no use
		default:
			r.Fail()
		}
	}
	return r.End()
}

func readSeconds(r *jsonread.Reader) *seconds {
	at := seconds(r.Float())
	return &at
}

// usualHeads are the headers of nearly all tokens, and the type they say.
var usualHeads = map[string]string{
	tokenText.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)):              "JWT",
	tokenText.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)):              "JWT",
	tokenText.EncodeToString([]byte(`{"alg":"HS256","typ":"` + passKind + `"}`)): passKind,
}

// kindOf reads a header: the type that the token says it has.
func kindOf(head string) (string, error) {
	var header struct {
		Algorithm string         `json:"alg"`
		Kind      string         `json:"typ"`
		Critical  jsontext.Value `json:"crit"`
	}
	raw, err := part(head)
	if err == nil {
		err = unmarshal(raw, &header)
	}
	if err != nil {
		return "", err
	}
	if header.Algorithm != "HS256" {
		return "", errAlgorithm
	}
	if header.Critical != nil {
		return "", errCritical
	}
	return header.Kind, nil
}

func part(text string) ([]byte, error) {
	raw, err := tokenText.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errToken, err)
	}
	return raw, nil
}

func unmarshal(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", errToken, err)
	}
	return nil
}

// valid tells why a token does not serve for an audience at an instant; nil: it does.
func (c *claims) valid(aud string, now time.Time) error {
	switch {
	case c.Expires == nil:
		return errors.New("the token has no end")
	case !now.Before(c.Expires.time().Add(passLeeway)):
		return errors.New("the token has expired")
	case c.After != nil && now.Before(c.After.time().Add(-passLeeway)):
		return errors.New("the token is not good yet")
	case c.IssuedAt != nil && now.Before(c.IssuedAt.time().Add(-passLeeway)):
		return errors.New("the token was issued later than now")
	case !slices.Contains(c.Audience, aud):
		return errors.New("the token is for somebody else")
	}
	return nil
}
