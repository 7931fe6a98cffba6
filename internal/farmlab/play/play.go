// Package play is a ground over HTTP: crowd and farm vote at a running server, in a
// contest made for it, through the public API alone. An hour of the laboratory's clock
// is some seconds of the server's.
package play

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/internal/client"
	"github.com/joute/joute/internal/farmlab/attack"
)

// voters is how many are on their way at once.
const voters = 24

// Ground is an [attack.Ground]: what farm and crowd see of it is what anybody sees.
// When a ballot ceased to count is read from the ledger, with the organizer's key.
type Ground struct {
	server  *client.Client
	contest string
	voters  *client.Voters
	streets *streets

	opens time.Time     // by the laboratory's clock
	began time.Time     // the same instant, by this machine's
	speed float64       // of the laboratory's clock against the machine's
	most  time.Duration // Rest waits for the detectors at most

	mu        sync.Mutex // guards what follows
	people    map[string]*person
	codes     map[string]string // share codes, by their names in the laboratory
	casts     map[string]cast   // by act
	last      time.Time         // by the server's clock: of the latest ballot
	histories map[uuid.UUID]history

	// Of whoever calls Cast, Rest and Ask, which are called one after another.
	after     string      // the ledger was read up to here
	decisions []time.Time // of the detectors, as far as it was read
}

// person is a voter: whoever comes back brings the same pass.
type person struct {
	once sync.Once
	pass string
	err  error
}

// cast is a ballot that is in a box.
type cast struct {
	id    uuid.UUID
	voter string
	from  client.Origin
}

// Cast plays acts at their time.
func (g *Ground) Cast(ctx context.Context, acts []attack.Act) ([]attack.Answer, error) {
	told := make([]attack.Answer, len(acts))
	errs := make([]error, len(acts))
	next := make(chan int)
	var busy sync.WaitGroup
	for range voters {
		busy.Go(func() {
			for i := range next {
				told[i], errs[i] = g.cast(ctx, &acts[i])
			}
		})
	}
	var late error
	for i := range acts {
		if late = g.until(ctx, acts[i].At); late != nil {
			break
		}
		next <- i
	}
	close(next)
	busy.Wait()
	return told, errors.Join(late, errors.Join(errs...))
}

// until waits for an instant of the laboratory's clock.
func (g *Ground) until(ctx context.Context, at time.Time) error {
	return sleep(ctx, time.Until(g.began.Add(time.Duration(float64(at.Sub(g.opens))/g.speed))))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

func (g *Ground) cast(ctx context.Context, act *attack.Act) (attack.Answer, error) {
	from, pass, seen, err := g.meet(ctx, act)
	if err != nil {
		return attack.Answer{}, err
	}
	id, err := uuid.Parse(act.ID)
	if err != nil {
		return attack.Answer{}, fmt.Errorf("ballot: %w", err)
	}
	ballot := client.Ballot{Ballot: id, Entry: act.Entry, Client: seen}
	told := attack.Answer{}
	answer, err := g.voters.Cast(ctx, pass, ballot, from)
	if err == nil && answer.Challenge != nil {
		told.Challenges++
		if ballot.Challenge, err = answer.Challenge.Solve(); err == nil {
			answer, err = g.voters.Cast(ctx, pass, ballot, from)
		}
	}
	if err != nil {
		return attack.Answer{}, fmt.Errorf("ballot: %w", err)
	}
	told.Reasons = answer.Reasons
	switch {
	case answer.Code == "rejected":
		told.Standing = attack.Rejected
	case answer.Status >= 400:
		told.Standing = attack.Refused
	default:
		told.Standing = attack.Standing(answer.Standing)
		at, err := time.Parse(time.RFC3339, answer.At)
		if err != nil {
			return attack.Answer{}, fmt.Errorf("ballot: the answer is not what a Joute server sends: %w", err)
		}
		g.mu.Lock()
		g.casts[act.ID] = cast{id, act.Voter, from}
		if at.After(g.last) {
			g.last = at
		}
		g.mu.Unlock()
	}
	return told, nil
}

// meet is where an act comes from, the pass of its voter, and what their page saw.
func (g *Ground) meet(ctx context.Context, act *attack.Act) (client.Origin, string, *antifraud.Client, error) {
	e := &act.Evidence
	g.mu.Lock()
	who, known := g.people[act.Voter]
	if !known {
		who = &person{}
		g.people[act.Voter] = who
	}
	from := client.Origin{Address: g.streets.address(act).String(), Agent: agent(e.Agent)}
	g.mu.Unlock()
	who.once.Do(func() { who.pass, who.err = g.voters.Pass(ctx, from) })
	if who.err != nil {
		return from, "", nil, fmt.Errorf("pass: %w", who.err)
	}
	seen := &antifraud.Client{Referrer: e.Referrer, DwellMS: e.DwellMS, ConfirmMS: e.ConfirmMS, Visible: e.Visible, Device: e.Device}
	if e.Referrer == antifraud.ReferrerEmbed {
		seen.EmbedOrigin = e.EmbedOrigin
	}
	var err error
	seen.Via, err = g.code(ctx, e.Via)
	return from, who.pass, seen, err
}

// agent is a browser of that name in evidence.
func agent(name string) string {
	if name == "" {
		return ""
	}
	return "Mozilla/5.0 (farmlab; " + name + ")"
}

// code is a share code in the place of one of the laboratory: of somebody who shared
// and did not vote.
func (g *Ground) code(ctx context.Context, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	g.mu.Lock()
	code, known := g.codes[name]
	g.mu.Unlock()
	if known {
		return code, nil
	}
	from := client.Origin{Address: within(unlisted, hash(name, 0)).String(), Agent: agent(name)}
	pass, err := g.voters.Pass(ctx, from)
	if err == nil {
		code, err = g.voters.Share(ctx, pass, from)
	}
	if err != nil {
		return "", fmt.Errorf("share code: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if first, known := g.codes[name]; known { // somebody else's was faster
		return first, nil
	}
	g.codes[name] = code
	return code, nil
}
