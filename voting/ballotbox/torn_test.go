package ballotbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/voting"
)

// tearing says what happens around a write that is torn.
type tearing struct {
	again bool // its voter asks again in between
	moved int  // records move to the archive: 1 before it, 2 and after it too
}

// tear tears a cast. It returns what is wrong, or done when cut is past the transaction.
func (how tearing) tear(t *testing.T, server *redistest.Server, load func() *Boxes, cut int64) (fault string, done bool) {
	t.Helper()
	archive := newShelf()
	open := func() *Boxes { return load().WithArchive(archive) }
	b := open()
	s := newContest(t, "rules: {ballots: {max: 2, per: day}, per_entry: 1}", "scoring: {schools: {by: total}, ties: earliest}")
	first, torn, other := ballotFor("ada", "n-1"), ballotFor("ada", "n-2"), ballotFor("bob", "n-2")
	first.Present, torn.Present = true, true
	torn.Solved = &voting.Solved{ID: torn.ID, Life: time.Hour}
	mustCast(t, b, s, first)
	if how.moved > 0 {
		archive.move(t, b, s)
	}
	counted, again := int64(2), how.again
	past := server.Tear(cut, func() { mustCast(t, b, s, torn) }, func() {
		b := open()
		mustCast(t, b, s, other)
		if again {
			mustCast(t, b, s, torn)
			counted++
		}
		if how.moved > 1 {
			archive.move(t, b, s) // over the torn record, which is there at the next start
		}
	})
	if past {
		return "", true
	}
	b = open()
	count, err := b.Tally(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	records := ledgerOf(t, b, s, voting.Position{})
	if d := diffTally(count.Live, fold(records)); d != "" {
		return "the tally is not the ledger:\n" + d, false
	}
	seen := map[string]bool{}
	for _, r := range records {
		if r.Kind == voting.KindCast && seen[r.Ballot.String()] {
			return "a ballot is in the ledger twice", false
		}
		seen[r.Ballot.String()] = true
	}
	if count.Live.Counted != counted {
		return fmt.Sprintf("%d ballots counted, want %d", count.Live.Counted, counted), false
	}
	// The voter's turns are what the ledger says: the torn ballot took none.
	o := mustCast(t, b, s, torn)
	if o.Refused != "" || o.Duplicate != again || o.Remaining != 0 {
		return fmt.Sprintf("asked once more: %+v", o), false
	}
	if o := mustCast(t, b, s, first); !o.Duplicate {
		return fmt.Sprintf("the first ballot: %+v", o), false
	}
	// Nor does its challenge serve another ballot, however it was torn.
	other = ballotFor("ada", "s-1")
	other.Solved = torn.Solved
	if o := mustCast(t, b, s, other); o.Refused != voting.Rejected {
		return fmt.Sprintf("with the same challenge: %+v", o), false
	}
	return "", false
}

func TestTorn_AnInterruptedWriteNeverCounts(t *testing.T) {
	server := redistest.Start(t)
	load := func() *Boxes { return New(openStore(t, server.URL())) }
	cuts := 0
	for _, how := range []tearing{{false, 0}, {true, 0}, {false, 1}, {true, 1}, {false, 2}, {true, 2}} {
		// Into every command of the transaction, at its start, middle and end; where
		// records move, into every command.
		for cut := int64(1); ; cut += int64(37 + 36*min(how.moved, 1)) {
			fault, done := how.tear(t, server, load, cut)
			if fault != "" {
				t.Fatalf("cut %d bytes in, %+v: %s", cut, how, fault)
			}
			if done {
				break
			}
			cuts++
		}
	}
	t.Logf("%d cuts", cuts)
}

// The same for the write that takes records out: none is lost, and none comes twice,
// whether the next one came before the torn one ran or not.
func TestTorn_AnInterruptedTrimLosesNothing(t *testing.T) {
	server := redistest.Start(t)
	cuts := 0
	for _, again := range []bool{false, true} {
		for cut := int64(1); ; cut += 29 {
			archive := newShelf()
			open := func() *Boxes { return New(openStore(t, server.URL())).WithArchive(archive) }
			b, s := open(), newContest(t)
			for n := range 3 {
				mustCast(t, b, s, ballotFor(fmt.Sprint(n), "n-1"))
			}
			past := server.Tear(cut, func() { archive.move(t, b, s) }, func() {
				b := open()
				mustCast(t, b, s, ballotFor("another", "n-2"))
				if again {
					archive.move(t, b, s)
				}
			})
			if past {
				break
			}
			cuts++
			b = open()
			mustCast(t, b, s, ballotFor("last", "n-2"))
			for i := range 2 {
				records := ledgerOf(t, b, s, voting.Position{})
				for n, r := range records {
					if r.Position.Offset != int64(n+1) {
						t.Fatalf("cut %d bytes in, moved again %v: record %d is %v", cut, again, n+1, r.Position)
					}
				}
				if len(records) != 6 || len(mustFollow(t, b, s)) != 5 {
					t.Fatalf("cut %d bytes in, moved again %v: %d records", cut, again, len(records))
				}
				checkRecount(t, b, s)
				if i == 0 {
					archive.move(t, b, s)
				}
			}
			for key, left := range map[string]int64{"ledger": b.store.Client().XLen(t.Context(), keysOf(s.Contest.ID, 0).ledger).Val(),
				"evidence": b.store.Client().XLen(t.Context(), keysOf(s.Contest.ID, 0).evidence).Val()} {
				if left != 0 {
					t.Errorf("cut %d bytes in, moved again %v: %d are left in %s", cut, again, left, key)
				}
			}
		}
	}
	if cuts < 10 {
		t.Fatalf("only %d cuts", cuts)
	}
}

// Control: where records are trimmed by where they end and not by name, what a torn
// write has put among them goes with them, and its voter has voted for good.
func TestTorn_FindsATrimThatHidesIt(t *testing.T) {
	const byName, byPlace = "redis.call('XDEL', LEDGER, unpack(ARGV, 4))", "redis.call('XTRIM', LEDGER, 'MINID', ARGV[3])"
	scriptsHave(t, byName)
	server := redistest.Start(t)
	load := func() *Boxes {
		return load(openStore(t, server.URL()), func(name string) string { return strings.ReplaceAll(source(name), byName, byPlace) })
	}
	for cut := int64(1); ; cut += 37 {
		fault, done := tearing{moved: 2}.tear(t, server, load, cut)
		if fault != "" {
			return
		}
		if done {
			t.Fatal("no cut was noticed")
		}
	}
}

// Control: where torn boxes go unseen, the same test finds what they count.
func TestTorn_FindsABoxThatIsNotMended(t *testing.T) {
	const mended = "if sheets + box.gone > box.sheets then return nil, { 'torn' } end"
	scriptsHave(t, mended)
	server := redistest.Start(t)
	load := func() *Boxes {
		return load(openStore(t, server.URL()), func(name string) string {
			return strings.ReplaceAll(source(name), mended, "")
		})
	}
	for cut := int64(1); ; cut += 37 {
		fault, done := tearing{again: true}.tear(t, server, load, cut)
		if fault != "" {
			return
		}
		if done {
			t.Fatal("no cut was noticed")
		}
	}
}

// The same for the write that joins a voter to another: what was never committed
// joins nobody, and joining once more is as if for the first time.
func TestTorn_AnInterruptedJoinJoinsNobody(t *testing.T) {
	server := redistest.Start(t)
	cuts := 0
	for cut := int64(1); ; cut += 23 {
		b, s := New(openStore(t, server.URL())), newContest(t)
		mustCast(t, b, s, ballotFor("phone", "n-1"))
		it := join(t, b, s, "ada@", "phone")
		mustCast(t, b, s, ballotFor("laptop", "s-1"))
		past := server.Tear(cut, func() {
			if _, err := b.into(t.Context(), s, voterNamed("laptop"), it, false); err != nil {
				t.Fatal(err)
			}
		}, func() { mustCast(t, New(openStore(t, server.URL())), s, ballotFor("other", "n-2")) })
		if past {
			break
		}
		b = New(openStore(t, server.URL()))
		joins := func() (n int) {
			for _, r := range ledgerOf(t, b, s, voting.Position{}) {
				if r.Kind == voting.KindJoin && r.Voter == voterNamed("laptop") {
					n++
				}
			}
			return n
		}
		if n := joins(); n != 0 {
			t.Fatalf("cut %d bytes in: %d joins in the ledger", cut, n)
		}
		if laptop, err := b.voter(t.Context(), s, voterNamed("laptop")); err != nil || laptop.into != nil || !strings.Contains(laptop.value, "|1|") {
			t.Fatalf("cut %d bytes in: the laptop is %+v, %v", cut, laptop, err)
		}
		join(t, b, s, "ada@", "laptop")
		if got := fmt.Sprint(standings(t, b, s, it)); got != "[counted void]" || joins() != 1 {
			t.Fatalf("cut %d bytes in, joined once more: %s", cut, got)
		}
		checkRecount(t, b, s)
		cuts++
	}
	if cuts < 5 {
		t.Fatalf("only %d cuts", cuts)
	}
}

// However a kill tears what is written of appeals, findings and sweeps, all that is left of
// it expires.
func TestTorn_WhatExpiresNeverStaysForGood(t *testing.T) {
	server := redistest.Start(t)
	for name, write := range map[string]func(b *Boxes, s *registry.Stored, ballot voting.Ballot) error{
		"an appeal": func(b *Boxes, s *registry.Stored, ballot voting.Ballot) error {
			_, err := b.Appeal(t.Context(), s, ballot.Voter, ballot.ID, []byte("sealed"))
			return err
		},
		"findings": func(b *Boxes, s *registry.Stored, ballot voting.Ballot) error {
			return b.KeepFindings(t.Context(), s, []BallotFinding{{Voter: ballot.Voter, Ballot: ballot.ID, Finding: Finding{Sweep: 1}}})
		},
		"a sweep": func(b *Boxes, s *registry.Stored, ballot voting.Ballot) error {
			return b.KeepSweep(t.Context(), s, 1, []byte(`{"sweep":1}`), []byte(`{"sweep":1,"at":"x"}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cuts := 0
			for cut := int64(1); ; cut += 43 {
				b, s := New(openStore(t, server.URL())), newContest(t)
				ballot := ballotFor("ada", "n-1")
				ballot.Standing = voting.Held
				mustCast(t, b, s, ballot)
				past := server.Tear(cut, func() {
					if err := write(b, s, ballot); err != nil {
						t.Fatal(err)
					}
				}, func() { mustCast(t, New(openStore(t, server.URL())), s, ballotFor("bob", "n-2")) })
				if past {
					break
				}
				cuts++
				b = New(openStore(t, server.URL()))
				kept := func() (n int) {
					for _, key := range keysOf(s.Contest.ID, 0).expiring()[1:] {
						fields := b.store.Client().HKeys(t.Context(), key).Val()
						said := len(strings.Join(fields, ""))
						if n += said; said > 0 && b.store.Client().PTTL(t.Context(), key).Val() <= 0 {
							t.Errorf("cut %d bytes in: %q stay for good", cut, fields)
						}
					}
					return n
				}
				kept()
				if err := write(b, s, ballot); err != nil || kept() == 0 {
					t.Errorf("cut %d bytes in, asked again: %v", cut, err)
				}
				if now, err := b.SweepNow(t.Context(), s); name == "a sweep" && (err != nil || len(now) == 0) {
					t.Errorf("cut %d bytes in: a sweep is kept, and not where they are: %v", cut, err)
				}
			}
			if cuts < 4 {
				t.Errorf("%d cuts only", cuts)
			}
		})
	}
}
