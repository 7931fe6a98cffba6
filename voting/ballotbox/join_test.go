package ballotbox

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// join proves the address on a device, or on none, and names who it is.
func join(t rapid.TB, b *Boxes, s *registry.Stored, address, device string) voting.Voter {
	t.Helper()
	var on *voting.Voter
	if device != "" {
		v := voterNamed(device)
		on = &v
	}
	it, err := b.Join(context.Background(), s, voterNamed(address), on)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// standings are those of the voter's ballots, in the order of their instants.
func standings(t rapid.TB, b *Boxes, s *registry.Stored, v voting.Voter) (all []voting.Standing) {
	t.Helper()
	casts, err := b.Ballots(context.Background(), s, v)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range casts {
		all = append(all, c.Standing)
	}
	return all
}

func checkRecount(t rapid.TB, b *Boxes, s *registry.Stored) {
	t.Helper()
	count, err := b.Tally(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	sameTally(t, count.Live, fold(ledgerOf(t, b, s, voting.Position{})))
}

func TestJoin_TheSecondDeviceOfAnAddressIsTheFirst(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 8")
		phone := ballotFor("phone", "n-1")
		mustCast(t, b, s, phone)
		if it := join(t, b, s, "ada@", "phone"); it != phone.Voter {
			t.Fatal("the first device is not the voter")
		}
		laptop := ballotFor("laptop", "s-1")
		first := mustCast(t, b, s, laptop)
		if it := join(t, b, s, "ada@", "laptop"); it != phone.Voter {
			t.Fatal("the second device is not the first")
		}
		if got := fmt.Sprint(standings(t, b, s, phone.Voter)); got != "[counted void]" {
			t.Fatalf("two devices of one person: %s", got)
		}
		over, err := b.Find(t.Context(), s, phone.Voter, laptop.ID)
		if err != nil || over.Standing != voting.Void || fmt.Sprint(over.Reasons) != "[same-voter]" || over.Voter != laptop.Voter {
			t.Fatalf("the later ballot: %+v, %v", over, err)
		}
		again := mustCast(t, b, s, laptop)
		if !again.Duplicate || again.Cast.Position != first.Cast.Position {
			t.Fatalf("a repeat from the joined device: %+v", again)
		}
		for _, device := range []string{"phone", "laptop", "ada@"} {
			if o := mustCast(t, b, s, ballotFor(device, "n-2")); o.Refused != voting.AlreadyVoted {
				t.Fatalf("%s votes once more: %+v", device, o)
			}
			if voted, err := b.HasVoted(t.Context(), s, voterNamed(device)); err != nil || !voted {
				t.Fatalf("%s has not voted: %v", device, err)
			}
			if same, err := b.Same(t.Context(), s, voterNamed(device), phone.Voter); err != nil || !same {
				t.Fatalf("%s is not the same voter: %v", device, err)
			}
		}
		checkRecount(t, b, s)
		var joined int
		for _, r := range ledgerOf(t, b, s, voting.Position{}) {
			if r.Kind == voting.KindJoin && r.Into == phone.Voter {
				joined++
			}
		}
		if joined != 2 { // the address, and the laptop
			t.Fatalf("%d joins in the ledger", joined)
		}
	})
}

func TestJoin_TurnsLeftAreSharedOverDevices(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 8", "rules: {ballots: {max: 3, per: contest}, per_entry: 2, undo: 1h}")
		mustCast(t, b, s, ballotFor("phone", "n-1"))
		join(t, b, s, "ada@", "phone")
		laptop := ballotFor("laptop", "n-1")
		mustCast(t, b, s, laptop)
		it := join(t, b, s, "ada@", "laptop")
		if o := mustCast(t, b, s, ballotFor("laptop", "n-1")); o.Refused != voting.AlreadyVoted {
			t.Fatalf("a third vote for one entry: %+v", o)
		}
		o := mustCast(t, b, s, ballotFor("laptop", "s-1"))
		if o.Refused != "" || o.Remaining != 0 || o.Cast.Voter != it {
			t.Fatalf("the third turn: %+v", o)
		}
		// Taken back by either, the turn is the person's again.
		if _, changed, err := b.Change(t.Context(), s, Change{Voter: laptop.Voter, Ballot: laptop.ID, Standing: voting.Withdrawn, Actor: voting.ActorVoter}); err != nil || !changed {
			t.Fatal(changed, err)
		}
		if o := mustCast(t, b, s, ballotFor("phone", "n-1")); o.Refused != "" || o.Remaining != 0 {
			t.Fatalf("the turn that came back: %+v", o)
		}
		checkRecount(t, b, s)
	})
}

func TestJoin_EveryPeriodHasItsOwnLimit(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "boxes: 4", "rules: {ballots: {max: 1, per: day}}")
		day := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
		for i, who := range []string{"phone", "laptop", "laptop", "phone", "laptop"} {
			c.set(day.Add(time.Duration(i/2) * 24 * time.Hour).Add(time.Duration(i) * time.Second))
			mustCast(t, c.boxes, s, ballotFor(who, "n-1"))
		}
		join(t, c.boxes, s, "ada@", "phone")
		it := join(t, c.boxes, s, "ada@", "laptop")
		if got := fmt.Sprint(standings(t, c.boxes, s, it)); got != "[counted void counted void counted]" {
			t.Fatalf("over three days: %s", got)
		}
		if o := mustCast(t, c.boxes, s, ballotFor("phone", "n-1")); o.Refused != voting.AlreadyVoted {
			t.Fatalf("today's turn twice: %+v", o)
		}
		c.set(day.Add(3 * 24 * time.Hour))
		if o := mustCast(t, c.boxes, s, ballotFor("laptop", "n-1")); o.Refused != "" || o.Cast.Voter != it {
			t.Fatalf("tomorrow's turn: %+v", o)
		}
		checkRecount(t, c.boxes, s)
	})
}

// One screen, two people: the second address is its own voter.
func TestJoin_ADeviceBelongsToTheFirstAddressItProves(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 8")
		mustCast(t, b, s, ballotFor("tablet", "n-1"))
		mum := join(t, b, s, "mum@", "tablet")
		if mum != voterNamed("tablet") {
			t.Fatal("the first address is not the device's voter")
		}
		if dad := join(t, b, s, "dad@", "tablet"); dad != voterNamed("dad@") {
			t.Fatal("the second address took over the device")
		}
		if again := join(t, b, s, "mum@", "tablet"); again != mum {
			t.Fatal("the first address is somebody else now")
		}
		mustCast(t, b, s, ballotFor("dad@", "s-1"))
		mustCast(t, b, s, ballotFor("dad's phone", "n-2"))
		if dad := join(t, b, s, "dad@", "dad's phone"); dad != voterNamed("dad@") {
			t.Fatal("a device joined later became the voter")
		}
		if got := fmt.Sprint(standings(t, b, s, voterNamed("dad@")), standings(t, b, s, mum)); got != "[counted void] [counted]" {
			t.Fatal(got)
		}
		if elsewhere := join(t, b, s, "mum@", "dad's phone"); elsewhere != mum {
			t.Fatal("mum is somebody else on dad's phone")
		}
		checkRecount(t, b, s)
	})
}

func TestJoin_FinishesWhatAServerLeftHalfDone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 8")
		mustCast(t, b, s, ballotFor("phone", "n-1"))
		it := join(t, b, s, "ada@", "phone")
		mustCast(t, b, s, ballotFor("laptop", "s-1"))
		// The server dies after the first step: the laptop is known to be Ada's, and no more.
		if _, err := b.into(t.Context(), s, voterNamed("laptop"), it, false); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(standings(t, b, s, it)); got != "[counted]" {
			t.Fatalf("before: %s", got)
		}
		if err := b.finishAll(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(standings(t, b, s, it)); got != "[counted void]" {
			t.Fatalf("after: %s", got)
		}
		for box := range s.Contest.Boxes {
			if n, err := st.Client().Exists(t.Context(), keysOf(s.Contest.ID, box).joining).Result(); err != nil || n != 0 {
				t.Fatalf("still joining: %d, %v", n, err)
			}
		}
	})
}

// What an organizer has decided of a ballot over the limits stands, whoever joins later, and
// from a store that was restored; it takes nobody else's turn.
func TestJoin_WhatAnOrganizerHasDecidedStands(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		archive, c := newShelf(), withClock(t, st)
		b, s := c.boxes.WithArchive(archive), newContest(t, "boxes: 8", "rules: {ballots: {max: 1, per: contest}}")
		now := s.Contest.Phases.Voting.Opens.Add(time.Hour)
		later := func() {
			now = now.Add(time.Second)
			c.set(now)
		}
		cast := func(device, entry string) voting.Ballot {
			t.Helper()
			later()
			ballot := ballotFor(device, entry)
			mustCast(t, b, s, ballot)
			return ballot
		}
		prove := func(device string) voting.Voter {
			t.Helper()
			later()
			return join(t, b, s, "ada@", device)
		}
		decide := func(ballot voting.Ballot, to voting.Standing) {
			t.Helper()
			_, changed, err := b.Change(t.Context(), s, Change{
				Voter: ballot.Voter, Ballot: ballot.ID, Standing: to, Actor: voting.ActorOrganizer, Reasons: []string{"a-family"},
			})
			if err != nil || !changed {
				t.Fatalf("changed %v, %v", changed, err)
			}
		}
		cast("phone", "n-1")
		laptop, held := cast("laptop", "s-1"), cast("watch", "n-2")
		decide(held, voting.Held)
		prove("phone")
		prove("laptop")
		decide(laptop, voting.Counted)
		prove("watch")
		cast("tablet", "n-1")
		it := prove("tablet")
		const want = "[counted counted held void]"
		if got := fmt.Sprint(standings(t, b, s, it)); got != want {
			t.Fatalf("after a fourth device: %s, want %s", got, want)
		}
		found, err := b.Find(t.Context(), s, laptop.Voter, laptop.ID)
		if err != nil || fmt.Sprint(found.Reasons) != "[a-family]" {
			t.Fatalf("reinstated for %q, %v", found.Reasons, err)
		}
		again := mustCast(t, b, s, laptop)
		if !again.Duplicate || fmt.Sprint(again.Cast.Reasons) != "[a-family]" {
			t.Fatalf("a repeat: %+v", again)
		}
		// Nor by a join that looked before the organizer decided.
		if _, changed, err := b.Change(t.Context(), s, Change{
			Voter: laptop.Voter, Ballot: laptop.ID, Standing: voting.Void, Actor: voting.ActorScreen, Reasons: []string{sameVoter},
		}); err != nil || changed {
			t.Fatalf("void by a join that was late: %v, %v", changed, err)
		}
		s = restoreFrom(t, st, b, s, archive)
		cast("console", "n-1")
		prove("console")
		if got := fmt.Sprint(standings(t, b, s, it)); got != "[counted counted held void void]" {
			t.Fatalf("after a restore and a fifth device: %s", got)
		}
		checkRecount(t, b, s)
	})
}

// Casting and proving at once: whatever comes between, one person ends with one
// person's ballots, and the ledger says so.
func TestJoin_WhileEveryDeviceVotes(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		const devices, most = 6, 4
		b := New(st)
		for round := range 5 {
			s := newContest(t, "boxes: 8", fmt.Sprintf("rules: {ballots: {max: %d, per: contest}, per_entry: 3}", most))
			var all sync.WaitGroup
			for d := range devices {
				name := fmt.Sprint("device", d)
				all.Go(func() {
					for range most {
						if _, err := b.Cast(t.Context(), s, ballotFor(name, []string{"n-1", "s-1"}[d%2])); err != nil {
							t.Error(err)
						}
					}
				})
				all.Go(func() {
					device := voterNamed(name)
					if _, err := b.Join(t.Context(), s, voterNamed("ada@"), &device); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if t.Failed() {
				return
			}
			it := join(t, b, s, "ada@", "")
			casts, err := b.Ballots(t.Context(), s, it)
			if err != nil {
				t.Fatal(err)
			}
			counted := map[string]int{}
			for _, c := range casts {
				if c.Standing == voting.Counted {
					counted[c.Entry]++
				}
			}
			if total := counted["n-1"] + counted["s-1"]; total != most || counted["n-1"] > 3 || counted["s-1"] > 3 {
				t.Fatalf("round %d: %v counted of %d ballots", round, counted, len(casts))
			}
			checkRecount(t, b, s)
		}
	})
}

// Random people with several devices, against what the rules say plainly: of a
// person's ballots in the order of their instants, those within the limits count.
func TestJoin_RandomPeopleEndWithTheirOwnLimits(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		setRapid(t, "checks", "40")
		if st.Embedded() {
			setRapid(t, "checks", "10") // it compiles the script at each call
		}
		rapid.Check(t, func(rt *rapid.T) {
			c := withClock(rt, st)
			most := rapid.IntRange(1, 3).Draw(rt, "max")
			perEntry := rapid.IntRange(1, most).Draw(rt, "per entry")
			per := rapid.SampledFrom([]contest.Period{contest.PerContest, contest.PerDay}).Draw(rt, "per")
			s := newContest(rt, "boxes: 3", fmt.Sprintf("rules: {ballots: {max: %d, per: %s}, per_entry: %d, undo: 1h}", most, per, perEntry))
			now := time.Date(2026, 12, 1, 20, 0, 0, 0, time.UTC)
			c.set(now)
			owner := map[string]string{} // device -> address
			devices := []string{"d1", "d2", "d3", "d4"}
			entries := []string{"n-1", "n-2", "s-1"}
			var cast []modelID
			rt.Repeat(map[string]func(*rapid.T){
				"cast": func(rt *rapid.T) {
					now = now.Add(time.Duration(rapid.IntRange(1, 4*3600).Draw(rt, "s")) * time.Second)
					c.set(now)
					ballot := ballotFor(rapid.SampledFrom(devices).Draw(rt, "device"), rapid.SampledFrom(entries).Draw(rt, "entry"))
					if o := mustCast(rt, c.boxes, s, ballot); o.Refused == "" {
						cast = append(cast, modelID{o.Cast.Voter, ballot.ID})
					}
				},
				"withdraw": func(rt *rapid.T) {
					if len(cast) == 0 {
						rt.Skip("no ballot yet")
					}
					id := rapid.SampledFrom(cast).Draw(rt, "ballot")
					_, _, err := c.boxes.Change(context.Background(), s, Change{Voter: id.voter, Ballot: id.ballot, Standing: voting.Withdrawn, Actor: voting.ActorVoter})
					if err != nil && err != ErrUndoExpired {
						rt.Fatal(err)
					}
				},
				"prove": func(rt *rapid.T) {
					device, address := rapid.SampledFrom(devices).Draw(rt, "device"), rapid.SampledFrom([]string{"ada@", "bob@"}).Draw(rt, "address")
					join(rt, c.boxes, s, address, device)
					if owner[device] == "" {
						owner[device] = address
					}
				},
				"": func(rt *rapid.T) {
					groups := map[string][]voting.Cast{}
					for _, id := range cast {
						found, err := c.boxes.Find(context.Background(), s, id.voter, id.ballot)
						if err != nil {
							rt.Fatal(err)
						}
						groups[personOf(owner, id)] = append(groups[personOf(owner, id)], found)
					}
					for person, casts := range groups {
						counted := map[string]int{}
						for _, k := range casts {
							day := ""
							if per == contest.PerDay {
								day = k.At().In(s.Contest.Location()).Format(time.DateOnly)
							}
							if k.Standing == voting.Counted {
								counted[day]++
								counted[day+k.Entry]++
							}
							if counted[day] > most || counted[day+k.Entry] > perEntry {
								rt.Fatalf("%s has %v", person, counted)
							}
						}
					}
					checkRecount(rt, c.boxes, s)
				},
			})
		})
	})
}

// personOf names whose a ballot is, by what the test itself has proven.
func personOf(owner map[string]string, id modelID) string {
	for device, address := range owner {
		if voterNamed(device) == id.voter {
			return address
		}
	}
	for _, address := range []string{"ada@", "bob@"} {
		if voterNamed(address) == id.voter {
			return address
		}
	}
	return fmt.Sprint(uuid.UUID(id.voter))
}
