package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/joute/joute/internal/watchtest"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// eachStore runs a test over a real Redis and over the embedded store.
func eachStore(t *testing.T, test func(t *testing.T, boxes *ballotbox.Boxes)) {
	for name, url := range map[string]string{"redis": redistest.Shared(t).URL(), "embedded": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, url))
		})
	}
}

func open(t testing.TB, url string) *ballotbox.Boxes {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return ballotbox.New(st)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newVoter() voting.Voter { return voting.Voter(uuid.New()) }

func cast(t testing.TB, boxes *ballotbox.Boxes, s *registry.Stored, entry string) voting.Cast {
	t.Helper()
	o, err := boxes.Cast(context.Background(), s, voting.Ballot{
		ID: uuid.New(), Voter: newVoter(), Entry: entry, Standing: voting.Counted,
	})
	if err != nil || o.Refused != "" {
		t.Fatalf("cast for %s: %s %v", entry, o.Refused, err)
	}
	return o.Cast
}

func board(t testing.TB, b *Boards, s *registry.Stored, v Viewer) *Board {
	t.Helper()
	got, err := b.Board(context.Background(), s, v)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// until waits for a board of which ok is true.
func until(t *testing.T, b *Boards, s *registry.Stored, v Viewer, what string, ok func(*Board) bool) *Board {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		got := board(t, b, s, v)
		if ok(got) {
			return got
		}
		select {
		case <-deadline:
			body, _ := got.JSON(50)
			t.Fatalf("never %s: %s", what, body)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func counted(n int64) func(*Board) bool {
	return func(b *Board) bool { return b.Totals.Counted != nil && *b.Totals.Counted == n }
}

func TestBoard_FrozenStandsStillAndBecomesFinal(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		now := time.Now().UTC().Truncate(time.Millisecond)
		s := stored(t, "frozen-"+uuid.NewString(), now.Add(-time.Hour), now.Add(4*time.Second), "results: {freeze: 3s}\nboxes: 3")
		b := New(boxes, quiet())
		gone := cast(t, boxes, s, "e1")
		cast(t, boxes, s, "e1")
		cast(t, boxes, s, "e2")

		frozen := until(t, b, s, Public, "frozen", func(b *Board) bool { return b.Frozen })
		body, etag := frozen.JSON(50)
		if !counted(3)(frozen) || frozen.AsOf != voting.FormatTime(s.Contest.FreezesAt()) {
			t.Fatalf("of the freezing instant: %s", body)
		}
		for range 5 {
			cast(t, boxes, s, "e3")
		}
		_, changed, err := boxes.Change(t.Context(), s, ballotbox.Change{
			Voter: gone.Voter, Ballot: gone.Ballot, Standing: voting.Void, Actor: voting.ActorOrganizer,
		})
		if err != nil || !changed {
			t.Fatal(changed, err)
		}
		organizer := until(t, b, s, Organizer, "live for the organizer", counted(7))
		if *organizer.Entries[0].Votes != 5 || organizer.Entries[0].ID != "e3" || len(organizer.Boxes) != 3 {
			t.Errorf("live numbers: %+v", organizer.Leaderboard)
		}
		for _, v := range []Viewer{Public, Voter} {
			still, tag := board(t, b, s, v).JSON(50)
			if !bytes.Equal(still, body) || tag != etag {
				t.Errorf("viewer %d: the frozen board moved from\n%s to\n%s", v, body, still)
			}
		}
		final := until(t, b, s, Public, "final", func(b *Board) bool { return !b.Frozen })
		if !counted(7)(final) || final.Phase != "closed" || final.Entries[0].ID != "e3" {
			body, _ := final.JSON(50)
			t.Errorf("after the close: %s", body)
		}
	})
}

func TestBoard_TwoServersGiveTheSameBytes(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		now := time.Now().UTC().Truncate(time.Millisecond)
		s := stored(t, "twins-"+uuid.NewString(), now.Add(-3*time.Hour), now.Add(time.Hour), "boxes: 4\nscoring: {ties: earliest}")
		// An hour ago e2 led: trends are not all 0.
		then := ballotbox.Count{Live: voting.NewTally(), Now: now.Add(-50 * time.Minute)}
		then.Live.Votes["e2"], then.Live.Counted = 1, 1
		if err := boxes.Remember(t.Context(), s, then); err != nil {
			t.Fatal(err)
		}
		for _, entry := range []string{"e1", "e1", "e2", "e3"} {
			cast(t, boxes, s, entry)
		}
		var bodies, etags []string
		for range 2 {
			got := board(t, New(boxes, quiet()), s, Public)
			if *got.Entries[0].Trend != 1 || *got.Entries[1].Trend != -1 {
				t.Errorf("trends of %s and %s are %d and %d", got.Entries[0].ID, got.Entries[1].ID, *got.Entries[0].Trend, *got.Entries[1].Trend)
			}
			body, etag := got.JSON(50)
			bodies, etags = append(bodies, string(body)), append(etags, etag)
		}
		if bodies[0] != bodies[1] || etags[0] != etags[1] {
			t.Errorf("two servers say\n%s and\n%s", bodies[0], bodies[1])
		}
	})
}

// A frozen board looks an hour back from its own instant, so that what the
// boards of the minutes after show does not leak through trends.
func TestBoard_FrozenTrendKnowsNothingLater(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		now := time.Now().UTC().Truncate(time.Minute)
		s := stored(t, "past-"+uuid.NewString(), now.Add(-3*time.Hour), now.Add(time.Hour), "results: {freeze: 90m}")
		remember := func(ago time.Duration, leader string) {
			count := ballotbox.Count{Live: voting.NewTally(), Now: now.Add(-ago)}
			count.Live.Votes[leader], count.Live.Counted = 1, 1
			if err := boxes.Remember(t.Context(), s, count); err != nil {
				t.Fatal(err)
			}
		}
		trends := func() (trends [3]int) {
			got := board(t, New(boxes, quiet()), s, Public)
			if !got.Frozen {
				t.Fatal("not frozen")
			}
			for i, row := range got.Entries { // no ballots: in document order
				trends[i] = *row.Trend
			}
			return trends
		}
		remember(20*time.Minute, "e3") // after the freezing instant, half an hour ago
		if got := trends(); got != [3]int{} {
			t.Errorf("trends %v are seen from after the freezing instant", got)
		}
		remember(80*time.Minute, "e1")
		if got := trends(); got != [3]int{0, 1, 1} {
			t.Errorf("trends are %v, want [0 1 1]: e1 alone led an hour before the freezing instant", got)
		}
	})
}

func TestBoard_AsManyViewersAsLikeAskTheStoreFourTimesASecond(t *testing.T) {
	srv := redistest.Start(t)
	boxes := open(t, srv.URL())
	now := time.Now()
	s := stored(t, "crowd", now.Add(-time.Hour), now.Add(time.Hour), "")
	b := New(boxes, quiet())
	board(t, b, s, Public) // sets the box up and fetches the past
	calls := func() (n int) {
		stats, err := srv.Client().Info(t.Context(), "commandstats").Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range bytes.Split([]byte(stats), []byte("\r\n")) {
			var one int
			if _, err := fmt.Sscanf(string(line), "cmdstat_evalsha:calls=%d", &one); err == nil {
				n = one
			}
		}
		return n
	}
	before, started := calls(), time.Now()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for time.Since(started) < time.Second {
				if _, err := b.Board(context.Background(), s, Public); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	most := int(time.Since(started)/freshFor) + 1
	if n := calls() - before; n == 0 || n > most {
		t.Errorf("%d readings in %s, want 1 to %d", n, time.Since(started), most)
	}
}

func TestBoard_StoreGoneIsAnErrorWithinTwoSecondsAndRecovers(t *testing.T) {
	srv := redistest.Start(t)
	boxes := open(t, srv.URL())
	now := time.Now()
	s := stored(t, "gone", now.Add(-time.Hour), now.Add(time.Hour), "")
	cast(t, boxes, s, "e1")
	b := New(boxes, quiet())
	until(t, b, s, Public, "read", counted(1))
	for name, stop := range map[string]func(){"killed": srv.Kill, "frozen": srv.Freeze} {
		stop()
		gone := time.Now()
		for {
			_, err := b.Board(context.Background(), s, Public)
			if err != nil {
				if !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("%s: %v is not ErrUnavailable", name, err)
				}
				break
			}
			if stale := time.Since(gone); stale > behindAtMost+200*time.Millisecond {
				t.Fatalf("%s: numbers %s old are shown as fresh", name, stale)
			}
		}
		if name == "killed" {
			srv.Restart()
		} else {
			srv.Thaw()
		}
		deadline := time.Now().Add(20 * time.Second)
		for {
			if got, err := b.Board(context.Background(), s, Public); err == nil {
				if !counted(1)(got) {
					t.Errorf("%s: after recovery %v counted", name, *got.Totals.Counted)
				}
				break
			} else if time.Now().After(deadline) {
				t.Fatalf("%s: does not recover: %v", name, err)
			}
		}
	}
}

func TestBoard_ACallerThatHangsUpDoesNotEndTheReadingOfOthers(t *testing.T) {
	boxes := open(t, "")
	now := time.Now()
	s := stored(t, "hangup", now.Add(-time.Hour), now.Add(time.Hour), "")
	b := New(boxes, quiet())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = b.Board(ctx, s, Public) // a canceled context or, when the store was quicker, a board
	board(t, b, s, Public)
}

func TestRun_KeepsTheMinuteWhileNobodyLooks(t *testing.T) {
	eachStore(t, func(t *testing.T, boxes *ballotbox.Boxes) {
		now := time.Now()
		s := stored(t, "run-"+uuid.NewString(), now.Add(-time.Hour), now.Add(time.Hour), "")
		cast(t, boxes, s, "e1")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			New(boxes, quiet()).Run(ctx, func() []*registry.Stored { return []*registry.Stored{s} })
		}()
		defer func() { cancel(); <-done }()
		keptMinute(t, boxes, s)
	})
}

// keptMinute waits for the tally of a minute, which has a vote for e1.
func keptMinute(t *testing.T, boxes *ballotbox.Boxes, s *registry.Stored) {
	t.Helper()
	watchtest.Until(t, 20*time.Second, "a minute is kept", func() bool {
		past, err := boxes.Past(t.Context(), s, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return past != nil && past.Votes["e1"] == 1
	})
}

func TestRun_ADamagedContestIsNobodyElses(t *testing.T) {
	url := redistest.Shared(t).URL()
	boxes, now := open(t, url), time.Now()
	damaged := stored(t, "damaged-"+uuid.NewString(), now.Add(-time.Hour), now.Add(time.Hour), "")
	whole := stored(t, "whole-"+uuid.NewString(), now.Add(-time.Hour), now.Add(time.Hour), "")
	cast(t, boxes, whole, "e1")
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	defer client.Close()
	if err := client.Set(t.Context(), "joute:{"+damaged.Contest.ID+"/0}:tally", "no tally", 0).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		New(boxes, quiet()).Run(ctx, func() []*registry.Stored { return []*registry.Stored{damaged, whole} })
	})
	defer running.Wait()
	defer cancel()
	keptMinute(t, boxes, whole)
}
