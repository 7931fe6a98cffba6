package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/internal/ndjson"
)

// readLog reads a text as a log, and tells what was given and noted, in order.
func readLog(ctx context.Context, text string) (ids, notes []string, err error) {
	log := ballotLog{
		name:  "log",
		lines: func(each func(int, []byte) error) error { return ndjson.ReadFrom(strings.NewReader(text), "log", each) },
		check: func(b *detect.Ballot) error {
			if b.Entry != "e1" {
				return errors.New("another entry")
			}
			return nil
		},
		clamped: func(line int, member, _ string, _ float64) { notes = append(notes, fmt.Sprint(line, " ", member)) },
	}
	err = log.read(ctx, func(some []detect.Ballot, _ []int) {
		for _, b := range some {
			ids = append(ids, b.ID)
		}
	})
	return ids, notes, err
}

// manyLines are some batches of ballots b0, b1 and so on, with what is put in place
// of some.
func manyLines(n int, other map[int]string) (text string, ids []string) {
	var b strings.Builder
	for i := range n {
		line, is := other[i]
		if !is {
			line = logLine(fmt.Sprint("b", i), `{"device":"d"}`)
		}
		b.WriteString(line)
		ids = append(ids, fmt.Sprint("b", i))
	}
	return b.String(), ids
}

const someBatches = 20_000 // lines of 150 bytes, in batches of 256 KiB

func TestBallotLog_InOrderWhoeverParses(t *testing.T) {
	text, want := manyLines(someBatches, nil)
	if len(text) < 8*batchBytes {
		t.Fatalf("%d bytes are too few batches", len(text))
	}
	ids, _, err := readLog(t.Context(), text)
	if err != nil || !slices.Equal(ids, want) {
		t.Fatalf("%d ballots of %d, or in another order: %v", len(ids), len(want), err)
	}
}

func TestBallotLog_TheFirstFaultAndNoteOfTheFile(t *testing.T) {
	huge := func(i int) string { return logLine(fmt.Sprint("b", i), `{"dwell_ms":1e300}`) }
	text, want := manyLines(someBatches, map[int]string{
		5000: huge(5000), 5001: logLine("b5001", `{"asn":-1}`), 9000: huge(9000), 14_000: huge(14_000),
		15_000: strings.Replace(logLine("b15000", "{}"), `"e1"`, `"e2"`, 1), 15_001: "no ballot\n", 19_000: "nor this\n",
	})
	for range 5 { // whoever is quicker
		ids, notes, err := readLog(t.Context(), text)
		if err == nil || err.Error() != "log:15001: another entry" {
			t.Fatalf("want the first fault: %v", err)
		}
		if !slices.Equal(ids, want[:15_000]) {
			t.Fatalf("%d ballots before it, want all 15000", len(ids))
		}
		if !slices.Equal(notes, []string{"5001 evidence.dwell_ms", "5002 evidence.asn"}) {
			t.Fatalf("%q", notes)
		}
	}
}

func TestBallotLog_AFaultOfTheFileComesAfterThoseOfItsLines(t *testing.T) {
	text, _ := manyLines(3000, nil)
	torn := text + strings.Repeat("x", ndjson.MaxLine+1)
	if ids, _, err := readLog(t.Context(), torn); len(ids) != 3000 || err == nil || !strings.HasPrefix(err.Error(), "log:3001: expected a line of at most") {
		t.Errorf("%d ballots, %v", len(ids), err)
	}
	if _, _, err := readLog(t.Context(), "no ballot\n"+torn); err == nil || !strings.HasPrefix(err.Error(), "log:1: ") {
		t.Errorf("%v", err)
	}
}

func TestBallotLog_EndsWhenItsCallerDoes(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	text, _ := manyLines(someBatches, nil)
	if _, _, err := readLog(ctx, text); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
