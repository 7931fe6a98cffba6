package web

import (
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/live"
	"github.com/joute/joute/voting"
)

func TestOrdinalSuffix(t *testing.T) {
	for n, want := range map[int][2]string{
		1: {"er", "st"}, 2: {"e", "nd"}, 3: {"e", "rd"}, 4: {"e", "th"}, 11: {"e", "th"}, 12: {"e", "th"}, 13: {"e", "th"},
		21: {"e", "st"}, 22: {"e", "nd"}, 101: {"e", "st"}, 111: {"e", "th"}, 10000: {"e", "th"},
	} {
		if fr, en := ordinalSuffix("fr", n), ordinalSuffix("en", n); fr != want[0] || en != want[1] {
			t.Errorf("%d: %s, %s", n, fr, en)
		}
	}
}

func TestVotesTold_RoughlyWhileTheyMove(t *testing.T) {
	texts, err := newCatalogue()
	must(t, err)
	w := words{texts, "fr"}
	board := func(phase contest.Phase, frozen bool) *live.Board {
		return &live.Board{Leaderboard: &voting.Leaderboard{Phase: phase}, Frozen: frozen}
	}
	for n, want := range map[int64]string{
		0: "0 vote", 1: "1 vote", 20: "20 votes", 21: "plus de 20 votes", 30: "plus de 20 votes", 31: "plus de 30 votes", 100: "plus de 90 votes",
		999: "plus de 990 votes", 1000: "plus de 990 votes", 1001: "plus de 1_000 votes", 1200: "plus de 1_100 votes", 98765: "plus de 98_000 votes",
	} {
		if got := votesTold(w, n, board(contest.PhaseVoting, false)); got != strings.ReplaceAll(want, "_", "\u202f") {
			t.Errorf("%d: %s", n, got)
		}
	}
	for _, still := range []*live.Board{board(contest.PhaseVoting, true), board(contest.PhaseClosed, false), board(contest.PhasePublished, false)} {
		if got := votesTold(w, 1234, still); got != "1\u202f234 votes" {
			t.Errorf("numbers that do not move: %s", got)
		}
	}
}

func TestStandingOf_ASharedRankSaysSo(t *testing.T) {
	at := func(rank int, votes int64, id string) voting.EntryRow {
		return voting.EntryRow{ID: id, Rank: &rank, Votes: &votes}
	}
	counted := int64(12)
	board := &live.Board{Leaderboard: &voting.Leaderboard{Totals: voting.Totals{Counted: &counted},
		Entries: []voting.EntryRow{at(1, 5, "a"), at(1, 5, "b"), at(3, 2, "c")}}}
	if got, ok := standingOf(board, cardEntry, "b"); !ok || got != (standing{rank: 1, of: 3, shared: true, votes: 5}) {
		t.Errorf("%+v, %v", got, ok)
	}
	if got, ok := standingOf(board, cardEntry, "c"); !ok || got.shared || got.rank != 3 {
		t.Errorf("%+v, %v", got, ok)
	}
	if _, ok := standingOf(board, cardSchool, "c"); ok {
		t.Error("an entry is found among schools")
	}
	board.Hidden = true
	if got, ok := standingOf(board, cardEntry, "b"); ok {
		t.Errorf("hidden, and yet %+v", got)
	}
	board.Hidden, *board.Totals.Counted = false, 0
	if got, ok := standingOf(board, cardEntry, "b"); ok {
		t.Errorf("nobody has voted, and yet %+v", got)
	}
}

func TestWords_BriefInstants(t *testing.T) {
	texts, err := newCatalogue()
	must(t, err)
	paris, err := time.LoadLocation("Europe/Paris")
	must(t, err)
	instant := time.Date(2026, 11, 1, 17, 5, 0, 0, time.UTC)
	if got := (words{texts, "fr"}).Brief(instant, paris); got != "1er\u00a0novembre à 18\u00a0h\u00a005 (Europe/Paris)" {
		t.Error(got)
	}
	if got := (words{texts, "en"}).Brief(instant, paris); got != "1\u00a0November, 18:05 (Europe/Paris)" {
		t.Error(got)
	}
}
