package archive

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
	"github.com/joute/joute/voting/ledger"
)

func TestMain(m *testing.M) { redistest.Main(m) }

var onEveryStore, openStore, must = storetest.OnEvery, storetest.Open, storetest.Must

var (
	contests   atomic.Int64
	testSigner = func() *ledger.Signer {
		s, err := ledger.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
		if err != nil {
			panic(err)
		}
		return s
	}()
)

// hall is a contest, its boxes, a data folder, and who moves the one's records to the
// other.
type hall struct {
	t     testing.TB
	st    *store.Store
	boxes *ballotbox.Boxes
	s     *registry.Stored
	data  string

	cast map[uuid.UUID]voting.Position // what voters were told
}

func newHall(t testing.TB, st *store.Store, lines ...string) *hall {
	t.Helper()
	doc := fmt.Sprintf(`id: a-%d-%d
title: Test
phases: {voting: {opens: 2026-01-01T00:00:00Z, closes: 2036-01-01T00:00:00Z}}
schools: [{id: north, name: North, students: 1000}]
entries: [{id: n-1, school: north, title: N1}, {id: n-2, school: north, title: N2}]
`, os.Getpid(), contests.Add(1))
	for _, line := range lines {
		doc += line + "\n"
	}
	c, err := contest.Parse([]byte(doc))
	must(t, err)
	h := &hall{t: t, st: st, s: &registry.Stored{Contest: c, Version: 1, Epoch: 7}, data: t.TempDir(), cast: map[uuid.UUID]voting.Position{}}
	h.boxes = ballotbox.New(st).WithArchive(NewReader(h.data))
	return h
}

// archive is another server's.
func (h *hall) archive(opts Options) *Archive {
	h.t.Helper()
	if opts.Every == 0 {
		opts.Every = 5 * time.Millisecond
	}
	if opts.Compare == 0 {
		opts.Compare = time.Nanosecond
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return New(h.boxes, h.data, testSigner, opts)
}

// worker is one that a test visits the contest with, by hand.
func (h *hall) worker(a *Archive) *worker {
	w := &worker{a: a, id: h.s.Contest.ID, stored: func() *registry.Stored { return h.s }}
	h.t.Cleanup(w.close)
	return w
}

// visit has it visit until nothing is left.
func (h *hall) visit(w *worker) {
	h.t.Helper()
	for range 100 {
		_, err := w.visit(h.t.Context(), h.s)
		must(h.t, err)
		if h.left() == 0 {
			return
		}
	}
	h.t.Fatalf("%d records stay in the store", h.left())
}

func voterNamed(name string) voting.Voter {
	sum := sha256.Sum256([]byte(name))
	return voting.Voter(sum[:16])
}

func ballotFor(voter, entry string) voting.Ballot {
	b := voting.Ballot{ID: uuid.New(), Voter: voterNamed(voter), Entry: entry, Standing: voting.Counted, Level: "device"}
	b.Evidence = antifraud.Evidence{Via: "via-" + b.ID.String()}
	return b
}

// vote casts n ballots of as many voters, and remembers them.
func (h *hall) vote(n int) {
	h.t.Helper()
	h.castAtOnce(n, 32)
}

// oneByOne is vote where every ballot goes through the script alone.
func (h *hall) oneByOne(n int) {
	h.t.Helper()
	h.castAtOnce(n, 1)
}

func (h *hall) castAtOnce(n, atOnce int) {
	h.t.Helper()
	told := make([]voting.Cast, n)
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range told {
		group.Go(func() error {
			ballot := ballotFor(uuid.NewString(), "n-1")
			o, err := h.boxes.Cast(context.Background(), h.s, ballot)
			for again := 0; errors.Is(err, store.ErrUnavailable) && again < 10; again++ { // a busy machine
				o, err = h.boxes.Cast(context.Background(), h.s, ballot)
			}
			if err == nil && o.Refused != "" {
				err = errors.New(o.Label())
			}
			told[i] = o.Cast
			return err
		})
	}
	must(h.t, group.Wait())
	for _, cast := range told {
		h.cast[cast.Ballot] = cast.Position
	}
}

// left is how many entries the store's streams have.
func (h *hall) left() (n int64) {
	h.t.Helper()
	for box := range h.s.Contest.Boxes {
		for _, stream := range []string{"ledger", "evidence"} {
			length, err := h.st.Client().XLen(h.t.Context(), h.key(box, stream)).Result()
			must(h.t, err)
			n += length
		}
	}
	return n
}

func (h *hall) key(box int, name string) string {
	return fmt.Sprintf("joute:{%s/%d}:%s", h.s.Contest.ID, box, name)
}

// check counts everything: the records that readers get, the ballots that voters were
// told of, what was seen of each, the tally.
func (h *hall) check() {
	h.t.Helper()
	ctx := h.t.Context()
	fold, next, found := voting.NewFold(), map[int]int64{}, 0
	must(h.t, h.boxes.Ledger(ctx, h.s, voting.Position{}, func(r voting.Record) error {
		if next[r.Position.Box]++; r.Position.Offset != next[r.Position.Box] {
			return fmt.Errorf("record %v is read as number %d of its box", r.Position, next[r.Position.Box])
		}
		if at, told := h.cast[r.Ballot]; r.Kind == voting.KindCast && told {
			if found++; at != r.Position {
				return fmt.Errorf("%v was told %v", r.Position, at)
			}
		}
		fold.Add(r)
		return nil
	}))
	if found != len(h.cast) {
		h.t.Fatalf("%d of %d ballots are in the ledger", found, len(h.cast))
	}
	seen := map[uuid.UUID]bool{}
	must(h.t, h.boxes.Evidence(ctx, h.s, func(l ballotbox.LogLine) error {
		if l.Evidence == nil || l.Evidence.Via != "via-"+l.Ballot.String() || seen[l.Ballot] {
			return fmt.Errorf("ballot %v was seen as %+v", l.Ballot, l.Evidence)
		}
		seen[l.Ballot] = true
		return nil
	}))
	count, err := h.boxes.Tally(ctx, h.s)
	must(h.t, err)
	want := fold.Tally()
	if count.Live.Counted != want.Counted || count.Live.Offset != want.Offset || len(seen) < len(h.cast) {
		h.t.Fatalf("the tally says %d at %d, the ledger %d at %d; %d were seen", count.Live.Counted, count.Live.Offset, want.Counted, want.Offset, len(seen))
	}
}

// metric is a gauge's or a counter's value.
func metric(t testing.TB, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	must(t, err)
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
