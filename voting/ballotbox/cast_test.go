package ballotbox

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

func TestCast_CountsOnceAndRepeatsItsFirstAnswer(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		ballot := ballotFor("ada", "n-1")
		first := mustCast(t, b, s, ballot)
		if first.Refused != "" || first.Duplicate || first.Cast.Standing != voting.Counted || first.Remaining != 0 {
			t.Fatalf("first: %+v", first)
		}
		for range 3 {
			again := mustCast(t, b, s, ballot)
			if !again.Duplicate || again.Cast.Position != first.Cast.Position || again.Cast.Standing != voting.Counted {
				t.Fatalf("repeat: %+v, want %+v", again.Cast, first.Cast)
			}
		}
		records := ledgerOf(t, b, s, voting.Position{})
		if len(records) != 2 || records[0].Kind != voting.KindOpen || records[1].Kind != voting.KindCast {
			t.Fatalf("ledger: %+v", records)
		}
		r := records[1]
		if r.Ballot != ballot.ID || r.Voter != ballot.Voter || r.Entry != "n-1" || r.School != "north" ||
			r.Actor != voting.ActorVoter || r.Position != first.Cast.Position {
			t.Fatalf("record: %+v", r)
		}
	})
}

func TestCast_SecondBallotIsRefusedAndChangesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		mustCast(t, b, s, ballotFor("ada", "n-1"))
		before := ledgerOf(t, b, s, voting.Position{})
		o := mustCast(t, b, s, ballotFor("ada", "s-1"))
		if o.Refused != voting.AlreadyVoted || !o.NextAt.IsZero() {
			t.Fatalf("second: %+v", o)
		}
		if after := ledgerOf(t, b, s, voting.Position{}); len(after) != len(before) {
			t.Fatalf("the refusal left a record: %+v", after)
		}
	})
}

func TestCast_SameIDWithAnotherEntryIsReused(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		ballot := ballotFor("ada", "n-1")
		mustCast(t, b, s, ballot)
		ballot.Entry = "s-1"
		if o := mustCast(t, b, s, ballot); o.Refused != voting.BallotReused {
			t.Fatalf("got %+v", o)
		}
		// Another voter's ballot of the same id is another ballot.
		ballot.Voter = voterNamed("bob")
		if o := mustCast(t, b, s, ballot); o.Refused != "" || o.Duplicate {
			t.Fatalf("other voter: %+v", o)
		}
	})
}

func TestCast_RefusalDecidedBeforeAppliesOnlyToUnseenBallots(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		ballot := ballotFor("ada", "n-1")
		mustCast(t, b, s, ballot)
		ballot.Refuse = voting.IdentityLevel
		if o := mustCast(t, b, s, ballot); !o.Duplicate {
			t.Fatalf("seen: %+v", o)
		}
		unseen := ballotFor("bob", "n-1")
		unseen.Refuse = voting.NoSuchEntry
		if o := mustCast(t, b, s, unseen); o.Refused != voting.NoSuchEntry {
			t.Fatalf("unseen: %+v", o)
		}
	})
}

func TestCast_PerEntryLimitLeavesTheOtherEntriesOpen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "rules: {ballots: {max: 3, per: contest}, per_entry: 1}")
		want := []voting.Code{"", voting.AlreadyVoted, "", "", voting.AlreadyVoted}
		for i, entry := range []string{"n-1", "n-1", "n-2", "s-1", "s-1"} {
			if o := mustCast(t, b, s, ballotFor("ada", entry)); o.Refused != want[i] {
				t.Fatalf("ballot %d for %s: %+v", i, entry, o)
			}
		}
	})
}

func TestCast_PhaseByTheStoresClock(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "phases: {voting: {opens: 2027-05-01T10:00:00Z, closes: 2027-05-01T12:00:00Z}}")
		opens, closes := s.Contest.Phases.Voting.Opens, s.Contest.Phases.Voting.Closes
		c.set(opens.Add(-time.Millisecond))
		if o := mustCast(t, c.boxes, s, ballotFor("early", "n-1")); o.Refused != voting.PhaseClosed || !o.OpensAt.Equal(opens) {
			t.Fatalf("before: %+v", o)
		}
		c.set(opens)
		if o := mustCast(t, c.boxes, s, ballotFor("first", "n-1")); o.Refused != "" {
			t.Fatalf("at opens: %+v", o)
		}
		c.set(closes.Add(-time.Millisecond))
		last := ballotFor("last", "n-1")
		if o := mustCast(t, c.boxes, s, last); o.Refused != "" {
			t.Fatalf("last millisecond: %+v", o)
		}
		c.set(closes)
		if o := mustCast(t, c.boxes, s, ballotFor("late", "n-1")); o.Refused != voting.PhaseClosed || !o.ClosedAt.Equal(closes) {
			t.Fatalf("at closes: %+v", o)
		}
		// Once closed it stays closed, though the clock steps back.
		c.set(closes.Add(-time.Hour))
		if o := mustCast(t, c.boxes, s, ballotFor("stepped", "n-1")); o.Refused != voting.PhaseClosed {
			t.Fatalf("clock stepped back: %+v", o)
		}
		if o := mustCast(t, c.boxes, s, last); !o.Duplicate {
			t.Fatalf("a repeat after the close: %+v", o)
		}
	})
}

// A contest that its organizer ended before it had opened does not open any more: nobody
// is to be told to come back.
func TestCast_ClosedByHandBeforeTheOpening(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "phases: {voting: {opens: 2027-05-01T10:00:00Z, closes: 2027-05-01T12:00:00Z}}")
		opens := s.Contest.Phases.Voting.Opens
		c.set(opens.Add(-time.Hour))
		if err := c.boxes.Configure(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		closed, err := c.boxes.Close(t.Context(), s, "called-off")
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{opens.Add(-time.Minute), opens.Add(time.Minute)} {
			c.set(at)
			if o := mustCast(t, c.boxes, s, ballotFor("late", "n-1")); o.Refused != voting.PhaseClosed || !o.OpensAt.IsZero() || !o.ClosedAt.Equal(closed) {
				t.Errorf("at %v: %+v, expected it closed at %v", at, o, closed)
			}
		}
	})
}

func TestCast_ClockNeverGoesBackInTheLedger(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c, s := withClock(t, st), newContest(t)
		at := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
		c.set(at)
		mustCast(t, c.boxes, s, ballotFor("a", "n-1"))
		c.set(at.Add(-time.Minute))
		if o := mustCast(t, c.boxes, s, ballotFor("b", "n-1")); !o.Cast.At().Equal(at) {
			t.Fatalf("stamped %v, want no earlier than %v", o.Cast.At(), at)
		}
	})
}

// The civil days of both clock changes of 2026 in Europe/Paris, through the
// script: 29 March has 23 hours, 25 October 25.
func TestCast_DayLimitOverBothClockChanges(t *testing.T) {
	for _, day := range []struct {
		name         string
		starts, ends time.Time
		hours        int
	}{
		{"23 hours", time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 22, 0, 0, 0, time.UTC), 23},
		{"25 hours", time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 23, 0, 0, 0, time.UTC), 25},
	} {
		t.Run(day.name, func(t *testing.T) {
			if got := day.ends.Sub(day.starts); got != time.Duration(day.hours)*time.Hour {
				t.Fatalf("the table is wrong: %v", got)
			}
			onEveryStore(t, func(t *testing.T, st *store.Store) {
				c := withClock(t, st)
				s := newContest(t, "rules: {ballots: {max: 1, per: day}}")
				cast := func(at time.Time, want voting.Code) voting.Outcome {
					t.Helper()
					c.set(at)
					o := mustCast(t, c.boxes, s, ballotFor("ada", "n-1"))
					if o.Refused != want {
						t.Fatalf("at %v: %+v, want %q", at, o, want)
					}
					return o
				}
				cast(day.starts.Add(-time.Millisecond), "")
				cast(day.starts, "")
				if o := cast(day.starts.Add(12*time.Hour), voting.AlreadyVoted); !o.NextAt.Equal(day.ends) {
					t.Fatalf("next turn %v, want %v", o.NextAt, day.ends)
				}
				cast(day.ends.Add(-time.Millisecond), voting.AlreadyVoted)
				cast(day.ends, "")
				cast(day.ends.Add(time.Hour), voting.AlreadyVoted)
			})
		})
	}
}

func TestCast_HourLimit(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "rules: {ballots: {max: 2, per: hour}}")
		hour := time.Date(2027, 6, 1, 14, 0, 0, 0, time.UTC)
		for i, want := range []voting.Code{"", "", voting.AlreadyVoted} {
			c.set(hour.Add(time.Duration(i) * 20 * time.Minute))
			if o := mustCast(t, c.boxes, s, ballotFor("ada", "n-1")); o.Refused != want {
				t.Fatalf("ballot %d: %+v", i, o)
			}
		}
		c.set(hour.Add(time.Hour))
		if o := mustCast(t, c.boxes, s, ballotFor("ada", "n-1")); o.Refused != "" || o.Remaining != 1 {
			t.Fatalf("next hour: %+v", o)
		}
	})
}

// A store whose clock is far from this server's is asked again with bounds
// around its own.
func TestCast_BoundsFollowTheStoresClock(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		c := withClock(t, st)
		s := newContest(t, "rules: {ballots: {max: 1, per: day}}")
		c.set(time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC))
		if o := mustCast(t, c.boxes, s, ballotFor("ada", "n-1")); o.Refused != "" || o.NextAt.IsZero() {
			t.Fatalf("got %+v", o)
		}
	})
}

func TestCast_EvidenceIsKeptApartAndExpires(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		dwell := int64(5400)
		ballot := ballotFor("ada", "n-1")
		ballot.Evidence = antifraud.Evidence{Net: "net-1", DwellMS: &dwell}
		mustCast(t, b, s, ballot)
		repeat := ballot
		repeat.Evidence.Net = "net-2"
		mustCast(t, b, s, repeat)

		var lines []LogLine
		if err := b.Evidence(t.Context(), s, func(l LogLine) error { lines = append(lines, l); return nil }); err != nil {
			t.Fatal(err)
		}
		if len(lines) != 1 || lines[0].Ballot != ballot.ID || lines[0].Level != "device" ||
			lines[0].Evidence.Net != "net-1" || *lines[0].Evidence.DwellMS != dwell {
			t.Fatalf("log: %+v", lines)
		}
		keys := keysOf(s.Contest.ID, 0)
		expires, err := st.Client().PTTL(t.Context(), keys.evidence).Result()
		if err != nil {
			t.Fatal(err)
		}
		want := time.Until(s.Contest.Phases.Voting.Closes.Add(EvidenceLifetime))
		if diff := (expires - want).Abs(); diff > time.Minute {
			t.Fatalf("evidence expires in %v, want %v", expires, want)
		}
		for _, key := range []string{keys.meta, keys.tally, keys.ledger} {
			if ttl, err := st.Client().PTTL(t.Context(), key).Result(); err != nil || ttl >= 0 {
				t.Fatalf("%s must never expire: %v, %v", key, ttl, err)
			}
		}
	})
}

// A key of a wrong type, or a count that is none, is found before the first write.
func TestCast_DamageIsAnErrorAndWritesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		ctx := context.Background()
		damages := map[string]func(k boxKeys, ballot voting.Ballot) error{
			"tally is a string":   func(k boxKeys, _ voting.Ballot) error { return st.Client().Set(ctx, k.tally, "x", 0).Err() },
			"ledger is a hash":    func(k boxKeys, _ voting.Ballot) error { return st.Client().HSet(ctx, k.ledger, "x", 1).Err() },
			"frozen is a string":  func(k boxKeys, _ voting.Ballot) error { return st.Client().Set(ctx, k.frozen, "x", 0).Err() },
			"evidence is a hash":  func(k boxKeys, _ voting.Ballot) error { return st.Client().HSet(ctx, k.evidence, "x", 1).Err() },
			"a count is no count": func(k boxKeys, _ voting.Ballot) error { return st.Client().HSet(ctx, k.tally, "n-1", "many").Err() },
			"voters is a string": func(k boxKeys, b voting.Ballot) error {
				return st.Client().Set(ctx, k.voters(b.Voter), "x", 0).Err()
			},
			"a voter is no voter": func(k boxKeys, b voting.Ballot) error {
				return st.Client().HSet(ctx, k.voters(b.Voter), string(b.Voter[:]), "x").Err()
			},
			"a ballot is no ballot": func(k boxKeys, b voting.Ballot) error {
				return st.Client().HSet(ctx, k.voters(b.Voter), ballotField(b.ID, b.Voter), "x123456789012").Err()
			},
			"the rules are none": func(k boxKeys, _ voting.Ballot) error {
				return st.Client().HSet(ctx, k.meta, "rules", "1|2|3").Err()
			},
			"the offset is no number": func(k boxKeys, _ voting.Ballot) error {
				return st.Client().HSet(ctx, k.meta, "place", "open|0|x|0|0").Err()
			},
		}
		for name, damage := range damages {
			t.Run(name, func(t *testing.T) {
				b, s := New(st), newContest(t, "results: {freeze: 2h}")
				if err := b.Configure(ctx, s); err != nil {
					t.Fatal(err)
				}
				k, ballot := keysOf(s.Contest.ID, 0), ballotFor("ada", "n-1")
				if err := damage(k, ballot); err != nil {
					t.Fatal(err)
				}
				before := dumpBox(t, st, k)
				if o, err := b.Cast(ctx, s, ballot); err == nil {
					t.Fatalf("cast into a damaged box: %+v", o)
				}
				if after := dumpBox(t, st, k); after != before {
					t.Fatalf("something was written:\n%s\n%s", before, after)
				}
			})
		}
	})
}

// keysIn are the keys of a store, on whichever node, that begin so.
func keysIn(t rapid.TB, st *store.Store, prefix string) (keys []string) {
	t.Helper()
	var mu sync.Mutex
	list := func(ctx context.Context, node redis.Cmdable) error {
		some, err := node.Keys(ctx, prefix+"*").Result()
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, some...)
		return err
	}
	var err error
	if cluster, ok := st.Client().(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(context.Background(), func(ctx context.Context, node *redis.Client) error { return list(ctx, node) })
	} else {
		err = list(context.Background(), st.Client())
	}
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// dumpBox is the content of all keys of a box, comparable.
func dumpBox(t *testing.T, st *store.Store, k boxKeys) string {
	t.Helper()
	ctx, all := context.Background(), map[string]string{}
	for _, key := range keysIn(t, st, k.prefix[:len(k.prefix)-1]) {
		kind := st.Client().Type(ctx, key).Val()
		switch kind {
		case "hash":
			all[key] = fmt.Sprint(st.Client().HGetAll(ctx, key).Val())
		case "stream":
			all[key] = fmt.Sprint(st.Client().XRange(ctx, key, "-", "+").Val())
		default:
			all[key] = kind + st.Client().Get(ctx, key).Val()
		}
	}
	return fmt.Sprint(all)
}

func TestCast_TenThousandAtOnceOfOneBallotCountOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		n, atOnce := 10_000, 512
		if st.Embedded() {
			n, atOnce = 1_000, 64 // the embedded store compiles the script anew each time
		}
		if err := b.Configure(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		ballot := ballotFor("ada", "n-1")
		positions := make([]voting.Position, n)
		var fresh sync.Map
		var wg sync.WaitGroup
		gate := make(chan struct{}, atOnce)
		for i := range n {
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				o, err := b.Cast(context.Background(), s, ballot)
				if err != nil {
					t.Error(err)
					return
				}
				positions[i] = o.Cast.Position
				if !o.Duplicate {
					fresh.Store(i, true)
				}
			})
		}
		wg.Wait()
		count := 0
		fresh.Range(func(any, any) bool { count++; return true })
		if count != 1 {
			t.Fatalf("%d casts were counted, want 1", count)
		}
		for i, p := range positions {
			if p != positions[0] {
				t.Fatalf("cast %d has position %v, cast 0 %v", i, p, positions[0])
			}
		}
	})
}

func TestFind_AndLookup(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "boxes: 8")
		ballot := ballotFor("ada", "n-1")
		o := mustCast(t, b, s, ballot)
		found, err := b.Find(t.Context(), s, ballot.Voter, ballot.ID)
		if err != nil || fmt.Sprint(found) != fmt.Sprint(o.Cast) {
			t.Fatalf("find: %+v, %v; want %+v", found, err, o.Cast)
		}
		other := ballotFor("cyd", "n-2")
		mustCast(t, b, s, other)
		nobodys := uuid.New()
		voters, err := b.Lookup(t.Context(), s, []uuid.UUID{ballot.ID, nobodys, other.ID})
		if want := map[uuid.UUID][]voting.Voter{ballot.ID: {ballot.Voter}, nobodys: nil, other.ID: {other.Voter}}; err != nil || fmt.Sprint(voters) != fmt.Sprint(want) {
			t.Fatalf("look up: %v, %v; want %v", voters, err, want)
		}
		same := ballotFor("bob", "n-1")
		same.ID = ballot.ID
		mustCast(t, b, s, same)
		if voters, err := b.Lookup(t.Context(), s, []uuid.UUID{ballot.ID}); err != nil || len(voters[ballot.ID]) != 2 {
			t.Fatalf("look up of two: %v, %v", voters, err)
		}
		if voted, err := b.HasVoted(t.Context(), s, ballot.Voter); err != nil || !voted {
			t.Fatalf("has voted: %v, %v", voted, err)
		}
		if voted, err := b.HasVoted(t.Context(), s, voterNamed("nobody")); err != nil || voted {
			t.Fatalf("nobody has voted: %v, %v", voted, err)
		}
	})
}
