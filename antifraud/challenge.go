package antifraud

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrChallenge is returned for what does not solve a challenge of ours: expired,
// of another bind, changed, or no solution at all.
var ErrChallenge = errors.New("no solution of a challenge")

// Challenge is some work that a device is asked for before an act: protocol v1 of
// ALTCHA (altcha.org), which has clients for every platform. It is a price and
// proves nothing: whoever pays for machines can pay it.
//
// The work is to find the number from 0 to MaxNumber whose decimal digits after
// Salt have the hash Challenge.
type Challenge struct {
	Algorithm string `json:"algorithm"` // SHA-256
	Challenge string `json:"challenge"` // hash of salt and number, in hex
	MaxNumber int    `json:"maxnumber"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
}

const challengeAlgorithm = "SHA-256"

// maxPayload is three times a solution: other clients add members of their own.
const maxPayload = 1024

// Challenges makes challenges and checks their solutions. It keeps none: what a
// challenge is for, until when and how hard is in its salt and under its
// signature. That a solution serves once is for the caller to see to.
type Challenges struct{ key []byte }

// NewChallenges signs with key, which is the same on every server.
func NewChallenges(key []byte) Challenges { return Challenges{key} }

// New makes a challenge for one act, which bind names: nobody can solve it for
// another. A number up to cost has to be found, in cost/2 hashes on average.
//
// The salt ends in a delimiter, so that no digit of the number can be taken for
// one of the salt's.
func (c Challenges) New(bind string, expires time.Time, cost int) Challenge {
	var nonce [12]byte
	rand.Read(nonce[:]) // never fails
	salt := fmt.Sprintf("%s?expires=%d&max=%d&", base64.RawURLEncoding.EncodeToString(nonce[:]), expires.Unix(), cost)
	hash := solved(salt, below(cost))
	return Challenge{
		Algorithm: challengeAlgorithm, Challenge: hash, MaxNumber: cost, Salt: salt, Signature: c.sign(bind, salt, hash),
	}
}

// saltShape is what New makes, each number in one spelling.
var saltShape = regexp.MustCompile(`^[A-Za-z0-9_-]{16}\?expires=([1-9][0-9]{0,11})&max=([1-9][0-9]{0,8})&$`)

// Check tells whether payload solves a challenge that was made for bind. Its id is
// the same for every payload that solves the same challenge.
func (c Challenges) Check(payload, bind string, now time.Time) (id [16]byte, err error) {
	s, err := parseSolution(payload)
	if err != nil {
		return id, fmt.Errorf("%w: %w", ErrChallenge, err)
	}
	shape := saltShape.FindStringSubmatch(s.salt)
	if s.algorithm != challengeAlgorithm || shape == nil || !hmac.Equal([]byte(s.signature), []byte(c.sign(bind, s.salt, s.challenge))) {
		return id, fmt.Errorf("%w: not made here for this", ErrChallenge)
	}
	expires, _ := strconv.ParseInt(shape[1], 10, 64) // 12 digits, 9 digits: they fit
	most, _ := strconv.Atoi(shape[2])
	switch {
	case now.Unix() >= expires:
		return id, fmt.Errorf("%w: expired", ErrChallenge)
	case s.number > most || solved(s.salt, s.number) != s.challenge:
		return id, fmt.Errorf("%w: not the number", ErrChallenge)
	}
	sum := sha256.Sum256([]byte(s.salt))
	return [16]byte(sum[:16]), nil
}

// Solve does the work, as a client has to, and gives the payload that is sent.
func (c Challenge) Solve() (payload string, err error) {
	for number := range c.MaxNumber + 1 {
		if solved(c.Salt, number) != c.Challenge {
			continue
		}
		text, err := json.Marshal(map[string]any{
			"algorithm": c.Algorithm, "challenge": c.Challenge, "number": number, "salt": c.Salt, "signature": c.Signature,
		})
		return base64.StdEncoding.EncodeToString(text), err
	}
	return "", fmt.Errorf("%w: there is none", ErrChallenge)
}

func solved(salt string, number int) string {
	sum := sha256.Sum256(strconv.AppendInt([]byte(salt), int64(number), 10))
	return hex.EncodeToString(sum[:])
}

// below is a number from 0 to most that nobody can guess.
func below(most int) int {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(most)+1))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return int(n.Int64())
}

// sign is over texts of which the last two hold no NUL: no two challenges have the
// same text.
func (c Challenges) sign(bind, salt, hash string) string {
	mac := hmac.New(sha256.New, c.key)
	fmt.Fprintf(mac, "%s\x00%s\x00%s", bind, salt, hash)
	return hex.EncodeToString(mac.Sum(nil))
}

// solution is a payload, read.
type solution struct {
	algorithm, challenge, salt, signature string
	number                                int
}

// parseSolution reads base64 of a JSON object with the five members of a solution,
// each once, and `took`, which other clients add. Every value has one spelling.
func parseSolution(payload string) (s solution, err error) {
	if len(payload) > maxPayload {
		return s, errors.New("too long")
	}
	text, err := base64.StdEncoding.Strict().DecodeString(payload)
	if err != nil || strings.ContainsAny(payload, "\r\n") { // which the decoder skips
		return s, errors.New("not base64")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return s, errors.New("not an object")
	}
	texts := map[string]*string{"algorithm": &s.algorithm, "challenge": &s.challenge, "salt": &s.salt, "signature": &s.signature}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return s, err
		}
		value, err := d.Token()
		if err != nil {
			return s, err
		}
		member := name.(string) // of an object: nothing else is possible
		if seen[member] {
			return s, errors.New("a member twice")
		}
		seen[member] = true
		number, isNumber := value.(json.Number)
		written, isText := value.(string)
		switch into := texts[member]; {
		case into != nil && isText:
			*into = written
		case member == "number" && isNumber:
			if s.number, err = strconv.Atoi(number.String()); err != nil || s.number < 0 || strconv.Itoa(s.number) != number.String() {
				return s, errors.New("not a number from 0 on")
			}
		case member == "took" && isNumber: // milliseconds, for who is curious
		default:
			return s, errors.New("a member that is none, or of another kind")
		}
	}
	if _, err := d.Token(); err != nil { // the end of the object
		return s, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return s, errors.New("more than an object")
	}
	if s.algorithm == "" || s.challenge == "" || s.salt == "" || s.signature == "" || !seen["number"] {
		return s, errors.New("a member is missing")
	}
	return s, nil
}
