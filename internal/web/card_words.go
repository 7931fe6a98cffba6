package web

import (
	"strconv"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/card"
	"github.com/joute/joute/internal/live"
)

// secret stands where a place would.
const secret = "?"

// podium is how many schools a contest's card shows.
const podium = 3

// standing is a place on a board that may be shown.
type standing struct {
	rank, of int
	shared   bool // with somebody else
	votes    int64
}

// standingOf finds an entry or a school on a board. ok is false when the board
// hides it, when there is nothing to be ahead of yet, and when it is not there.
func standingOf(board *live.Board, kind cardKind, id string) (at standing, ok bool) {
	if board.Hidden || !voted(board) {
		return standing{}, false
	}
	ranks := map[int]int{}
	see := func(its string, rank *int, votes *int64) {
		if rank == nil || votes == nil {
			return
		}
		at.of++
		ranks[*rank]++
		if its == id {
			at.rank, at.votes, ok = *rank, *votes, true
		}
	}
	switch kind {
	case cardEntry:
		for _, r := range board.Entries {
			see(r.ID, r.Rank, r.Votes)
		}
	case cardSchool:
		for _, r := range board.Schools {
			see(r.ID, r.Rank, r.Votes)
		}
	}
	at.shared = ranks[at.rank] > 1
	return at, ok
}

// voted tells whether a board shows that somebody has.
func voted(board *live.Board) bool {
	return board.Totals.Counted != nil && *board.Totals.Counted > 0
}

// begun tells whether voting has.
func begun(phase contest.Phase) bool {
	return phase == contest.PhaseVoting || phase == contest.PhaseClosed || phase == contest.PhasePublished
}

// newCard is the card of a contest, or of an entry or a school of it, with what
// the board shows. ok is false when there is no such thing on a public path.
func newCard(w words, stored *registry.Stored, board *live.Board, kind cardKind, id string) (c card.Card, ok bool) {
	d := stored.Contest
	c = card.Card{Brand: d.Brand, Instead: id, Foot: cardFoot(w, stored, board)}
	c.Ground, c.Ink = accentOf(d)
	name := w.In(d.Title, d)
	switch kind {
	case cardContest:
		c.Heading, c.Instead = name, d.ID
		c.Below = w.Count("card.schools", int64(len(board.Schools)))
		if n := len(board.Entries); n > 0 {
			c.Below += " · " + w.Count("card.entries", int64(n))
		}
	case cardEntry:
		entry, found := d.Entry(id)
		if !found || entry.Hidden {
			return card.Card{}, false
		}
		school, _ := d.School(entry.School)
		c.Above, c.Heading, c.Below = name, w.In(entry.Title, d), w.In(school.Name, d)
	case cardSchool:
		school, found := d.School(id)
		if !found {
			return card.Card{}, false
		}
		c.Above, c.Heading, c.Below = name, w.In(school.Name, d), school.City
	}
	cardPanel(w, &c, d, board, kind, id)
	return c, true
}

// cardPanel fills in the place, or why there is none.
func cardPanel(w words, c *card.Card, d *contest.Contest, board *live.Board, kind cardKind, id string) {
	switch at, placed := standingOf(board, kind, id); {
	case !begun(board.Phase):
	case board.Hidden:
		c.Figure, c.Lines = secret, []string{w.Say("card.secret"), w.Say("card.secret.until")}
		if kind == cardContest {
			c.Lines[0] = w.Say("card.secret.all")
		}
		if d.Results.Visibility == contest.VisibleAfterBallot && !frozenNow(d) {
			c.Lines[1] = w.Say("card.secret.vote")
		}
	case placed:
		c.Figure, c.Suffix = strconv.Itoa(at.rank), ordinalSuffix(w.Lang, at.rank)
		of := "card.of." + string(kind)
		if at.shared {
			of = "card.of.shared"
		}
		c.Lines = []string{w.Say(of, "N", w.Number(int64(at.of))), votesTold(w, at.votes, board)}
	case kind == cardContest && voted(board):
		for _, r := range board.Schools[:min(podium, len(board.Schools))] {
			school, _ := d.School(r.ID)
			if r.Rank != nil {
				c.Rows = append(c.Rows, card.Row{Place: strconv.Itoa(*r.Rank), Name: w.In(school.Name, d)})
			}
		}
	}
}

// cardFoot says where the contest is, and until when.
func cardFoot(w words, stored *registry.Stored, board *live.Board) string {
	zone := stored.Contest.Location()
	switch {
	case !begun(board.Phase):
		return w.Say("card.opens", "At", w.Brief(stored.Contest.Phases.Voting.Opens, zone))
	case board.Phase != contest.PhaseVoting:
		return w.Say("card.over", "At", w.Brief(board.Closes, zone))
	case board.Frozen:
		return w.Say("card.frozen", "At", w.Brief(board.Closes, zone))
	default:
		return w.Say("card.open", "At", w.Brief(board.Closes, zone))
	}
}

// votesTold says how many votes. While they move it says it roughly, so that a
// card and its address are not another one with each vote: exactly up to 20, then
// "more than" a round number.
func votesTold(w words, n int64, board *live.Board) string {
	if n <= 20 || board.Frozen || board.Phase != contest.PhaseVoting {
		return w.Count("frame.votes", n)
	}
	step := int64(10)
	for n-1 >= 100*step {
		step *= 10
	}
	return w.Say("card.votes.over", "N", w.Number((n-1)/step*step))
}

// ordinalSuffix is what follows a rank's digits: 1er, 2e; 1st, 22nd, 13th.
func ordinalSuffix(lang string, n int) string {
	if lang == "fr" {
		if n == 1 {
			return "er"
		}
		return "e"
	}
	if tens := n % 100; tens < 11 || tens > 13 {
		switch n % 10 {
		case 1:
			return "st"
		case 2:
			return "nd"
		case 3:
			return "rd"
		}
	}
	return "th"
}

// Brief is When without the weekday and the year: a card's contest is this season's.
func (w words) Brief(t time.Time, zone *time.Location) string {
	t = t.In(zone)
	if w.Lang != "fr" {
		return t.Format("2\u00a0January, 15:04") + " (" + zone.String() + ")"
	}
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	hour := strconv.Itoa(t.Hour()) + "\u00a0h"
	if t.Minute() != 0 {
		hour += "\u00a0" + t.Format("04")
	}
	return day + "\u00a0" + monthsFR[t.Month()-1] + " à " + hour + " (" + zone.String() + ")"
}
