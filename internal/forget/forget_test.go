package forget

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/joute/joute/internal/watchtest"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/keyring"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/internal/storetest"
	"github.com/joute/joute/sharing"
	"github.com/joute/joute/sharing/reach"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// server is one of several on a store and a folder.
type server struct {
	t      *testing.T
	st     *store.Store
	ring   *keyring.Ring
	passes *voting.Passes
	boxes  *ballotbox.Boxes
	known  *registry.Registry
	reach  *reach.Reach
	forget *Contests
}

func newServer(t *testing.T, st *store.Store, dir string, more ...Store) *server {
	t.Helper()
	ring, err := keyring.Open(dir)
	must(t, err)
	s := &server{t: t, st: st, ring: ring, passes: voting.NewPasses(ring), boxes: ballotbox.New(st), known: registry.New(st, ring, registry.Options{})}
	s.reach = reach.New(st, s.boxes, reach.Options{})
	s.forget = New(Parts{Store: st, Registry: s.known, Keys: ring, Boxes: s.boxes, Stores: append(more, s.reach)}, slog.New(slog.DiscardHandler))
	s.forget.late = 100 * time.Millisecond
	must(t, s.known.Refresh(t.Context()))
	return s
}

// run does what the server does beside its requests, until the test's end.
func (s *server) run() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	go func() { s.known.Run(ctx); ended <- struct{}{} }()
	go func() { s.forget.Run(ctx); ended <- struct{}{} }()
	s.t.Cleanup(func() { stop(); <-ended; <-ended })
}

var contests atomic.Int64

// contest is one of two boxes with twenty ballots and their evidence, and a share code.
func (s *server) contest() *registry.Stored {
	s.t.Helper()
	ctx := s.t.Context()
	now := time.Now().UTC()
	doc, err := contest.Parse(fmt.Appendf(nil, `{"id":"f-%d-%d","title":"F","boxes":2,"phases":{"voting":{"opens":%q,"closes":%q}},
		"schools":[{"id":"a","name":"A"}],"entries":[{"id":"a-1","school":"a","title":"A"}]}`,
		os.Getpid(), contests.Add(1), now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)))
	must(s.t, err)
	stored, _, _, err := s.known.Put(ctx, doc)
	must(s.t, err)
	must(s.t, s.boxes.Configure(ctx, &stored))
	key, err := s.passes.EvidenceKey(doc.ID)
	must(s.t, err)
	for n := range 20 {
		voter, err := s.passes.EmailVoter(doc.ID, fmt.Sprintf("v%d@example.org", n))
		must(s.t, err)
		_, err = s.boxes.Cast(ctx, &stored, voting.Ballot{
			ID: uuid.New(), Voter: voter, Entry: "a-1", Standing: voting.Counted, Level: "email", Evidence: key.Evidence(antifraud.Attempt{UserAgent: "an agent"}),
		})
		must(s.t, err)
		must(s.t, s.reach.Mint(ctx, &stored, reach.Owned{Code: sharing.Code(n + 1), Owner: voter}))
	}
	return &stored
}

func (s *server) close(stored *registry.Stored) {
	s.t.Helper()
	at, err := s.boxes.Close(s.t.Context(), stored, "ended-early")
	must(s.t, err)
	must(s.t, s.known.MarkClosed(s.t.Context(), stored.Contest.ID, at))
}

// left are the keys of the contest that forgetting deletes.
func (s *server) left(id string) (found []string) {
	s.t.Helper()
	keys, err := s.st.Client().Keys(s.t.Context(), "joute:*").Result()
	must(s.t, err)
	for _, key := range keys {
		mine := strings.Contains(key, "{"+id+"/") && (strings.HasSuffix(key, ":evidence") || strings.HasSuffix(key, ":appeals") || strings.Contains(key, "/share}"))
		if strings.HasPrefix(key, "joute:share:") {
			mine = strings.HasPrefix(s.st.Client().Get(s.t.Context(), key).Val(), id+" ")
		}
		if mine {
			found = append(found, key)
		}
	}
	return found
}

func (s *server) keyed(id string) bool {
	s.t.Helper()
	_, err := s.passes.EmailVoter(id, "v1@example.org")
	if err != nil && !errors.Is(err, keyring.ErrForgotten) {
		s.t.Fatal(err)
	}
	return err == nil
}

var onEveryStore, must = storetest.OnBoth, storetest.Must

func tallied(s *server, stored *registry.Stored) (live int64, folded int64, forgets int) {
	s.t.Helper()
	count, err := s.boxes.Tally(s.t.Context(), stored)
	must(s.t, err)
	fold := voting.NewFold()
	must(s.t, s.boxes.Ledger(s.t.Context(), stored, voting.Position{}, func(r voting.Record) error {
		fold.Add(r)
		if r.Kind == voting.KindForget {
			forgets++
		}
		return nil
	}))
	return count.Live.Counted, fold.Tally().Counted, forgets
}

func TestForget_WaitsForTheCloseAndChangesNothingBefore(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		s := newServer(t, st, t.TempDir())
		stored := s.contest()
		before := len(s.left(stored.Contest.ID))
		if err := s.forget.Forget(t.Context(), stored); !errors.Is(err, ballotbox.ErrNotClosed) {
			t.Fatalf("while voting: %v", err)
		}
		now, _ := s.known.Get(stored.Contest.ID)
		if got := len(s.left(stored.Contest.ID)); got != before || before < 20 || now.Forgotten() || !s.keyed(stored.Contest.ID) {
			t.Errorf("%d keys before, %d after, %+v", before, got, now)
		}
	})
}

func TestForget_DeletesWhatIsOfAPersonAndKeepsTheCount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		s := newServer(t, st, dir)
		stored, other := s.contest(), s.contest()
		id := stored.Contest.ID
		voter, err := s.passes.EmailVoter(id, "v1@example.org")
		must(t, err)
		kept := len(s.left(other.Contest.ID))
		s.close(stored)
		var first time.Time
		for range 3 { // again and again: once
			must(t, s.forget.Forget(t.Context(), stored))
			now, _ := s.known.Get(id)
			if first.IsZero() {
				first = now.ForgottenAt
			}
			if !now.Forgotten() || !now.ForgottenAt.Equal(first) {
				t.Errorf("forgotten at %v, first %v", now.ForgottenAt, first)
			}
		}
		if left := s.left(id); len(left) != 0 || s.keyed(id) {
			t.Errorf("left: %q, keyed %v", left, s.keyed(id))
		}
		if live, folded, forgets := tallied(s, stored); live != 20 || folded != 20 || forgets != 2 {
			t.Errorf("%d counted, %d in the ledger, %d records of it", live, folded, forgets)
		}
		if got := len(s.left(other.Contest.ID)); got != kept || !s.keyed(other.Contest.ID) {
			t.Errorf("another contest had %d keys, has %d", kept, got)
		}
		// Should somebody even take the mark away: the address is another voter then.
		must(t, os.Remove(filepath.Join(dir, "keys", "contest-"+id+".forgotten")))
		ring, err := keyring.Open(dir)
		must(t, err)
		again, err := voting.NewPasses(ring).EmailVoter(id, "v1@example.org")
		must(t, err)
		if again == voter {
			t.Error("the same address is the same voter again")
		}
	})
}

func TestRun_AnotherServerFollowsWithinASecond(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		here, there := newServer(t, st, dir), newServer(t, st, dir)
		there.run()
		var took time.Duration
		for range 5 { // the machine may be busy with other things
			stored := here.contest()
			here.close(stored)
			id := stored.Contest.ID
			watchtest.Until(t, 10*time.Second, "the other server has the key", func() bool { return there.keyed(id) })
			must(t, here.forget.Forget(t.Context(), stored))
			start := time.Now()
			watchtest.Until(t, 10*time.Second, "the other server drops its key", func() bool { return !there.keyed(id) })
			if took = time.Since(start); took <= time.Second {
				return
			}
		}
		t.Errorf("took %v, and longer than a second five times", took)
	})
}

// What a server wrote that had not seen the mark is deleted when it has.
func TestFollow_LateWritesAreDeletedToo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		here, there := newServer(t, st, dir), newServer(t, st, dir)
		stored := here.contest()
		here.close(stored)
		must(t, here.forget.Forget(t.Context(), stored))
		must(t, there.reach.Mint(t.Context(), stored, reach.Owned{Code: 77, Owner: voting.Voter{7}})) // stored is of before the mark
		if len(here.left(stored.Contest.ID)) == 0 {
			t.Fatal("nothing was written: this test sees nothing")
		}
		now, _ := here.known.Get(stored.Contest.ID)
		if err := there.reach.Mint(t.Context(), now, reach.Owned{Code: 78, Owner: voting.Voter{7}}); !errors.Is(err, registry.ErrForgotten) {
			t.Errorf("a server that has seen it: %v", err)
		}
		must(t, there.known.Refresh(t.Context()))
		marked, _ := there.known.Get(stored.Contest.ID)
		done := map[string]swept{}
		must(t, there.forget.follow(t.Context(), marked, done))
		if left := here.left(stored.Contest.ID); len(left) != 0 {
			t.Fatalf("left: %q", left)
		}
		// And once more, for a request that was under way all that time.
		must(t, there.reach.Mint(t.Context(), stored, reach.Owned{Code: 79, Owner: voting.Voter{7}}))
		watchtest.Until(t, 10*time.Second, "the very late code is gone", func() bool {
			must(t, there.forget.follow(t.Context(), marked, done))
			return len(here.left(stored.Contest.ID)) == 0
		})
	})
}

// A backup of the folder that was put back has the key: it goes again.
func TestRun_AKeyThatWasRestoredIsDeletedAgain(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		s := newServer(t, st, dir)
		stored := s.contest()
		id := stored.Contest.ID
		file := filepath.Join(dir, "keys", "contest-"+id+".key")
		backup, err := os.ReadFile(file)
		must(t, err)
		s.close(stored)
		must(t, s.forget.Forget(t.Context(), stored))
		must(t, os.Remove(filepath.Join(dir, "keys", "contest-"+id+".forgotten")))
		must(t, os.WriteFile(file, backup, 0o600))
		other := newServer(t, st, dir)
		if !other.keyed(id) {
			t.Fatal("the key is not back: this test sees nothing")
		}
		other.run()
		watchtest.Until(t, 10*time.Second, "the key is deleted again", func() bool {
			_, err := os.Stat(file)
			return errors.Is(err, os.ErrNotExist) && !other.keyed(id)
		})
	})
}

// broken is a store that fails, as if the server had died there.
type broken struct{ works atomic.Bool }

func (b *broken) Forget(context.Context, string) error {
	if b.works.Load() {
		return nil
	}
	return errors.New("broken")
}

func TestForget_HalfDoneIsFinishedByTheSameCallOrAnyServer(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		dir, fault := t.TempDir(), &broken{}
		s := newServer(t, st, dir, fault)
		stored := s.contest()
		id := stored.Contest.ID
		s.close(stored)
		if err := s.forget.Forget(t.Context(), stored); err == nil {
			t.Fatal("it says it is done")
		}
		fault.works.Store(true)
		must(t, s.forget.Forget(t.Context(), stored))
		if len(s.left(id)) != 0 {
			t.Errorf("left: %q", s.left(id))
		}
		// Marked, and dead: any server does it all.
		next := s.contest()
		s.close(next)
		must(t, s.known.MarkForgotten(t.Context(), next.Contest.ID, time.Now()))
		other := newServer(t, st, dir)
		other.run()
		watchtest.Until(t, 10*time.Second, "another server finishes", func() bool { return len(other.left(next.Contest.ID)) == 0 && !other.keyed(next.Contest.ID) })
		if live, folded, forgets := tallied(other, next); live != 20 || folded != 20 || forgets != 2 {
			t.Errorf("%d counted, %d in the ledger, %d records of it", live, folded, forgets)
		}
	})
}
