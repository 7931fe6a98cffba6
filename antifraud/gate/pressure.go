package gate

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/store"
)

//go:embed lua/pressure.lua
var pressureSource string

// pressureMinutes is over how many minutes attempts are looked at together: the
// running one and those before. When an attack ends it is forgotten as soon.
const (
	pressureMinutes = 4
	pressureSpan    = pressureMinutes * time.Minute
)

// Pressure counts the attempts of contests, over all servers of a store: in the
// process, merged every second by Run. It is safe for concurrent use.
type Pressure struct {
	merge *store.Script
	store *store.Store
	log   *slog.Logger

	mu       sync.Mutex
	contests map[string]*pressure // guarded by mu, as is what is in them
}

type pressure struct {
	fresh antifraud.Attempts // not told yet
	all   antifraud.Attempts // of all servers, when they were told last
	asked time.Time
}

// NewPressure loads the script. Nothing is sent to the store yet.
func NewPressure(st *store.Store, log *slog.Logger) *Pressure {
	return &Pressure{merge: st.Script("pressure", pressureSource, false).Forgettable(), store: st, log: log, contests: map[string]*pressure{}}
}

// Count counts an attempt, and whether it was suspect. It asks nobody.
func (p *Pressure) Count(contestID string, suspect bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.contests[contestID]
	if c == nil {
		c = &pressure{}
		p.contests[contestID] = c
	}
	c.asked = now
	c.fresh.Seen++
	if suspect {
		c.fresh.Suspect++
	}
}

// Of are the attempts of the last minutes: of this server up to now, of the others
// up to a second ago.
func (p *Pressure) Of(contestID string) antifraud.Attempts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.contests[contestID]
	if c == nil {
		return antifraud.Attempts{}
	}
	return antifraud.Attempts{Seen: c.all.Seen + c.fresh.Seen, Suspect: c.all.Suspect + c.fresh.Suspect}
}

// Run merges the counts until ctx ends: a round trip a second for each contest that
// has attempts. Without an answer of the store a server goes by what it has, and
// tells it later.
func (p *Pressure) Run(ctx context.Context) {
	everySecond(ctx, nil, func() error {
		var err error
		for _, contestID := range p.busy(time.Now()) {
			err = errors.Join(err, p.mergeOne(ctx, contestID))
		}
		return err
	}, func(err error) { p.log.Warn("attempts of other servers are not known", slog.Any("error", err)) })
}

// busy are the contests with attempts of late. Of others nothing is left to count.
func (p *Pressure) busy(now time.Time) (contests []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for contestID, c := range p.contests {
		if now.Sub(c.asked) > pressureSpan {
			delete(p.contests, contestID)
			continue
		}
		contests = append(contests, contestID)
	}
	return contests
}

func (p *Pressure) mergeOne(ctx context.Context, contestID string) error {
	p.mu.Lock()
	c := p.contests[contestID]
	if c == nil {
		p.mu.Unlock()
		return nil
	}
	told := c.fresh
	p.mu.Unlock()
	reply, err := p.merge.Run(ctx, []string{pressureKey(contestID)}, told.Seen, told.Suspect, pressureMinutes).Int64Slice()
	if err == nil && len(reply) != 2 {
		err = fmt.Errorf("unknown reply %v", reply)
	}
	if err != nil { // told again it may count twice: it is a measure
		return fmt.Errorf("pressure: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.fresh.Seen, c.fresh.Suspect = c.fresh.Seen-told.Seen, c.fresh.Suspect-told.Suspect
	c.all = antifraud.Attempts{Seen: reply[0], Suspect: reply[1]}
	return nil
}

// Forget deletes the counts of a contest.
func (p *Pressure) Forget(ctx context.Context, contestID string) error {
	p.mu.Lock()
	delete(p.contests, contestID)
	p.mu.Unlock()
	if err := p.store.Client().Unlink(ctx, pressureKey(contestID)).Err(); err != nil {
		return fmt.Errorf("forget pressure: %w", store.Classify(err))
	}
	return nil
}
