package contest

import (
	"cmp"
	"math/big"
	"math/bits"
	"slices"
)

// Ranking is every school and every entry that is not hidden, best first. Equal
// ranks are in document order.
type Ranking struct {
	Schools, Entries []Ranked
}

// Ranked is one side's place. A school's Votes are all of its entries' votes,
// hidden ones included; its Score is made of the best entries only, when the
// contest says so.
type Ranked struct {
	Rank  int
	ID    string
	Votes int64
	Score Score
}

// Score is an exact fraction: votes * per / students.
type Score struct {
	votes         uint64
	per, students uint64 // both 1 when size does not matter
}

// Rat is the score as a fraction.
func (s Score) Rat() *big.Rat {
	num := new(big.Int).Mul(new(big.Int).SetUint64(s.votes), new(big.Int).SetUint64(s.per))
	return new(big.Rat).SetFrac(num, new(big.Int).SetUint64(s.students))
}

// Float64 is the number nearest to the score, for showing; ranks never come from it.
func (s Score) Float64() float64 {
	if s.students == 1 && s.per == 1 {
		return float64(s.votes)
	}
	f, _ := s.Rat().Float64()
	return f
}

// compare orders two scores of one ranking, where per is the same on both sides,
// by cross multiplication in 128 bits.
func (s Score) compare(t Score) int {
	sHigh, sLow := bits.Mul64(s.votes, t.students)
	tHigh, tLow := bits.Mul64(t.votes, s.students)
	if sHigh != tHigh {
		return cmp.Compare(sHigh, tHigh)
	}
	return cmp.Compare(sLow, tLow)
}

// side is a school or an entry on its way to a rank.
type side struct {
	Ranked
	last  int64
	place int // in the document
}

// Rank orders schools and entries by counted votes. votes and last are by entry
// id: how many ballots are counted, and when the newest of them was cast, in any
// unit that increases. Votes for ids the document does not have are left out.
func (c *Contest) Rank(votes, last map[string]int64) Ranking {
	bySchool := make(map[string][]side, len(c.Schools))
	entries := make([]side, 0, len(c.Entries))
	for i, e := range c.Entries {
		// A tally below zero cannot be; should a store ever say so, it must not win an unsigned comparison.
		n := max(votes[e.ID], 0)
		one := side{Ranked{ID: e.ID, Votes: n, Score: Score{uint64(n), 1, 1}}, last[e.ID], i}
		bySchool[e.School] = append(bySchool[e.School], one)
		if !e.Hidden {
			entries = append(entries, one)
		}
	}
	schools := make([]side, len(c.Schools))
	for i, s := range c.Schools {
		schools[i] = c.Scoring.Schools.score(s, bySchool[s.ID])
		schools[i].place = i
	}
	return Ranking{Schools: c.Scoring.Ties.rank(schools), Entries: c.Scoring.Ties.rank(entries)}
}

// score sums a school's most voted entries. At the cut, of entries with equal
// votes the one whose last ballot is older makes the sum, then the one first in
// the document; the sum is the same either way, only the school's last depends
// on it: the newest among the entries that make the sum.
func (r SchoolScoring) score(s School, entries []side) side {
	out := side{Ranked: Ranked{ID: s.ID, Score: Score{0, 1, 1}}}
	for _, e := range entries {
		out.Votes += e.Votes
	}
	if r.BestEntries > 0 && len(entries) > r.BestEntries {
		slices.SortFunc(entries, func(a, b side) int {
			return cmp.Or(cmp.Compare(b.Votes, a.Votes), cmp.Compare(a.last, b.last), cmp.Compare(a.place, b.place))
		})
		entries = entries[:r.BestEntries]
	}
	for _, e := range entries {
		out.Score.votes += e.Score.votes
		if e.Votes > 0 {
			out.last = max(out.last, e.last)
		}
	}
	if r.By == ByPerStudent {
		out.Score.per, out.Score.students = uint64(r.Per), uint64(s.Students)
	}
	return out
}

// rank sorts sides and numbers them.
func (t Ties) rank(sides []side) []Ranked {
	compare := func(a, b *side) int {
		order := b.Score.compare(a.Score)
		// Without a vote there is no last ballot: such sides share a rank.
		if order == 0 && t == TiesEarliest && a.Score.votes > 0 {
			order = cmp.Compare(a.last, b.last)
		}
		return order
	}
	// Pointers, because sides are large and there may be 10,000 of them four times a second.
	sorted := make([]*side, len(sides))
	for i := range sides {
		sorted[i] = &sides[i]
	}
	slices.SortFunc(sorted, func(a, b *side) int {
		if order := compare(a, b); order != 0 {
			return order
		}
		return cmp.Compare(a.place, b.place)
	})
	out := make([]Ranked, len(sides))
	for i, s := range sorted {
		out[i] = s.Ranked
		out[i].Rank = i + 1
		if i > 0 && compare(sorted[i-1], s) == 0 {
			out[i].Rank = out[i-1].Rank
		}
	}
	return out
}
