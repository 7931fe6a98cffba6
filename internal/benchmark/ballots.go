package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

const (
	contestID     = "national-vote"
	organizerKey  = "benchmark-organizer-key-0123456789"
	partnerSecret = "benchmark-partner-secret-0123456789abcdef"
	entries       = 1000
	schools       = 100
)

// document is a national contest: a thousand entries with ids of 12 characters,
// members of a partner vote once, the standard screening.
func document() string {
	var text strings.Builder
	fmt.Fprintf(&text, "id: %s\ntitle: A national vote\nphases:\n  voting: {opens: 2026-01-01T00:00:00Z, closes: 2046-01-01T00:00:00Z}\n"+
		"identity: partner\npartner: {secret: %s}\nantifraud: {policy: standard}\nschools:\n", contestID, partnerSecret)
	for i := range schools {
		fmt.Fprintf(&text, "  - {id: s-%d, name: School %d}\n", i, i)
	}
	text.WriteString("entries:\n")
	for i := range entries {
		fmt.Fprintf(&text, "  - {id: %s, school: s-%d, title: Entry %d}\n", entryID(i), i%schools, i)
	}
	return text.String()
}

func entryID(i int) string { return fmt.Sprintf("lumiere-%04d", i) }

// ballots are casts by so many members who have not voted: each from an address, a
// browser and a device of its own, as through a proxy, with a pass of the partner's.
func ballots(n int) ([][]byte, error) {
	requests := make([][]byte, n)
	now := time.Now()
	for i := range requests {
		pass, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
			Subject: uuid.NewString(), Audience: jwt.ClaimStrings{contestID},
			IssuedAt: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour)),
		}).SignedString([]byte(partnerSecret))
		if err != nil {
			return nil, err
		}
		body := fmt.Sprintf(`{"ballot":"%s","entry":"%s","client":{"referrer":"site","dwell_ms":%d,"confirm_ms":%d,"visible":true,"device":"%x"}}`,
			uuid.Must(uuid.NewV7()), entryID(rand.IntN(entries)), 2000+int(20_000*rand.ExpFloat64()), 300+int(900*rand.ExpFloat64()), rand.Uint64())
		requests[i] = fmt.Appendf(nil, "POST /v1/contests/%s/ballots HTTP/1.1\r\nHost: vote.example.org\r\nUser-Agent: Mozilla/5.0 (Linux; Android 14; Model %d) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36\r\n"+
			"X-Forwarded-For: %d.%d.%d.%d\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			contestID, rand.IntN(2000), 20+rand.IntN(60), rand.IntN(256), rand.IntN(256), 1+rand.IntN(250), pass, len(body), body)
	}
	return requests, nil
}

// plainCasts are as many votes by new voters for the plain handler.
func plainCasts(n int) ([][]byte, error) {
	requests := make([][]byte, n)
	for i := range requests {
		body := fmt.Sprintf(`{"voter":"%s","entry":"%s"}`, uuid.NewString(), entryID(rand.IntN(entries)))
		requests[i] = fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: vote.example.org\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	return requests, nil
}

func emptyPosts(n int) ([][]byte, error) {
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = []byte("POST / HTTP/1.1\r\nHost: vote.example.org\r\nContent-Length: 0\r\n\r\n")
	}
	return requests, nil
}
