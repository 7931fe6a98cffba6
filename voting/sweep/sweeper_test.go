package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// patience is how long something may take on a busy machine.
const patience = 20 * time.Second

var contests atomic.Int64

// hall is a contest of its own on one store, and who votes in it.
type hall struct {
	t     *testing.T
	st    *store.Store
	boxes *ballotbox.Boxes
	s     *registry.Stored
}

func newHall(t *testing.T, st *store.Store, antifraud string, closes time.Time) *hall {
	t.Helper()
	text := fmt.Sprintf(`
id: w-%d-%d
title: Test
timezone: UTC
phases: {voting: {opens: 2026-01-01T00:00:00Z, closes: %s}}
boxes: 3
antifraud: %s
schools: [{id: north, name: North}]
entries: [{id: n-1, school: north, title: N1}, {id: n-2, school: north, title: N2}]
`, os.Getpid(), contests.Add(1), closes.UTC().Format("2006-01-02T15:04:05.000Z07:00"), antifraud)
	c, err := contest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &hall{t, st, ballotbox.New(st), &registry.Stored{Contest: c, Version: 1, Epoch: 7}}
}

var onEveryStore, openStore = storetest.OnBoth, storetest.Open

func (h *hall) cast(name, agent string) {
	h.t.Helper()
	at := ballotNamed(name)
	o, err := h.boxes.Cast(h.t.Context(), h.s, voting.Ballot{
		ID: at.ID, Voter: at.Voter, Entry: "n-1", Standing: voting.Counted, Level: "device", Evidence: antifraud.Evidence{Agent: agent},
	})
	if err != nil || o.Refused != "" {
		h.t.Fatalf("%+v, %v", o, err)
	}
}

func (h *hall) standing(name string) string {
	h.t.Helper()
	at := ballotNamed(name)
	c, err := h.boxes.Find(h.t.Context(), h.s, at.Voter, at.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(string(c.Standing) + " " + strings.Join(c.Reasons, " "))
}

func (h *hall) until(what string, done func() bool) {
	h.t.Helper()
	watchtest.Until(h.t, patience, what, done)
}

func (h *hall) becomes(name, want string) {
	h.t.Helper()
	h.until(name+" to be "+want, func() bool { return h.standing(name) == want })
}

// ledger is the record with all that was seen, as a replay reads it.
func (h *hall) ledger() (lines []Line) {
	h.t.Helper()
	place := map[Ballot]int{}
	if err := h.boxes.Ledger(h.t.Context(), h.s, voting.Position{}, func(r voting.Record) error {
		if r.Kind == voting.KindCast {
			place[Ballot{r.Voter, r.Ballot}] = len(lines)
		}
		lines = append(lines, Line{Record: r})
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.boxes.Evidence(h.t.Context(), h.s, func(l ballotbox.LogLine) error {
		if at, there := place[Ballot{l.Voter, l.Ballot}]; there && l.Evidence != nil {
			lines[at].Level, lines[at].Evidence = l.Level, *l.Evidence
		}
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	return lines
}

// quick is often enough for a test not to wait.
func quick() Options {
	return Options{Finder: newScripted, Every: 20 * time.Millisecond, Tick: 10 * time.Millisecond, Lease: 2 * time.Second}
}

// run starts a server's sweeper; end stops it.
func (h *hall) run(opts Options) (s *Sweeper, end func()) {
	h.t.Helper()
	s = New(h.st, h.boxes, opts)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx, func() []*registry.Stored { return []*registry.Stored{h.s} }) })
	end = func() { cancel(); running.Wait() }
	h.t.Cleanup(end)
	return s, end
}

func (h *hall) sweeps(s *Sweeper) []Sweep {
	h.t.Helper()
	all, err := s.Sweeps(h.t.Context(), h.s)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

var later = time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)

func TestSweeper_WritesWhatItFindsAndWhy(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		h.cast("ada", "void")
		h.cast("bob", "held")
		h.cast("cyd", "")
		metrics := prometheus.NewRegistry()
		told := atomic.Int64{}
		farms := &farms{}
		opts := quick()
		opts.Registerer, opts.Farms, opts.Changed = metrics, farms, func(string) { told.Add(1) }
		s, end := h.run(opts)
		h.becomes("ada", "void lockstep")
		h.becomes("bob", "held lockstep")
		h.until("signatures", func() bool { return farms.count() == 1 })
		end()
		if got := h.standing("cyd"); got != "counted" || told.Load() == 0 {
			t.Errorf("cyd is %s, told %d times", got, told.Load())
		}
		settings := SettingsOf(h.s.Contest)
		for _, r := range h.ledger() {
			if r.Actor == voting.ActorDetector && (r.Policy != settings.Policy || r.Model != settings.Model) {
				t.Errorf("%+v", r.Record)
			}
		}
		held, err := h.boxes.Held(t.Context(), h.s, ballotbox.HeldPlace{}, 10)
		if err != nil || len(held) != 1 {
			t.Fatalf("%+v, %v", held, err)
		}
		f := held[0].Finding
		if f == nil || f.Score != .6 || f.Standing != voting.Held || len(f.Parts) != 1 || f.Cluster != "c1" || f.Model != settings.Model || f.Families[0] != antifraud.FamilyDevice {
			t.Errorf("%+v", f)
		}
		if n := testutil.ToFloat64(s.metrics.decisions.WithLabelValues("void", "lockstep", "true")); n != 1 {
			t.Errorf("%v void in metrics", n)
		}
		status, err := s.Status(t.Context(), h.s)
		if err != nil || status == nil || status.Final || status.Would.Void != 1 || status.Sweep != len(h.sweeps(s)) {
			t.Errorf("%+v, %v", status, err)
		}
		replayed, err := Replay(h.ledger(), h.sweeps(s), newScripted)
		sameOutcomes(t, h, replayed, err)
	})
}

// Where there is no room for a signature the contest is swept as ever, not from its beginning at
// every tick, and the signature is kept once there is room.
func TestSweeper_SignaturesThatAreNotTakenAreOfferedAgain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		h.cast("ada", "void")
		farms := &farms{full: true}
		opts := quick()
		opts.Farms = farms
		s, _ := h.run(opts)
		h.becomes("ada", "void lockstep")
		h.until("many offers", func() bool { return farms.offers() >= 10 })
		h.cast("bob", "void")
		h.becomes("bob", "void lockstep")
		fresh := 0
		for _, one := range h.sweeps(s) {
			if one.Fresh != nil {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%d of %d sweeps began anew", fresh, len(h.sweeps(s)))
		}
		farms.room()
		h.until("the signature", func() bool { return farms.count() == 1 })
	})
}

type farms struct {
	mu    sync.Mutex
	put   []antifraud.Signature
	full  bool
	asked int
}

func (f *farms) offers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

func (f *farms) room() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = false
}

func (f *farms) Put(_ context.Context, _ string, s []antifraud.Signature) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked++; f.full {
		return errors.New("there is no room")
	}
	f.put = append(f.put, s...)
	return nil
}

func (f *farms) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.put)
}

func sameOutcomes(t *testing.T, h *hall, replayed map[Ballot]Outcome, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	want := Outcomes(h.ledger())
	if len(replayed) != len(want) {
		t.Errorf("%d ballots replayed, %d are there", len(replayed), len(want))
	}
	for ballot, o := range want {
		if !o.Same(replayed[ballot]) {
			t.Errorf("%s: %+v in the ledger, %+v replayed", ballot.ID, o, replayed[ballot])
		}
	}
}

// The longest hold of a ballot of the last minute ends while there is evidence, and a day before
// the sweeps do: who looks late still releases it.
func TestHolds_EndBeforeTheEvidence(t *testing.T) {
	if left := ballotbox.EvidenceLifetime - endsBefore - contest.MaxHold; left < 24*time.Hour {
		t.Errorf("%v are left", left)
	}
}

// Started again, on this server or another, it goes on from the record: nothing is
// decided twice, and what a person decided meanwhile stays.
func TestSweeper_RestartedGoesOnAndAPersonsWordStays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		h.cast("ada", "void")
		h.cast("bob", "held")
		_, end := h.run(quick())
		h.becomes("ada", "void lockstep")
		h.becomes("bob", "held lockstep")
		end()
		for name, to := range map[string]voting.Standing{"ada": voting.Counted, "bob": voting.Counted} {
			at := ballotNamed(name)
			if _, _, err := h.boxes.Change(t.Context(), h.s, ballotbox.Change{Voter: at.Voter, Ballot: at.ID, Standing: to, Actor: voting.ActorOrganizer, Reasons: []string{"reviewed"}}); err != nil {
				t.Fatal(err)
			}
		}
		before := len(h.ledger())
		h.cast("cyd", "void")
		s, end := h.run(quick())
		h.becomes("cyd", "void lockstep")
		n := len(h.sweeps(s))
		h.cast("dan", "")
		h.until("another sweep", func() bool { return len(h.sweeps(s)) > n })
		end()
		if a, b := h.standing("ada"), h.standing("bob"); a != "counted reviewed" || b != "counted reviewed" {
			t.Errorf("ada %s, bob %s", a, b)
		}
		if got := len(h.ledger()); got != before+3 { // two casts, one void
			t.Errorf("%d records, want %d", got, before+3)
		}
		fresh := 0
		for _, one := range h.sweeps(s) {
			if one.Fresh != nil {
				fresh++
			}
		}
		if fresh != 2 {
			t.Errorf("begun anew %d times, want 2", fresh)
		}
		replayed, err := Replay(h.ledger(), h.sweeps(s), newScripted)
		sameOutcomes(t, h, replayed, err)
	})
}

// looking runs a sweeper that counts its looks and its beginnings from the record.
func (h *hall) looking(opts Options) (looks, begun *atomic.Int64) {
	h.t.Helper()
	looks, begun = &atomic.Int64{}, &atomic.Int64{}
	opts.Finder = func() Finder { begun.Add(1); return newScripted() }
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		New(h.st, h.boxes, opts).Run(ctx, func() []*registry.Stored { looks.Add(1); return []*registry.Stored{h.s} })
	})
	h.t.Cleanup(func() { cancel(); running.Wait() })
	return looks, begun
}

// broken puts what cannot be read in the place of a key, until mended.
func (h *hall) broken(key string) (mend func()) {
	h.t.Helper()
	ctx, client, aside := context.Background(), h.st.Client(), key+":aside"
	there := client.Rename(ctx, key, aside).Err() == nil
	if err := client.Set(ctx, key, "broken", 0).Err(); err != nil {
		h.t.Fatal(err)
	}
	return func() {
		undo := func() error { return client.Del(ctx, key).Err() }
		if there {
			undo = func() error { return client.Rename(ctx, aside, key).Err() } // at once: no ballot is missing for a moment
		}
		if err := undo(); err != nil {
			h.t.Fatal(err)
		}
	}
}

// A reading that fails goes on where it was, and so does a writing: each time from the
// beginning they would cost most where the store can do least.
func TestSweeper_WhatFailsIsNotBegunAnew(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		for _, key := range []string{"2}:evidence", "0}:sweeps", "1}:findings", "2}:voters:"} {
			t.Run(key, func(t *testing.T) {
				h := newHall(t, st, "{policy: standard}", later)
				for n := range 24 { // some in each box
					h.cast(fmt.Sprint("voter-", n), "void")
				}
				key := "joute:{" + h.s.Contest.ID + "/" + key
				if strings.HasSuffix(key, ":") {
					found, err := st.Client().Keys(t.Context(), key+"*").Result()
					if err != nil || len(found) == 0 {
						t.Fatal(found, err)
					}
					key = found[0]
				}
				mend := h.broken(key)
				looks, begun := h.looking(quick())
				h.until("many looks", func() bool { return looks.Load() >= 10 })
				mend()
				for n := range 24 {
					h.becomes(fmt.Sprint("voter-", n), "void lockstep")
				}
				if n := begun.Load(); n != 1 {
					t.Errorf("begun %d times", n)
				}
				s := New(h.st, h.boxes, quick())
				replayed, err := Replay(h.ledger(), h.sweeps(s), newScripted)
				sameOutcomes(t, h, replayed, err)
			})
		}
	})
}

// A box that was set back, as by a kill before the disk had it, has other records in the places
// that were read: they are not passed over.
func TestSweeper_OtherRecordsThanWereReadAreRead(t *testing.T) {
	h := newHall(t, openStore(t, redistest.Shared(t).URL()), "{policy: standard}", later)
	h.cast("ada", "")
	of := func(key string) string { return "joute:{" + h.s.Contest.ID + "/" + key }
	client := h.st.Client()
	kept, err := client.Keys(t.Context(), of("*")).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range kept {
		if err := client.Copy(t.Context(), key, "then:"+key, 0, true).Err(); err != nil {
			t.Fatal(err)
		}
	}
	h.cast("lost-1", "")
	h.cast("lost-2", "")
	opts := quick()
	s, _ := h.run(opts)
	h.until("a sweep of three", func() bool {
		all := h.sweeps(s)
		return len(all) > 0 && slices.Max(all[len(all)-1].Cut) >= 2
	})
	for _, key := range kept { // with the sweep forgotten nobody but this server's memory knows of the others
		if err := client.Copy(t.Context(), "then:"+key, key, 0, true).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 6 { // in each box
		h.cast(fmt.Sprint("next-", n), "void")
	}
	for n := range 6 {
		h.becomes(fmt.Sprint("next-", n), "void lockstep")
	}
}

// fragile panics on one ballot's evidence.
type fragile struct{ scripted }

func (f *fragile) Run() detect.Report {
	for _, b := range f.ballots {
		if b.Evidence.Agent == "poison" {
			panic("poison")
		}
	}
	return f.scripted.Run()
}

// Detectors that panic are wrong about one contest. The server, its votes and its other contests go
// on, and the contest is not read from its beginning every two seconds.
func TestSweeper_DetectorsThatPanicEndNothingElse(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	ill, well := newHall(t, st, "{policy: standard}", later), newHall(t, st, "{policy: standard}", later)
	ill.cast("eve", "poison")
	begun := atomic.Int64{}
	log := &watchtest.Log{}
	opts := quick()
	opts.Log = slog.New(slog.NewTextHandler(log, nil))
	opts.Finder = func() Finder {
		begun.Add(1)
		return &fragile{scripted{told: map[string]detect.Standing{}}}
	}
	s := New(st, ill.boxes, opts)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx, func() []*registry.Stored { return []*registry.Stored{ill.s, well.s} }) })
	t.Cleanup(func() { cancel(); running.Wait() })
	for i := range 5 {
		name := fmt.Sprint("ada", i)
		well.cast(name, "void")
		well.becomes(name, "void lockstep")
	}
	if got := ill.standing("eve"); got != "counted" {
		t.Errorf("eve is %s", got)
	}
	if n := begun.Load(); n != 2 {
		t.Errorf("detectors were begun %d times for two contests", n)
	}
	if text := log.String(); strings.Count(text, "panic: poison") != 1 || !strings.Contains(text, ill.s.Contest.ID) {
		t.Errorf("the log says: %s", text)
	}
}

// Of two servers one sweeps; when it dies without a word the other one takes over.
func TestSweeper_OneServerAtATimeAndTheOtherTakesOver(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	h := newHall(t, st, "{policy: standard}", later)
	h.cast("ada", "void")
	first, killFirst := h.run(quick())
	h.becomes("ada", "void lockstep")
	second, _ := h.run(quick())
	time.Sleep(100 * time.Millisecond) // ten of its looks
	if !first.owns(h.s.Contest.ID) || second.owns(h.s.Contest.ID) {
		t.Fatal("two servers sweep at once")
	}
	// Dead: it gives nothing back.
	first.leases.name = "somebody who is gone"
	if _, err := st.Client().Set(t.Context(), leaseKey(h.s.Contest.ID), first.leases.name, 500*time.Millisecond).Result(); err != nil {
		t.Fatal(err)
	}
	first.own(h.s.Contest.ID, false)
	killFirst()
	h.cast("bob", "void")
	h.becomes("bob", "void lockstep")
	if !second.owns(h.s.Contest.ID) {
		t.Error("nobody sweeps")
	}
	records := 0
	for _, r := range h.ledger() {
		if r.Actor == voting.ActorDetector {
			records++
		}
	}
	if records != 2 {
		t.Errorf("%d decisions in the ledger, want 2", records)
	}
}

// Two that both believe to have the contest write each decision once, and the one
// that comes late begins anew.
func TestSweeper_TwoHoldersDoNoHarm(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		for i := range 30 {
			h.cast(fmt.Sprint("v", i), []string{"", "void", "held"}[i%3])
		}
		var both sync.WaitGroup
		for range 2 {
			s := New(st, h.boxes, quick())
			w := &watch{epoch: 7, settings: SettingsOf(h.s.Contest), judge: NewJudge(SettingsOf(h.s.Contest), newScripted()), fresh: true, known: map[string]string{}}
			both.Go(func() {
				if err := s.look(t.Context(), h.s, w); err != nil && !errors.Is(err, ballotbox.ErrSweepTaken) {
					t.Error(err)
				}
			})
		}
		both.Wait()
		records := map[Ballot]int{}
		for _, r := range h.ledger() {
			if r.Actor == voting.ActorDetector {
				records[Ballot{r.Voter, r.Ballot}]++
			}
		}
		for ballot, n := range records {
			if n != 1 {
				t.Errorf("%s: decided %d times", ballot.ID, n)
			}
		}
		if len(records) != 10 { // of ten that lack two families the guard lets none be held
			t.Errorf("%d ballots decided, want the ten that are void", len(records))
		}
	})
}

func TestSweeper_HoldsEndByTheStoresClock(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard, hold: 1s}", later)
		h.cast("ada", "held")
		h.cast("bob", "both")
		s, end := h.run(quick())
		h.becomes("ada", "held lockstep")
		h.becomes("ada", "counted unconfirmed")
		end()
		var since, until time.Time
		for _, r := range h.ledger() {
			if r.Ballot == ballotNamed("ada").ID && r.Actor == voting.ActorDetector {
				since, until = until, r.Position.At()
			}
		}
		if held := until.Sub(since); held < time.Second {
			t.Errorf("held for %v", held)
		}
		if got := h.standing("bob"); got != "held lockstep" {
			t.Errorf("two families: %s", got)
		}
		replayed, err := Replay(h.ledger(), h.sweeps(s), newScripted)
		sameOutcomes(t, h, replayed, err)
	})
}

func TestSweeper_ObservesWithoutWriting(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: observe}", later)
		h.cast("ada", "void")
		s, end := h.run(quick())
		h.until("a sweep", func() bool { return len(h.sweeps(s)) > 0 })
		end()
		status, err := s.Status(t.Context(), h.s)
		if err != nil || !status.Observe || status.Would.Void != 1 || h.standing("ada") != "counted" {
			t.Errorf("%+v, %v; ada is %s", status, err, h.standing("ada"))
		}
		if n := testutil.ToFloat64(s.metrics.decisions.WithLabelValues("void", "lockstep", "false")); n != 1 {
			t.Errorf("%v in metrics", n)
		}
		// By a policy that acts it is void.
		settings := SettingsOf(h.s.Contest)
		settings.Observe = false
		supposed, err := Suppose(h.ledger(), h.sweeps(s), settings, func(antifraud.Evidence) (voting.Standing, []string, error) { return voting.Counted, nil, nil }, newScripted)
		if o := supposed[ballotNamed("ada")]; err != nil || o.Standing != voting.Void {
			t.Errorf("%+v, %v", o, err)
		}
		// By one that rejects everybody, but for canaries.
		rejects := func(antifraud.Evidence) (voting.Standing, []string, error) {
			return voting.Void, []string{"known-farm"}, nil
		}
		for canaries, want := range map[string]voting.Standing{"": voting.Void, ballotNamed("ada").Voter.String(): voting.Counted} {
			settings.Canaries = []string{canaries}
			supposed, err := Suppose(h.ledger(), h.sweeps(s), settings, rejects, newScripted)
			if o := supposed[ballotNamed("ada")]; err != nil || o.Standing != want {
				t.Errorf("canary %q: %+v, %v", canaries, o, err)
			}
		}
	})
}

// The end waits for a look at all of it, which nobody else's looks stand in for.
func TestSweeper_TheCloseIsSweptWholeBeforeThePublication(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		h.cast("ada", "")
		opts := quick()
		opts.Every, opts.Many = time.Hour, 1000 // never but at the close
		s, end := h.run(opts)
		h.until("its first sweep", func() bool { return len(h.sweeps(s)) == 1 })
		h.cast("bob", "void")
		if err := s.Finish(t.Context(), h.s); err != nil {
			t.Errorf("of an open contest: %v", err)
		}
		end()
		if _, err := h.boxes.Close(t.Context(), h.s, "ended-early"); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := s.Finish(short, h.s); !errors.Is(err, ErrUnfinished) {
			t.Fatalf("nobody has looked: %v", err)
		}
		s, end = h.run(opts)
		ctx, cancelLong := context.WithTimeout(t.Context(), patience)
		defer cancelLong()
		if err := s.Finish(ctx, h.s); err != nil {
			t.Fatal(err)
		}
		if got := h.standing("bob"); got != "void lockstep" {
			t.Errorf("bob is %s when the end is told", got)
		}
		// Nothing is left to wait for: it is let go, and nobody begins anew.
		h.until("it to be settled", func() bool {
			status, err := s.Status(t.Context(), h.s)
			return err == nil && status.Settled && !s.owns(h.s.Contest.ID)
		})
		end()
		all := h.sweeps(s)
		h.s.ClosedAt = time.Now().Add(-time.Second) // as the registry says it
		other, end := h.run(opts)
		time.Sleep(100 * time.Millisecond) // ten of its looks
		if end(); len(h.sweeps(other)) != len(all) || len(other.watches) != 0 {
			t.Errorf("a settled contest was swept again: %d sweeps, were %d", len(h.sweeps(other)), len(all))
		}
		if last := all[len(all)-1]; !last.Whole || last.Fresh == nil {
			t.Errorf("%+v", last)
		}
		replayed, err := Replay(h.ledger(), all, newScripted)
		sameOutcomes(t, h, replayed, err)
	})
}

// What an old policy came to is not the last word once there is another: a publication waits.
func TestSweeper_APolicyOfAfterTheCloseIsWaitedFor(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: observe}", later)
		h.cast("ada", "void")
		if _, err := h.boxes.Close(t.Context(), h.s, "ended-early"); err != nil {
			t.Fatal(err)
		}
		finish := func(patience time.Duration) error {
			s, end := h.run(quick())
			defer end()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			return s.Finish(ctx, h.s)
		}
		if err := finish(patience); err != nil || h.standing("ada") != "counted" {
			t.Fatalf("ada is %s, %v", h.standing("ada"), err)
		}
		strict, now := *h.s, *h.s.Contest
		now.Antifraud.Policy = newHall(t, st, "{policy: standard}", later).s.Contest.Antifraud.Policy
		strict.Contest, strict.Version = &now, 2
		h.s = &strict
		if err := finish(patience); err != nil || h.standing("ada") != "void lockstep" {
			t.Errorf("by the new policy ada is %s when the end is told, %v", h.standing("ada"), err)
		}
	})
}

func TestSweeper_ForgottenWithTheContest(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		h.cast("ada", "held")
		_, end := h.run(quick())
		h.becomes("ada", "held lockstep")
		end()
		left := func() (keys []string) {
			for _, kind := range []string{"findings", "sweeps"} {
				found, err := st.Client().Keys(t.Context(), "joute:{"+h.s.Contest.ID+"/*}:"+kind).Result()
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, found...)
			}
			return keys
		}
		if len(left()) != 2 {
			t.Fatalf("%q", left())
		}
		for _, key := range left() {
			if ttl := st.Client().PTTL(t.Context(), key).Val(); ttl <= 0 {
				t.Errorf("%s never expires", key)
			}
		}
		if _, err := h.boxes.Close(t.Context(), h.s, "ended-early"); err != nil {
			t.Fatal(err)
		}
		if err := h.boxes.Forget(t.Context(), h.s); err != nil {
			t.Fatal(err)
		}
		if len(left()) != 0 {
			t.Errorf("left %q", left())
		}
		// A server that has not seen it yet keeps nothing more.
		s, end := h.run(quick())
		time.Sleep(100 * time.Millisecond)
		end()
		if len(left()) != 0 {
			t.Errorf("a late sweep left %q", left())
		}
		if all := h.sweeps(s); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
}

// A ballot that moved between the look and the word stays where it moved to.
func TestChange_FromAnotherStandIsRefused(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		h.cast("ada", "")
		at := ballotNamed("ada")
		change := func(to voting.Standing, from *ballotbox.Stand, reasons ...string) bool {
			_, changed, err := h.boxes.Change(t.Context(), h.s, ballotbox.Change{Voter: at.Voter, Ballot: at.ID, Standing: to, Actor: voting.ActorDetector, Reasons: reasons, From: from})
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		seen := &ballotbox.Stand{Standing: voting.Counted}
		if !change(voting.Held, seen, "lockstep") || change(voting.Void, seen, "lockstep") {
			t.Error("a decision on how the ballot stood before was written")
		}
		if change(voting.Void, &ballotbox.Stand{Standing: voting.Held, Reasons: []string{"other"}}, "lockstep") {
			t.Error("a decision on a ballot held for something else was written")
		}
		if !change(voting.Void, &ballotbox.Stand{Standing: voting.Held, Reasons: []string{"lockstep"}}, "lockstep") {
			t.Error("a decision on how it stands was not written")
		}
	})
}

// A server that is killed behind the sweep that it kept has written nothing of what it decided.
// Whoever comes next may decide otherwise, as when an organizer vouches for a voter meanwhile:
// done again it is what the ledger says.
func TestReplay_WhatAKilledServerDidNotWriteWasNotDecided(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "{policy: standard}", later)
		h.cast("ada", "void")
		h.cast("bob", "void")
		killed := New(st, h.boxes, quick())
		settings := SettingsOf(h.s.Contest)
		judge := NewJudge(settings, newScripted())
		if _, err := h.boxes.Follow(t.Context(), h.s, ballotbox.Cursor{}, func(f ballotbox.Followed) error {
			judge.Read(f.Record, f.Level, f.Evidence)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		clock, err := h.boxes.Clock(t.Context(), h.s)
		if err != nil {
			t.Fatal(err)
		}
		ruling, err := judge.Sweep(clock.Now, false)
		if err != nil || len(ruling.Decisions) != 2 {
			t.Fatalf("%+v, %v", ruling, err)
		}
		made := Sweep{Number: 1, AtMS: clock.Now.UnixMilli(), Cut: judge.cut(), Fresh: &settings, Decided: 2}
		if err := killed.keep(t.Context(), h.s, &made, judge.Status()); err != nil {
			t.Fatal(err)
		}
		ada := ballotNamed("ada").Voter
		h.s.Contest.Antifraud.Canaries = []string{ada.String()}
		s, end := h.run(quick())
		h.becomes("bob", "void lockstep")
		h.cast("cyd", "void")
		h.becomes("cyd", "void lockstep")
		end()
		if got := h.standing("ada"); got != "counted" {
			t.Fatalf("ada is %s", got)
		}
		replayed, err := Replay(h.ledger(), h.sweeps(s), newScripted)
		sameOutcomes(t, h, replayed, err)
	})
}

// What is changed in the record since shows.
func TestReplay_SeesWhatDiffers(t *testing.T) {
	st := openStore(t, "")
	h := newHall(t, st, "{policy: standard}", later)
	h.cast("ada", "void")
	h.cast("bob", "")
	s, end := h.run(quick())
	h.becomes("ada", "void lockstep")
	end()
	ledger, sweeps := h.ledger(), h.sweeps(s)
	evil := slices.Clone(ledger)
	for i := range evil {
		if evil[i].Kind == voting.KindCast {
			evil[i].Evidence.Agent = map[bool]string{true: "", false: "void"}[evil[i].Evidence.Agent == "void"]
		}
	}
	replayed, err := Replay(evil, sweeps, newScripted)
	if err != nil {
		t.Fatal(err)
	}
	differing := 0
	for ballot, o := range Outcomes(ledger) {
		if !o.Same(replayed[ballot]) {
			differing++
		}
	}
	if differing != 2 {
		t.Errorf("%d differ, want 2", differing)
	}
	// A record of a ballot's in a box that no sweep had read is wrong, and no end of the program.
	astray := slices.Clone(ledger)
	last := &astray[len(astray)-1]
	last.Position.Box, last.Actor = 9, voting.ActorOrganizer
	if _, err := Replay(astray, sweeps[:1], newScripted); err != nil {
		t.Error(err)
	}
	if _, err := Replay(ledger[:1], sweeps, newScripted); err == nil {
		t.Error("a ledger that lacks records was replayed")
	}
	if _, err := Replay(ledger, nil, newScripted); !errors.Is(err, ErrNoSweeps) {
		t.Error(err)
	}
	var other Sweep
	text, _ := json.Marshal(sweeps[0])
	if err := json.Unmarshal(text, &other); err != nil {
		t.Fatal(err)
	}
	other.Fresh.Model = "another"
	if _, err := Replay(ledger, []Sweep{other}, newScripted); !errors.Is(err, ErrModel) {
		t.Error(err)
	}
}
