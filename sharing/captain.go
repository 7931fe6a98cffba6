package sharing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/joute/joute/voting"
)

// Captain is who rouses a school: whoever has the link of that school's page.
type Captain struct {
	Contest, School string
	// Generation grows when the links of a school are made anew: those of another
	// generation open nothing.
	Generation uint64
}

// ErrCaptain is returned for text that is no captain's token: forged, cut short,
// or of other servers.
var ErrCaptain = errors.New("not a captain's token")

// captainToken bounds what is read: two ids of 64 characters, a number, and what
// seals them.
const captainToken = 256

// Captains seal tokens. What a token says can be read by nobody else, and the
// same captain has the same token on every server, so a link asked for twice is
// one link.
type Captains struct {
	aead  cipher.AEAD
	nonce []byte // key that nonces are made with
}

// NewCaptains takes 32 bytes used for nothing else.
func NewCaptains(key []byte) (*Captains, error) {
	block, err := aes.NewCipher(labelled(key, "captain seal"))
	if err != nil {
		return nil, fmt.Errorf("captains: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("captains: %w", err)
	}
	return &Captains{aead, labelled(key, "captain nonce")}, nil
}

func labelled(key []byte, label string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	return mac.Sum(nil)
}

var tokenText = base64.RawURLEncoding.Strict()

// Seal is the token of a captain. The nonce is a hash of what is sealed (as in
// RFC 5297), so it is never used for two texts.
func (c *Captains) Seal(who Captain) string {
	plain := binary.AppendUvarint(nil, who.Generation)
	plain = append(append(append(plain, who.Contest...), 0), who.School...)
	nonce := labelled(c.nonce, string(plain))[:c.aead.NonceSize()]
	return tokenText.EncodeToString(c.aead.Seal(nonce, nonce, plain, nil))
}

// Open reads a token back; whether its generation is the present one is not for
// it to say.
func (c *Captains) Open(token string) (Captain, error) {
	if len(token) > captainToken {
		return Captain{}, ErrCaptain
	}
	sealed, err := tokenText.DecodeString(token)
	if err != nil || len(sealed) < c.aead.NonceSize() {
		return Captain{}, ErrCaptain
	}
	plain, err := c.aead.Open(nil, sealed[:c.aead.NonceSize()], sealed[c.aead.NonceSize():], nil)
	if err != nil {
		return Captain{}, ErrCaptain
	}
	generation, n := binary.Uvarint(plain)
	contest, school, ok := strings.Cut(string(plain[max(n, 0):]), "\x00")
	who := Captain{contest, school, generation}
	if n <= 0 || !ok || c.Seal(who) != token { // one token has one spelling, and base64 passes over line ends
		return Captain{}, ErrCaptain
	}
	return who, nil
}

// OwnerOf is who owns the code a captain shares: a school, or one entry of it.
// It is nobody who votes, so no ballot is the owner's own. The key is the
// contest's, as that of voters.
func OwnerOf(key []byte, school, entry string) (v voting.Voter) {
	copy(v[:], labelled(key, "captain "+school+" "+entry)) // ids have no spaces
	return v
}
