package voting_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/voting"
)

// FuzzToken signs whatever header and claims a partner could write. What Check takes,
// golang-jwt takes too, and says the same of it.
func FuzzToken(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"alg":"HS256","typ":"JWT"}`, `{"sub":"ada","aud":"one","exp":1798804800}`},
		{`{"alg":"HS256"}`, `{"sub":"ada","aud":["two","one"],"exp":1798804800.5,"iat":1798790000,"nbf":1.7e9}`},
		{`{"alg":"HS256"}`, `{"sub":"ada","aud":"one","exp":1798804800,"profile":{"followers":3,"created_at":"2026-01-01T00:00:00Z","name":"A"}}`},
		{`{"alg":"none"}`, `{"sub":"ada","aud":"one","exp":1798804800}`},
		{`{"alg":"HS256","typ":"joute-pass"}`, `{"sub":"ada","aud":"one","exp":1798804800,"level":"email"}`},
		{`{"alg":"HS256"}`, `{"sub":"ada","SUB":"bob","aud":null,"exp":"1798804800"}`},
		{`{"alg":"HS256","alg":"none"}`, `{"sub":"ada","aud":"one","exp":1e400}`},
		{`{"alg":"HS256"}`, `{"sub":"ada","aud":"one","exp":-1,"iat":-1e300}`},
	} {
		f.Add(seed[0], seed[1])
	}
	ring, err := keyring.Open("")
	if err != nil {
		f.Fatal(err)
	}
	passes, c := voting.NewPasses(ring), newContest(f, "one")
	f.Fuzz(func(t *testing.T, header, claims string) {
		text := base64.RawURLEncoding
		token := text.EncodeToString([]byte(header)) + "." + text.EncodeToString([]byte(claims))
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(token))
		token += "." + text.EncodeToString(mac.Sum(nil))

		pass, err := passes.Check(c, token, now)
		if err != nil {
			return
		}
		var said jwt.RegisteredClaims
		_, err = jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithAudience("one"), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
			jwt.WithLeeway(time.Minute), jwt.WithTimeFunc(func() time.Time { return now }),
		).ParseWithClaims(token, &said, func(*jwt.Token) (any, error) { return []byte(secret), nil })
		if err != nil {
			t.Fatalf("only we take it: %v", err)
		}
		again, err := passes.Check(c, partner(t, jwt.SigningMethodHS256, secret, "one", said.Subject, now.Add(time.Hour), nil), now)
		if err != nil || again.Voter != pass.Voter || !pass.Expires.Equal(said.ExpiresAt.Time) {
			t.Fatalf("%q until %v is read as %+v until %v (%v)", said.Subject, said.ExpiresAt, pass, pass.Expires, err)
		}
	})
}
