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
	X, Y, Wide, Tall float64
	From, To         string
	Votes            string
}

const (
	barStep = 12
	barGap  = 3
	barTall = 72

	hoursLeast = 12 // drawn
)

// hours draws each as wide as it is long and as tall as it had votes an hour.
func (v *captainView) hours(hours []live.Hours, zone *time.Location) *hoursView {
	span := func(from, to time.Time) float64 { return math.Ceil(to.Sub(from).Hours()) }
	rate := func(h live.Hours) float64 { return math.Max(float64(h.Votes), 0) / span(h.From, h.To) }
	most := 1.0
	for _, h := range hours {
		most = math.Max(most, rate(h))
	}
	last := hours[len(hours)-1]
	// Of a contest that has just opened there is room before it, or a bar is a wall.
	begins := last.To.Add(-hoursLeast * time.Hour)
	if hours[0].From.Before(begins) {
		begins = hours[0].From
	}
	view := &hoursView{Wide: int(span(begins, last.To)) * barStep, First: v.Hour(begins.In(zone))}
	for _, h := range hours {
		tall := math.Max(math.Round(rate(h)*(barTall-1)/most), 1)
		view.Bars = append(view.Bars, hourBar{
			X: span(begins, h.From)*barStep + barGap/2.0, Y: barTall - tall, Wide: span(h.From, h.To)*barStep - barGap, Tall: tall,
			From: v.Hour(h.From.In(zone)), To: v.Hour(h.To.In(zone)), Votes: v.Number(h.Votes),
		})
	}
	if last.Votes >= 0 {
		view.Since = v.CountOf("captain.since", last.Votes, "Hour", v.Hour(last.From.In(zone)))
	}
	return view
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
		lines = append(lines, v.Say("captain.cycle", "Span", v.Span(above(time.Duration(*g.Cycle*float64(time.Second))))))
	}
	return lines
}

// above is more than a time, in whole units of those it is told in: what came within the time came
// in less than that is said.
func above(d time.Duration) time.Duration {
	unit := time.Hour
	switch {
	case d >= 48*time.Hour:
		unit = 24 * time.Hour
	case d < 2*time.Hour:
		return d // told in minutes, which are rounded up
	}
	return d - d%unit + unit
}
