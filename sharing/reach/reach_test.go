package reach

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/keyed"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

func TestMain(m *testing.M) { redistest.Main(m) }

var onEveryStore, openStore, must = storetest.OnBoth, storetest.Open, storetest.Must

var contests atomic.Int64

func newContest(t testing.TB) *registry.Stored {
	t.Helper()
	c, err := contest.Parse(fmt.Appendf(nil, `{"id":"r-%d-%d","title":"T","boxes":3,"phases":{"voting":{"opens":%q,"closes":%q}},"rules":{"ballots":{"max":9}},
		"schools":[{"id":"north","name":"N"},{"id":"south","name":"S"}],"entries":[{"id":"n-1","school":"north","title":"N1"},{"id":"s-1","school":"south","title":"S1"}]}`,
		os.Getpid(), contests.Add(1), time.Now().Add(-time.Hour).Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339)))
	must(t, err)
	return &registry.Stored{Contest: c, Version: 1, Epoch: 7}
}

func voterNamed(name string) voting.Voter {
	sum := sha256.Sum256([]byte(name))
	return voting.Voter(sum[:16])
}

func codeOf(name string) sharing.Code {
	return sharing.CodeOf(keyed.New([]byte("key")), voterNamed(name))
}

func owned(name string, given sharing.Channel) Owned {
	return Owned{Code: codeOf(name), Owner: voterNamed(name), School: "north", Entry: "n-1", Given: given}
}

// clock is a test's own: reports are made anew when it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.at.Load(), 0) }

type room struct {
	*Reach
	t     testing.TB
	st    *store.Store
	boxes *ballotbox.Boxes
	s     *registry.Stored
	clock *clock
}

func newRoom(t testing.TB, st *store.Store, opts Options) *room {
	c := &clock{}
	c.at.Store(time.Now().Unix())
	opts.Now = c.now
	boxes := ballotbox.New(st)
	return &room{New(st, boxes, opts), t, st, boxes, newContest(t), c}
}

func (r *room) cast(voter string, seen antifraud.Evidence, standing voting.Standing) voting.Ballot {
	r.t.Helper()
	b := voting.Ballot{ID: uuid.New(), Voter: voterNamed(voter), Entry: "n-1", Standing: standing, Level: "device", Evidence: seen}
	o, err := r.boxes.Cast(r.t.Context(), r.s, b)
	must(r.t, err)
	if o.Refused != "" {
		r.t.Fatal(o.Refused)
	}
	return b
}

// report is what is known a second later.
func (r *room) report() *sharing.Report {
	r.t.Helper()
	r.clock.at.Add(1)
	report, err := r.Report(r.t.Context(), r.s)
	must(r.t, err)
	return report
}

func TestMint_OnceAndForAllServers(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		r := newRoom(t, st, Options{})
		ctx := t.Context()
		if _, err := r.Find(ctx, codeOf("ada")); !errors.Is(err, ErrNoCode) {
			t.Fatalf("found before it was made: %v", err)
		}
		// The pass alone does not know what its voter voted for.
		must(t, r.Mint(ctx, r.s, Owned{Code: codeOf("ada"), Owner: voterNamed("ada")}))
		find := func(want string) {
			t.Helper()
			other := New(st, r.boxes, Options{})
			if to, err := other.Find(ctx, codeOf("ada")); err != nil || to.Contest != r.s.Contest.ID || to.Entry != want {
				t.Fatalf("leads to %+v, %v; want entry %q", to, err, want)
			}
		}
		find("")
		made := r.clock.now()
		r.clock.at.Add(1000)
		must(t, r.Mint(ctx, r.s, owned("ada", "")))
		find("n-1")
		must(t, r.Mint(ctx, r.s, Owned{Code: codeOf("ada"), Owner: voterNamed("ada"), Given: sharing.Copy}))
		find("n-1") // and is not forgotten
		text, err := st.Client().HGet(ctx, keysOf(r.s.Contest.ID).codes, codeOf("ada").String()).Result()
		must(t, err)
		record, err := parseRecord(text)
		must(t, err)
		if record.Owner != voterNamed("ada") || record.School != "north" || !record.Made.Equal(made) {
			t.Errorf("%q is read as %+v, made %v", text, record, made)
		}
		if err := r.Mint(ctx, r.s, Owned{Code: codeOf("ada"), Owner: voterNamed("eve")}); !errors.Is(err, ErrTaken) {
			t.Errorf("another's code: %v", err)
		}
	})
}

func TestKeys_ExpireWithEvidence(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		r := newRoom(t, st, Options{})
		ctx, k := t.Context(), keysOf(r.s.Contest.ID)
		via := sharing.Via{Code: codeOf("ada"), Channel: sharing.WhatsApp}
		must(t, r.Mint(ctx, r.s, owned("ada", sharing.WhatsApp)))
		must(t, r.Visit(ctx, r.s, via))
		check := func(name string) {
			t.Helper()
			for _, key := range append(k.all(), leads(via.Code)) {
				left, err := st.Client().PTTL(ctx, key).Result()
				must(t, err)
				if want := time.Until(expires(r.s)); left < want-time.Minute || left > want+time.Minute {
					t.Errorf("%s: %s lives %v, want %v", name, key, left, want)
				}
			}
		}
		check("made")
		moved := *r.s
		moved.ClosedAt = time.Now().Add(-24 * time.Hour) // ended by hand
		r.s = &moved
		must(t, r.Visit(ctx, r.s, via))
		check("the close has moved")
	})
}

// Scripts are sent again when a connection dies: an opening counts once.
func TestVisit_SentTwiceCountsOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		r := newRoom(t, st, Options{})
		args := []any{codeOf("ada").String(), "a name", expires(r.s).UnixMilli()}
		for range 2 {
			reply, err := r.visit.Run(t.Context(), keysOf(r.s.Contest.ID).all(), args...).Slice()
			if err != nil || fmt.Sprint(reply) != "[counted 1]" {
				t.Fatalf("%v, %v", reply, err)
			}
		}
	})
}

func TestReport_ReadsOnFromWhereItWas(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		fans := map[string]int64{"north": 3, "south": 4}
		r := newRoom(t, st, Options{Fans: func(context.Context, string) (map[string]int64, error) { return fans, nil }})
		ctx := t.Context()
		via := sharing.Via{Code: codeOf("ada"), Channel: sharing.WhatsApp}
		r.cast("ada", antifraud.Evidence{}, voting.Counted)
		must(t, r.Mint(ctx, r.s, owned("ada", sharing.WhatsApp)))
		opened := antifraud.Evidence{Via: via.String(), Opened: true}
		bob := r.cast("bob", opened, voting.Held)
		r.cast("cyd", opened, voting.Counted)
		r.cast("dan", antifraud.Evidence{Via: via.String()}, voting.Counted)
		for range 3 {
			must(t, r.Visit(ctx, r.s, via))
		}
		first := r.report()
		if got := first.Totals; got.Ballots != 1 || got.Held != 1 || got.Visits != 3 || got.Shares != 1 || got.From != 4 || *got.Fans != 7 {
			t.Fatalf("%+v", got)
		}
		if north := first.Schools[0]; north.ID != "north" || north.Ballots != 1 || *north.Fans != 3 {
			t.Fatalf("%+v", north)
		}
		// Within the second nothing is read; then only what is new.
		_, _, err := r.boxes.Change(ctx, r.s, ballotbox.Change{Voter: bob.Voter, Ballot: bob.ID, Standing: voting.Counted, Actor: voting.ActorOrganizer})
		must(t, err)
		must(t, r.Visit(ctx, r.s, via))
		must(t, r.Visit(ctx, r.s, sharing.Via{Code: codeOf("ada"), Channel: sharing.QR}))
		if same, err := r.Report(ctx, r.s); err != nil || same != first {
			t.Fatalf("another report within the second: %v", err)
		}
		if got := r.report().Totals; got.Ballots != 2 || got.Held != 0 || got.Visits != 5 || got.Shares != 2 {
			t.Fatalf("%+v", got)
		}
		// Whoever folds from the beginning finds the same.
		if got, again := r.report(), (&room{New(st, r.boxes, Options{Now: r.now}), t, st, r.boxes, r.s, r.clock}).report(); got.Totals.Ballots != again.Totals.Ballots || got.Totals.Visits != again.Totals.Visits {
			t.Errorf("%+v\n%+v", got.Totals, again.Totals)
		}
	})
}

// More links than a page, also in one millisecond.
func TestReport_ReadsEveryLink(t *testing.T) {
	st := openStore(t, redistest.Shared(t).URL())
	r := newRoom(t, st, Options{})
	ctx, k := t.Context(), keysOf(r.s.Contest.ID)
	const n = 3*linksPage + 17
	pipe := st.Client().Pipeline()
	for i := range n {
		code := codeOf(fmt.Sprint(i))
		at := i / 10
		if i > 100 && i < 2*linksPage+500 {
			at = 50
		}
		pipe.HSet(ctx, k.codes, code.String(), voterNamed(fmt.Sprint(i)).String()+"|1|north|")
		pipe.HSet(ctx, k.visits, code.String(), "2 x")
		pipe.ZAdd(ctx, k.recent, redis.Z{Score: float64(at), Member: code.String()})
	}
	_, err := pipe.Exec(ctx)
	must(t, err)
	if got := r.report().Totals; got.Shares != n || got.Visits != 2*n {
		t.Errorf("%+v", got)
	}
}

// What changed before the store's clock was set back stands later than what changes after it: a report
// that has read it sees the rest all the same.
func TestReport_ReadsOnWhenTheClockWasSetBack(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		r := newRoom(t, st, Options{})
		ctx, k := t.Context(), keysOf(r.s.Contest.ID)
		via := sharing.Via{Code: codeOf("ada"), Channel: sharing.Copy}
		must(t, r.Mint(ctx, r.s, owned("ada", sharing.Copy)))
		must(t, r.Visit(ctx, r.s, via))
		ahead := float64(time.Now().Add(time.Hour).UnixMilli())
		must(t, st.Client().ZAdd(ctx, k.recent, redis.Z{Score: ahead - 1, Member: via.Code.String()}, redis.Z{Score: ahead, Member: via.String()}).Err())
		must(t, st.Client().HSet(ctx, k.visits, "", fmt.Sprintf("%.0f", ahead)).Err())
		if got := r.report().Totals; got.Visits != 1 || got.Shares != 1 {
			t.Fatalf("%+v", got)
		}
		must(t, r.Visit(ctx, r.s, via))
		must(t, r.Visit(ctx, r.s, via))
		if got := r.report().Totals; got.Visits != 3 || got.Shares != 1 {
			t.Errorf("opened since: %+v", got)
		}
		must(t, r.Mint(ctx, r.s, owned("bob", sharing.Copy)))
		if got := r.report().Totals; got.Visits != 3 || got.Shares != 2 {
			t.Errorf("made since: %+v", got)
		}
		// Places grow: a report does not read again what it has.
		last := st.Client().ZRevRangeWithScores(ctx, k.recent, 0, 0).Val()
		if n := st.Client().ZCount(ctx, k.recent, fmt.Sprintf("%.0f", last[0].Score), "+inf").Val(); n > 2 {
			t.Errorf("%d links are read again and again", n)
		}
	})
}

func TestForget_LeavesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		r := newRoom(t, st, Options{})
		ctx := t.Context()
		r.cast("ada", antifraud.Evidence{}, voting.Counted)
		var minting errgroup.Group
		minting.SetLimit(32) // each alone waits for a sync of the disk
		for n := range 2500 {
			minting.Go(func() error { return r.Mint(ctx, r.s, owned(fmt.Sprint(n), sharing.Copy)) })
		}
		must(t, minting.Wait())
		kept := newRoom(t, st, Options{})
		must(t, kept.Mint(ctx, kept.s, owned("kept", "")))
		r.report()
		must(t, r.Forget(ctx, r.s.Contest.ID))
		must(t, r.Forget(ctx, r.s.Contest.ID))
		for n := range 2500 {
			if _, err := r.Find(ctx, codeOf(fmt.Sprint(n))); !errors.Is(err, ErrNoCode) {
				t.Fatalf("code %d still leads somewhere: %v", n, err)
			}
		}
		if n, err := st.Client().Exists(ctx, keysOf(r.s.Contest.ID).all()...).Result(); err != nil || n != 0 {
			t.Errorf("%d keys are left, %v", n, err)
		}
		if _, err := kept.Find(ctx, codeOf("kept")); err != nil {
			t.Errorf("another contest's code: %v", err)
		}
		if got := r.report().Totals; got.Shares != 0 || got.From != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestFold_IsDroppedWhenNobodyAsks(t *testing.T) {
	r := newRoom(t, openStore(t, ""), Options{Idle: 20 * time.Millisecond})
	r.report()
	for deadline := time.Now().Add(10 * time.Second); ; {
		r.mu.Lock()
		n := len(r.folds)
		r.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it is still there")
		}
		time.Sleep(time.Millisecond)
	}
	r.report() // and made again
}

// A store that was restored has ledgers of another epoch, with places of their own.
func TestFold_BeginsAnewWithAnEpoch(t *testing.T) {
	r := newRoom(t, openStore(t, ""), Options{})
	r.cast("ada", antifraud.Evidence{}, voting.Counted)
	r.report()
	before := r.foldOf(r.s)
	restored := *r.s
	restored.Epoch++
	r.s = &restored
	if got := r.report().Totals; got.From != 1 || r.foldOf(r.s) == before {
		t.Errorf("the fold of another epoch goes on: %+v", got)
	}
}

// interrupted gives some ballots, then fails once.
type interrupted struct {
	Ballots
	failed bool
}

func (i *interrupted) Follow(ctx context.Context, s *registry.Stored, from ballotbox.Cursor, yield func(ballotbox.Followed) error) (ballotbox.Cursor, error) {
	n := 0
	return i.Ballots.Follow(ctx, s, from, func(f ballotbox.Followed) error {
		if n++; n == 2 && !i.failed {
			i.failed = true
			return store.ErrUnavailable
		}
		return yield(f)
	})
}

func TestReport_GoesOnAfterAFailure(t *testing.T) {
	st := openStore(t, "")
	r := newRoom(t, st, Options{})
	must(t, r.Mint(t.Context(), r.s, owned("ada", "")))
	for n := range 5 {
		r.cast(fmt.Sprint(n), antifraud.Evidence{Via: codeOf("ada").String(), Opened: true}, voting.Counted)
	}
	r.ballots = &interrupted{Ballots: r.boxes}
	if _, err := r.Report(t.Context(), r.s); !errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
	if got := r.report().Totals; got.Ballots != 5 || got.From != 5 {
		t.Errorf("%+v", got)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(voterNamed("ada").String() + "|1700000000000|north|n-1")
	f.Add("|||")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := parseRecord(text); err == nil && (!strings.HasPrefix(text, r.Owner.String()+"|") || !strings.Contains(text, "|"+r.School+"|")) {
			t.Fatalf("%q is read as %+v", text, r)
		}
	})
}

// However Redis' write of a code is torn, the same call completes it: it is found, its
// link was given out, and all of it expires.
func TestMint_TornIsCompletedByTheSameCall(t *testing.T) {
	server := redistest.Start(t)
	for _, given := range []sharing.Channel{"", sharing.Copy} {
		cuts := 0
		for cut := int64(1); ; cut += 67 {
			r := newRoom(t, openStore(t, server.URL()), Options{})
			mint := func(name string) {
				t.Helper()
				must(t, New(openStore(t, server.URL()), r.boxes, Options{Now: r.clock.now}).Mint(t.Context(), r.s, owned(name, given)))
			}
			past := server.Tear(cut, func() { mint("ada") }, func() {
				other := newRoom(t, openStore(t, server.URL()), Options{}) // whose end closes the torn transaction
				must(t, other.Mint(t.Context(), other.s, owned("bob", sharing.Copy)))
			})
			if past {
				break
			}
			cuts++
			mint("ada")
			client, k := openStore(t, server.URL()).Client(), keysOf(r.s.Contest.ID)
			for _, key := range k.all() {
				if life := client.PTTL(t.Context(), key).Val(); life == -1 {
					t.Errorf("%q, cut %d bytes in: %s never expires", given, cut, key)
				}
			}
			links := []string{codeOf("ada").String()}
			if given != "" {
				links = append(links, sharing.Via{Code: codeOf("ada"), Channel: given}.String())
			}
			if recent := client.ZRange(t.Context(), k.recent, 0, -1).Val(); len(recent) != len(links) {
				t.Errorf("%q, cut %d bytes in: readers find %q, want %q", given, cut, recent, links)
			}
		}
		if cuts < 6 {
			t.Errorf("%d cuts only", cuts)
		}
	}
}
