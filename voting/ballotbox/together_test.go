package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// atOnce casts ballots that wait for their server together: all but the first, which
// holds it up, go through the script at once.
func atOnce(t *testing.T, server *redistest.Server, cast func(voting.Ballot), ballots ...voting.Ballot) {
	t.Helper()
	admin := server.Client()
	admin.Do(t.Context(), "CLIENT", "PAUSE", 60000, "WRITE")
	var casting sync.WaitGroup
	casting.Go(func() { cast(ballots[0]) })
	for !strings.Contains(admin.ClientList(t.Context()).Val(), "flags=b") {
		time.Sleep(time.Millisecond)
	}
	for _, ballot := range ballots[1:] {
		casting.Go(func() { cast(ballot) })
	}
	time.Sleep(10 * time.Millisecond) // for the rest to queue; if one does not, it goes by itself
	admin.Do(context.Background(), "CLIENT", "UNPAUSE")
	casting.Wait()
}

func TestCast_ManyAtOnceAreWhatTheyAreOneByOne(t *testing.T) {
	server := redistest.Start(t)
	b, s := New(openStore(t, server.URL())), newContest(t, "rules: {ballots: {max: 2, per: day}, per_entry: 1}", "scoring: {schools: {by: total}, ties: earliest}")
	joined := ballotFor("laptop", "n-1")
	mustCast(t, b, s, ballotFor("phone", "n-1"))
	mustCast(t, b, s, ballotFor("laptop", "n-2"))
	join(t, b, s, "ada@", "phone")
	join(t, b, s, "ada@", "laptop")
	before := scriptsRun(t, server)

	var ballots []voting.Ballot
	want := map[string]string{}
	add := func(ballot voting.Ballot, outcome string) {
		ballots = append(ballots, ballot)
		want[ballot.ID.String()] = outcome
	}
	for n := range 40 {
		ballot, outcome := ballotFor(fmt.Sprint("voter ", n), "n-1"), "counted"
		ballot.Evidence.Agent = ballot.ID.String()
		switch n % 4 {
		case 1:
			ballot.Present = true
		case 2:
			ballot.Standing, ballot.Reasons, ballot.Policy, outcome = voting.Held, []string{"unproven", "lockstep"}, "standard/1", "held"
		case 3:
			ballot.Refuse, ballot.Reasons, outcome = voting.Rejected, []string{"known-farm"}, "rejected"
		}
		add(ballot, outcome)
	}
	twice := ballotFor("greedy", "s-1")
	for range 3 {
		ballots = append(ballots, twice)
	}
	want[twice.ID.String()] = "counted, repeats the same"
	ballots = append(ballots, joined)
	want[joined.ID.String()] = "already-voted"

	var mu sync.Mutex
	got := map[string]string{}
	atOnce(t, server, func(ballot voting.Ballot) {
		o, err := b.Cast(t.Context(), s, ballot)
		if err != nil {
			t.Error(err)
		}
		outcome := string(o.Refused)
		if outcome == "" {
			outcome = string(o.Cast.Standing)
			if fmt.Sprint(o.Cast.Reasons) != fmt.Sprint(ballot.Reasons) || o.Cast.Present != ballot.Present || o.Cast.Entry != ballot.Entry {
				t.Errorf("%+v of %+v", o.Cast, ballot)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if first, known := got[ballot.ID.String()]; known {
			if first = strings.TrimSuffix(first, ", repeats the same"); first == outcome {
				outcome += ", repeats the same"
			}
		}
		got[ballot.ID.String()] = outcome
	}, ballots...)
	for id, outcome := range want {
		if got[id] != outcome {
			t.Errorf("%s is %q, want %q", id, got[id], outcome)
		}
	}
	if calls := scriptsRun(t, server) - before; calls > len(ballots)/2 {
		t.Errorf("%d ballots took %d calls", len(ballots), calls)
	}
	checkRecount(t, b, s)
	for _, f := range mustFollow(t, b, s) {
		if f.Kind == voting.KindCast && f.Level == "" {
			t.Errorf("nothing was seen of %s", f.Position)
		}
		if f.Evidence.Agent != "" && f.Evidence.Agent != f.Ballot.String() {
			t.Errorf("what was seen of %s is told of %s", f.Evidence.Agent, f.Ballot)
		}
	}
}

// What goes through the script together is taken apart where some of it is refused, by
// each store's own Lua: records and evidence stay those of the ballots that were accepted.
func TestCast_SomeRefusedAmongMany(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t)
		var casting sync.WaitGroup
		for n := range 200 {
			ballot := ballotFor(fmt.Sprint("voter ", n/2), "n-1") // the second of each is one too many
			ballot.Evidence.Agent = ballot.ID.String()
			if n%7 == 0 {
				ballot.Standing, ballot.Reasons = voting.Held, []string{"unproven"}
			}
			casting.Go(func() {
				o, err := b.Cast(t.Context(), s, ballot)
				if err != nil || o.Refused != "" && o.Refused != voting.AlreadyVoted {
					t.Errorf("%+v, %v", o, err)
				}
			})
		}
		casting.Wait()
		checkRecount(t, b, s)
		casts := 0
		for _, f := range mustFollow(t, b, s) {
			if f.Kind != voting.KindCast {
				continue
			}
			if casts++; f.Evidence.Agent != f.Ballot.String() {
				t.Errorf("what was seen of %q is told of %s", f.Evidence.Agent, f.Ballot)
			}
		}
		if casts != 100 {
			t.Errorf("%d casts in the ledger, want 100", casts)
		}
	})
}

// scriptsRun is how many calls of scripts a server has had.
func scriptsRun(t *testing.T, server *redistest.Server) (n int) {
	t.Helper()
	stats := server.Client().Info(t.Context(), "commandstats").Val()
	_, stats, found := strings.Cut(stats, "cmdstat_evalsha:calls=")
	if _, err := fmt.Sscan(stats, &n); found && err != nil {
		t.Fatal(err)
	}
	return n
}

// What is wrong with one ballot is no other's failure.
func TestCast_ADamagedVoterAmongManyHarmsNobodyElse(t *testing.T) {
	server := redistest.Start(t)
	b, s := New(openStore(t, server.URL())), newContest(t)
	mustCast(t, b, s, ballotFor("first", "n-1"))
	bad := ballotFor("damaged", "n-1")
	if err := server.Client().HSet(t.Context(), keysOf(s.Contest.ID, 0).voters(bad.Voter), string(bad.Voter[:]), "nonsense").Err(); err != nil {
		t.Fatal(err)
	}
	ballots := []voting.Ballot{bad}
	for n := range 20 {
		ballots = append(ballots, ballotFor(fmt.Sprint("voter ", n), "n-1"))
	}
	atOnce(t, server, func(ballot voting.Ballot) {
		o, err := b.Cast(t.Context(), s, ballot)
		switch {
		case ballot.ID == bad.ID && (err == nil || !strings.Contains(err.Error(), "corrupt ballot box")):
			t.Errorf("the damaged one: %+v, %v", o, err)
		case ballot.ID != bad.ID && (err != nil || o.Refused != ""):
			t.Errorf("%+v, %v", o, err)
		}
	}, ballots...)
	checkRecount(t, b, s)
	if n := len(ledgerOf(t, b, s, voting.Position{})); n != 1+1+20 { // the opening, the first, and the others
		t.Errorf("%d records", n)
	}
}

// greedy casts many ballots of one voter at once, who has one vote, and returns how
// many of them count.
func greedy(t *testing.T, server *redistest.Server, b *Boxes) (counted int64) {
	t.Helper()
	s := newContest(t)
	mustCast(t, b, s, ballotFor("first", "n-1"))
	ballots := []voting.Ballot{ballotFor("who holds it up", "n-1")}
	for range 20 {
		ballots = append(ballots, ballotFor("greedy", "n-1"))
	}
	atOnce(t, server, func(ballot voting.Ballot) { mustCast(t, b, s, ballot) }, ballots...)
	count, err := b.Tally(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return count.Live.Counted - 2
}

func TestCast_ManyBallotsOfOneVoterAtOnceCountOnce(t *testing.T) {
	server := redistest.Start(t)
	if n := greedy(t, server, New(openStore(t, server.URL()))); n != 1 {
		t.Fatalf("%d count", n)
	}
	// Control: where a ballot does not see what the one before it has changed, it fails.
	const sees = "changed[voter] = true"
	scriptsHave(t, sees)
	if n := greedy(t, server, load(openStore(t, server.URL()), func(name string) string {
		return strings.ReplaceAll(source(name), sees, "")
	})); n < 2 {
		t.Fatalf("without: %d count", n)
	}
}

// Of a voter's ballots that are in one call, one is decided. Who is left over when there are
// too many is told to come again, as of any overload, and is then counted once.
func TestCast_WhoWaitsTooLongForTheirOwnBallotsIsToldToComeAgain(t *testing.T) {
	server := redistest.Start(t)
	b := New(openStore(t, server.URL()))
	s := newContest(t, "rules: {ballots: {max: 20}}")
	var turnedAway atomic.Int64
	rounds := 0
	for ; turnedAway.Load() == 0 && rounds < 20; rounds++ { // they may come one by one on a busy machine
		ballots := []voting.Ballot{ballotFor(fmt.Sprint("who holds it up ", rounds), "n-1")}
		for range 20 {
			ballots = append(ballots, ballotFor(fmt.Sprint("eager ", rounds), "n-1"))
		}
		atOnce(t, server, func(ballot voting.Ballot) {
			for {
				switch o, err := b.Cast(t.Context(), s, ballot); {
				case err == nil && o.Refused == "":
					return
				case errors.Is(err, store.ErrOverloaded):
					turnedAway.Add(1)
				default:
					t.Errorf("%+v, %v", o, err)
					return
				}
			}
		}, ballots...)
	}
	if turnedAway.Load() == 0 {
		t.Error("nobody had to come again: nothing was tested")
	}
	count, err := b.Tally(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(21 * rounds); count.Live.Counted != want {
		t.Errorf("%d count, want %d", count.Live.Counted, want)
	}
}

// A kill in the middle of the write of many casts counts none of them twice, and loses
// none that is asked for again; nor where records move away meanwhile, of which the torn
// sheet has some and not others.
func TestTorn_AnInterruptedWriteOfManyNeverCounts(t *testing.T) {
	server := redistest.Start(t)
	for _, moving := range []bool{false, true} {
		cuts := 0
		for cut := int64(1); ; cut += 97 {
			archive := newShelf()
			open := func() *Boxes { return New(openStore(t, server.URL())).WithArchive(archive) }
			b, s := open(), newContest(t, "scoring: {schools: {by: total}, ties: earliest}")
			mustCast(t, b, s, ballotFor("first", "n-1"))
			ballots := []voting.Ballot{ballotFor("a", "n-1"), ballotFor("b", "n-2"), ballotFor("c", "n-1"), ballotFor("d", "s-1")}
			ballots[1].Present, ballots[2].Standing = true, voting.Held
			past := server.Tear(cut, func() {
				atOnce(t, server, func(ballot voting.Ballot) { mustCast(t, b, s, ballot) }, ballots...)
			}, func() {
				b := open()
				mustCast(t, b, s, ballotFor("other", "n-2"))
				if moving {
					archive.move(t, b, s) // over the torn sheet, which is there at the next start
				}
			})
			if past {
				break
			}
			cuts++
			b = open()
			checkRecount(t, b, s)
			for range 2 {
				for _, ballot := range ballots {
					if o := mustCast(t, b, s, ballot); o.Refused != "" {
						t.Fatalf("cut %d bytes in, moving %v: %+v", cut, moving, o)
					}
				}
			}
			checkRecount(t, b, s)
			if all := mustFollow(t, b, s); len(all) != 6 {
				t.Fatalf("cut %d bytes in, moving %v: %d ballots", cut, moving, len(all))
			} else {
				for _, f := range all {
					if f.Level == "" {
						t.Fatalf("cut %d bytes in, moving %v: nothing was seen of %s", cut, moving, f.Position)
					}
				}
			}
		}
		if cuts < 10 {
			t.Fatalf("only %d cuts, moving %v", cuts, moving)
		}
	}
}
