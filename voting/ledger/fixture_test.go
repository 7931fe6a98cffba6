package ledger_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

const contest = "essai"

// signerOf makes the same key of the same seed.
func signerOf(t testing.TB, seed byte) *ledger.Signer {
	t.Helper()
	s, err := ledger.NewSigner(ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), seed)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, dir string) *ledger.Writer {
	t.Helper()
	w, err := ledger.Open(dir, contest, signerOf(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// lineOf is the line of a box's record, made up from its offset: one in seven is
// held, and one in fourteen released two records on.
func lineOf(box int, offset int64) []byte {
	r := voting.Record{
		Position: voting.Position{Epoch: 7, Box: box, Millis: 1_800_000_000_000 + offset/3, Offset: offset},
		Kind:     voting.KindCast, Entry: fmt.Sprintf("entry-%d", offset%5), School: "north",
		Standing: voting.Counted, Actor: voting.ActorVoter,
	}
	number := offset
	switch offset % 14 {
	case 3, 10:
		r.Standing, r.Reasons, r.Actor = voting.Held, []string{"lockstep"}, voting.ActorScreen
	case 5:
		number = offset - 2
		r.Kind, r.Actor, r.Entry = voting.KindRelease, voting.ActorOrganizer, fmt.Sprintf("entry-%d", number%5)
	}
	binary.BigEndian.PutUint64(r.Voter[:], uint64(number)<<8|uint64(box))
	binary.BigEndian.PutUint64(r.Ballot[:], uint64(number)<<8|uint64(box))
	line, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return line
}

// linesOf are records first to last of a box.
func linesOf(box int, first, last int64) [][]byte {
	var lines [][]byte
	for n := first; n <= last; n++ {
		lines = append(lines, lineOf(box, n))
	}
	return lines
}

func appendTo(t testing.TB, w *ledger.Writer, box int, last int64) {
	t.Helper()
	if err := w.Append(box, linesOf(box, w.Size(box)+1, last)); err != nil {
		t.Fatal(err)
	}
}

func commit(t testing.TB, w *ledger.Writer) ledger.Checkpoint {
	t.Helper()
	c, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rootOf is RFC 6962, section 2.1, word by word: the second opinion.
func rootOf(lines [][]byte) tlog.Hash {
	switch len(lines) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, lines[0]...))
	}
	k := 1
	for k*2 < len(lines) {
		k *= 2
	}
	left, right := rootOf(lines[:k]), rootOf(lines[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// read collects the offsets of a box's records behind a position.
func read(t testing.TB, dir string, box int, after voting.Position) []int64 {
	t.Helper()
	var offsets []int64
	err := ledger.Records(context.Background(), dir, contest, box, after, func(line []byte, r voting.Record) error {
		if string(line) != string(lineOf(box, r.Position.Offset)) {
			return fmt.Errorf("record %d is %s", r.Position.Offset, line)
		}
		offsets = append(offsets, r.Position.Offset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return offsets
}

// readAll reads a box as it is.
func readAll(dir string) error {
	return ledger.Records(context.Background(), dir, contest, 0, voting.Position{Epoch: 7, Millis: 1_800_000_000_003, Offset: 10}, func([]byte, voting.Record) error { return nil })
}
