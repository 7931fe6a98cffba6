// Package keyed is HMAC-SHA256 under one key, for what is hashed for every ballot.
package keyed

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// Hash hashes under its key. Preparing a state for a key takes longer than hashing
// what a ballot shows, so states are used again. It is safe for concurrent use.
type Hash struct{ ready sync.Pool }

// state is what one Sum works with: what is handed to mac escapes, so it has buffers.
type state struct {
	mac       hash.Hash
	text, sum []byte
}

// New makes a hash; the key must not be changed after.
func New(key []byte) *Hash {
	return &Hash{sync.Pool{New: func() any { return &state{mac: hmac.New(sha256.New, key)} }}}
}

// Sum is the hash of all parts, one behind the other.
func (h *Hash) Sum(parts ...string) [sha256.Size]byte {
	s := h.ready.Get().(*state)
	defer h.ready.Put(s)
	for _, part := range parts {
		s.text = append(s.text, part...)
	}
	return s.sumText()
}

// SumBytes is Sum of one part.
func (h *Hash) SumBytes(part []byte) [sha256.Size]byte {
	s := h.ready.Get().(*state)
	defer h.ready.Put(s)
	s.text = append(s.text, part...)
	return s.sumText()
}

// sumText hashes the text, which is empty then.
func (s *state) sumText() [sha256.Size]byte {
	s.mac.Reset()
	s.mac.Write(s.text)
	s.text, s.sum = s.text[:0], s.mac.Sum(s.sum[:0])
	return [sha256.Size]byte(s.sum)
}
