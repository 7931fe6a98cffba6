package web

import (
	"math"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
)

// gap is how many votes stand between two schools: so many the one behind needs
// to pass the other.
type gap struct {
	Votes string
	Text  string
}

// between says how far the school at a place of the board is from the next ones.
func (v *captainView) between(d *contest.Contest, board *live.Board, at int) {
	own := board.Schools[at]
	name := func(row voting.SchoolRow) string {
		school, _ := d.School(row.ID)
		return v.In(school.Name, d)
	}
	var tied []string
	for i, row := range board.Schools {
		switch {
		case i == at:
		case *row.Rank == *own.Rank:
			tied = append(tied, name(row))
		case *row.Rank < *own.Rank: // the last of them is the next one above
			v.Above = v.gap("captain.above", votesToPass(d, own, row), name(row))
		case v.Below == nil:
			v.Below = v.gap("captain.below", votesToPass(d, row, own), name(row))
		}
	}
	if len(tied) > 0 {
		v.Tied = v.Say("captain.tied", "Names", v.List(tied))
	}
	if board.Phase != contest.PhaseVoting {
		v.Above, v.Below = nil, nil // nothing is to be gained any more
	}
}

func (v *captainView) gap(id string, votes int64, name string) *gap {
	return &gap{v.Number(votes), v.CountOf(id, votes, "Name", name)}
}

// votesToPass is how many more votes put one school before another, if that one
// gets none. A score is votes by the size of the school: more votes for a large one.
func votesToPass(d *contest.Contest, behind, ahead voting.SchoolRow) int64 {
	students, per := 1.0, 1.0
	if d.Scoring.Schools.By == contest.ByPerStudent {
		school, _ := d.School(behind.ID)
		students, per = float64(school.Students), float64(d.Scoring.Schools.Per)
	}
	// Scores are fractions shown as the nearest number: a hair is not a vote.
	const hair = 1e-6
	has := math.Round(*behind.Score * students / per)
	return max(int64(math.Floor(*ahead.Score*students/per+hair)+1-has), 1)
}

// hoursView are the votes by the hour, drawn and in figures.
type hoursView struct {
	Bars  []hourBar
	Wide  int    // of the drawing; its bars are barStep apart
	Since string // the hour that is not over yet, in words
	First string // the hour it begins at
}

type hourBar struct {
	X, Y, Tall float64
	Known      bool
	From, To   string
	Votes      string
}

const (
	barStep = 12
	barTall = 72
)

func (v *captainView) hours(hours []live.Hour, zone *time.Location) *hoursView {
	h := &hoursView{Wide: len(hours) * barStep}
	most := int64(1)
	for _, hour := range hours {
		if hour.Votes != nil {
			most = max(most, *hour.Votes)
		}
	}
	for i, hour := range hours {
		from := hour.From.In(zone)
		bar := hourBar{X: float64(i*barStep) + 1.5, Y: barTall - 1, Tall: 1, From: v.Hour(from), To: v.Hour(from.Add(time.Hour)), Votes: "–"}
		if hour.Votes != nil {
			bar.Known, bar.Votes = true, v.Number(*hour.Votes)
			bar.Tall = math.Max(math.Round(float64(max(*hour.Votes, 0))*(barTall-1)/float64(most)), 1)
			bar.Y = barTall - bar.Tall
		}
		h.Bars = append(h.Bars, bar)
	}
	h.First = h.Bars[0].From
	if last := hours[len(hours)-1]; last.Votes != nil && *last.Votes >= 0 {
		h.Since = v.CountOf("captain.since", *last.Votes, "Hour", h.Bars[len(hours)-1].From)
	}
	return h
}

// channelView is what came by one way of sharing.
type channelView struct{ Name, Visits, Ballots, Rate string }

func (v *captainView) channel(row sharing.Row) channelView {
	one := channelView{Name: v.Say("captain.channel." + row.ID), Visits: v.Number(row.Visits), Ballots: v.Number(row.Ballots), Rate: "–"}
	if row.Visits > 0 {
		one.Rate = v.Say("captain.percent", "N", int64(math.Round(100*float64(row.Ballots)/float64(row.Visits))))
	}
	return one
}

// growth says in sentences how sharing spreads; see [sharing.Growth].
func (v *captainView) growth(row sharing.Row) (lines []string) {
	g := row.Growth
	if g == nil || g.K == nil || row.Shares == 0 {
		return nil
	}
	lines = append(lines, v.CountOf("captain.growth", int64(math.Round(100**g.K)), "K", v.Decimal(*g.K)))
	if g.Cycle != nil {
		lines = append(lines, v.Say("captain.cycle", "Span", v.Span(time.Duration(*g.Cycle*float64(time.Second)))))
	}
	return lines
}
