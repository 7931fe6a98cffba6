package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/joute/joute/antifraud/detect"
)

const (
	batchBytes = 256 << 10 // of lines; the last one may go beyond
	inFlight   = 3         // batches for each processor: read, parsed and waiting for their turn
)

// ballotLog reads a ballot log on all processors. Its memory is that of a few batches
// of lines, however long the log is.
type ballotLog struct {
	name  string                                            // for errors
	lines func(each func(line int, raw []byte) error) error // as [ndjson.Read] gives them
	check func(*detect.Ballot) error                        // of each ballot; called at the same time by several
	// clamped is told of numbers that no ballot can have, each kind once, where the
	// log has the first of it.
	clamped func(line int, member, found string, taken float64)
}

// batch is some lines of a log that follow each other, and what became of them.
type batch struct {
	raw     []byte
	ends    []int // in raw
	numbers []int // of lines

	ballots []detect.Ballot // of the lines before the first fault
	notes   []note
	fault   error // names file and line

	parsed chan struct{} // takes one when all above is there
}

// note is that a number was clamped.
type note struct {
	line          int
	member, found string
	taken         float64
}

// read gives take the ballots in the order of the log, and the line of each. It stops at
// the first fault of the log, which names file and line; ballots before it were given.
func (l *ballotLog) read(ctx context.Context, take func(ballots []detect.Ballot, lines []int)) error {
	ctx, stop := context.WithCancel(ctx)
	workers := runtime.GOMAXPROCS(0)
	free := make(chan *batch, inFlight*workers)
	for range cap(free) {
		free <- &batch{parsed: make(chan struct{}, 1)}
	}
	toParse, inOrder := make(chan *batch, cap(free)), make(chan *batch, cap(free))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	var ended error // of the reader; read after inOrder is closed
	wg.Go(func() {
		defer close(inOrder)
		defer close(toParse)
		ended = l.split(ctx, free, func(b *batch) { toParse <- b; inOrder <- b })
	})
	for range workers {
		wg.Go(func() {
			var lines detect.Lines
			for b := range toParse {
				b.parse(l, &lines)
				b.parsed <- struct{}{}
			}
		})
	}
	told := map[string]bool{}
	for b := range inOrder {
		<-b.parsed
		for _, n := range b.notes {
			if !told[n.member] {
				told[n.member] = true
				l.clamped(n.line, n.member, n.found, n.taken)
			}
		}
		take(b.ballots, b.numbers[:len(b.ballots)])
		if b.fault != nil {
			return b.fault
		}
		free <- b
	}
	return ended
}

// split puts lines into free batches, and gives away those that are full.
func (l *ballotLog) split(ctx context.Context, free <-chan *batch, give func(*batch)) error {
	var b *batch
	err := l.lines(func(line int, raw []byte) error {
		if b == nil {
			select {
			case b = <-free:
				b.empty()
			case <-ctx.Done():
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		b.raw = append(b.raw, raw...)
		b.ends, b.numbers = append(b.ends, len(b.raw)), append(b.numbers, line)
		if len(b.raw) >= batchBytes {
			give(b)
			b = nil
		}
		return nil
	})
	if b != nil {
		give(b)
	}
	return err
}

// empty makes room for other lines.
func (b *batch) empty() {
	if cap(b.raw) > 2*batchBytes {
		b.raw = nil // a line that was too long to keep its room
	}
	b.raw, b.ends, b.numbers = b.raw[:0], b.ends[:0], b.numbers[:0]
	b.ballots, b.notes, b.fault = b.ballots[:0], b.notes[:0], nil
}

// parse does the lines up to the first fault. A worker has its own Lines and gets
// batches in the order of the log, so the first note of a kind that the log has is
// also the first of whoever parses it.
func (b *batch) parse(l *ballotLog, lines *detect.Lines) {
	from, line := 0, 0
	lines.Clamped = func(member, found string, taken float64) {
		b.notes = append(b.notes, note{line, member, found, taken})
	}
	for i, end := range b.ends {
		line = b.numbers[i]
		ballot, err := lines.Parse(b.raw[from:end])
		if err == nil {
			err = l.check(&ballot)
		}
		if err != nil {
			b.fault = fmt.Errorf("%s:%d: %w", l.name, line, err)
			return
		}
		b.ballots = append(b.ballots, ballot)
		from = end
	}
}
