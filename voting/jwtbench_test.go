package voting_test

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/voting"
)

// BenchmarkToken is what a partner's pass takes: all of Check, and only reading the
// token by the library that writes ours.
func BenchmarkToken(b *testing.B) {
	ring, err := keyring.Open("")
	if err != nil {
		b.Fatal(err)
	}
	passes, c := voting.NewPasses(ring), newContest(b, "one")
	token := partner(b, jwt.SigningMethodHS256, secret, "one", "0198c0de-0000-4000-8000-000000000001", now.Add(time.Hour), nil)
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := passes.Check(c, token, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("golang-jwt", func(b *testing.B) {
		parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithAudience("one"), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
			jwt.WithLeeway(time.Minute), jwt.WithTimeFunc(func() time.Time { return now }))
		b.ReportAllocs()
		for b.Loop() {
			var said struct {
				jwt.RegisteredClaims
				Level   string             `json:"level"`
				Present bool               `json:"present"`
				School  string             `json:"school"`
				Profile *antifraud.Profile `json:"profile"`
				Made    *jwt.NumericDate   `json:"made"`
			}
			if _, err := parser.ParseWithClaims(token, &said, func(*jwt.Token) (any, error) { return []byte(secret), nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
