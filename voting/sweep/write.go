package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ballotbox"
)

// errNoRuling is returned where detectors found what nobody can decide on.
var errNoRuling = errors.New("no ruling")

// unwritten is a sweep that was decided, and what of it is told once it is written.
type unwritten struct {
	made    Sweep
	status  Status
	ruling  Ruling
	at      time.Time     // when it was decided, by this server's clock
	took    time.Duration // to decide, and to write so far
	changed int           // ballots so far
}

// sweep decides, and writes what it decided.
func (s *Sweeper) sweep(ctx context.Context, stored *registry.Stored, w *watch, clock ballotbox.Clock) error {
	u := &unwritten{at: time.Now(), made: Sweep{Number: w.number + 1, AtMS: clock.Now.UnixMilli(), Whole: clock.Closed && !w.final}}
	var err error
	if u.ruling, err = w.judge.Sweep(clock.Now, u.made.Whole); err != nil {
		return fmt.Errorf("%w: %w", errNoRuling, err)
	}
	u.made.Cut, u.made.Decided = w.judge.cut(), len(u.ruling.Decisions)
	if w.fresh {
		u.made.Fresh = &w.settings
	}
	u.status = w.judge.Status()
	u.status.Sweep, u.status.At = u.made.Number, voting.FormatTime(clock.Now)
	u.took = time.Since(u.at)
	w.unwritten = u
	return s.record(ctx, stored, w)
}

// record writes what was decided: first why, then that it was, then the decisions, and last
// that nothing more is to come. Each of them may be written again: after an error the next look does so,
// and where this server ends before, another one decides what is left.
func (s *Sweeper) record(ctx context.Context, stored *registry.Stored, w *watch) (err error) {
	u, begun := w.unwritten, time.Now()
	defer func() { u.took += time.Since(begun) }()
	if w.settings.Observe {
		err = s.keep(ctx, stored, &u.made, u.status)
	} else {
		var changed int
		changed, err = s.write(ctx, stored, w.settings, &u.made, u.status, u.ruling.Decisions)
		u.changed += changed
	}
	if err != nil {
		return err
	}
	if w.final || u.made.Whole {
		u.status.Final = true
		if err := s.keep(ctx, stored, nil, u.status); err != nil {
			return err
		}
		w.final = true
	}
	w.unwritten, w.number, w.fresh, w.at, w.took = nil, u.made.Number, false, u.at, u.took+time.Since(begun)
	if u.changed > 0 && s.opts.Changed != nil {
		s.opts.Changed(stored.Contest.ID)
	}
	s.tell(stored.Contest.ID, w, u.ruling, u.changed)
	s.putFarms(ctx, stored.Contest.ID, w, u.ruling.Clusters)
	return nil
}

// write keeps a sweep and what it decided, and tells how many ballots changed.
func (s *Sweeper) write(ctx context.Context, stored *registry.Stored, by Settings, made *Sweep, status Status, decisions []Decision) (int, error) {
	findings := make([]ballotbox.BallotFinding, len(decisions))
	changes := make([]ballotbox.Change, len(decisions))
	for i, d := range decisions {
		findings[i] = ballotbox.BallotFinding{Voter: d.Voter, Ballot: d.ID, Finding: ballotbox.Finding{
			Sweep: made.Number, Standing: d.Standing, Score: d.Finding.Score, Reasons: d.Reasons, Cluster: d.Finding.Cluster,
			Families: d.Finding.Families, Parts: d.Finding.Parts, Policy: by.Policy, Model: by.Model,
		}}
		changes[i] = ballotbox.Change{
			Voter: d.Voter, Ballot: d.ID, Standing: d.Standing, Actor: voting.ActorDetector, Reasons: d.Reasons,
			Policy: by.Policy, Model: by.Model, From: &ballotbox.Stand{Standing: d.From, Reasons: d.Because},
		}
	}
	if err := s.boxes.KeepFindings(ctx, stored, findings); err != nil {
		return 0, err
	}
	if err := s.keep(ctx, stored, made, status); err != nil {
		return 0, err
	}
	return s.boxes.ChangeAll(ctx, stored, changes)
}

// keep keeps where the detectors are, and the sweep that brought them there, if any.
func (s *Sweeper) keep(ctx context.Context, stored *registry.Stored, made *Sweep, status Status) error {
	now, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if made == nil {
		return s.boxes.KeepSweep(ctx, stored, 0, nil, now)
	}
	text, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return s.boxes.KeepSweep(ctx, stored, made.Number, text, now)
}

// tell measures and logs a sweep: numbers, and nothing of voters.
func (s *Sweeper) tell(contestID string, w *watch, ruling Ruling, changed int) {
	s.metrics.seconds.Observe(w.took.Seconds())
	for _, d := range ruling.Decisions {
		s.metrics.decided(d, w.settings.Observe)
	}
	if ruling.Stopped > 0 {
		s.metrics.stopped.Add(float64(ruling.Stopped))
		s.log.Warn("so many ballots would be held on little evidence that none is: look at them in the queue",
			slog.String("contest", contestID), slog.Int("ballots", ruling.Stopped))
	}
	if ruling.Canaries > 0 {
		s.metrics.canaries.Add(float64(ruling.Canaries))
		s.log.Error("ballots of canaries would be held or void: the detectors are wrong about somebody known to be honest",
			slog.String("contest", contestID), slog.Int("ballots", ruling.Canaries))
	}
	if len(ruling.Decisions) > 0 {
		s.log.Info("swept", slog.String("contest", contestID), slog.Int("sweep", w.number), slog.Int("decided", len(ruling.Decisions)),
			slog.Int("changed", changed), slog.Bool("observe", w.settings.Observe), slog.Duration("took", w.took))
	}
}

// putFarms hands on the signatures that are new or changed. Where they are not taken, as there
// are too many or the store does not answer, they are offered again: the sweep is no worse.
func (s *Sweeper) putFarms(ctx context.Context, contestID string, w *watch, clusters []detect.Cluster) {
	if s.opts.Farms == nil {
		return
	}
	for _, c := range clusters {
		if c.Signature == nil {
			continue
		}
		text, err := json.Marshal(c.Signature)
		if err != nil {
			s.log.Error("a signature cannot be kept", "contest", contestID, "error", err)
			continue
		}
		if w.known[c.Signature.ID] != string(text) {
			w.offered[c.Signature.ID] = offer{*c.Signature, string(text)}
		}
	}
	w.tried = time.Now()
	ids := slices.SortedFunc(maps.Keys(w.offered), func(x, y string) int { // those that are kept already need no room
		return cmp.Or(strings.Compare(w.known[y], w.known[x]), strings.Compare(x, y))
	})
	for _, id := range ids {
		one := w.offered[id]
		// One by one: those for which there is no room are no reason to refuse another.
		if err := s.opts.Farms.Put(ctx, contestID, []antifraud.Signature{one.signature}); err != nil {
			s.log.Warn("signatures of farms are not kept", "contest", contestID, "signatures", len(w.offered), "error", err)
			return
		}
		w.known[id] = one.text
		delete(w.offered, id)
	}
}
