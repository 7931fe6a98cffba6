package contest

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// scored is a contest of schools with the given students, and entries named school-number.
func scored(scoring Scoring, students map[string]int, entries ...string) *Contest {
	c := &Contest{Scoring: scoring}
	for _, id := range slices.Sorted(func(yield func(string) bool) {
		for id := range students {
			if !yield(id) {
				return
			}
		}
	}) {
		c.Schools = append(c.Schools, School{ID: id, Students: students[id]})
	}
	for _, e := range entries {
		id, hidden := strings.CutSuffix(e, "!")
		school, _, _ := strings.Cut(id, "-")
		c.Entries = append(c.Entries, Entry{ID: id, School: school, Hidden: hidden})
	}
	return c
}

func order(ranked []Ranked) string {
	var parts []string
	for _, r := range ranked {
		parts = append(parts, fmt.Sprintf("%d:%s=%s", r.Rank, r.ID, r.Score.Rat().RatString()))
	}
	return strings.Join(parts, " ")
}

func TestRank(t *testing.T) {
	total := SchoolScoring{By: ByTotal, Per: 1000}
	perStudent := SchoolScoring{By: ByPerStudent, Per: 1000}
	best := func(n int) SchoolScoring { return SchoolScoring{By: ByTotal, Per: 1000, BestEntries: n} }
	three := map[string]int{"a": 100, "b": 300, "c": 700}
	votes := map[string]int64{"a-1": 10, "a-2": 5, "b-1": 15, "c-1": 3, "gone-1": 99}
	for _, c := range []struct {
		name            string
		scoring         Scoring
		entries         []string
		votes, last     map[string]int64
		schools, listed string
	}{
		{
			"equal totals share a rank, the next one is skipped", Scoring{total, TiesShared},
			[]string{"a-1", "a-2", "b-1", "c-1"}, votes, nil,
			"1:a=15 1:b=15 3:c=3", "1:b-1=15 2:a-1=10 3:a-2=5 4:c-1=3",
		},
		{
			"the older last ballot first", Scoring{total, TiesEarliest},
			[]string{"a-1", "a-2", "b-1", "c-1"}, votes, map[string]int64{"a-1": 7, "a-2": 9, "b-1": 8, "c-1": 1},
			"1:b=15 2:a=15 3:c=3", "1:b-1=15 2:a-1=10 3:a-2=5 4:c-1=3",
		},
		{
			"equal last ballots share after all", Scoring{total, TiesEarliest},
			[]string{"a-1", "a-2", "b-1", "c-1"}, votes, map[string]int64{"a-1": 7, "a-2": 8, "b-1": 8},
			"1:a=15 1:b=15 3:c=3", "1:b-1=15 2:a-1=10 3:a-2=5 4:c-1=3",
		},
		{
			"size turns the order round", Scoring{perStudent, TiesShared},
			[]string{"a-1", "a-2", "b-1", "c-1"}, votes, nil,
			"1:a=150 2:b=50 3:c=30/7", "1:b-1=15 2:a-1=10 3:a-2=5 4:c-1=3",
		},
		{
			"only the best entry makes the sum", Scoring{best(1), TiesShared},
			[]string{"a-1", "a-2", "b-1", "c-1"}, votes, nil,
			"1:b=15 2:a=10 3:c=3", "1:b-1=15 2:a-1=10 3:a-2=5 4:c-1=3",
		},
		{
			"a hidden entry is not listed, its ballots stay with the school", Scoring{total, TiesShared},
			[]string{"a-1!", "a-2", "b-1", "c-1"}, votes, nil,
			"1:a=15 1:b=15 3:c=3", "1:b-1=15 2:a-2=5 3:c-1=3",
		},
		{
			"without a vote there is no first", Scoring{total, TiesEarliest},
			[]string{"a-1", "b-1", "c-1"}, map[string]int64{"b-1": 1}, map[string]int64{"a-1": 5, "c-1": 3},
			"1:b=1 2:a=0 2:c=0", "1:b-1=1 2:a-1=0 2:c-1=0",
		},
		{
			"at the cut the older of equal entries makes the sum", Scoring{best(1), TiesEarliest},
			[]string{"a-1", "a-2", "b-1"}, map[string]int64{"a-1": 4, "a-2": 4, "b-1": 4}, map[string]int64{"a-1": 9, "a-2": 2, "b-1": 5},
			"1:a=4 2:b=4 3:c=0", "1:a-2=4 2:b-1=4 3:a-1=4",
		},
		{
			"the last of a voided entry says nothing", Scoring{total, TiesEarliest},
			[]string{"a-1", "a-2", "b-1"}, map[string]int64{"a-1": 4, "a-2": 0, "b-1": 4}, map[string]int64{"a-1": 1, "a-2": 9, "b-1": 5},
			"1:a=4 2:b=4 3:c=0", "1:a-1=4 2:b-1=4 3:a-2=0",
		},
		{
			"a tally below zero counts as none", Scoring{total, TiesShared},
			[]string{"a-1", "b-1"}, map[string]int64{"a-1": -1, "b-1": 1}, nil,
			"1:b=1 2:a=0 2:c=0", "1:b-1=1 2:a-1=0",
		},
	} {
		got := scored(c.scoring, three, c.entries...).Rank(c.votes, c.last)
		if order(got.Schools) != c.schools || order(got.Entries) != c.listed {
			t.Errorf("%s:\nexpected %s | %s\ngot      %s | %s", c.name, c.schools, c.listed, order(got.Schools), order(got.Entries))
		}
	}
}

func TestRank_SchoolVotesAreAllItsVotes(t *testing.T) {
	c := scored(Scoring{SchoolScoring{By: ByTotal, Per: 1000, BestEntries: 1}, TiesShared}, map[string]int{"a": 1}, "a-1", "a-2!")
	got := c.Rank(map[string]int64{"a-1": 3, "a-2": 5}, nil).Schools[0]
	if got.Votes != 8 || got.Score.Float64() != 5 {
		t.Errorf("%d votes, score %v; expected 8 and 5", got.Votes, got.Score.Float64())
	}
}

func TestScore_NearbyFractionsAreToldApart(t *testing.T) {
	// As floating point both are the same number.
	const big53 = 1 << 53
	a, b := Score{big53 + 1, 1000, 3}, Score{big53, 1000, 3}
	if a.compare(b) != 1 || b.compare(a) != -1 || a.compare(a) != 0 {
		t.Error("scores a vote apart at 2^53 must differ")
	}
	huge := Score{math.MaxInt64, 1_000_000, 7}
	if want, _ := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(math.MaxInt64), big.NewInt(1_000_000)), big.NewInt(7)).Float64(); huge.Float64() != want {
		t.Errorf("%v, expected %v", huge.Float64(), want)
	}
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(name string) Score {
			return Score{uint64(rapid.Int64Range(0, math.MaxInt64).Draw(rt, name)), 1000, uint64(rapid.IntRange(1, 10_000_000).Draw(rt, name+" students"))}
		}
		a, b := draw("a"), draw("b")
		if got, want := a.compare(b), a.Rat().Cmp(b.Rat()); got != want {
			rt.Fatalf("%v against %v: %d, expected %d", a, b, got, want)
		}
	})
}

// TestRank_FullSize bounds what a frame costs: the largest contest there may be.
func TestRank_FullSize(t *testing.T) {
	c := &Contest{Scoring: Scoring{SchoolScoring{By: ByPerStudent, Per: 1000, BestEntries: 3}, TiesEarliest}}
	votes, last := map[string]int64{}, map[string]int64{}
	for i := range 512 {
		c.Schools = append(c.Schools, School{ID: fmt.Sprint("s", i), Students: 100 + i})
	}
	for i := range 10_000 {
		id := fmt.Sprint("e", i)
		c.Entries = append(c.Entries, Entry{ID: id, School: fmt.Sprint("s", i%512)})
		votes[id], last[id] = int64(i*7919%1009), int64(i)
	}
	began := time.Now()
	got := c.Rank(votes, last)
	if spent := time.Since(began); spent > 2*time.Second {
		t.Errorf("ranking took %s", spent)
	}
	if len(got.Entries) != 10_000 || len(got.Schools) != 512 {
		t.Error("sides are missing")
	}
	for _, sides := range [][]Ranked{got.Entries, got.Schools} {
		for i := 1; i < len(sides); i++ {
			if a, b := sides[i-1], sides[i]; a.Score.compare(b.Score) < 0 || b.Rank < a.Rank || b.Rank > i+1 {
				t.Fatalf("%+v before %+v", a, b)
			}
		}
	}
}

func BenchmarkRank(b *testing.B) {
	c := &Contest{Scoring: Scoring{SchoolScoring{By: ByPerStudent, Per: 1000, BestEntries: 3}, TiesEarliest}}
	votes, last := map[string]int64{}, map[string]int64{}
	for i := range 512 {
		c.Schools = append(c.Schools, School{ID: fmt.Sprint("s", i), Students: 100 + i})
	}
	for i := range 10_000 {
		id := fmt.Sprint("e", i)
		c.Entries = append(c.Entries, Entry{ID: id, School: fmt.Sprint("s", i%512)})
		votes[id], last[id] = int64(i*7919%1009), int64(i)
	}
	for b.Loop() {
		c.Rank(votes, last)
	}
}
