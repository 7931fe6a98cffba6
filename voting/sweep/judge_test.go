package sweep

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/voting"
)

var day = Settings{Policy: "p1", Model: detect.Model, HoldMS: (24 * time.Hour).Milliseconds()}

// judged reads the book, sweeps, and writes what was decided into it.
func judged(t *testing.T, b *book, j *Judge, after time.Duration, whole bool, names ...string) string {
	t.Helper()
	b.read(j)
	r, err := j.Sweep(noon.Add(after), whole)
	if err != nil {
		t.Fatal(err)
	}
	b.obey(r.Decisions, after)
	return strings.Join(say(names, r.Decisions), ", ")
}

func TestJudge_HoldsAndVoidsOnceAndEndsHolds(t *testing.T) {
	b, j := &book{}, NewJudge(day, newScripted())
	names := []string{"ada", "bob", "cyd", "dan"}
	b.cast("ada", "n-1", "void", 0)
	b.cast("bob", "n-1", "held", 0)
	b.cast("cyd", "n-1", "", 0)
	b.cast("dan", "n-1", "both", 0)
	for _, step := range []struct {
		after time.Duration
		whole bool
		want  string
	}{
		{time.Minute, false, "ada void lockstep, bob held lockstep, dan held lockstep"},
		{2 * time.Minute, false, ""}, // what is written already
		{3 * time.Minute, true, ""},
		{24*time.Hour + time.Minute - time.Millisecond, false, ""},
		{24*time.Hour + time.Minute, false, "bob counted unconfirmed"}, // dan: two families wait for a person
		{25 * time.Hour, true, ""},                                     // and one family never holds again what was released
	} {
		if got := judged(t, b, j, step.after, step.whole, names...); got != step.want {
			t.Errorf("after %v: %q, want %q", step.after, got, step.want)
		}
	}
}

// What a person or a proof decided stays, whatever the detectors find later.
func TestJudge_NeverTouchesWhatSomebodyDecided(t *testing.T) {
	for _, row := range []struct {
		name  string
		kind  voting.Kind
		to    voting.Standing
		actor voting.Actor
	}{
		{"organizer releases", voting.KindRelease, voting.Counted, voting.ActorOrganizer},
		{"organizer reinstates", voting.KindReinstate, voting.Counted, voting.ActorOrganizer},
		{"organizer holds", voting.KindHold, voting.Held, voting.ActorOrganizer},
		{"organizer voids", voting.KindVoid, voting.Void, voting.ActorOrganizer},
		{"voter proves", voting.KindRelease, voting.Counted, voting.ActorVoter},
		{"voter withdraws", voting.KindWithdraw, voting.Withdrawn, voting.ActorVoter},
		{"one voter on two devices", voting.KindVoid, voting.Void, voting.ActorScreen},
	} {
		b, j := &book{}, NewJudge(day, newScripted())
		b.cast("ada", "n-1", "void", 0)
		b.write("ada", "n-1", row.kind, row.to, row.actor, time.Second, "because")
		if got := judged(t, b, j, time.Minute, false, "ada"); got != "" {
			t.Errorf("%s: %s", row.name, got)
		}
		if got := judged(t, b, j, 48*time.Hour, true, "ada"); got != "" {
			t.Errorf("%s, at the close: %s", row.name, got)
		}
	}
}

func TestJudge_ScreeningsHoldEndsWhereItsVoterCouldAnswer(t *testing.T) {
	for reason, want := range map[string]string{antifraud.ReasonUnproven: "ada counted unconfirmed", antifraud.ReasonPolicy: ""} {
		b, j := &book{}, NewJudge(day, newScripted())
		b.write("ada", "n-1", voting.KindCast, voting.Held, voting.ActorScreen, 0, reason)
		if got := judged(t, b, j, time.Hour, false, "ada"); got != "" {
			t.Errorf("%s: %q before its time", reason, got)
		}
		if got := judged(t, b, j, 24*time.Hour, false, "ada"); got != want {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
	b, j := &book{}, NewJudge(day, newScripted())
	b.write("ada", "n-1", voting.KindCast, voting.Held, voting.ActorScreen, 0, antifraud.ReasonUnproven)
	b.lines[0].Evidence.Agent = "void"
	if got := judged(t, b, j, time.Hour, false, "ada"); got != "ada void lockstep" {
		t.Errorf("two families against a held ballot: %q", got)
	}
}

func TestJudge_ReleasesWhatNothingSpeaksAgainstAnyMore(t *testing.T) {
	b := &book{}
	j := NewJudge(day, &forgiving{scripted{told: map[string]detect.Standing{}}})
	b.cast("ada", "n-1", "held", 0)
	if got := judged(t, b, j, time.Minute, false, "ada"); got != "ada held lockstep" {
		t.Fatal(got)
	}
	for _, name := range []string{"bob", "cyd"} {
		b.cast(name, "n-1", "", time.Minute)
	}
	if got := judged(t, b, j, 2*time.Minute, false, "ada"); got != "ada counted cleared" {
		t.Fatal(got)
	}
}

func TestJudge_CanariesAreNeverTouchedAndRaiseAnAlarm(t *testing.T) {
	b := &book{}
	b.cast("ada", "n-1", "void", 0)
	b.cast("bob", "n-1", "void", 0)
	settings := day
	settings.Canaries = []string{ballotNamed("ada").Voter.String()}
	j := NewJudge(settings, newScripted())
	b.read(j)
	for sweep, alarms := range []int{1, 0} { // told once
		r, err := j.Sweep(noon.Add(time.Minute), sweep == 1)
		if err != nil || r.Canaries != alarms {
			t.Errorf("%d alarms, %v; want %d", r.Canaries, err, alarms)
		}
		if got := strings.Join(say([]string{"ada", "bob"}, r.Decisions), ", "); got != "bob void lockstep" {
			t.Errorf("%q", got)
		}
	}
	if s := j.Status(); s.Canaries != 1 || s.Would.Void != 1 {
		t.Errorf("%+v", s)
	}
}

// A person is asked instead of holding a whole entry's hour on one family. Void ones
// and those with two families are not little evidence; another hour is another one.
func TestJudge_TheGuardStopsHolding(t *testing.T) {
	b, j := &book{}, NewJudge(day, newScripted())
	var names []string
	add := func(name, entry, agent string, after time.Duration) {
		names = append(names, name)
		b.cast(name, entry, agent, after)
	}
	for i := range 100 {
		add(fmt.Sprint("honest", i), "n-1", "", time.Minute)
		add(fmt.Sprint("other", i), "n-2", "", time.Minute)
	}
	for i := range 6 { // of 108
		add(fmt.Sprint("few", i), "n-1", "held", time.Minute)
	}
	add("sure", "n-1", "void", time.Minute)
	add("both", "n-1", "both", time.Minute)
	add("later", "n-1", "held", 2*time.Hour)
	b.read(j)
	r, err := j.Sweep(noon.Add(3*time.Hour), false)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(say(names, r.Decisions), ", "); got != "both held lockstep, later held lockstep, sure void lockstep" || r.Stopped != 6 {
		t.Fatalf("%s; %d stopped", got, r.Stopped)
	}
	s := j.Status()
	if len(s.Stopped) != 1 || s.Stopped[0].Ballots != 6 || len(s.Stopped[0].Some) != 6 || s.Stopped[0].Entry != "n-1" || s.Stopped[0].Scope != detect.ScopeEntry {
		t.Fatalf("%+v", s.Stopped)
	}
	b.obey(r.Decisions, 3*time.Hour)
	// More of the entry's hour come, and six are not so many any more.
	for i := range 300 {
		add(fmt.Sprint("late", i), "n-1", "", 2*time.Minute)
	}
	b.read(j)
	if r, err = j.Sweep(noon.Add(4*time.Hour), false); err != nil || r.Stopped != 0 || len(r.Decisions) != 6 || len(j.Status().Stopped) != 0 {
		t.Fatalf("%d decisions, %d stopped, %v", len(r.Decisions), r.Stopped, err)
	}
}

// However the boxes are read, the same is decided.
func TestJudge_TheOrderOfReadingDoesNotMatter(t *testing.T) {
	b := &book{}
	for i := range 40 {
		b.cast(fmt.Sprint("v", i), "n-1", []string{"", "void", "held"}[i%3], time.Duration(i)*time.Second)
		b.lines[i].Position.Box, b.lines[i].Position.Offset = i%4, int64(i/4+1)
	}
	decided := func(order []int, boxes int) (all []Decision) {
		j := NewJudge(day, newScripted())
		j.full = 3
		j.expect(boxes)
		for _, box := range order {
			for _, r := range b.lines {
				if r.Position.Box == box {
					j.Read(r.Record, r.Level, r.Evidence)
				}
			}
		}
		if _, waiting := j.Waiting(); waiting != len(b.lines) {
			t.Fatalf("%d wait, %d were read", waiting, len(b.lines))
		}
		r, err := j.Sweep(noon.Add(time.Hour), false)
		if err != nil {
			t.Fatal(err)
		}
		return r.Decisions
	}
	first := decided([]int{0, 1, 2, 3}, 0)
	if len(first) < 13 {
		t.Fatalf("%d decisions", len(first))
	}
	if got := decided([]int{3, 1, 2, 0}, 4); fmt.Sprint(got) != fmt.Sprint(first) {
		t.Errorf("%v\n%v", got, first)
	}
	if !slices.IsSortedFunc(first, func(x, y Decision) int { return x.compare(y.Ballot) }) {
		t.Error("decisions are not in their order")
	}
}

// What the finder is given before a sweep comes in the order in which it is given all at
// once, however late a box is read; and a rush does not wait in the judge.
func TestJudge_GivesWhatNothingComesBefore(t *testing.T) {
	const boxes, ballots = 3, 8 * leastGiven
	lines := make([][]Line, boxes)
	b := &book{}
	for i := range ballots {
		b.cast(fmt.Sprint("v", i), "n-1", "", time.Duration(i/5)*time.Millisecond) // five a millisecond, in any box
		line := b.lines[i]
		line.Position.Box = i * 7 / 3 % boxes
		line.Position.Offset = int64(len(lines[line.Position.Box]) + 1)
		lines[line.Position.Box] = append(lines[line.Position.Box], line)
	}
	added := func(expect int) (all []string, most int) {
		find := &added{}
		j := NewJudge(day, find)
		j.expect(expect)
		for from := 0; from < ballots; from += 1000 { // as Follow does: of each box what came meanwhile
			for box := boxes - 1; box >= 0; box-- {
				for _, r := range lines[box][min(from, len(lines[box])):min(from+1000, len(lines[box]))] {
					j.Read(r.Record, r.Level, r.Evidence)
					most = max(most, len(j.pending))
				}
			}
		}
		if _, err := j.Sweep(noon.Add(time.Hour), false); err != nil {
			t.Fatal(err)
		}
		return find.ids, most
	}
	want, all := added(0)
	got, most := added(boxes)
	if len(want) != ballots || all != ballots || !slices.Equal(got, want) {
		t.Errorf("%d and %d given, and not in one order", len(got), len(want))
	}
	if most > 3*leastGiven {
		t.Errorf("%d of %d waited", most, ballots)
	}
	if _, most = added(boxes + 1); most != ballots { // nothing is known of the last box
		t.Errorf("%d waited, and any might have come before the others", ballots-most)
	}
}

// added finds nothing, and remembers what it was given.
type added struct {
	blind
	ids []string
}

func (a *added) Add(ballots ...detect.Ballot) {
	for _, b := range ballots {
		a.ids = append(a.ids, b.ID)
	}
}

// Votes bought for a rival are the rival's misfortune and not its fault: only those
// ballots are judged, and the rival's own go on counting.
func TestJudge_VotesBoughtForARivalLeaveTheRivalAlone(t *testing.T) {
	b, j := &book{}, NewJudge(day, newScripted())
	for i := range 50 {
		b.cast(fmt.Sprint("own", i), "s-1", "", time.Minute)
		b.cast(fmt.Sprint("bought", i), "s-1", "void", time.Minute)
	}
	b.read(j)
	r, err := j.Sweep(noon.Add(time.Hour), true)
	if err != nil || len(r.Decisions) != 50 {
		t.Fatalf("%d decisions, %v", len(r.Decisions), err)
	}
	b.obey(r.Decisions, time.Hour)
	b.cast("next", "s-1", "", 2*time.Hour)
	if got := judged(t, b, j, 3*time.Hour, false, "next"); got != "" {
		t.Fatal(got)
	}
	counted := 0
	for _, o := range Outcomes(b.lines) {
		if o.Standing == voting.Counted {
			counted++
		}
	}
	if counted != 51 {
		t.Errorf("%d of the rival's own count, want 51", counted)
	}
}
