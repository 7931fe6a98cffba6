package web

import (
	"fmt"
	"math"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/live"
)

// look takes from a board what says how to read all of its numbers.
func (v *contestView) look(d *contest.Contest, board *live.Board) {
	v.Phase, v.Hidden, v.Frozen = board.Phase, board.Hidden, board.Frozen
	v.Scored = d.Scoring.Schools.By == contest.ByPerStudent
	v.Over = board.Phase == contest.PhaseClosed || board.Phase == contest.PhasePublished
	v.Before = !v.Over && board.Phase != contest.PhaseVoting
	if board.Totals.Counted != nil {
		v.Counted = *board.Totals.Counted
	}
	v.Fresh = v.Counted == 0
}

type schoolView struct {
	On             *contestView
	ID, Name, City string
	Href           string
	row
	Score string
	Fans  int64 // 0: none, or not to be shown
	Bar   int   // 0 to 100, of the first one's score
}

type entryView struct {
	On                     *contestView
	ID, Title, Authors     string
	School, Href, AtSchool string // the school's name; addresses of the entry and of its school
	Video, Site            string
	Ballot                 string
	row
}

// row is a place on the board.
type row struct {
	Ranked bool // false: rank and numbers are hidden, or there are none yet
	Placed bool // false: nobody has a vote, so nobody is first
	Rank   int
	Votes  int64
	Trend  int
	Arrow  string // the trend to look at, empty when there is none
	Told   string // and to hear
}

func (v *contestView) row(rank *int, votes *int64, trend *int) row {
	if v.Before || rank == nil || votes == nil || trend == nil {
		return row{}
	}
	r := row{Ranked: true, Placed: !v.Fresh, Rank: *rank, Votes: *votes, Trend: *trend}
	switch {
	case r.Trend > 0:
		r.Arrow, r.Told = fmt.Sprintf("▲ %d", r.Trend), v.Say("page.rise", "N", r.Trend)
	case r.Trend < 0:
		r.Arrow, r.Told = fmt.Sprintf("▼ %d", -r.Trend), v.Say("page.fall", "N", -r.Trend)
	}
	return r
}

// schools fills in the rows of all schools, best first.
func (v *contestView) schools(d *contest.Contest, board *live.Board) {
	best := 0.0
	for _, r := range board.Schools {
		if r.Score != nil {
			best = max(best, *r.Score)
		}
	}
	for _, r := range board.Schools {
		school, _ := d.School(r.ID)
		one := schoolView{
			On: v, ID: r.ID, Name: v.In(school.Name, d), City: school.City, Href: v.href("s", r.ID), row: v.row(r.Rank, r.Votes, r.Trend),
		}
		if one.Ranked && r.Score != nil {
			one.Score = v.Number(int64(*r.Score))
			if v.Scored {
				one.Score = v.Decimal(*r.Score)
			}
			if best > 0 {
				one.Bar = int(math.Round(100 * *r.Score / best))
			}
		}
		v.Schools = append(v.Schools, one)
	}
}

// entry is the row of one entry, with a ballot of its own.
func (v *contestView) entry(d *contest.Contest, board *live.Board, i int) entryView {
	r := board.Entries[i]
	entry, _ := d.Entry(r.ID)
	school, _ := d.School(entry.School)
	one := entryView{
		On: v, ID: r.ID, Title: v.In(entry.Title, d), School: v.In(school.Name, d), Authors: strings.Join(entry.Authors, ", "),
		Href: v.href("e", r.ID), AtSchool: v.href("s", school.ID), Ballot: uuid.NewString(), row: v.row(r.Rank, r.Votes, r.Trend),
	}
	if entry.Video != nil {
		one.Video, one.Site = entry.Video.URL(), siteNames[entry.Video.Provider]
	}
	return one
}

// href is the address of an entry's page (kind e) or a school's (kind s).
func (v *contestView) href(kind, id string) string {
	return v.Path + "/" + kind + "/" + url.PathEscape(id) + v.Keep
}

var siteNames = map[contest.Provider]string{contest.YouTube: "YouTube", contest.Vimeo: "Vimeo", contest.Dailymotion: "Dailymotion"}
