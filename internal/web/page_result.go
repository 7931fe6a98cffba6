package web

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
)

// result is what came of a contest, once voting is over, and how anybody can see
// that it is right.
type result struct {
	On      *contestView
	Winners []schoolView // several when they are equal, none without a vote
	Best    []entryView
	Ties    []string // the rule, and whom it was for
	Formula string
	Sums    []sum
	Ledger  string // empty before it is public
	Command string // that recounts it
}

// sum is how a school's score is made, in figures.
type sum struct {
	School schoolView
	Line   string
}

// resultOf is nil while there is none.
func (v *contestView) resultOf(d *contest.Contest, board *live.Board, site string) *result {
	if !v.Over || v.Hidden {
		return nil
	}
	r := &result{On: v, Ties: v.ties(d, board), Formula: v.formula(d)}
	for i, one := range v.Schools {
		if row := board.Schools[i]; one.Rank == 1 && *row.Score > 0 {
			r.Winners = append(r.Winners, one)
		}
		r.Sums = append(r.Sums, *v.sumOf(d, board, board.Schools[i]))
		r.Sums[i].School = one
	}
	for i, row := range board.Entries {
		if *row.Rank != 1 || *row.Votes == 0 {
			break
		}
		r.Best = append(r.Best, v.entry(d, board, i))
	}
	if board.Phase == contest.PhasePublished {
		r.Ledger, r.Command = v1(d)+"/ledger", "joute recount "+d.ID+" --server "+site
	}
	return r
}

// ties says how equal scores are ranked, and names those that are.
func (v *contestView) ties(d *contest.Contest, board *live.Board) []string {
	lines := []string{v.Say("page.ties." + string(d.Scoring.Ties))}
	for i := 0; i < len(v.Schools); {
		var names []string
		from := i
		for ; i < len(v.Schools) && *board.Schools[i].Score == *board.Schools[from].Score; i++ {
			names = append(names, v.Schools[i].Name)
		}
		if len(names) > 1 && *board.Schools[from].Score > 0 {
			id := "result.equal." + string(d.Scoring.Ties)
			lines = append(lines, v.Say(id, "Rank", v.Schools[from].Rank, "Names", v.List(names), "Order", strings.Join(names, ", ")))
		}
	}
	return lines
}

// formula says in one sentence what a score is.
func (v *contestView) formula(d *contest.Contest) string {
	votes := v.Say("result.votes")
	if n := d.Scoring.Schools.BestEntries; n > 0 {
		votes = v.Count("result.best", int64(n))
	}
	if !v.Scored {
		return v.Say("result.formula", "Votes", votes)
	}
	return v.Say("result.formula.per", "Votes", votes, "Per", v.Number(int64(d.Scoring.Schools.Per)))
}

// summandsShown is how many a line has room for.
const summandsShown = 12

// sumOf is the arithmetic of a school's score, of the board's numbers alone.
func (v *contestView) sumOf(d *contest.Contest, board *live.Board, row voting.SchoolRow) *sum {
	school, _ := d.School(row.ID)
	votes := int64(*row.Score)
	if v.Scored {
		votes = int64(math.Round(*row.Score * float64(school.Students) / float64(d.Scoring.Schools.Per)))
	}
	line := v.Number(votes)
	if summands := v.summands(d, board, school.ID, votes); len(summands) > 1 && len(summands) <= summandsShown {
		line = strings.Join(summands, " + ") + " = " + line
	}
	if v.Scored {
		then := "; "
		if v.Lang == "fr" {
			then = "\u00a0; " // as French sets it
		}
		line += then + fmt.Sprintf("%s ÷ (%s ÷ %s) = %s", v.Number(votes), v.Number(int64(school.Students)), v.Number(int64(d.Scoring.Schools.Per)),
			v.fraction(votes, int64(d.Scoring.Schools.Per), int64(school.Students)))
	}
	return &sum{Line: line}
}

// summands are the votes that make a school's sum. An entry that is hidden since
// counts and is not named: then the parts are not the whole, and none is shown.
func (v *contestView) summands(d *contest.Contest, board *live.Board, school string, votes int64) (parts []string) {
	left := votes
	for _, r := range board.Entries {
		if r.School != school || *r.Votes == 0 {
			continue
		}
		if n := d.Scoring.Schools.BestEntries; n > 0 && len(parts) == n {
			break
		}
		parts, left = append(parts, v.Number(*r.Votes)), left-*r.Votes
	}
	if left != 0 {
		return nil
	}
	return parts
}

// fraction is votes * per / students: exact, and as a decimal where that is not.
func (v *contestView) fraction(votes, per, students int64) string {
	exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(votes), big.NewInt(per)), big.NewInt(students))
	near, _ := exact.Float64()
	if new(big.Rat).Mul(exact, big.NewRat(100, 1)).IsInt() {
		return v.Decimal(near)
	}
	return exact.Num().String() + "/" + exact.Denom().String() + " ≈ " + v.Decimal(near)
}
