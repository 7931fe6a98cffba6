package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// script is a call of the script that casts ballots, as joute sends it when as many
// wait for the store.
type script struct {
	words []string
	runs  int // so far: see run
}

const (
	together = 16 // ballots of a call: joute's have about twenty when 64 send

	// Of the words of a call with one ballot.
	keyCount, sharedKeys, ownKeys, sharedArgs, ownArgs = 2, 3, 9, 10, 11

	number  = "__rand_int__"  // 12 bytes
	someone = number + "::::" // a voter, or a ballot
)

// record casts one ballot by way of a wire that is listened to. After it the script
// is loaded, and the box set up.
func record(ctx context.Context, addr string) (*script, error) {
	heard, err := listen(addr)
	if err != nil {
		return nil, err
	}
	defer heard.Close()
	st, err := store.Open(ctx, store.Options{URL: "redis://" + heard.Addr().String()})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	c, err := contest.Parse([]byte(document()))
	if err != nil {
		return nil, err
	}
	voter, id := voting.Voter(uuid.New()), uuid.New()
	dwell, confirm, visible := int64(5400), int64(900), true
	ballot := voting.Ballot{
		ID: id, Voter: voter, Entry: entryID(1), Standing: voting.Counted, Level: "partner",
		Evidence: antifraud.Evidence{
			Net: "abcdefghijkl", Block: "mnopqrstuvwx", Device: "yzABCDEFGHIJ", Agent: "KLMNOPQRSTUV",
			Referrer: antifraud.ReferrerSite, DwellMS: &dwell, ConfirmMS: &confirm, Visible: &visible, Signals: []string{"partner"},
		},
	}
	if o, err := ballotbox.New(st).Cast(ctx, &registry.Stored{Contest: c, Version: 1, Epoch: 1}, ballot); err != nil || o.Refused != "" {
		return nil, fmt.Errorf("a ballot to listen to: %+v, %w", o, err)
	}
	words := heard.last("evalsha", string(id[:])+string(voter[:]))
	if words == nil {
		return nil, errors.New("no script that casts was heard")
	}
	// redis-benchmark writes 12 digits below 16,384 for each __rand_int__: the bucket's
	// number in the names of keys, and most of the 16 bytes of voter and ballot.
	for i, word := range words {
		const kind = ":voters:"
		if at := strings.Index(word, kind); at >= 0 {
			words[i] = word[:at+len(kind)] + number
		}
		words[i] = strings.NewReplacer(string(voter[:]), someone, string(id[:]), someone).Replace(words[i])
	}
	if len(words) != ownArgs+3 || words[keyCount] != strconv.Itoa(sharedArgs-sharedKeys) || words[sharedArgs] != "0" {
		return nil, fmt.Errorf("the call has another shape: %q", words)
	}
	many := append(slices.Clone(words[:keyCount]), strconv.Itoa(ownKeys-sharedKeys+together*(sharedArgs-ownKeys)))
	many = append(many, words[sharedKeys:ownKeys]...)
	many = append(many, slices.Repeat(words[ownKeys:sharedArgs], together)...)
	many = append(many, words[sharedArgs])
	for _, joined := range words[ownArgs : len(words)-1] {
		many = append(many, strings.Repeat(joined, together))
	}
	return &script{words: append(many, slices.Repeat(words[len(words)-1:], together)...)}, nil
}

// run casts n ballots by redis-benchmark. The voters it makes up are of a few
// hundred million, each with its bucket: hardly one is there already.
func (s *script) run(ctx context.Context, addr string, n int) (sample, error) {
	host, port, _ := net.SplitHostPort(addr)
	// redis-benchmark seeds its numbers by the second and its process: two runs may draw
	// the same voters, who have voted then. So each run has a name of its own.
	s.runs++
	words := slices.Clone(s.words)
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, someone, fmt.Sprintf("%s%04d", number, s.runs))
	}
	args := append([]string{
		"-h", host, "-p", port, "-n", strconv.Itoa(n / together), "-c", "8", "-P", "4", "-r", "16384", "--csv",
	}, words...)
	c := exec.CommandContext(ctx, "redis-benchmark", args...)
	var faults bytes.Buffer
	c.Stderr = &faults
	before, err := s.recorded(ctx, addr)
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	if out, err := c.Output(); err != nil {
		return sample{}, fmt.Errorf("redis-benchmark: %w %s%s", err, out, &faults)
	}
	took := time.Since(began)
	after, err := s.recorded(ctx, addr)
	if counted := after - before; err != nil || counted < n*99/100 {
		return sample{}, fmt.Errorf("of %d ballots %d were recorded (%w)", n, counted, err)
	}
	return sample{requests: n, took: took}, nil
}

// recorded is how many records the box has.
func (s *script) recorded(ctx context.Context, addr string) (int, error) {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	meta := s.words[sharedKeys]
	place, err := client.HGet(ctx, meta, "place").Result()
	if parts := strings.Split(place, "|"); err == nil && len(parts) == 5 {
		return strconv.Atoi(parts[2]) // its offset, see box.lua
	}
	return 0, fmt.Errorf("the box is at %q, %w", place, err)
}

// wire is a loopback port behind which is a Redis, and what was sent to it.
type wire struct {
	net.Listener
	mu   sync.Mutex
	sent []*bytes.Buffer
}

func listen(addr string) (*wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{Listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", addr)
			if err != nil {
				c.Close()
				continue
			}
			heard := &bytes.Buffer{}
			w.mu.Lock()
			w.sent = append(w.sent, heard)
			w.mu.Unlock()
			go func() { _, _ = io.Copy(c, there); c.Close() }()
			go func() { _, _ = io.Copy(there, io.TeeReader(c, writer{w, heard})); there.Close() }()
		}
	}()
	return w, nil
}

type writer struct {
	wire *wire
	to   *bytes.Buffer
}

func (w writer) Write(p []byte) (int, error) {
	w.wire.mu.Lock()
	defer w.wire.mu.Unlock()
	return w.to.Write(p)
}

// last is the newest command of a name that has the word; nil when none was sent.
func (w *wire) last(name, end string) (found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, heard := range w.sent {
		r := bufio.NewReader(bytes.NewReader(heard.Bytes()))
		for {
			words, err := readCommand(r)
			if err != nil {
				break
			}
			if strings.EqualFold(words[0], name) && slices.ContainsFunc(words, func(word string) bool { return strings.HasSuffix(word, end) }) {
				found = words
			}
		}
	}
	return found
}

// readCommand reads a command as clients send it (RESP): a count, then words by length.
func readCommand(r *bufio.Reader) ([]string, error) {
	number := func(mark byte) (int, error) {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if line[0] != mark {
			return 0, fmt.Errorf("expected %q, heard %q", mark, line)
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number('*')
	if err != nil || n < 1 {
		return nil, errors.Join(err, io.EOF)
	}
	words := make([]string, n)
	for i := range words {
		size, err := number('$')
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words[i] = string(word[:size])
	}
	return words, nil
}
