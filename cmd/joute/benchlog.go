package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// vote is one ballot to cast; place is its place in the whole run, from 0.
type vote struct {
	place        int
	voter, entry string
}

// queue is what one connection casts: the k-th vote, from 0, until there is none.
type queue struct {
	voters []string // each once
	vote   func(k int) (vote, bool)
}

// readBallotLog reads NDJSON lines with voter and entry, plain or gzip. A voter
// is always of the same connection: that keeps each voter's ballots in order.
func (m *Main) readBallotLog(file string, connections int) ([]queue, error) {
	votes := make([][]vote, connections)
	place := 0
	each := func(_ int, raw []byte) error {
		var line struct{ Voter, Entry string }
		if err := json.Unmarshal(raw, &line); err != nil {
			return fmt.Errorf("not a JSON object: %w", err)
		}
		if line.Voter == "" || line.Entry == "" {
			return errors.New("expected voter and entry")
		}
		h := fnv.New32a()
		h.Write([]byte(line.Voter))
		w := h.Sum32() % uint32(connections)
		votes[w] = append(votes[w], vote{place, line.Voter, line.Entry})
		place++
		return nil
	}
	if err := m.readLog(file, each); err != nil {
		return nil, err
	}
	if place == 0 {
		return nil, fmt.Errorf("%s: there is no ballot in it", file)
	}
	var queues []queue
	for _, mine := range votes {
		if len(mine) > 0 {
			queues = append(queues, queueOf(mine))
		}
	}
	return queues, nil
}

func queueOf(votes []vote) queue {
	voters := make([]string, len(votes))
	for i, v := range votes {
		voters[i] = v.voter
	}
	slices.Sort(voters)
	return queue{voters: slices.Compact(voters), vote: func(k int) (vote, bool) {
		if k >= len(votes) {
			return vote{}, false
		}
		return votes[k], true
	}}
}

// signer signs passes as a partner's site does for its members.
func signer(contest, secret string, expires time.Time) func(context.Context, string) (string, error) {
	return func(_ context.Context, voter string) (string, error) {
		return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
			Subject: voter, Audience: jwt.ClaimStrings{contest}, ExpiresAt: jwt.NewNumericDate(expires),
		}).SignedString([]byte(secret))
	}
}
