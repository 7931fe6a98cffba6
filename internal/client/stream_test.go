package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/joute/joute/voting"
)

// ledgerOf makes so many records, and their lines as a server writes them.
func ledgerOf(t *testing.T, n int) (records []voting.Record, lines []string) {
	t.Helper()
	for i := range n {
		r := voting.Record{
			Position: voting.Position{Epoch: 7, Millis: int64(1000 + i), Offset: int64(i + 1)}, Kind: voting.KindCast,
			Ballot: uuid.New(), Voter: voting.Voter{byte(i)}, Entry: "e", School: "s", Standing: voting.Counted, Actor: voting.ActorVoter,
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		records, lines = append(records, r), append(lines, string(line))
	}
	return records, lines
}

// breaking serves a ledger, and breaks the connection after each of the given
// numbers of bytes, once each: in the middle of lines, after a line, at once.
func breaking(t *testing.T, records []voting.Record, lines []string, breaks []int) *Client {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		from := 0
		if after := r.URL.Query().Get("after"); after != "" {
			position, err := voting.ParsePosition(after)
			if err != nil {
				t.Errorf("after %q: %v", after, err)
			}
			for from < len(records) && records[from].Position.Millis <= position.Millis {
				from++
			}
		}
		body := strings.Join(lines[from:], "\n") + "\n"
		if from == len(lines) {
			body = ""
		}
		if len(breaks) == 0 {
			fmt.Fprint(w, body)
			return
		}
		n := min(breaks[0], len(body))
		breaks = breaks[1:]
		fmt.Fprint(w, body[:n])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // the chunk that ends an answer is not sent
	})
}

func TestLedger_ResumesWithoutLossOrRepeat(t *testing.T) {
	records, lines := ledgerOf(t, 50)
	line := len(lines[0]) + 1
	for name, breaks := range map[string][]int{
		"never":                {},
		"at once":              {0},
		"in a line":            {line + 5, 3*line + line/2, 10},
		"after a whole line":   {line, 2 * line},
		"before the line end":  {line - 1, 5*line - 1},
		"after the last line":  {50 * line},
		"again and again":      {line, line, line, line, line, line, line, line, line, line},
		"in the very last one": {50*line - 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := breaking(t, records, lines, breaks)
			var got []string
			err := c.Ledger(context.Background(), "x", "", func(line []byte, r voting.Record) error {
				got = append(got, string(line))
				if r.Ballot != records[len(got)-1].Ballot {
					t.Errorf("record %d is of another ballot", len(got))
				}
				return nil
			})
			if err != nil || strings.Join(got, "\n") != strings.Join(lines, "\n") {
				t.Errorf("%d lines of %d, error %v", len(got), len(lines), err)
			}
		})
	}
}

func TestLedger_GivesUpLoudly(t *testing.T) {
	t.Parallel()
	records, lines := ledgerOf(t, 50)
	c := breaking(t, records, lines, []int{2000, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	n := 0
	err := c.Ledger(context.Background(), "x", "", func([]byte, voting.Record) error { n++; return nil })
	if !errors.Is(err, ErrBroken) || n == 0 || n == len(lines) {
		t.Errorf("%d lines, error %v", n, err)
	}
}

func TestLedger_RefusalAndTakersErrorAreFinal(t *testing.T) {
	calls := 0
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		problem(w, 401, "unauthorized", "Give the organizer's key.")
	})
	var p *Problem
	err := c.Ledger(context.Background(), "x", "", func([]byte, voting.Record) error { return nil })
	if !errors.As(err, &p) || p.Status != 401 || calls != 1 {
		t.Errorf("error %v after %d calls", err, calls)
	}

	records, lines := ledgerOf(t, 5)
	full := errors.New("disk full")
	taken := 0
	err = breaking(t, records, lines, nil).Ledger(context.Background(), "x", "", func([]byte, voting.Record) error { taken++; return full })
	if !errors.Is(err, full) || taken != 1 {
		t.Errorf("error %v after %d lines", err, taken)
	}
}

func TestLedger_LineThatIsNoRecord(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>\n") })
	if err := c.Ledger(context.Background(), "x", "", func([]byte, voting.Record) error { return nil }); err == nil {
		t.Error("a page was taken for a ledger")
	}
}

func TestEvidence_PassesOverWhatItGave(t *testing.T) {
	_, lines := ledgerOf(t, 50)
	breaks := []int{1000, 3000, 6001}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body := strings.Join(lines, "\n") + "\n"
		if r.URL.RawQuery != "" {
			t.Errorf("query %q", r.URL.RawQuery)
		}
		if len(breaks) == 0 {
			fmt.Fprint(w, body)
			return
		}
		n := breaks[0]
		breaks = breaks[1:]
		fmt.Fprint(w, body[:n])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	var got []string
	err := c.Evidence(context.Background(), "x", func(line []byte) error { got = append(got, string(line)); return nil })
	if err != nil || strings.Join(got, "\n") != strings.Join(lines, "\n") {
		t.Errorf("%d lines of %d, error %v", len(got), len(lines), err)
	}
}

// TestLedger_LongLine is longer than any buffer of the reader.
func TestLedger_LongLine(t *testing.T) {
	records, _ := ledgerOf(t, 1)
	records[0].Reasons = []string{strings.Repeat("x", 200<<10)}
	line, err := json.Marshal(records[0])
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%s\n%s\n", line, line) })
	n := 0
	err = c.Ledger(context.Background(), "x", "", func(got []byte, _ voting.Record) error {
		if string(got) != string(line) {
			t.Errorf("line %d differs", n)
		}
		n++
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("%d lines, %v", n, err)
	}
}
