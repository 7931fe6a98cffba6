package ballotbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// dump is what a store has of a contest's boxes: by key, field and value.
type dump map[string]map[string]string

// dumpOf reads every key of the boxes but those that no record says anything of, and
// what is one thing said in two ways: a count of 0 and no count; the place of a voter
// among those who joined it; whose a voter was to be that is joined to another since.
// mark is a promise that a restored box makes anew, trimmed is where records are.
func dumpOf(t rapid.TB, st *store.Store, s *registry.Stored) dump {
	t.Helper()
	ctx, d := context.Background(), dump{}
	for _, key := range keysIn(t, st, "joute:{"+s.Contest.ID+"/") {
		name := key[strings.LastIndex(key, "}:")+2:]
		fields := map[string]string{}
		switch kind, _, _ := strings.Cut(name, ":"); kind {
		case "ledger", "evidence", "appeals", "findings", "sweeps", "solved", "past", "act":
			continue
		case "held":
			for _, z := range st.Client().ZRangeWithScores(ctx, key, 0, -1).Val() {
				fields[z.Member.(string)] = fmt.Sprint(int64(z.Score))
			}
		default:
			fields = st.Client().HGetAll(ctx, key).Val()
		}
		switch {
		case name == "meta":
			delete(fields, "mark")
			delete(fields, "trimmed")
			fields["place"] = fields["place"][:strings.LastIndex(fields["place"], "|")] // but for the sheets, of which a restored box has none
		case name == "tally" || name == "frozen":
			maps.DeleteFunc(fields, func(_, n string) bool { return n == "0" })
		case strings.HasPrefix(name, "voters:"):
			for field, value := range fields {
				voter, group := strings.CutSuffix(field, "+")
				if group && strings.HasPrefix(fields[voter], "=") {
					delete(fields, field)
				} else if group {
					fields[field] = strings.TrimPrefix(value, voter)
				}
			}
		}
		if len(fields) > 0 {
			d[key] = fields
		}
	}
	return d
}

func (d dump) differs(from dump) string {
	var lines []string
	for key := range maps.Keys(d) {
		for field, value := range d[key] {
			if other := from[key][field]; other != value {
				lines = append(lines, fmt.Sprintf("%s %q: got %q, want %q", key, field, value, other))
			}
		}
	}
	for key := range maps.Keys(from) {
		for field, value := range from[key] {
			if _, there := d[key][field]; !there {
				lines = append(lines, fmt.Sprintf("%s %q: got nothing, want %q", key, field, value))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// restoreFrom wipes a contest's boxes and restores them, as of another epoch, from
// all that is on the shelf. It fails where they are not what they were.
func restoreFrom(t rapid.TB, st *store.Store, b *Boxes, s *registry.Stored, archive *shelf) *registry.Stored {
	t.Helper()
	ctx := context.Background()
	for archive.move(t, b, s) > 0 {
	}
	if _, err := b.Tally(ctx, s); err != nil { // settles what is not
		t.Fatal(err)
	}
	if err := b.finishAll(ctx, s); err != nil {
		t.Fatal(err)
	}
	for archive.move(t, b, s) > 0 { // the look may have opened or closed a box
	}
	before := dumpOf(t, st, s)
	if err := st.DeleteAll(ctx, "joute:{"+s.Contest.ID+"/"); err != nil {
		t.Fatal(err)
	}
	next := *s
	records := make([]int64, s.Contest.Boxes)
	for box := range records {
		records[box] = int64(len(archive.behind(s.Contest.ID, box, voting.Position{})))
	}
	next.Epochs = s.NextEpoch(time.Unix(s.Epoch, 0), records)
	next.Epoch = next.Epochs[len(next.Epochs)-1].Number
	for range 2 { // the same again changes nothing
		if err := b.Restore(ctx, &next, func(ctx context.Context, box int, yield func(voting.Record) error) error {
			return archive.Records(ctx, s.Contest.ID, box, voting.Position{}, yield)
		}); err != nil {
			t.Fatal(err)
		}
		if d := dumpOf(t, st, s).differs(before); d != "" {
			t.Fatalf("restored boxes are not what they were:\n%s", d)
		}
	}
	return &next
}

func TestRestore_EverythingThatRecordsSay(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		opens := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
		s := newContest(t, "boxes: 3", "identity: device", "results: {freeze: 6h}",
			"rules: {ballots: {max: 2, per: day}, per_entry: 1, undo: 1h}", "scoring: {schools: {by: total}, ties: earliest}",
			fmt.Sprintf("phases: {voting: {opens: %s, closes: %s}}", opens.Format(time.RFC3339), opens.Add(48*time.Hour).Format(time.RFC3339)))
		c, archive := withClock(t, st), newShelf()
		b := c.boxes.WithArchive(archive)
		ctx := t.Context()
		c.set(opens.Add(time.Minute))

		var ballots []voting.Ballot
		receipts := map[uuid.UUID]voting.Position{}
		vote := func(voter, entry string, edit func(*voting.Ballot)) voting.Ballot {
			t.Helper()
			ballot := ballotFor(voter, entry)
			if edit != nil {
				edit(&ballot)
			}
			o := mustCast(t, b, s, ballot)
			if o.Refused != "" {
				t.Fatalf("%s for %s: %s", voter, entry, o.Refused)
			}
			ballots = append(ballots, ballot)
			receipts[ballot.ID] = o.Cast.Position
			return ballot
		}
		change := func(ballot voting.Ballot, to voting.Standing, actor voting.Actor, reasons ...string) {
			t.Helper()
			if _, _, err := b.Change(ctx, s, Change{Voter: ballot.Voter, Ballot: ballot.ID, Standing: to, Actor: actor, Reasons: reasons, Policy: "p1"}); err != nil {
				t.Fatal(err)
			}
		}
		hold := func(ballot *voting.Ballot) {
			ballot.Standing, ballot.Reasons, ballot.Policy = voting.Held, []string{"hosting", "young"}, "p1"
		}
		hall := func(ballot *voting.Ballot) { ballot.Present = true }
		for i := range 12 {
			vote(fmt.Sprint("plain-", i), "n-1", nil)
		}
		vote("in the hall", "s-1", hall)
		change(vote("void in the hall", "s-1", hall), voting.Void, voting.ActorDetector, "lockstep")
		change(vote("reinstated", "n-2", nil), voting.Void, voting.ActorDetector, "lockstep")
		change(ballots[len(ballots)-1], voting.Counted, voting.ActorOrganizer, "appeal")
		vote("stays held", "n-2", hold)
		change(vote("released", "n-2", hold), voting.Counted, voting.ActorOrganizer, "looked")
		change(vote("withdrawn", "n-2", nil), voting.Withdrawn, voting.ActorVoter)
		vote("both turns", "n-1", nil)
		vote("both turns", "s-1", nil)

		// An address proven on one device, then on another, and one that voted before.
		now := opens.Add(time.Hour)
		join := func(address, device string) {
			t.Helper()
			now = now.Add(time.Second)
			c.set(now)
			of := voterNamed(device)
			if _, err := b.Join(ctx, s, voterNamed(address), &of); err != nil {
				t.Fatal(err)
			}
		}
		vote("device-1", "n-1", nil)
		join("address-1", "device-1")
		vote("device-2", "n-1", nil)
		vote("device-2", "s-1", nil)
		join("address-1", "device-2") // three ballots, of which two may stand
		vote("address-2", "n-2", nil)
		join("address-2", "device-3")

		c.set(opens.Add(25 * time.Hour)) // another day: new turns
		vote("both turns", "n-1", nil)
		change(vote("plain-3", "n-1", nil), voting.Held, voting.ActorDetector, "lockstep")
		s = restoreFrom(t, st, b, s, archive)

		c.set(opens.Add(43 * time.Hour)) // frozen since an hour
		vote("plain-4", "n-1", nil)
		vote("new", "n-1", nil)
		if _, err := b.Close(ctx, s, "by-hand"); err != nil {
			t.Fatal(err)
		}
		s = restoreFrom(t, st, b, s, archive)
		if _, err := b.Publish(ctx, s); err != nil {
			t.Fatal(err)
		}
		if err := b.Forget(ctx, s); err != nil {
			t.Fatal(err)
		}
		s = restoreFrom(t, st, b, s, archive)

		for _, ballot := range ballots {
			o := mustCast(t, b, s, ballot)
			if !o.Duplicate || o.Cast.Position != receipts[ballot.ID] {
				t.Errorf("repeat: duplicate %v at %v, first at %v", o.Duplicate, o.Cast.Position, receipts[ballot.ID])
			}
		}
		if epochs := len(s.Epochs); epochs != 4 {
			t.Errorf("%d epochs after three restores", epochs)
		}
		records := ledgerOf(t, b, s, voting.Position{})
		for i, r := range records { // a position of any epoch goes on, in every one
			if i%7 == 0 && len(ledgerOf(t, b, s, r.Position)) != len(records)-i-1 {
				t.Errorf("behind %v: not the rest", r.Position)
			}
		}
		lost := records[len(records)-1].Position
		lost.Epoch = s.Epochs[0].Number
		if err := b.Ledger(ctx, s, lost, func(voting.Record) error { return nil }); err != ErrEpoch {
			t.Errorf("a position that is in no ledger: %v", err)
		}
	})
}

func TestRestore_VotingGoesOnAsIfNothingHadHappened(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	archive := newShelf()
	b, s := New(st).WithArchive(archive), newContest(t, "boxes: 2", "rules: {ballots: {max: 1}}")
	first := ballotFor("ada", "n-1")
	was := mustCast(t, b, s, first)
	s = restoreFrom(t, st, b, s, archive)
	if o := mustCast(t, b, s, ballotFor("ada", "n-2")); o.Refused != voting.AlreadyVoted {
		t.Errorf("a second ballot: %s", o.Label())
	}
	reused := first
	reused.Entry = "s-1"
	if o := mustCast(t, b, s, reused); o.Refused != voting.BallotReused {
		t.Errorf("the same ballot for another entry: %s", o.Label())
	}
	o := mustCast(t, b, s, ballotFor("grace", "n-1"))
	if o.Cast.Standing != voting.Counted || o.Cast.Position.Epoch != s.Epoch || o.Cast.Position.Epoch == was.Cast.Position.Epoch {
		t.Errorf("a new ballot: %s at %v, the first one at %v", o.Label(), o.Cast.Position, was.Cast.Position)
	}
	count, err := b.Tally(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	sameTally(t, count.Live, fold(ledgerOf(t, b, s, voting.Position{})))
}

// A join whose other half was never recorded is finished after a restore: nobody
// keeps the turns of two.
func TestRestore_FinishesWhatAJoinHasLeft(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	archive := newShelf()
	b, s := New(st).WithArchive(archive), newContest(t, "boxes: 2")
	one, two := ballotFor("address", "n-1"), ballotFor("device", "n-2")
	mustCast(t, b, s, one)
	mustCast(t, b, s, two)
	// Join as far as its record, then the server dies.
	if _, err := b.into(t.Context(), s, two.Voter, one.Voter, false); err != nil {
		t.Fatal(err)
	}
	for archive.move(t, b, s) > 0 {
	}
	if err := st.DeleteAll(t.Context(), "joute:{"+s.Contest.ID+"/"); err != nil {
		t.Fatal(err)
	}
	if err := b.Restore(t.Context(), s, func(ctx context.Context, box int, yield func(voting.Record) error) error {
		return archive.Records(ctx, s.Contest.ID, box, voting.Position{}, yield)
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.finishAll(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	count, err := b.Tally(t.Context(), s)
	if err != nil || count.Live.Counted != 1 || count.Live.Void != 1 { // which is the later one may be a matter of a millisecond
		t.Errorf("of two ballots of one voter count %d, %d are void, %v", count.Live.Counted, count.Live.Void, err)
	}
}

func TestRestore_RefusesRecordsThatAreNoLedger(t *testing.T) {
	st := openStore(t, "")
	s := newContest(t)
	at := func(millis, offset int64) voting.Record {
		return voting.Record{Position: voting.Position{Epoch: 7, Millis: millis, Offset: offset}, Kind: voting.KindOpen, Version: 1}
	}
	for name, records := range map[string][]voting.Record{
		"a hole": {at(1, 1), at(2, 3)}, "a repeat": {at(1, 1), at(2, 1)}, "a clock that goes back": {at(2, 1), at(1, 2)}, "no beginning": {at(1, 2)},
	} {
		err := New(st).Restore(t.Context(), s, func(_ context.Context, _ int, yield func(voting.Record) error) error {
			for _, r := range records {
				if err := yield(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil || len(dumpOf(t, st, s)) > 0 {
			t.Errorf("%s: %v, and the store has %v", name, err, dumpOf(t, st, s))
		}
	}
}
