package voting

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

	"github.com/google/uuid"
)

// Receipt is what an accepted ballot's receipt says to the servers that made
// it. To everybody else it is opaque: who holds a receipt can ask where the
// ballot stands, and cannot read from it which ledger line, and so which entry,
// it is.
type Receipt struct {
	Contest  string
	Voter    Voter
	Ballot   uuid.UUID
	Position Position
}

// ErrReceipt is returned for text that is not a receipt of these servers.
var ErrReceipt = errors.New("not a receipt")

// Receipts seals and opens receipts. The same receipt always gives the same
// text, on every server with the same key, so a repeated ballot is answered
// byte for byte as the first time without storing the text.
type Receipts struct {
	seal cipher.AEAD
	mac  []byte
}

// NewReceipts takes a 32-byte key.
func NewReceipts(key []byte) (*Receipts, error) {
	block, err := aes.NewCipher(derive(key, "receipt encryption"))
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	return &Receipts{seal: seal, mac: derive(key, "receipt nonce")}, nil
}

// Seal writes r as an opaque URL-safe string of at most 250 characters.
//
// The nonce is a keyed hash of the text (the synthetic IV of RFC 5297): equal
// receipts are meant to look equal, different ones never share a nonce but by
// a 96-bit collision.
func (s *Receipts) Seal(r Receipt) string {
	plain := make([]byte, 0, 64+len(r.Contest))
	plain = append(plain, 1) // layout version
	plain = append(plain, r.Voter[:]...)
	plain = append(plain, r.Ballot[:]...)
	plain = binary.AppendUvarint(plain, uint64(r.Position.Epoch))
	plain = binary.AppendUvarint(plain, uint64(r.Position.Box))
	plain = binary.AppendUvarint(plain, uint64(r.Position.Millis))
	plain = binary.AppendUvarint(plain, uint64(r.Position.Offset))
	plain = append(plain, r.Contest...)
	nonce := s.nonce(plain)
	return base64.RawURLEncoding.EncodeToString(s.seal.Seal(nonce, nonce, plain, nil))
}

// Open reads a receipt back, or returns [ErrReceipt].
func (s *Receipts) Open(text string) (Receipt, error) {
	if len(text) > 512 || strings.ContainsAny(text, "\r\n") { // which base64 skips: one receipt has one spelling
		return Receipt{}, ErrReceipt
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) < s.seal.NonceSize() {
		return Receipt{}, ErrReceipt
	}
	nonce, body := sealed[:s.seal.NonceSize()], sealed[s.seal.NonceSize():]
	plain, err := s.seal.Open(nil, nonce, body, nil)
	if err != nil || len(plain) < 33 || plain[0] != 1 {
		return Receipt{}, ErrReceipt
	}
	var r Receipt
	copy(r.Voter[:], plain[1:17])
	copy(r.Ballot[:], plain[17:33])
	rest := plain[33:]
	var numbers [4]uint64
	for i := range numbers {
		n, size := binary.Uvarint(rest)
		if size <= 0 {
			return Receipt{}, ErrReceipt
		}
		numbers[i], rest = n, rest[size:]
	}
	r.Position = Position{
		Epoch: int64(numbers[0]), Box: int(numbers[1]), Millis: int64(numbers[2]), Offset: int64(numbers[3]),
	}
	r.Contest = string(rest)
	return r, nil
}

func (s *Receipts) nonce(plain []byte) []byte {
	mac := hmac.New(sha256.New, s.mac)
	mac.Write(plain)
	return mac.Sum(nil)[:s.seal.NonceSize()]
}

// derive makes a key for one purpose from another key.
func derive(key []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}
