package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// connections is how many send at the same time, each its next request once the
// last one is answered.
const connections = 64

// sample is what one round of one row gave.
type sample struct {
	requests int
	took     time.Duration
	p50, p99 time.Duration
	server   time.Duration // processor time of the server
	redis    time.Duration // and of its Redis
}

// send sends requests, whole as they go on the wire, over connections to addr. Any
// answer but status is an error. It reads no more of an answer than where it
// ends: what it takes itself is of nobody's interest, but runs on the same processors.
func send(addr string, requests [][]byte, status string) (sample, error) {
	took := make([]time.Duration, len(requests))
	failed := make([]error, connections)
	conns := make([]net.Conn, connections)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return sample{}, err
		}
		defer c.Close()
		conns[i] = c
	}
	var sending sync.WaitGroup
	began := time.Now()
	for i, c := range conns {
		sending.Go(func() {
			answers := bufio.NewReaderSize(c, 4096)
			for n := i; n < len(requests); n += connections {
				start := time.Now()
				if _, failed[i] = c.Write(requests[n]); failed[i] == nil {
					failed[i] = answer(answers, status)
				}
				if failed[i] != nil {
					return
				}
				took[n] = time.Since(start)
			}
		})
	}
	sending.Wait()
	s := sample{requests: len(requests), took: time.Since(began)}
	slices.Sort(took)
	s.p50, s.p99 = took[len(took)/2], took[len(took)*99/100]
	return s, errors.Join(failed...)
}

// answer reads one answer.
func answer(r *bufio.Reader, status string) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	good := len(line) > 12 && string(line[9:12]) == status
	first, length := string(line), 0
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && string(name) == "Content-Length" {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if good {
		_, err := r.Discard(length)
		return err
	}
	body, _ := io.ReadAll(io.LimitReader(r, int64(min(length, 1000)))) // as much as there is
	return fmt.Errorf("answered %q %s", first, body)
}
