package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
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
	in, err := m.open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	votes := make([][]vote, connections)
	place := 0
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var line struct{ Voter, Entry string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%s:%d: not a JSON object: %w", file, n, err)
		}
		if line.Voter == "" || line.Entry == "" {
			return nil, fmt.Errorf("%s:%d: expected voter and entry", file, n)
		}
		h := fnv.New32a()
		h.Write([]byte(line.Voter))
		w := h.Sum32() % uint32(connections)
		votes[w] = append(votes[w], vote{place, line.Voter, line.Entry})
		place++
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if place == 0 {
		return nil, fmt.Errorf("%s: there is no ballot in it", file)
	}
	var queues []queue
	for _, mine := range votes {
		if len(mine) > 0 {
			queues = append(queues, replay(mine))
		}
	}
	return queues, nil
}

func replay(votes []vote) queue {
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

// open opens a file, or standard input for -, and unpacks it when it is gzip.
func (m *Main) open(file string) (io.ReadCloser, error) {
	in := io.NopCloser(m.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err // names the file
		}
		in = f
	}
	buffered := bufio.NewReaderSize(in, 64<<10)
	magic, err := buffered.Peek(2)
	if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return readCloser{buffered, in}, nil // shorter than gzip's magic is no gzip
	}
	unpacked, err := gzip.NewReader(buffered)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return readCloser{unpacked, in}, nil
}

// readCloser reads from one and closes the other.
type readCloser struct {
	io.Reader
	io.Closer
}

// signer signs passes as a partner's site does for its members.
func signer(contest, secret string, expires time.Time) func(context.Context, string) (string, error) {
	return func(_ context.Context, voter string) (string, error) {
		return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
			Subject: voter, Audience: jwt.ClaimStrings{contest}, ExpiresAt: jwt.NewNumericDate(expires),
		}).SignedString([]byte(secret))
	}
}
