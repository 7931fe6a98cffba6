// Package sharing says who brought whom.
//
// Every voter has a share code. A link is the code and the channel it was given
// out by; what a ballot came by is its via. [Fold] reads accepted ballots, what
// became of them, and links, and gives a [Report]: visits, ballots and voters by
// code, school, channel and embedding page. What is credited is a rule of its
// own: see credit.go.
//
// It is pure: no Redis, no HTTP. Package reach keeps codes and links.
package sharing

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/joute/joute/internal/keyed"
	"github.com/joute/joute/voting"
)

// Code is a voter's share code in one contest: 60 bits of a keyed hash. It says
// nothing of its voter to who has not the key, and nobody comes upon one by
// trying: of a million codes one is hit in 10^12 tries.
type Code uint64

const (
	// alphabet is Crockford's base32 in lower case: it lacks i, l, o and u, so
	// nothing in it looks like anything else in it.
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

	codeBits   = 60
	codeLength = codeBits / 5
)

// ErrVia is returned for text that is no share code, or no link.
var ErrVia = errors.New("not a share code")

// CodeOf is the code of a voter under a contest's share key: the same one on
// every server, whenever it is asked for.
func CodeOf(key *keyed.Hash, voter voting.Voter) Code {
	sum := key.Sum("share", string(voter[:]))
	return Code(binary.BigEndian.Uint64(sum[:]) >> (64 - codeBits))
}

// String is the code as it is written: 12 characters.
func (c Code) String() string { return digits(uint64(c)) }

// ParseCode reads the text form back. One code has one spelling.
func ParseCode(text string) (Code, error) {
	n, ok := undigits(text)
	if !ok {
		return 0, ErrVia
	}
	return Code(n), nil
}

// Retyped undoes what people do to a code they copy from a poster: capitals, and
// letters for the digits that look like them.
func Retyped(text string) string { return lookAlikes.Replace(strings.ToLower(text)) }

var lookAlikes = strings.NewReplacer("o", "0", "i", "1", "l", "1")

// digits writes 60 bits.
func digits(n uint64) string {
	var text [codeLength]byte
	for i := range text {
		text[i] = alphabet[n>>(codeBits-5-5*i)&31]
	}
	return string(text[:])
}

func undigits(text string) (n uint64, ok bool) {
	if len(text) != codeLength {
		return 0, false
	}
	for i := range len(text) {
		at := strings.IndexByte(alphabet, text[i])
		if at < 0 {
			return 0, false
		}
		n = n<<5 | uint64(at)
	}
	return n, true
}
