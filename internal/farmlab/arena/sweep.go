package arena

import (
	"context"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/voting"
)

// pass lets the clock go on, and the detectors look whenever it is time.
func (a *Arena) pass(ctx context.Context, to time.Time) error {
	if to.Before(a.now) {
		return errBack
	}
	for next := a.swept.Add(a.opts.Every); !next.After(to); next = a.swept.Add(a.opts.Every) {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, waiting := a.judge.Waiting()
		a.now = next
		if nothing := waiting == 0 && !a.judge.Due(next); nothing || waiting < a.opts.Few && next.Before(a.looked.Add(a.opts.Lull)) {
			a.swept = next
			continue
		}
		if err := a.sweep(false); err != nil {
			return err
		}
	}
	a.now = to
	return nil
}

// sweep is one look of the detectors, and what becomes of ballots by it.
func (a *Arena) sweep(whole bool) error {
	a.swept, a.looked = a.now, a.now
	ruling, err := a.judge.Sweep(a.now, whole)
	if err != nil {
		return err
	}
	for _, cluster := range ruling.Clusters {
		if cluster.Signature != nil {
			a.farms[cluster.Signature.ID] = *cluster.Signature
		}
	}
	if a.contest.Antifraud.Policy.Base == contest.PolicyObserve {
		return nil
	}
	for _, d := range ruling.Decisions {
		f := a.fates[a.acts[d.Ballot]]
		if counts := d.Standing == voting.Counted; counts != (f.Standing == attack.Counted) {
			f.Since = a.now
		}
		f.Standing, f.Reasons = attack.Standing(d.Standing), d.Reasons
		a.judge.Read(a.record(kinds[d.Standing], d.Ballot, f.entry, d.Standing, d.Reasons, voting.ActorDetector), "", antifraud.Evidence{})
	}
	return nil
}

var kinds = map[voting.Standing]voting.Kind{voting.Held: voting.KindHold, voting.Void: voting.KindVoid, voting.Counted: voting.KindRelease}

// Rest lets time pass, to a last look at all that was cast.
func (a *Arena) Rest(ctx context.Context, until time.Time) error {
	if err := a.pass(ctx, until); err != nil {
		return err
	}
	if _, waiting := a.judge.Waiting(); waiting == 0 {
		return nil
	}
	return a.sweep(false)
}

// Close ends voting and looks at all of it. Holds that are left are what a person
// would find in the queue.
func (a *Arena) Close(ctx context.Context) error {
	if a.closed {
		return nil
	}
	if closes := a.contest.Phases.Voting.Closes; a.now.Before(closes) {
		if err := a.pass(ctx, closes); err != nil {
			return err
		}
	}
	a.closed = true
	return a.sweep(true)
}

// Prove is what an address does that a held ballot's voter proves: as at a server, it
// answers reasons that say so, for good, and none of whoever had proven one before.
func (a *Arena) Prove(_ context.Context, ids []string) error {
	for _, id := range ids {
		f, there := a.fates[id]
		if !there || f.Standing != attack.Held || f.proven || !antifraud.Releases(f.Reasons, antifraud.StepEmail) {
			continue
		}
		f.Standing, f.Reasons, f.Since = attack.Counted, []antifraud.Reason{"proven-" + string(antifraud.StepEmail)}, a.now
		a.judge.Read(a.record(voting.KindRelease, f.ballot, f.entry, voting.Counted, f.Reasons, voting.ActorVoter), "", antifraud.Evidence{})
	}
	return nil
}

// Ask tells how ballots stand.
func (a *Arena) Ask(_ context.Context, ids []string) (map[string]attack.Fate, error) {
	known := make(map[string]attack.Fate, len(ids))
	for _, id := range ids {
		if f, there := a.fates[id]; there {
			fate := f.Fate
			fate.Asked = fate.Standing == attack.Counted && a.judge.Stopped(f.ballot)
			known[id] = fate
		}
	}
	return known, nil
}
