package archive

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// A tally that somebody has changed is found, wherever the change is, and found right
// again once it is changed back.
func TestDrift_ATallyThatIsNotTheLedger(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "boxes: 2")
		metrics := prometheus.NewRegistry()
		w := h.worker(h.archive(Options{Registerer: metrics}))
		held, present := ballotFor("held", "n-2"), ballotFor("present", "n-2")
		held.Standing, present.Present = voting.Held, true
		for _, b := range []voting.Ballot{held, present} {
			_, err := h.boxes.Cast(t.Context(), h.s, b)
			must(t, err)
		}
		h.vote(40)
		h.visit(w)
		drifts := func(want float64) {
			t.Helper()
			h.vote(3) // it goes on meanwhile
			h.visit(w)
			if got := metric(t, metrics, "joute_ledger_drift"); got != want {
				t.Errorf("%v boxes are off, want %v", got, want)
			}
			if ok, faults, _ := w.a.Status(); ok != (want == 0) {
				t.Errorf("status: %v %q", ok, faults)
			}
		}
		drifts(0)
		edit := func(box int, field string, by int64) {
			must(t, st.Client().HIncrBy(t.Context(), h.key(box, "tally"), field, by).Err())
		}
		for _, fields := range [][]string{{"n-1"}, {"n-2/home"}, {"/held"}, {"/void"}, {"/withdrawn"}, {"no-entry"}, {"no-entry/home"}} {
			for _, by := range []int64{1, -1} {
				if by < 0 && fields[0] != "n-1" { // a count below nothing is no count
					continue
				}
				edit(0, fields[0], by)
				drifts(1)
				edit(1, fields[0], 1)
				drifts(2)
				edit(0, fields[0], -by)
				edit(1, fields[0], -1)
				drifts(0)
			}
		}
		// A vote moved from one entry to another keeps the sum.
		edit(0, "n-1", -1)
		edit(0, "n-2", 1)
		drifts(1)
		edit(0, "n-1", 1)
		edit(0, "n-2", -1)
		// What is no number any more stops nothing else.
		must(t, st.Client().HSet(t.Context(), h.key(1, "tally"), "no-entry", "many").Err())
		_, err := w.visit(t.Context(), h.s)
		must(t, err)
		if got := w.drift.off.boxes(); fmt.Sprint(got) != "[1]" {
			t.Errorf("with a count that is no number: boxes %v", got)
		}
		must(t, st.Client().HDel(t.Context(), h.key(1, "tally"), "no-entry").Err())
		drifts(0)
		// The next server begins with what is on disk.
		w.close()
		edit(1, "n-1", 1)
		next := h.worker(h.archive(Options{}))
		h.visit(next)
		if got := next.drift.off.boxes(); fmt.Sprint(got) != "[1]" {
			t.Errorf("after a restart: boxes %v", got)
		}
	})
}

// The instants that ties need and the tally of the freezing instant are held against
// the ledger too. What the store says it does not know is no drift.
func TestDrift_TheOrderOfEqualsAndTheFrozenTally(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		h := newHall(t, st, "boxes: 2", "scoring: {schools: {by: total}, ties: earliest}")
		w := h.worker(h.archive(Options{}))
		drifts := func(what string, boxes ...int) {
			t.Helper()
			for range 2 { // where the cut has moved, the fold begins anew at the second
				h.visit(w)
			}
			_, faults, _ := w.a.Status()
			if len(boxes) == 0 && len(faults) > 0 || len(boxes) > 0 && (len(faults) != 1 || !strings.Contains(faults[0], what) || !strings.Contains(faults[0], fmt.Sprint("in boxes ", boxes))) {
				t.Errorf("%s, boxes %v: %q", what, boxes, faults)
			}
		}
		// changed edits a field of a hash, sees it, and sees it gone when it is back.
		changed := func(what, hash string, box int, field, value string) {
			t.Helper()
			client, key := st.Client(), h.key(box, hash)
			was, err := client.HGet(t.Context(), key, field).Result()
			if err != nil && !errors.Is(err, redis.Nil) || was == value {
				t.Fatalf("%s of %s is %q, %v", field, key, was, err)
			}
			set := func(value string) {
				if value == "" {
					must(t, client.HDel(t.Context(), key, field).Err())
				} else {
					must(t, client.HSet(t.Context(), key, field, value).Err())
				}
			}
			set(value)
			drifts(what, box)
			set(was)
			drifts("nothing")
		}
		newest := [2]voting.Ballot{} // of n-2, by box
		for n := [2]int{}; min(n[0], n[1]) < 3; {
			b := ballotFor(uuid.NewString(), "n-2")
			o, err := h.boxes.Cast(t.Context(), h.s, b)
			must(t, err)
			newest[o.Cast.Position.Box] = b
			n[o.Cast.Position.Box]++
		}
		drop := func(box int) {
			b := newest[box]
			_, _, err := h.boxes.Change(t.Context(), h.s, ballotbox.Change{Voter: b.Voter, Ballot: b.ID, Standing: voting.Void, Actor: voting.ActorOrganizer, Reasons: []string{"test"}})
			must(t, err)
		}
		marked := func(hash string, box int, is bool) {
			t.Helper()
			if value := st.Client().HGet(t.Context(), h.key(box, hash), "n-2/last").Val(); strings.HasPrefix(value, "?") != is || value == "" {
				t.Fatalf("the newest ballot is kept as %q", value)
			}
		}
		settle := func() {
			_, err := h.boxes.Tally(t.Context(), h.s)
			must(t, err)
		}
		ties := "by which ties are settled"
		drifts("nothing")
		changed(ties, "tally", 0, "n-2/last", "1")
		changed(ties, "tally", 1, "n-2/last", "")
		changed(ties, "tally", 1, "n-1/last", "1") // which nobody has voted for
		drop(0)
		marked("tally", 0, true)
		drifts("nothing")
		settle()
		marked("tally", 0, false)
		drifts("nothing")
		changed(ties, "tally", 0, "n-2/last", "1")

		// The freeze is moved to an instant that is over: the tally of now is kept. In one
		// box it does not know the newest ballot.
		drop(1)
		frozen := *h.s.Contest
		frozen.Phases.Voting.Closes, frozen.Results.Freeze = time.Now().Add(time.Hour), 2*time.Hour
		h.s = &registry.Stored{Contest: &frozen, Version: 2, Epoch: h.s.Epoch}
		must(t, h.boxes.Configure(t.Context(), h.s))
		h.vote(40) // after it
		marked("frozen", 1, true)
		drifts("nothing")
		settle()
		marked("frozen", 1, false)
		drifts("nothing")
		then := "freezing instant"
		for _, field := range []string{"n-2", "n-2/home", "/held", "/void", "/withdrawn", "no-entry", "n-2/last", "/offset"} {
			changed(then, "frozen", 0, field, "55555")
			changed(then, "frozen", 1, field, "77777")
		}
		changed(then, "frozen", 1, "n-2/last", "")
		changed(then, "frozen", 1, "/offset", "1")
		changed(then, "frozen", 1, "/offset", "")
		changed(then, "frozen", 0, "/held", "many")
		// The next server begins with what is on disk.
		w.close()
		w = h.worker(h.archive(Options{}))
		drifts("nothing")
		changed(then, "frozen", 0, "n-2", "1")
		changed(ties, "tally", 1, "n-2/last", "1")
	})
}

// The small fold counts as the plain one, at its end and where it was told to keep the
// tally.
func TestFold_CountsAsThePlainOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		small, plain := newFold(), voting.NewFold()
		n := rapid.IntRange(0, 60).Draw(rt, "records")
		cut := int64(rapid.IntRange(0, n).Draw(rt, "cut"))
		if !small.keepAt(cut) {
			rt.Fatal("a fold that has not begun is past a cut")
		}
		then := plain.Tally()
		for offset := int64(1); offset <= int64(n); offset++ {
			r := voting.Record{Position: voting.Position{Millis: 1_000 + offset/2, Offset: offset}, Kind: voting.KindOpen}
			if rapid.IntRange(0, 9).Draw(rt, "names a ballot") > 0 {
				r.Kind = voting.KindCast
				r.Ballot, r.Voter = uuid.UUID{byte(rapid.IntRange(0, 8).Draw(rt, "ballot"))}, voting.Voter{byte(rapid.IntRange(0, 3).Draw(rt, "voter"))}
				r.Entry = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "entry")
				r.Present = rapid.Bool().Draw(rt, "present")
				r.Standing = rapid.SampledFrom([]voting.Standing{voting.Counted, voting.Counted, voting.Held, voting.Void, voting.Withdrawn}).Draw(rt, "standing")
			}
			for range 2 { // twice is once
				if !small.add(r) {
					rt.Fatal("a record in its turn was not taken")
				}
			}
			if plain.Add(r); offset == cut {
				then = plain.Tally()
			}
			if rapid.IntRange(0, 4).Draw(rt, "looked at") == 0 {
				small.settle()
			}
			ahead := r
			if ahead.Position.Offset += 2; small.add(ahead) {
				rt.Fatal("a record behind a gap was taken")
			}
		}
		same := func(kept, ours *voting.Tally) bool {
			return sameCounts(kept, ours) && sameNewest(&ballotbox.Kept{Tally: kept, Newest: true}, ours)
		}
		tally := plain.Tally()
		if !same(tally, small.tally(true)) || !same(then, small.then) {
			rt.Fatalf("%+v is not %+v, or at %d %+v not %+v", small.tally(true), tally, cut, small.then, then)
		}
		if n > 0 && small.keepAt(int64(n)-1) != (cut == int64(n)-1) {
			rt.Fatal("a fold keeps what is behind it")
		}
		for _, change := range []func(*voting.Tally){
			func(t *voting.Tally) { t.Votes["b"]++ }, func(t *voting.Tally) { t.Home["b"]++ }, func(t *voting.Tally) { t.Held++ }, func(t *voting.Tally) { t.Last["b"]++ },
			func(t *voting.Tally) { t.Void++ }, func(t *voting.Tally) { t.Withdrawn++ }, func(t *voting.Tally) { t.Offset++ },
		} {
			other := plain.Tally()
			if change(other); same(other, small.tally(true)) {
				rt.Fatalf("%+v is said to be %+v", small.tally(true), other)
			}
		}
	})
}

// BenchmarkFold is what following a box costs a record, beside moving it.
func BenchmarkFold(b *testing.B) {
	records := make([]voting.Record, 1_000_000)
	for i := range records {
		records[i] = voting.Record{
			Position: voting.Position{Millis: 1, Offset: int64(i + 1)}, Kind: voting.KindCast, Ballot: uuid.New(), Voter: voterNamed(strconv.Itoa(i)), Entry: "n-1", Standing: voting.Counted,
		}
	}
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		f := newFold()
		for _, r := range records {
			f.add(r)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(records)), "B/ballot")
		runtime.KeepAlive(f)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
