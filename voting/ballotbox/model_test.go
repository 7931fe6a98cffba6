package ballotbox

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// model is what the ballot boxes must be, written as plainly as can be.
type model struct {
	s       *registry.Stored
	clock   int64
	boxes   []modelBox
	ballots map[modelID]*modelBallot
	turns   map[voting.Voter]*modelTurns
	solved  map[modelChallenge]uuid.UUID
}

type modelChallenge struct {
	voter voting.Voter
	id    [16]byte
}

type modelID struct {
	voter  voting.Voter
	ballot uuid.UUID
}

type modelBox struct {
	at, mark, closes int64
	state            string
	records          int64
}

type modelBallot struct {
	entry    string
	standing voting.Standing
	at       int64
	period   string
	present  bool
}

type modelTurns struct {
	period  string
	used    int
	entries map[string]int
}

func newModel(s *registry.Stored, clock int64) *model {
	m := &model{
		s: s, clock: clock, boxes: make([]modelBox, s.Contest.Boxes),
		ballots: map[modelID]*modelBallot{}, turns: map[voting.Voter]*modelTurns{}, solved: map[modelChallenge]uuid.UUID{},
	}
	for i := range m.boxes {
		m.boxes[i].state, m.boxes[i].closes = "waiting", s.Contest.Phases.Voting.Closes.UnixMilli()
	}
	return m
}

// box is the voter's box as the store has it when a call comes in: its time
// passed, its openings and closings done.
func (m *model) box(v voting.Voter) (*modelBox, int64) {
	b := &m.boxes[boxOf(v, len(m.boxes))]
	return b, m.turn(b)
}

func (m *model) turn(b *modelBox) int64 {
	now := max(m.clock, b.at, b.mark)
	if b.state == "waiting" && now >= m.s.Contest.Phases.Voting.Opens.UnixMilli() {
		b.state, b.at, b.records = "open", now, b.records+1
	}
	if b.state == "open" && now >= b.closes {
		b.state, b.at, b.records = "closed", now, b.records+1
	}
	return now
}

// period names the period of an instant by what a wall clock shows.
func (m *model) period(now int64) string {
	local := time.UnixMilli(now).In(m.s.Contest.Location())
	switch m.s.Contest.Rules.Ballots.Per {
	case contest.PerDay:
		return local.Format("2006-01-02")
	case contest.PerHour:
		return local.Format("2006-01-02T15 -0700")
	default:
		return "contest"
	}
}

func (m *model) cast(ballot voting.Ballot) string {
	b, now := m.box(ballot.Voter)
	period := m.period(now)
	turns := m.turns[ballot.Voter]
	if turns == nil || turns.period != period {
		turns = &modelTurns{period: period, entries: map[string]int{}}
	}
	rules := m.s.Contest.Rules
	if first := m.ballots[modelID{ballot.Voter, ballot.ID}]; first != nil {
		if first.entry != ballot.Entry {
			return "ballot-reused"
		}
		return fmt.Sprintf("duplicate %s %d left %d", first.standing, first.at, rules.Ballots.Max-turns.used)
	}
	var challenge modelChallenge
	if ballot.Solved != nil {
		challenge = modelChallenge{ballot.Voter, ballot.Solved.ID}
	}
	used, spent := m.solved[challenge]
	switch {
	case ballot.Solved != nil && spent && used != ballot.ID:
		return "rejected"
	case b.state != "open":
		return "phase-closed"
	case turns.used >= rules.Ballots.Max, turns.entries[ballot.Entry] >= rules.PerEntry:
		return "already-voted"
	}
	if ballot.Solved != nil {
		m.solved[challenge] = ballot.ID
	}
	turns.used++
	turns.entries[ballot.Entry]++
	m.turns[ballot.Voter] = turns
	b.at, b.records = now, b.records+1
	m.ballots[modelID{ballot.Voter, ballot.ID}] = &modelBallot{ballot.Entry, ballot.Standing, now, period, ballot.Present}
	return fmt.Sprintf("%s %d left %d", ballot.Standing, now, rules.Ballots.Max-turns.used)
}

func (m *model) change(id modelID, to voting.Standing) string {
	ballot := m.ballots[id]
	if ballot == nil {
		return ErrNoSuchBallot.Error()
	}
	b, now := m.box(id.voter)
	if ballot.standing == to || ballot.standing == voting.Withdrawn {
		return "unchanged " + string(ballot.standing)
	}
	if to == voting.Withdrawn {
		undo := m.s.Contest.Rules.Undo.Milliseconds()
		if ballot.standing == voting.Void || b.state != "open" || now >= ballot.at+undo {
			return ErrUndoExpired.Error()
		}
		if turns := m.turns[id.voter]; turns.period == ballot.period {
			turns.used--
			turns.entries[ballot.entry]--
		}
	}
	ballot.standing = to
	b.at, b.records = now, b.records+1
	return "changed " + string(to)
}

func (m *model) close() int64 {
	var last int64
	for i := range m.boxes {
		b := &m.boxes[i]
		now := m.turn(b)
		if b.state != "closed" {
			now = max(now, b.at+1)
			b.state, b.closes, b.at, b.records = "closed", now, now, b.records+1
		}
		last = max(last, b.closes)
	}
	return last
}

// read is what reading the ledger leaves behind: one box has opened or closed if
// its time has come, several promise the same instant.
func (m *model) read() {
	if len(m.boxes) == 1 {
		m.turn(&m.boxes[0])
		return
	}
	var mark int64
	for _, b := range m.boxes {
		mark = max(mark, m.clock, b.mark, b.at+1)
	}
	for i := range m.boxes {
		m.boxes[i].mark = mark
	}
}

// restored is what a restore leaves behind: boxes that were looked at, and promise
// an order anew; no solved challenge.
func (m *model) restored() {
	var mark int64
	for i := range m.boxes {
		m.turn(&m.boxes[i])
		mark = max(mark, m.boxes[i].at+1)
	}
	for i := range m.boxes {
		m.boxes[i].mark = mark
	}
	m.solved = map[modelChallenge]uuid.UUID{}
}

func (m *model) tally() *voting.Tally {
	t := voting.NewTally()
	for _, ballot := range m.ballots {
		switch ballot.standing {
		case voting.Counted:
			t.Counted++
			t.Votes[ballot.entry]++
			if ballot.present {
				t.Home[ballot.entry]++
			}
			t.Last[ballot.entry] = max(t.Last[ballot.entry], ballot.at)
		case voting.Held:
			t.Held++
		case voting.Void:
			t.Void++
		case voting.Withdrawn:
			t.Withdrawn++
		}
	}
	for _, b := range m.boxes {
		t.Offset += b.records
	}
	return t
}

// play runs random acts on the boxes and on the model and compares every answer,
// and after each act tally, fold of the ledger and model.
func play(rt *rapid.T, st *store.Store, edits ...string) {
	c := withClock(rt, st, edits...)
	archive := newShelf()
	c.boxes = c.boxes.WithArchive(archive)
	ctx := context.Background()
	draw := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(rt, label) }
	most := rapid.IntRange(1, 3).Draw(rt, "max")
	opens := time.Date(2026, 12, 1, 22, 30, 0, 0, time.UTC)
	s := newContest(rt,
		fmt.Sprintf("rules: {ballots: {max: %d, per: %s}, per_entry: %d, undo: %s}", most,
			draw("per", "contest", "day", "hour"), rapid.IntRange(1, most).Draw(rt, "per entry"), draw("undo", "0", "10m")),
		fmt.Sprintf("phases: {voting: {opens: %s, closes: %s}}", opens.Format(time.RFC3339), opens.Add(time.Hour).Format(time.RFC3339)),
		"scoring: {schools: {by: total}, ties: "+draw("ties", "shared", "earliest")+"}",
		"boxes: "+draw("boxes", "1", "3"))
	now := opens.Add(-time.Minute)
	c.set(now)
	m := newModel(s, now.UnixMilli())
	var ids []modelID
	voter := func() voting.Voter { return voterNamed(draw("voter", "a", "b", "c")) }
	entry := func() string { return draw("entry", "n-1", "n-2", "s-1") }

	cast := func(rt *rapid.T, ballot voting.Ballot) {
		o, err := c.boxes.Cast(ctx, s, ballot)
		if err != nil {
			rt.Fatal(err)
		}
		got := o.Label()
		if o.Refused == "" {
			got = fmt.Sprintf("%s %d left %d", o.Cast.Standing, o.Cast.Position.Millis, o.Remaining)
			if o.Duplicate {
				got = "duplicate " + got
			}
		}
		if want := m.cast(ballot); got != want {
			rt.Fatalf("cast: got %q, want %q", got, want)
		}
		if o.Refused == "" && !o.Duplicate {
			ids = append(ids, modelID{ballot.Voter, ballot.ID})
		}
	}
	change := func(rt *rapid.T, to voting.Standing, actor voting.Actor) {
		if len(ids) == 0 {
			rt.Skip("no ballot yet")
		}
		id := rapid.SampledFrom(ids).Draw(rt, "ballot")
		after, changed, err := c.boxes.Change(ctx, s, Change{
			Voter: id.voter, Ballot: id.ballot, Standing: to, Actor: actor, Reasons: []string{"model"},
		})
		got := "unchanged " + string(after.Standing)
		if changed {
			got = "changed " + string(after.Standing)
		}
		if err != nil {
			got = err.Error()
		}
		if want := m.change(id, to); got != want {
			rt.Fatalf("%s: got %q, want %q", to, got, want)
		}
	}
	vote := func(rt *rapid.T) {
		ballot := voting.Ballot{ID: uuid.New(), Voter: voter(), Entry: entry(), Standing: voting.Counted}
		if rapid.IntRange(0, 4).Draw(rt, "held") == 0 {
			ballot.Standing, ballot.Policy = voting.Held, "a-policy"
		}
		ballot.Present = rapid.Bool().Draw(rt, "present")
		if n := rapid.IntRange(0, 5).Draw(rt, "challenge"); n < 3 { // made for this voter, so another one's is another
			ballot.Solved = &voting.Solved{ID: ballot.Voter, Life: time.Hour}
			ballot.Solved.ID[0] = byte(n)
		}
		cast(rt, ballot)
	}
	rt.Repeat(map[string]func(*rapid.T){
		"cast": vote, "cast more": vote, "cast yet more": vote, // most of what happens
		"repeat": func(rt *rapid.T) {
			if len(ids) == 0 {
				rt.Skip("no ballot yet")
			}
			id := rapid.SampledFrom(ids).Draw(rt, "ballot")
			cast(rt, voting.Ballot{ID: id.ballot, Voter: id.voter, Entry: entry(), Standing: voting.Counted})
		},
		"void":     func(rt *rapid.T) { change(rt, voting.Void, voting.ActorDetector) },
		"hold":     func(rt *rapid.T) { change(rt, voting.Held, voting.ActorDetector) },
		"count":    func(rt *rapid.T) { change(rt, voting.Counted, voting.ActorOrganizer) },
		"withdraw": func(rt *rapid.T) { change(rt, voting.Withdrawn, voting.ActorVoter) },
		"wait": func(rt *rapid.T) {
			m.clock += rapid.SampledFrom([]int64{1, 1_000, 60_000, 9 * 60_000, 50 * 60_000}).Draw(rt, "ms")
			c.set(time.UnixMilli(m.clock))
		},
		"move": func(rt *rapid.T) { archive.move(rt, c.boxes, s) },
		"restore": func(rt *rapid.T) {
			*s = *restoreFrom(rt, st, c.boxes, s, archive)
			m.restored()
		},
		"step back": func(rt *rapid.T) {
			m.clock -= rapid.Int64Range(1, 30*60_000).Draw(rt, "ms")
			c.set(time.UnixMilli(m.clock))
		},
		"close": func(rt *rapid.T) {
			if rapid.IntRange(0, 19).Draw(rt, "close") != 0 {
				rt.Skip("not yet")
			}
			at, err := c.boxes.Close(ctx, s, "model")
			if want := m.close(); err != nil || at.UnixMilli() != want {
				rt.Fatalf("close: %v, %v; want %v", at, err, time.UnixMilli(want))
			}
		},
		"": func(rt *rapid.T) { compare(rt, c, s, m) },
	})
}

// compare is the checker: the tally the boxes show, the fold of the ledger they
// give and the model agree, ballot by ballot.
func compare(rt *rapid.T, c *clock, s *registry.Stored, m *model) {
	ctx := context.Background()
	records := ledgerOf(rt, c.boxes, s, voting.Position{})
	m.read()
	count, err := c.boxes.Tally(ctx, s)
	if err != nil {
		rt.Fatal(err)
	}
	want := m.tally()
	if d := diffTally(fold(records), want); d != "" {
		rt.Fatalf("fold of the ledger is not the model:\n%s", d)
	}
	if d := diffTally(count.Live, want); d != "" {
		rt.Fatalf("tally is not the model:\n%s", d)
	}
	if s.Contest.Scoring.Ties == contest.TiesEarliest && fmt.Sprint(count.Live.Last) != fmt.Sprint(want.Last) {
		rt.Fatalf("newest counted ballots: got %v, want %v", count.Live.Last, want.Last)
	}
	for i, r := range records {
		if i > 0 && !before(records[i-1].Position, r.Position) {
			rt.Fatalf("ledger out of order: %v then %v", records[i-1].Position, r.Position)
		}
		if closes := m.boxes[r.Position.Box].closes; r.Kind == voting.KindCast && r.Position.Millis >= closes {
			rt.Fatalf("a cast at %d, at or after the close at %d", r.Position.Millis, closes)
		}
		if r.Kind == voting.KindCast && (r.Policy == "a-policy") != (r.Standing == voting.Held) {
			rt.Fatalf("a cast that is %s by policy %q", r.Standing, r.Policy)
		}
	}
	for id, ballot := range m.ballots {
		found, err := c.boxes.Find(ctx, s, id.voter, id.ballot)
		if err != nil || found.Standing != ballot.standing || found.Entry != ballot.entry || found.Position.Millis != ballot.at || found.Present != ballot.present {
			rt.Fatalf("ballot: got %+v, %v; want %+v", found, err, ballot)
		}
	}
	var held []string
	for id, ballot := range m.ballots {
		if ballot.standing == voting.Held {
			held = append(held, HeldPlace{ballot.at, id.ballot, id.voter}.String())
		}
	}
	slices.Sort(held)
	queue, index := heldOf(rt, c.boxes, s), heldIndex(rt, c.boxes, s)
	for i := range m.boxes { // opened and closed by the look at it, if their time has come
		m.turn(&m.boxes[i])
	}
	if !slices.Equal(queue, held) || !slices.Equal(index, held) {
		rt.Fatalf("held: got %v, index %v; want %v", queue, index, held)
	}
}

func before(a, b voting.Position) bool {
	if a.Millis != b.Millis {
		return a.Millis < b.Millis
	}
	if a.Box != b.Box {
		return a.Box < b.Box
	}
	return a.Offset < b.Offset
}

func TestModel_RandomVotingMatchesAPlainModel(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		if st.Embedded() {
			setRapid(t, "checks", "30") // it compiles the script at each call
		}
		rapid.Check(t, func(rt *rapid.T) { play(rt, st) })
	})
}

// setRapid sets one of rapid's flags for the length of the test.
func setRapid(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup("rapid." + name)
	was := f.Value.String()
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(was) })
}

// Control: with one rule of a script broken, the same test fails.
func TestModel_FindsABrokenRule(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	// These failures are wanted: no time is spent on making them short, no file kept.
	setRapid(t, "shrinktime", "0s")
	setRapid(t, "nofailfile", "true")
	setRapid(t, "checks", "2000")
	for name, edit := range map[string][2]string{
		"one ballot too many":           {"used >= box.max", "used > box.max"},
		"per entry forgotten":           {"spent >= box.per_entry", "false"},
		"a repeat counts again":         {"if first then\n", "if false then\n"},
		"closes is forgotten":           {"box.now >= box.closes", "false"},
		"a void gives no vote back":     {"redis.call('HINCRBY', TALLY, field(was), -1)", ""},
		"undo never expires":            {"box.now >= ballot.at + box.undo", "false"},
		"withdrawing keeps the turn":    {"turns.used = math.max(turns.used - 1, 0)", ""},
		"withdrawn is not final":        {"if was == to or was == 'withdrawn' or moved then", "if was == to or moved then"},
		"the clock may go back":         {"box.now = math.max(clock, box.at, box.mark)", "box.now = clock"},
		"a void leaves it at home":      {"redis.call('HINCRBY', TALLY, entry .. '/home', -1)", ""},
		"a release does not go home":    {"if ballot.present and to == 'counted' then", "if false then"},
		"a held ballot is at home":      {"add(votes[i])", "add(votes[i]) if letter == 'H' then redis.call('HINCRBY', TALLY, entry .. '/home', 1) end"},
		"the ledger forgets the hall":   {"append(box, 'cast', records, accepted)", "append(box, 'cast', string.gsub(records, '|1|', '||'), accepted)"},
		"the ledger forgets the policy": {"append(box, 'cast', records, accepted)", "append(box, 'cast', string.gsub(records, 'a%-policy', ''), accepted)"},
		"the ballot forgets the hall":   {"ballot.present and string.upper(letter) or letter", "letter"},
		"a cast is held and not queued": {"call('ZADD', HELD, text(box.at), ids[i])", ""},
		"a hold is not queued":          {"redis.call('ZADD', KEYS[6], text(ballot.at), id)", ""},
		"the queue keeps what has left": {"redis.call('ZREM', KEYS[6], id)", ""},
		"a challenge serves twice":      {"if extra.served and extra.served ~= sub(ids[i], 1, 16) then", "if false then"},
		"a challenge is not used up":    {"call('SET', extra.solved, sub(ids[i], 1, 16), 'PX', extra.life)", ""},
		"the newest ballot is not kept": {"if was == 'counted' and last == text(ballot.at) then", "if false then"},
	} {
		t.Run(name, func(t *testing.T) {
			scriptsHave(t, edit[0])
			failed := &recorder{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				rapid.Check(failed, func(rt *rapid.T) { play(rt, st, edit[0], edit[1]) })
			}()
			<-done
			if !failed.failed {
				t.Fatal("the model test did not notice")
			}
		})
	}
}

// recorder is a test that may fail without failing the real one.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Name() string          { return "control" }
func (r *recorder) Helper()               {}
func (r *recorder) Log(...any)            {}
func (r *recorder) Logf(string, ...any)   {}
func (r *recorder) Error(...any)          { r.failed = true }
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Fail()                 { r.failed = true }
func (r *recorder) Failed() bool          { return r.failed }
func (r *recorder) Fatal(...any)          { r.failed = true; runtime.Goexit() }
func (r *recorder) Fatalf(string, ...any) { r.failed = true; runtime.Goexit() }
func (r *recorder) FailNow()              { r.failed = true; runtime.Goexit() }
