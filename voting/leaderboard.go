package voting

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/joute/joute/contest"
)

// Leaderboard is an ordered tally as the outside sees it. A nil number or rank
// is hidden.
type Leaderboard struct {
	Contest  string        `json:"contest"`
	Phase    contest.Phase `json:"phase"`
	AsOf     string        `json:"as_of"`    // instant of the newest record folded
	Position string        `json:"position"` // epoch-offset
	Totals   Totals        `json:"totals"`
	Schools  []SchoolRow   `json:"schools"`
	Entries  []EntryRow    `json:"entries"`
	Boxes    []int64       `json:"boxes,omitempty"` // for organizers, and for all once published: the offsets of each box, for a recount of this very cut
}

// Totals counts ballots over the whole contest.
type Totals struct {
	Counted *int64 `json:"counted"`
	Held    *int64 `json:"held"`
	Void    *int64 `json:"void,omitempty"` // once published
}

// SchoolRow is a school's place.
type SchoolRow struct {
	Rank  *int     `json:"rank"`
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Score *float64 `json:"score"`
	Votes *int64   `json:"votes"`
	Home  *int64   `json:"home,omitempty"` // of Votes, those from the hall; absent: none, or hidden
	Trend *int     `json:"trend"`          // ranks gained in the last hour
}

// EntryRow is an entry's place.
type EntryRow struct {
	Rank   *int   `json:"rank"`
	ID     string `json:"id"`
	School string `json:"school"`
	Title  string `json:"title"`
	Votes  *int64 `json:"votes"`
	Trend  *int   `json:"trend"`
}

// LeaderboardPosition is a leaderboard's place in the contest's life: the
// records folded so far, within one epoch of the store.
func LeaderboardPosition(epoch, offset int64) string { return fmt.Sprintf("%d-%d", epoch, offset) }

// ParseLeaderboardPosition reads the text form back. Text that is none, such as
// what a stranger sends as Last-Event-ID, is not ok.
func ParseLeaderboardPosition(text string) (epoch, offset int64, ok bool) {
	first, second, found := strings.Cut(text, "-")
	epoch, err1 := strconv.ParseInt(first, 10, 64)
	offset, err2 := strconv.ParseInt(second, 10, 64)
	if !found || err1 != nil || err2 != nil || epoch < 0 || offset < 0 || text != LeaderboardPosition(epoch, offset) {
		return 0, 0, false
	}
	return epoch, offset, true
}

// NewLeaderboard ranks t. before is the tally of an hour ago, from which trends
// come; nil means there is none yet, and every trend is 0.
func NewLeaderboard(c *contest.Contest, phase contest.Phase, epoch int64, t, before *Tally) *Leaderboard {
	at := t.At
	if at.IsZero() {
		at = time.UnixMilli(0)
	}
	l := &Leaderboard{
		Contest: c.ID, Phase: phase, AsOf: FormatTime(at), Position: LeaderboardPosition(epoch, t.Offset),
		Totals:  Totals{Counted: &t.Counted, Held: &t.Held},
		Schools: make([]SchoolRow, 0, len(c.Schools)), Entries: make([]EntryRow, 0, len(c.Entries)),
	}
	if phase == contest.PhasePublished {
		l.Totals.Void = &t.Void
	}
	now := c.Rank(t.Votes, t.Last)
	schoolsThen, entriesThen := ranksBefore(c, before)
	home := homeBySchool(c, t)
	for _, r := range now.Schools {
		school, _ := c.School(r.ID)
		score := r.Score.Float64()
		l.Schools = append(l.Schools, SchoolRow{
			Rank: &r.Rank, ID: r.ID, Name: school.Name.In(c.Locale, c.Locale), Score: &score, Votes: &r.Votes,
			Home: home[r.ID], Trend: trend(schoolsThen, r),
		})
	}
	for _, r := range now.Entries {
		entry, _ := c.Entry(r.ID)
		l.Entries = append(l.Entries, EntryRow{
			Rank: &r.Rank, ID: r.ID, School: entry.School, Title: entry.Title.In(c.Locale, c.Locale), Votes: &r.Votes,
			Trend: trend(entriesThen, r),
		})
	}
	return l
}

// homeBySchool sums the votes from the hall of all of a school's entries, hidden
// ones included, as its votes are. Schools without any are not in it.
func homeBySchool(c *contest.Contest, t *Tally) map[string]*int64 {
	sums := map[string]*int64{}
	for id, n := range t.Home {
		entry, ok := c.Entry(id)
		if !ok || n == 0 {
			continue
		}
		if sums[entry.School] == nil {
			sums[entry.School] = new(int64)
		}
		*sums[entry.School] += n
	}
	return sums
}

// ranksBefore is who stood where an hour ago; nil maps when nobody had a vote
// then (a trend from a field of equals says nothing).
func ranksBefore(c *contest.Contest, before *Tally) (schools, entries map[string]int) {
	if before == nil || before.Counted == 0 {
		return nil, nil
	}
	then := c.Rank(before.Votes, before.Last)
	return rankByID(then.Schools), rankByID(then.Entries)
}

func rankByID(ranked []contest.Ranked) map[string]int {
	ranks := make(map[string]int, len(ranked))
	for _, r := range ranked {
		ranks[r.ID] = r.Rank
	}
	return ranks
}

// trend is the ranks gained since then; 0 for who was not there.
func trend(then map[string]int, now contest.Ranked) *int {
	gained := 0
	if rank, ok := then[now.ID]; ok {
		gained = rank - now.Rank
	}
	return &gained
}
