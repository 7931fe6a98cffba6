package archive

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
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
		if got := w.drift.boxes(); fmt.Sprint(got) != "[1]" {
			t.Errorf("with a count that is no number: boxes %v", got)
		}
		must(t, st.Client().HDel(t.Context(), h.key(1, "tally"), "no-entry").Err())
		drifts(0)
		// The next server begins with what is on disk.
		w.close()
		edit(1, "n-1", 1)
		next := h.worker(h.archive(Options{}))
		h.visit(next)
		if got := next.drift.boxes(); fmt.Sprint(got) != "[1]" {
			t.Errorf("after a restart: boxes %v", got)
		}
	})
}

// The small fold counts as the plain one.
func TestFold_CountsAsThePlainOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		small, plain := newFold(), voting.NewFold()
		n := rapid.IntRange(0, 60).Draw(rt, "records")
		for offset := int64(1); offset <= int64(n); offset++ {
			r := voting.Record{Position: voting.Position{Millis: offset, Offset: offset}, Kind: voting.KindOpen}
			if rapid.IntRange(0, 9).Draw(rt, "names a ballot") > 0 {
				r.Kind = voting.KindCast
				r.Ballot, r.Voter = uuid.UUID{byte(rapid.IntRange(0, 8).Draw(rt, "ballot"))}, voting.Voter{byte(rapid.IntRange(0, 3).Draw(rt, "voter"))}
				r.Entry = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "entry")
				r.Present = rapid.Bool().Draw(rt, "present")
				r.Standing = rapid.SampledFrom([]voting.Standing{voting.Counted, voting.Counted, voting.Held, voting.Void, voting.Withdrawn}).Draw(rt, "standing")
			}
			if !small.add(r) || !small.add(r) { // twice is once
				rt.Fatal("a record in its turn was not taken")
			}
			plain.Add(r)
			ahead := r
			if ahead.Position.Offset += 2; small.add(ahead) {
				rt.Fatal("a record behind a gap was taken")
			}
		}
		tally := plain.Tally()
		if !small.is(tally) {
			rt.Fatalf("%+v is not %+v", small, tally)
		}
		for _, change := range []func(*voting.Tally){
			func(t *voting.Tally) { t.Votes["b"]++ }, func(t *voting.Tally) { t.Home["b"]++ }, func(t *voting.Tally) { t.Held++ },
			func(t *voting.Tally) { t.Void++ }, func(t *voting.Tally) { t.Withdrawn++ }, func(t *voting.Tally) { t.Offset++ },
		} {
			other := plain.Tally()
			if change(other); small.is(other) {
				rt.Fatalf("%+v is said to be %+v", small, other)
			}
		}
	})
}

// BenchmarkFold is what following a box costs a record, beside moving it.
func BenchmarkFold(b *testing.B) {
	records := make([]voting.Record, 100_000)
	for i := range records {
		records[i] = voting.Record{
			Position: voting.Position{Millis: 1, Offset: int64(i + 1)}, Kind: voting.KindCast, Ballot: uuid.New(), Voter: voterNamed(strconv.Itoa(i)), Entry: "n-1", Standing: voting.Counted,
		}
	}
	for b.Loop() {
		f := newFold()
		for _, r := range records {
			f.add(r)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
