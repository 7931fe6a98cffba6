package gate

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/internal/store"
)

const (
	// tellEvery is how late a server may know what another one saw.
	tellEvery = time.Second

	// tellTimeout is for one contest's exchange: a store that is slow is asked
	// again in the next second.
	tellTimeout = 2 * time.Second

	// heardLife is how far back a server hears that begins, or comes back. What was
	// before, others go on counting; this one has fewer strangers to judge by until
	// there are new ones, and so judges less.
	heardLife = 10 * time.Minute

	// maxMessages bounds what a contest's stream holds, some 80 MB in a rush and nothing
	// ten minutes after it, and maxHeard what is read of it at once: the rest comes a
	// second later. It is eight minutes of one server, and most of one of ten.
	maxMessages = 512
	maxHeard    = 128
)

// Windows let the servers of a store count as one what is voted. Each tells, once
// a second and contest in which it took ballots, what it saw, and hears what the
// others did: one message a contest, written and read in one round trip that no
// cast waits for. A server that says nothing is not waited for, and one that was
// away reads on where it was. Without the store each counts what it sees itself.
type Windows struct {
	store    *store.Store
	contests *window.Contests
	log      *slog.Logger
	name     string            // of this server, for as long as it runs
	heard    map[string]string // contest -> the last message read; of Run alone
	silent   bool              // the store did not answer last time, and that was said
}

// NewWindows tells nothing yet.
func NewWindows(st *store.Store, contests *window.Contests, log *slog.Logger) *Windows {
	return &Windows{store: st, contests: contests, log: log, name: rand.Text(), heard: map[string]string{}}
}

// Run exchanges once a second, until ctx ends.
func (w *Windows) Run(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.exchange(ctx, time.Now())
	}
}

// exchange tells and hears once, of every contest that is voted in here.
func (w *Windows) exchange(ctx context.Context, now time.Time) {
	active := map[string]bool{}
	var failed error
	for _, id := range w.contests.Active(now) {
		active[id] = true
		if err := w.tell(ctx, id, now); err != nil {
			failed = err
		}
	}
	for id := range w.heard {
		if !active[id] {
			delete(w.heard, id)
		}
	}
	if failed != nil && !w.silent {
		w.log.Warn("servers do not hear of each other's ballots: each screens by its own", "error", failed)
	}
	w.silent = failed != nil
}

func (w *Windows) tell(ctx context.Context, id string, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	key, untold := windowsKey(id), w.contests.Untold(id)
	after := "-"
	if last := w.heard[id]; last != "" {
		after = "(" + last
	}
	pipe := w.store.Client().Pipeline()
	read := pipe.XRangeN(ctx, key, after, "+", maxHeard)
	var told *redis.StringCmd
	if len(untold) > 0 {
		told = pipe.XAdd(ctx, &redis.XAddArgs{
			Stream: key, MaxLen: maxMessages, Approx: true, Values: []any{"from", w.name, "seen", window.Append(nil, untold...)},
		})
		pipe.PExpire(ctx, key, heardLife)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		w.contests.Keep(id, untold) // told twice counts once
		return fmt.Errorf("tell what was seen: %w", store.Classify(err))
	}
	if told != nil && comesBefore(told.Val(), w.heard[id]) {
		delete(w.heard, id) // the stream is another one: from its beginning, in a second
	}
	for _, message := range read.Val() {
		w.heard[id] = message.ID
		if from, _ := message.Values["from"].(string); from == w.name {
			continue
		}
		text, _ := message.Values["seen"].(string)
		seen, err := window.Parse([]byte(text))
		if err != nil {
			continue // of another version, while servers are replaced one by one
		}
		w.contests.Heard(id, seen, now)
	}
	return nil
}

// comesBefore tells whether a message of a stream comes before another, by their ids. The stream
// goes by the store's clock, but for what it has already: only one that has expired, or lost
// its end with a master of a cluster, goes back.
func comesBefore(id, other string) bool {
	ms, n := streamID(id)
	otherMS, otherN := streamID(other)
	return ms < otherMS || ms == otherMS && n < otherN
}

func streamID(id string) (ms, n uint64) {
	first, second, _ := strings.Cut(id, "-")
	ms, _ = strconv.ParseUint(first, 10, 64) // the store's own, or none: 0
	n, _ = strconv.ParseUint(second, 10, 64)
	return ms, n
}

// Forget deletes what was told of a contest and what this server counted. Others
// drop theirs a day after the last ballot.
func (w *Windows) Forget(ctx context.Context, contestID string) error {
	w.contests.Forget(contestID)
	if err := w.store.Client().Del(ctx, windowsKey(contestID)).Err(); err != nil {
		return fmt.Errorf("forget windows: %w", store.Classify(err))
	}
	return nil
}
