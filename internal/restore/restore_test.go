package restore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	_ "time/tzdata"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

const oneContest = `id: one
title: A contest
phases: {voting: {opens: 2026-01-01T00:00:00Z, closes: 2036-01-01T00:00:00Z}}
schools: [{id: north, name: North}]
entries: [{id: n-1, school: north, title: One}]
`

// partsOf are a data folder's, over a store.
func partsOf(t *testing.T, dir string, st *store.Store) Parts {
	t.Helper()
	ring, err := keyring.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ring.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return Parts{
		Dir: dir, Store: st, Signer: signer, Keys: ring, Boxes: ballotbox.New(st),
		Registry: registry.New(st, ring, registry.Options{Dir: filepath.Join(dir, "contests")}),
	}
}

// A server puts records of a contest into the folder for the first time, and is killed;
// then the store is lost. What is whole is restored, whichever files it had got to.
func TestCheck_ALedgerThatWasNotSignedYetIsRestored(t *testing.T) {
	for name, gone := range map[string][]string{
		"records alone":               {"checkpoint", "box-0/checkpoint"},
		"and their box's checkpoint":  {"checkpoint"},
		"and no checkpoint is gone":   nil,
		"records and half of another": {"checkpoint", "box-0/checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, lost := t.TempDir(), embedded(t)
			before := partsOf(t, dir, lost)
			for _, id := range []string{"one", "other"} {
				c, err := contest.Parse(fmt.Appendf(nil, `id: %s
title: A contest
phases: {voting: {opens: 2026-01-01T00:00:00Z, closes: 2036-01-01T00:00:00Z}}
schools: [{id: north, name: North}]
entries: [{id: n-1, school: north, title: One}]
`, id))
				if err != nil {
					t.Fatal(err)
				}
				if _, _, _, err := before.Registry.Put(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			one, _ := before.Registry.Get("one")
			w, err := ledger.Open(before.ledgers(), "one", before.Signer)
			if err != nil {
				t.Fatal(err)
			}
			const records = 5
			for offset := range int64(records) {
				r := voting.Record{
					Position: voting.Position{Epoch: one.EpochAt(0, offset+1), Millis: 1_800_000_000_000, Offset: offset + 1}, Kind: voting.KindCast,
					Ballot: [16]byte{1, byte(offset)}, Voter: voting.Voter{1, byte(offset)}, Entry: "n-1", School: "north",
					Standing: voting.Counted, Actor: voting.ActorVoter,
				}
				line, err := r.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Append(0, [][]byte{line}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for _, file := range gone {
				if err := os.Remove(filepath.Join(before.ledgers(), "one", file)); err != nil {
					t.Fatal(err)
				}
			}
			if name == "records and half of another" {
				tear(t, filepath.Join(before.ledgers(), "one", "box-0", "000000000001.ndjson"))
			}

			after := partsOf(t, dir, embedded(t))
			kept, err := after.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			done, err := after.Contests(t.Context(), kept)
			if err != nil || len(done) != 2 || done[0].ID != "one" || done[0].Records != records || done[0].Tally.Counted != records {
				t.Errorf("%+v, %v", done, err)
			}
		})
	}
}

func tear(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"position":"`)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A copy of the folder that lacks a ledger, as of a disk that is not there: restored, it would
// be a contest in which nobody has voted, and everybody could again.
func TestCheck_AContestThatHadVotersNeedsItsLedger(t *testing.T) {
	for name, test := range map[string]struct {
		had     func(p Parts) error
		refused bool
	}{
		"nobody has asked for a pass": {func(Parts) error { return nil }, false},
		"voters":                      {func(p Parts) error { _, err := p.Keys.(*keyring.Ring).Contest("one"); return err }, true},
		"voters who are forgotten": {func(p Parts) error {
			_, err := p.Keys.(*keyring.Ring).Contest("one")
			return errors.Join(err, p.Keys.(*keyring.Ring).Forget("one"))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			before := partsOf(t, dir, embedded(t))
			c, err := contest.Parse([]byte(oneContest))
			if err != nil {
				t.Fatal(err)
			}
			_, _, _, err = before.Registry.Put(t.Context(), c)
			if err := errors.Join(err, test.had(before)); err != nil {
				t.Fatal(err)
			}
			kept, err := partsOf(t, dir, embedded(t)).Check(t.Context())
			if errors.Is(err, ErrFolder) != test.refused || !test.refused && (err != nil || len(kept) != 1) {
				t.Errorf("%d contests, %v", len(kept), err)
			}
			if err := os.MkdirAll(filepath.Join(before.ledgers(), "one"), 0o700); err != nil {
				t.Fatal(err)
			}
			w, err := ledger.Open(before.ledgers(), "one", before.Signer) // as every server does before it has a record
			if err != nil {
				t.Fatal(err)
			}
			w.Close()
			if _, err := partsOf(t, dir, embedded(t)).Check(t.Context()); err != nil {
				t.Errorf("with a ledger that is empty: %v", err)
			}
		})
	}
}

// What does not belong to the contests of the folder is not restored from.
func TestCheck_LedgersAreOfTheContestsThatAreThere(t *testing.T) {
	prepare := func(t *testing.T, epoch int64) (string, Parts) {
		dir := t.TempDir()
		before := partsOf(t, dir, embedded(t))
		c, err := contest.Parse([]byte(oneContest))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := before.Registry.Put(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		one, _ := before.Registry.Get("one")
		r := voting.Record{
			Position: voting.Position{Epoch: one.EpochAt(0, 1) + epoch, Millis: 1_800_000_000_000, Offset: 1}, Kind: voting.KindCast,
			Ballot: [16]byte{1}, Voter: voting.Voter{1}, Entry: "n-1", School: "north", Standing: voting.Counted, Actor: voting.ActorVoter,
		}
		w, err := ledger.Open(before.ledgers(), "one", before.Signer)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Append(0, [][]byte{r.AppendJSON(nil)})
		_, err2 := w.Commit()
		if err := errors.Join(err, err2, w.Close()); err != nil {
			t.Fatal(err)
		}
		return dir, partsOf(t, dir, embedded(t))
	}
	for epoch, refused := range map[int64]bool{0: false, 1: true} {
		_, p := prepare(t, epoch)
		kept, err := p.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done, err := p.Contests(t.Context(), kept); errors.Is(err, ErrFolder) != refused || !refused && (err != nil || done[0].Tally.Counted != 1) {
			t.Errorf("%d epochs off: %+v, %v", epoch, done, err)
		}
	}
	dir, p := prepare(t, 0)
	if err := os.Remove(filepath.Join(dir, "contests", "one.json")); err != nil {
		t.Fatal(err)
	}
	if kept, err := p.Check(t.Context()); !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), "contests/one.json") {
		t.Errorf("a ledger without its contest: %+v, %v", kept, err)
	}
}
