package live

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the contest's zone, whatever the machine has

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

var (
	opens  = time.Date(2026, 11, 16, 19, 0, 0, 0, time.UTC)
	closes = time.Date(2026, 11, 16, 23, 0, 0, 0, time.UTC)
)

// stored is a contest of three schools; e9 is hidden.
func stored(t testing.TB, id string, opens, closes time.Time, more string) *registry.Stored {
	t.Helper()
	c, err := contest.Parse([]byte(fmt.Sprintf(`
id: %s
title: Live
phases: {voting: {opens: %s, closes: %s}}
rules: {ballots: {max: 1000}}
schools: [{id: s1, name: One}, {id: s2, name: Two}, {id: s3, name: Three}]
entries:
  - {id: e1, school: s1, title: First}
  - {id: e2, school: s2, title: Second}
  - {id: e3, school: s3, title: Third}
  - {id: e9, school: s3, title: Secret, hidden: true}
%s`, id, voting.FormatTime(opens), voting.FormatTime(closes), more)))
	if err != nil {
		t.Fatal(err)
	}
	return &registry.Stored{Contest: c, Version: 1, Epoch: 1763300000}
}

// tallies of an afternoon: no number of one is in the other, and their orders differ.
func tallies(freezesAt time.Time) (live, frozen *voting.Tally) {
	live = &voting.Tally{
		Votes: map[string]int64{"e1": 911, "e2": 733, "e3": 855, "e9": 1}, Home: map[string]int64{"e1": 610, "e2": 0, "e9": 1}, Counted: 2500, Held: 61, Void: 62,
		Offset: 26262, At: freezesAt.Add(30 * time.Minute), Boxes: []int64{26262},
	}
	frozen = &voting.Tally{
		Votes: map[string]int64{"e1": 117, "e2": 244, "e3": 371}, Home: map[string]int64{"e3": 59}, Counted: 732, Held: 43, Void: 44,
		Offset: 10396, At: freezesAt, Boxes: []int64{10396},
	}
	return live, frozen
}

var (
	liveMarks   = []string{"911", "733", "855", "856", "2500", "26262", `"held":61`, `"home":610`, `"home":1,`, "21:30:00"}
	frozenMarks = []string{"117", "244", "371", "732", "10396", `"held":43`, `"home":59`, "21:00:00"}
)

func TestVisibility_EveryCombination(t *testing.T) {
	type moment struct {
		name   string
		now    time.Time
		agreed bool // every box says it is frozen
		public bool // published
		phase  contest.Phase
	}
	moments := []moment{
		{"upcoming", opens.Add(-time.Hour), false, false, contest.PhaseUpcoming},
		{"voting", opens.Add(time.Hour), false, false, contest.PhaseVoting},
		{"late, boxes agree", closes.Add(-time.Minute), true, false, contest.PhaseVoting},
		{"late, boxes not yet", closes.Add(-2 * time.Hour), false, false, contest.PhaseVoting},
		{"closed", closes, true, false, contest.PhaseClosed},
		{"published", closes.Add(time.Hour), true, true, contest.PhasePublished},
	}
	// Public, voter, organizer at each moment: L live, F frozen, - hidden.
	for _, rule := range []struct {
		visibility contest.Visibility
		freeze     time.Duration
		want       [6]string
	}{
		{contest.VisibleLive, 0, [6]string{"LLL", "LLL", "LLL", "LLL", "LLL", "LLL"}},
		{contest.VisibleLive, 2 * time.Hour, [6]string{"LLL", "LLL", "FFL", "--L", "LLL", "LLL"}},
		{contest.VisibleAfterBallot, 0, [6]string{"-LL", "-LL", "-LL", "-LL", "LLL", "LLL"}},
		{contest.VisibleAfterBallot, 2 * time.Hour, [6]string{"-LL", "-LL", "-FL", "--L", "LLL", "LLL"}},
		{contest.VisibleAfterClose, 0, [6]string{"--L", "--L", "--L", "--L", "LLL", "LLL"}},
		{contest.VisibleAfterClose, 2 * time.Hour, [6]string{"--L", "--L", "--L", "--L", "LLL", "LLL"}},
	} {
		for i, m := range moments {
			for _, viewer := range viewers {
				want := rule.want[i][viewer]
				t.Run(fmt.Sprintf("%s/%s/%s/%d", rule.visibility, rule.freeze, m.name, viewer), func(t *testing.T) {
					s := stored(t, "rule", opens, closes, fmt.Sprintf("results: {visibility: %s, freeze: %s}", rule.visibility, rule.freeze))
					count := ballotbox.Count{Now: m.now, Closes: closes}
					var frozen *voting.Tally
					count.Live, frozen = tallies(closes.Add(-2 * time.Hour))
					if m.agreed && rule.freeze > 0 {
						count.Frozen = frozen
					}
					if m.public {
						s.PublishedAt = closes
					}
					past := voting.NewTally()
					past.Votes["e2"], past.Counted = 1, 1
					before := map[time.Time]*voting.Tally{}
					for _, v := range viewers {
						before[see(s, count, v).trendAt] = past
					}

					board := newBoard(s, count, before, viewer)
					if board.Phase != m.phase {
						t.Errorf("phase is %s, want %s", board.Phase, m.phase)
					}
					body, _ := board.JSON(50)
					checkShows(t, string(body), want)
					if got := strings.Contains(string(body), `"boxes"`); got != (viewer == Organizer || m.public) {
						t.Errorf("the boxes' offsets: shown %v to viewer %d", got, viewer)
					}
					if got := strings.Contains(string(body), `"void":62`); got != m.public {
						t.Errorf("the void total: shown %v, want %v", got, m.public)
					}
					if strings.Contains(string(body), "e9") || strings.Contains(string(body), "Secret") {
						t.Errorf("the hidden entry is shown: %s", body)
					}
				})
			}
		}
	}
}

// checkShows looks at a body for the numbers it must have and for those it must not.
func checkShows(t *testing.T, body string, want byte) {
	t.Helper()
	has := func(marks []string, want bool) {
		for _, mark := range marks {
			if strings.Contains(body, mark) != want {
				t.Errorf("%q: in the body %v, want %v: %s", mark, !want, want, body)
			}
		}
	}
	has(liveMarks, want == 'L')
	has(frozenMarks, want == 'F')
	var board struct {
		Totals  map[string]*int64
		Schools []map[string]any
		Entries []map[string]any
	}
	if err := json.Unmarshal([]byte(body), &board); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, row := range append(board.Schools, board.Entries...) {
		order = append(order, row["id"].(string))
		for _, member := range []string{"rank", "votes", "trend", "score"} {
			if value, ok := row[member]; ok && (value == nil) != (want == '-') {
				t.Errorf("%s of %s is %v", member, row["id"], value)
			}
		}
	}
	for name, n := range board.Totals {
		if (n == nil) != (want == '-') {
			t.Errorf("total %s is %v", name, n)
		}
	}
	orders := map[byte]string{'L': "s1 s3 s2 e1 e3 e2", 'F': "s3 s2 s1 e3 e2 e1", '-': "s1 s2 s3 e1 e2 e3"}
	if got := strings.Join(order, " "); got != orders[want] {
		t.Errorf("order is %s, want %s", got, orders[want])
	}
}

// A document read half a second ago may not know of an early or a moved close.
func TestVisibility_TheCloseIsTheBoxesWord(t *testing.T) {
	s := stored(t, "word", opens, closes, "results: {visibility: after_close}")
	live, _ := tallies(closes.Add(-2 * time.Hour))
	early := ballotbox.Count{Live: live, Now: closes.Add(-time.Hour), Closes: closes.Add(-time.Hour)}
	if b := newBoard(s, early, nil, Public); b.Hidden || b.Phase != contest.PhaseClosed {
		t.Errorf("closed early by the boxes: hidden %v, phase %s", b.Hidden, b.Phase)
	}
	moved := ballotbox.Count{Live: live, Now: closes.Add(time.Minute), Closes: closes.Add(time.Hour)}
	if b := newBoard(s, moved, nil, Public); !b.Hidden || b.Phase != contest.PhaseVoting {
		t.Errorf("still open by the boxes: hidden %v, phase %s", b.Hidden, b.Phase)
	}
}

func TestJSON_LimitsAndBoundedMemory(t *testing.T) {
	s := stored(t, "limits", opens, closes, "")
	count := ballotbox.Count{Now: opens, Closes: closes}
	count.Live, _ = tallies(closes)
	board := newBoard(s, count, nil, Public)
	seen := map[string]string{}
	for _, limit := range []int{-1, 0, 1, 2, 3, 4, 50, 10000} {
		body, etag := board.JSON(limit)
		var parsed voting.Leaderboard
		if err := json.Unmarshal(body, &parsed); err != nil {
			t.Fatal(err)
		}
		if want := min(max(limit, 0), 3); len(parsed.Entries) != want || parsed.Entries == nil || len(parsed.Schools) != 3 {
			t.Errorf("limit %d: %d entries of %d schools", limit, len(parsed.Entries), len(parsed.Schools))
		}
		if other, ok := seen[etag]; ok && other != string(body) {
			t.Errorf("limit %d: the ETag of another body", limit)
		}
		seen[etag] = string(body)
		if again, etag2 := board.JSON(limit); string(again) != string(body) || etag2 != etag {
			t.Errorf("limit %d: differs the second time", limit)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d ETags for four bodies", len(seen))
	}
	board.encoded = map[int]encoding{7: {}, 8: {}, 9: {}, 10: {}}
	if board.JSON(1); len(board.encoded) > encodingsKept {
		t.Errorf("%d encodings are kept", len(board.encoded))
	}
}
