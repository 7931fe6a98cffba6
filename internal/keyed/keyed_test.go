package keyed_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"

	"github.com/joute/joute/internal/keyed"
)

func TestSum_IsTheHMACAlsoAtTheSameTime(t *testing.T) {
	key := []byte("a key")
	h := keyed.New(key)
	var hashing sync.WaitGroup
	for i := range 8 {
		hashing.Go(func() {
			for n := range 200 {
				text := fmt.Sprintf("%d of %d", n, i)
				mac := hmac.New(sha256.New, key)
				mac.Write([]byte("kind\x00" + text))
				if got, want := h.Sum("kind", "\x00", text), mac.Sum(nil); string(got[:]) != string(want) {
					t.Errorf("%q: %x, expected %x", text, got, want)
				}
			}
		})
	}
	hashing.Wait()
}

func BenchmarkSum(b *testing.B) {
	h := keyed.New(make([]byte, 32))
	b.ReportAllocs()
	for b.Loop() {
		h.Sum("agent", "\x00", "Mozilla/5.0 (X11; Linux x86_64) of somebody")
	}
}

func BenchmarkSum_PreparedEachTime(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		mac := hmac.New(sha256.New, make([]byte, 32))
		mac.Write([]byte("agent\x00Mozilla/5.0 (X11; Linux x86_64) of somebody"))
		mac.Sum(nil)
	}
}
