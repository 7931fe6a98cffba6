package voting

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/joute/joute/internal/keyed"
)

// Sealer writes short records as opaque URL-safe text that these servers alone
// read: receipts, and links that act for whoever has them. The same record always
// gives the same text, on every server with the same key, and one text has one
// spelling.
type Sealer struct {
	aead  cipher.AEAD
	mac   *keyed.Hash
	rooms sync.Pool // of *[]byte: where a record is sealed
}

// NewSealer takes a 32-byte key; what one name sealed, no other opens.
func NewSealer(key []byte, name string) (*Sealer, error) {
	block, err := aes.NewCipher(derive(key, name+" encryption"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Sealer{
		aead: aead, mac: keyed.New(derive(key, name+" nonce")),
		rooms: sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

// Seal is the text of a record: 28 bytes more than it, in base64.
//
// The nonce is a keyed hash of the record (the synthetic IV of RFC 5297): equal
// records are meant to look equal, different ones never share a nonce but by a
// 96-bit collision.
func (s *Sealer) Seal(plain []byte) string {
	sum, n := s.mac.SumBytes(plain), s.aead.NonceSize()
	room := s.rooms.Get().(*[]byte)
	defer s.rooms.Put(room)
	sealed := append(append((*room)[:0], sum[:n]...), plain...) // and sealed where it is
	sealed = s.aead.Seal(sealed[:n], sealed[:n], sealed[n:], nil)
	*room = sealed
	var text [256]byte
	return string(base64.RawURLEncoding.AppendEncode(text[:0], sealed))
}

// Open reads the record back; not ok is a text of at most most bytes that no Seal
// gave, or a longer one.
func (s *Sealer) Open(text string, most int) (plain []byte, ok bool) {
	if len(text) > most || strings.ContainsAny(text, "\r\n") { // which base64 skips
		return nil, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return nil, false
	}
	nonce, body := sealed[:s.aead.NonceSize()], sealed[s.aead.NonceSize():]
	plain, err = s.aead.Open(nil, nonce, body, nil)
	return plain, err == nil
}
