package voting

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// macs is HMAC-SHA256 under one key, by hashes that are used again: preparing one for
// a key takes longer than hashing what a pass says. It is safe for concurrent use.
type macs struct{ ready sync.Pool }

func newMACs(key []byte) *macs {
	return &macs{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (m *macs) sum(parts ...[]byte) []byte {
	mac := m.ready.Get().(hash.Hash)
	defer m.ready.Put(mac)
	mac.Reset()
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}
