package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/sweep"
)

const (
	// lookEvery is how often it is looked whether the detectors have looked.
	lookEvery = 500 * time.Millisecond

	// doorAfter is how long after a farm is void a server's door knows it for sure:
	// doors ask once a second, and no answer says what they know.
	doorAfter = 2 * time.Second
)

// ErrNoSweep is returned when the server's detectors do not look at what was cast.
var ErrNoSweep = errors.New("the server's detectors have not looked at the ballots in time")

// history is when a ballot was cast, and since when it counts or does not.
type history struct {
	cast, since time.Time
	counted     bool
}

// Rest waits until the instant, and until the detectors have looked at all that was
// cast and the doors know what they found. The laboratory's clock stands still for as
// long as that takes: else a busy machine would send the next round's ballots all at once.
func (g *Ground) Rest(ctx context.Context, until time.Time) error {
	if err := g.until(ctx, until); err != nil {
		return err
	}
	stood := time.Now()
	if err := g.swept(ctx, func(s sweep.Sweep) bool { return s.AtMS >= g.last.UnixMilli() }); err != nil {
		return err
	}
	if err := sleep(ctx, doorAfter); err != nil {
		return err
	}
	g.began = g.began.Add(time.Since(stood))
	return nil
}

// swept waits for a sweep that is done, and for what it decided.
func (g *Ground) swept(ctx context.Context, done func(sweep.Sweep) bool) error {
	if g.last.IsZero() { // nobody voted: nobody looks
		return nil
	}
	for deadline := time.Now().Add(g.most); ; {
		if err := g.readLedger(ctx); err != nil {
			return err
		}
		found := false
		err := g.server.Sweeps(ctx, g.contest, func(line []byte) error {
			var s sweep.Sweep
			if err := json.Unmarshal(line, &s); err != nil {
				return fmt.Errorf("a sweep is not what a Joute server sends: %w", err)
			}
			found = found || done(s) && s.Written(g.decisions)
			return nil
		})
		if err != nil || found {
			return err
		}
		if time.Now().After(deadline) {
			return ErrNoSweep
		}
		if err := sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// Close ends voting, and waits for the detectors' last word.
func (g *Ground) Close(ctx context.Context) error {
	if err := g.server.EndVoting(ctx, g.contest); err != nil {
		return err
	}
	return g.swept(ctx, func(s sweep.Sweep) bool { return s.Whole })
}

// Prove does nothing: there are no inboxes here.
func (*Ground) Prove(context.Context, []string) error { return nil }

// Ask asks as the ballots' voters would.
func (g *Ground) Ask(ctx context.Context, ids []string) (map[string]attack.Fate, error) {
	if err := g.readLedger(ctx); err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards known and failed
	known, failed := make(map[string]attack.Fate, len(ids)), error(nil)
	next := make(chan string)
	var busy sync.WaitGroup
	for range voters {
		busy.Go(func() {
			for id := range next {
				fate, there, err := g.find(ctx, id)
				mu.Lock()
				if failed = errors.Join(failed, err); there {
					known[id] = fate
				}
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	busy.Wait()
	return known, failed
}

func (g *Ground) find(ctx context.Context, id string) (attack.Fate, bool, error) {
	g.mu.Lock()
	c, there := g.casts[id]
	var pass string
	if there {
		pass = g.people[c.voter].pass
	}
	then := g.histories[c.id]
	g.mu.Unlock()
	if !there {
		return attack.Fate{}, false, nil
	}
	answer, err := g.voters.Find(ctx, pass, c.id, c.from)
	if err != nil {
		return attack.Fate{}, false, fmt.Errorf("ballot: %w", err)
	}
	if answer.Status >= 400 {
		return attack.Fate{}, false, fmt.Errorf("ballot: the server answered %d %s: %s", answer.Status, answer.Code, answer.Detail)
	}
	return attack.Fate{Standing: attack.Standing(answer.Standing), Reasons: answer.Reasons, Cast: then.cast, Since: then.since}, true, nil
}

// readLedger reads what came since it was read last.
func (g *Ground) readLedger(ctx context.Context) error {
	return g.server.Ledger(ctx, g.contest, g.after, func(_ []byte, r voting.Record) error {
		g.after = r.Position.String()
		if !r.NamesBallot() {
			return nil
		}
		if r.Actor == voting.ActorDetector {
			g.decisions = append(g.decisions, r.Position.At())
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.histories[r.Ballot] = g.histories[r.Ballot].then(r)
		return nil
	})
}

func (h history) then(r voting.Record) history {
	at, counts := r.Position.At(), r.Standing == voting.Counted
	if r.Kind == voting.KindCast {
		return history{at, at, counts}
	}
	if counts != h.counted {
		h.since, h.counted = at, counts
	}
	return h
}
