package ballotbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

func TestChange_EachIsARecordWithActorAndReason(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		ballot := ballotFor("ada", "n-1")
		mustCast(t, b, s, ballot)
		steps := []struct {
			to   voting.Standing
			kind voting.Kind
		}{
			{voting.Held, voting.KindHold}, {voting.Counted, voting.KindRelease},
			{voting.Void, voting.KindVoid}, {voting.Counted, voting.KindReinstate},
			{voting.Void, voting.KindVoid}, {voting.Held, voting.KindHold}, {voting.Void, voting.KindVoid},
		}
		for i, step := range steps {
			change := Change{
				Voter: ballot.Voter, Ballot: ballot.ID, Standing: step.to,
				Actor: voting.ActorOrganizer, Reasons: []string{fmt.Sprint("step-", i)},
			}
			for _, news := range []bool{true, false} {
				after, changed, err := b.Change(t.Context(), s, change)
				if err != nil || changed != news || after.Standing != step.to {
					t.Fatalf("step %d: %+v, changed %v, %v", i, after, changed, err)
				}
			}
			records := ledgerOf(t, b, s, voting.Position{})
			last := records[len(records)-1]
			if len(records) != i+3 || last.Kind != step.kind || last.Standing != step.to ||
				last.Actor != voting.ActorOrganizer || last.Reasons[0] != change.Reasons[0] || last.School != "north" {
				t.Fatalf("step %d: %d records, last %+v", i, len(records), last)
			}
			found, err := b.Find(t.Context(), s, ballot.Voter, ballot.ID)
			if err != nil || found.Reasons[0] != change.Reasons[0] {
				t.Fatalf("step %d: found %+v, %v", i, found, err)
			}
		}
		// A void ballot does not give its turn back.
		if o := mustCast(t, b, s, ballotFor("ada", "n-1")); o.Refused != voting.AlreadyVoted {
			t.Fatalf("after a void: %+v", o)
		}
	})
}

func TestChange_WithdrawGivesTheTurnBackInsideTheUndoWindowOnly(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "rules: {ballots: {max: 1, per: day}, undo: 10m}")
		at := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
		withdraw := func(ballot voting.Ballot) error {
			_, _, err := c.boxes.Change(t.Context(), s, Change{
				Voter: ballot.Voter, Ballot: ballot.ID, Standing: voting.Withdrawn, Actor: voting.ActorVoter,
			})
			return err
		}
		c.set(at)
		first := ballotFor("ada", "n-1")
		mustCast(t, c.boxes, s, first)
		c.set(at.Add(10*time.Minute - time.Millisecond))
		if err := withdraw(first); err != nil {
			t.Fatal(err)
		}
		if o := mustCast(t, c.boxes, s, first); !o.Duplicate || o.Cast.Standing != voting.Withdrawn || o.Remaining != 1 {
			t.Fatalf("its id counts again: %+v", o)
		}
		second := ballotFor("ada", "s-1")
		if o := mustCast(t, c.boxes, s, second); o.Refused != "" {
			t.Fatalf("the turn did not come back: %+v", o)
		}
		c.set(at.Add(20 * time.Minute))
		if err := withdraw(second); !errors.Is(err, ErrUndoExpired) {
			t.Fatalf("after the window: %v", err)
		}
		if err := withdraw(first); err != nil {
			t.Fatalf("withdrawing again: %v", err)
		}
		if err := withdraw(ballotFor("bob", "n-1")); !errors.Is(err, ErrNoSuchBallot) {
			t.Fatalf("somebody else's: %v", err)
		}
	})
}

func TestConfigure_OlderVersionsChangeNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		mustCast(t, b, s, ballotFor("ada", "n-1"))
		newer := *s
		newer.Version = 2
		for _, v := range []*registry.Stored{&newer, s, &newer} {
			if err := b.Configure(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		var rules []voting.Record
		for _, r := range ledgerOf(t, b, s, voting.Position{}) {
			if r.Kind == voting.KindRules {
				rules = append(rules, r)
			}
		}
		if len(rules) != 1 || rules[0].Version != 2 || rules[0].Actor != voting.ActorOrganizer {
			t.Fatalf("rules records: %+v", rules)
		}
	})
}

// From the freezing instant on the frozen tally is the one of that instant,
// whether or not anything happens then, and whatever happens later.
func TestTally_FrozenIsTheTallyOfTheFreezingInstant(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "phases: {voting: {opens: 2027-05-01T10:00:00Z, closes: 2027-05-01T12:00:00Z}}",
			"results: {freeze: 1h}", "scoring: {schools: {by: total}, ties: earliest}", "boxes: 2")
		freezes := s.Contest.FreezesAt()
		count := func() Count {
			t.Helper()
			n, err := c.boxes.Tally(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		c.set(freezes.Add(-2 * time.Minute))
		mustCast(t, c.boxes, s, ballotFor("ada", "n-1"))
		c.set(freezes.Add(-time.Minute))
		late := ballotFor("bob", "n-1")
		mustCast(t, c.boxes, s, late)
		if n := count(); n.Frozen != nil {
			t.Fatalf("frozen too early: %+v", n.Frozen)
		}
		c.set(freezes)
		quiet := count()
		if quiet.Frozen == nil || quiet.Frozen.Votes["n-1"] != 2 || !quiet.Frozen.At.Equal(freezes) {
			t.Fatalf("at the instant: %+v", quiet.Frozen)
		}
		mustCast(t, c.boxes, s, ballotFor("eve", "s-1"))
		if _, _, err := c.boxes.Change(t.Context(), s, Change{
			Voter: late.Voter, Ballot: late.ID, Standing: voting.Void, Actor: voting.ActorDetector, Reasons: []string{"test"},
		}); err != nil {
			t.Fatal(err)
		}
		c.set(freezes.Add(30 * time.Minute))
		mustCast(t, c.boxes, s, ballotFor("fay", "s-1"))
		later := count()
		if d := diffTally(later.Frozen, quiet.Frozen); d != "" {
			t.Fatalf("the frozen tally moved:\n%s", d)
		}
		if fmt.Sprint(later.Frozen.Last) != fmt.Sprint(quiet.Frozen.Last) {
			t.Fatalf("the frozen order moved: %v, %v", later.Frozen.Last, quiet.Frozen.Last)
		}
		if later.Live.Votes["s-1"] != 2 || later.Live.Votes["n-1"] != 1 {
			t.Fatalf("live: %+v", later.Live)
		}
		// The close moves: the freeze with it, and what was frozen too early thaws.
		moved := *s
		later2 := *s.Contest
		later2.Phases.Voting.Closes = s.Contest.Phases.Voting.Closes.Add(2 * time.Hour)
		moved.Contest, moved.Version = &later2, 2
		if err := c.boxes.Configure(t.Context(), &moved); err != nil {
			t.Fatal(err)
		}
		if n := count(); n.Frozen != nil {
			t.Fatalf("still frozen after the close moved: %+v", n.Frozen)
		}
	})
}

// An undo or a void just before the freezing instant leaves a mark in the frozen
// tally; it settles to what was the newest ballot then, not now.
func TestTally_FrozenMarksSettleToTheInstant(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "phases: {voting: {opens: 2027-05-01T10:00:00Z, closes: 2027-05-01T12:00:00Z}}",
			"results: {freeze: 1h}", "scoring: {schools: {by: total}, ties: earliest}")
		freezes := s.Contest.FreezesAt()
		c.set(freezes.Add(-3 * time.Minute))
		mustCast(t, c.boxes, s, ballotFor("ada", "n-1"))
		want := freezes.Add(-3 * time.Minute).UnixMilli()
		c.set(freezes.Add(-2 * time.Minute))
		late := ballotFor("bob", "n-1")
		mustCast(t, c.boxes, s, late)
		if _, _, err := c.boxes.Change(t.Context(), s, Change{
			Voter: late.Voter, Ballot: late.ID, Standing: voting.Void, Actor: voting.ActorDetector, Reasons: []string{"test"},
		}); err != nil {
			t.Fatal(err)
		}
		c.set(freezes.Add(time.Minute))
		mustCast(t, c.boxes, s, ballotFor("eve", "n-1"))
		n, err := c.boxes.Tally(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if n.Frozen.Last["n-1"] != want {
			t.Fatalf("frozen newest %v, want %v", n.Frozen.Last["n-1"], want)
		}
	})
}

// Whoever looked for an entry's newest ballot before one of its ballots changed has
// looked in vain: what it found is not written down.
func TestSettle_AChangeMeanwhileIsNotOverwritten(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "scoring: {schools: {by: total}, ties: earliest}")
		keys, begin := keysOf(s.Contest.ID, 0), time.Date(2027, 5, 1, 10, 0, 0, 0, time.UTC)
		var ballots [3]voting.Ballot
		at := func(i int) int64 { return begin.Add(time.Duration(i) * time.Minute).UnixMilli() }
		for i, voter := range []string{"ada", "bob", "cy"} {
			c.set(time.UnixMilli(at(i)))
			ballots[i] = ballotFor(voter, "n-1")
			mustCast(t, c.boxes, s, ballots[i])
		}
		to := func(i int, standing voting.Standing) (mark string) {
			t.Helper()
			if _, _, err := c.boxes.Change(t.Context(), s, Change{
				Voter: ballots[i].Voter, Ballot: ballots[i].ID, Standing: standing, Actor: voting.ActorOrganizer, Reasons: []string{"test"},
			}); err != nil {
				t.Fatal(err)
			}
			return st.Client().HGet(t.Context(), keys.tally, "n-1/last").Val()
		}
		settled := func(mark string, found, newest int64) {
			t.Helper()
			reply, err := c.boxes.settle.Run(t.Context(), keys.common(keys.tally), "n-1", mark, found).StringSlice()
			if err != nil || reply[0] != "unchanged" {
				t.Errorf("what was found before a change: %q, %v", reply, err)
			}
			if n, err := c.boxes.Tally(t.Context(), s); err != nil || n.Live.Last["n-1"] != newest {
				t.Errorf("the newest is %d, want %d, %v", n.Live.Last["n-1"], newest, err)
			}
		}
		mark := to(2, voting.Void)
		to(1, voting.Void)
		settled(mark, at(1), at(0))
		mark = to(0, voting.Void)
		to(1, voting.Counted)
		settled(mark, 0, at(1))
	})
}

func TestPast_IsTheTallyAnHourBefore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		now := time.Date(2027, 5, 1, 12, 0, 30, 0, time.UTC)
		for minute, votes := range map[int]int64{-90: 1, -60: 2, -30: 3, 0: 4} {
			tally := voting.NewTally()
			tally.Votes["n-1"], tally.Last["n-1"] = votes, votes
			at := now.Add(time.Duration(minute) * time.Minute)
			for _, n := range []Count{{Live: tally, Now: at}, {Live: voting.NewTally(), Now: at}} { // the first one wins
				if err := b.Remember(t.Context(), s, n); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, want := range []struct {
			at    time.Time
			votes int64
		}{{now, 2}, {now.Add(20 * time.Minute), 3}, {now.Add(-2 * time.Hour), 0}, {now.Add(2 * time.Hour), 0}} {
			past, err := b.Past(t.Context(), s, want.at)
			if err != nil {
				t.Fatal(err)
			}
			var got int64
			if past != nil {
				got = past.Votes["n-1"]
			}
			if got != want.votes {
				t.Errorf("an hour before %v: %d votes, want %d", want.at, got, want.votes)
			}
		}
		// Old minutes go, the first one of an hour a day later than the others.
		for _, later := range []struct {
			by   time.Duration
			kept int64
		}{{10 * time.Hour, 4}, {30 * time.Hour, 2}, {60 * time.Hour, 1}} {
			if err := b.Remember(t.Context(), s, Count{Live: voting.NewTally(), Now: now.Add(later.by)}); err != nil {
				t.Fatal(err)
			}
			if n := st.Client().HLen(t.Context(), keysOf(s.Contest.ID, 0).past).Val(); n != later.kept {
				t.Fatalf("%d minutes kept after %v, want %d", n, later.by, later.kept)
			}
		}
	})
}

func TestHours_AreTheTalliesTheyBeganWith(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		noon := time.Date(2027, 5, 1, 12, 0, 0, 0, time.UTC)
		for minute, votes := range map[int]int64{-180: 1, -117: 2, -110: 3, -54: 4, -30: 5, 0: 6, 10: 7, 60: 8} {
			tally := voting.NewTally()
			tally.Votes["n-1"] = votes
			if err := b.Remember(t.Context(), s, Count{Live: tally, Now: noon.Add(time.Duration(minute)*time.Minute + 20*time.Second)}); err != nil {
				t.Fatal(err)
			}
		}
		hours, err := b.Hours(t.Context(), s, noon.Add(-150*time.Minute), noon.Add(30*time.Minute), func(time.Time) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		// Nine is too early, eleven was kept too late, one has not come.
		if len(hours) != 2 || hours[noon.Add(-2*time.Hour)].Votes["n-1"] != 2 || hours[noon].Votes["n-1"] != 6 {
			t.Errorf("%v", hours)
		}
		hours, err = b.Hours(t.Context(), s, noon.Add(-150*time.Minute), noon.Add(30*time.Minute), func(hour time.Time) bool { return hour.Equal(noon) })
		if err != nil || len(hours) != 1 || hours[noon] != nil {
			t.Errorf("noon was known: %v, %v", hours, err)
		}
	})
}

func TestTend_OpensAndClosesWithoutVoters(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b := New(st)
		opens := time.Now().Add(300 * time.Millisecond).Truncate(time.Millisecond)
		s := newContest(t, "boxes: 2", fmt.Sprintf("phases: {voting: {opens: %s, closes: %s}}",
			opens.UTC().Format(time.RFC3339Nano), opens.Add(300*time.Millisecond).UTC().Format(time.RFC3339Nano)))
		go b.Tend(t.Context(), quietLog, func() []*registry.Stored { return []*registry.Stored{s} })
		deadline := time.Now().Add(5 * time.Second)
		for {
			kinds := map[voting.Kind]int{}
			for _, r := range ledgerOf(t, b, s, voting.Position{}) {
				kinds[r.Kind]++
			}
			if kinds[voting.KindOpen] == 2 && kinds[voting.KindClose] == 2 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("records after 5 s: %v", kinds)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// What is wrong with one contest's boxes keeps no other from its opening.
func TestTend_ADamagedContestIsNobodyElses(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b := New(st)
		damaged, whole := newContest(t), newContest(t)
		if err := st.Client().HSet(t.Context(), keysOf(damaged.Contest.ID, 0).meta, "place", "nowhere", "rules", "none").Err(); err != nil {
			t.Fatal(err)
		}
		go b.Tend(t.Context(), quietLog, func() []*registry.Stored { return []*registry.Stored{damaged, whole} })
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			place := st.Client().HGet(t.Context(), keysOf(whole.Contest.ID, 0).meta, "place").Val() // whoever reads the ledger opens the box
			if strings.HasPrefix(place, "open|") {
				return
			}
			if time.Now().After(end) {
				t.Fatal("not opened after 20 s")
			}
		}
	})
}

func TestRank_EarliestSurvivesAVoidOfTheNewestBallot(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "scoring: {schools: {by: total}, ties: earliest}")
		at := time.Date(2027, 5, 1, 12, 0, 0, 0, time.UTC)
		var undone voting.Ballot
		for i, vote := range []struct{ voter, entry string }{{"a", "n-1"}, {"b", "s-1"}, {"c", "n-1"}} {
			c.set(at.Add(time.Duration(i) * time.Second))
			undone = ballotFor(vote.voter, vote.entry)
			mustCast(t, c.boxes, s, undone)
		}
		if _, _, err := c.boxes.Change(t.Context(), s, Change{
			Voter: undone.Voter, Ballot: undone.ID, Standing: voting.Void, Actor: voting.ActorOrganizer, Reasons: []string{"x"},
		}); err != nil {
			t.Fatal(err)
		}
		n, err := c.boxes.Tally(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		// One vote each; n-1's remaining one is the older.
		l := voting.NewLeaderboard(s.Contest, contest.PhaseVoting, s.Epoch, n.Live, nil)
		if l.Entries[0].ID != "n-1" || *l.Entries[0].Rank != 1 || l.Entries[1].ID != "s-1" || *l.Entries[1].Rank != 2 {
			t.Fatalf("entries: %+v", l.Entries)
		}
	})
}
