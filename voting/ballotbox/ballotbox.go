// Package ballotbox counts ballots in Redis, each exactly once.
//
// A contest's voters are spread over ballot boxes. Everything about a voter is
// in one box, and whatever happens in a box happens in one Lua script: a cast
// is decided, counted, recorded and remembered in one step or not at all. The
// scripts are in lua/, each with its contract in its header. All of them are
// idempotent: sending one again, as a client that lost an answer must, changes
// nothing that the first one did not.
package ballotbox

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

//go:embed lua/*.lua
var sources embed.FS

var (
	// ErrNoSuchBallot is returned for a ballot no box has.
	ErrNoSuchBallot = errors.New("no such ballot")
	// ErrAmbiguousBallot is returned for a ballot id that several voters sent.
	ErrAmbiguousBallot = errors.New("several voters sent this ballot id")
	// ErrUndoExpired is returned for a ballot that can no longer be taken back.
	ErrUndoExpired = errors.New("the ballot can no longer be taken back")
	// ErrNotClosed is returned for what must wait for the close.
	ErrNotClosed = errors.New("voting is not closed")
	// ErrNothingToAppeal is returned for a ballot that is neither held nor void.
	ErrNothingToAppeal = errors.New("the ballot counts, or was taken back: there is nothing to appeal against")
	// ErrAppealsFull is returned when a box keeps as many appeals as it may.
	ErrAppealsFull = errors.New("there are too many appeals to keep another")
	// ErrEpoch is returned for a position of another epoch of the ledger.
	ErrEpoch = errors.New("the position is of another epoch")
)

// EvidenceLifetime is how long evidence outlives the close: long enough for
// appeals, and no longer.
const EvidenceLifetime = 30 * 24 * time.Hour

// Boxes are the ballot boxes of all contests of a store. They hold no state that
// matters and are safe for concurrent use.
type Boxes struct {
	store   *store.Store
	archive Archive // nil: nothing was moved out of the store
	guard   Guard   // nil: none
	frames  frames  // of boxes that were cast into

	cast, standing, configure, turn, close, publish *store.Script
	join, claim, member, turns                      *store.Script
	tally, settle, mark, mendScript                 *store.Script
	appeal, answer, forget                          *store.Script
	finding, sweep, trim, kept                      *store.Script
}

// New loads the scripts. Nothing is sent to the store yet.
func New(st *store.Store) *Boxes { return load(st, source) }

// load makes the scripts from their sources; box.lua begins each.
func load(st *store.Store, source func(name string) string) *Boxes {
	script := func(name string, readOnly bool) *store.Script {
		return st.Script(name, source("box")+source(name), readOnly)
	}
	return &Boxes{
		store: st, frames: newFrames(),
		cast: script("cast", false), standing: script("standing", false), configure: script("configure", false),
		turn: script("turn", false), close: script("close", false), publish: script("publish", false),
		join: script("join", false), claim: script("claim", false), member: script("member", false), turns: script("turns", false),
		tally: script("tally", true), settle: script("settle", false), mark: script("mark", false), mendScript: script("mend", false),
		appeal: script("appeal", false), answer: script("answer", false), forget: script("forget", false),
		finding: script("finding", false), sweep: script("sweep", false), trim: script("trim", false),
		kept: st.Script("ballot", source("ballot"), false), // not read-only, so that a replica confirms what it reads
	}
}

func source(name string) string {
	text, err := sources.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // the file is part of the binary
	}
	return string(text)
}

// Configure brings every box of the contest to version s. It changes nothing in
// boxes that have this version or a newer one; after an error some boxes may
// have it and others not, and the next call goes on. A box that is not there is
// set up, unless the guard knows that it was: [registry.ErrLost].
func (b *Boxes) Configure(ctx context.Context, s *registry.Stored) error {
	some, err := b.configureAll(ctx, s, b.guard == nil)
	if err != nil || b.guard == nil || !some && !s.ConfiguredAt.IsZero() && !b.guard.Lacks(s.Contest.ID) {
		return err
	}
	return b.guard.Create(ctx, s, func(ctx context.Context) (bool, error) {
		return b.configureAll(ctx, s, false)
	}, func(ctx context.Context) error {
		_, err := b.configureAll(ctx, s, true)
		return err
	})
}

// configureAll brings the boxes to version s and tells whether some are missing,
// which it sets up only when it is to.
func (b *Boxes) configureAll(ctx context.Context, s *registry.Stored, create bool) (missing bool, err error) {
	c := s.Contest
	absent := make([]bool, c.Boxes)
	args := append(configuration(s), mark(create))
	err = b.each(ctx, c, func(ctx context.Context, box int, keys boxKeys) error {
		var r reply
		code, err := b.run(ctx, s, box, r.from(b.configure, keys.common(keys.expiring()...), args...))
		absent[box] = code == "unconfigured"
		return err
	})
	return slices.Contains(absent, true), err
}

// Where some are in a configuration.
const ruleVersion, ruleCloses, ruleTies, ruleExpires = 0, 2, 8, 9

// configuration is a version of a contest as configure.lua takes it.
func configuration(s *registry.Stored) []any {
	c := s.Contest
	return []any{
		s.Version, c.Phases.Voting.Opens.UnixMilli(), s.Closes().UnixMilli(),
		c.Rules.Ballots.Max, string(c.Rules.Ballots.Per), c.Rules.PerEntry, c.Rules.Undo.Milliseconds(),
		millis(c.FreezesAt()), string(c.Scoring.Ties), s.Closes().Add(EvidenceLifetime).UnixMilli(),
	}
}

// millis is an instant as the scripts take it; the zero time is 0.
func millis(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

// turnAll opens or closes the boxes whose time has come by the store's clock, and
// returns the state of the one furthest behind.
func (b *Boxes) turnAll(ctx context.Context, s *registry.Stored) (state string, err error) {
	state, _, err = b.clock(ctx, s)
	return state, err
}

// clock is turnAll, and the store's clock as the boxes have it: it never goes back.
func (b *Boxes) clock(ctx context.Context, s *registry.Stored) (state string, now time.Time, err error) {
	states, clocks := make([]string, s.Contest.Boxes), make([]int64, s.Contest.Boxes)
	err = b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) error {
		reply, err := b.reply(ctx, s, box, b.turn, keys.common())
		if err != nil {
			return err
		}
		states[box] = reply.code()
		clocks[box], err = reply.integer(1)
		return err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	order := []string{"waiting", "open", "closed", "published"}
	return slices.MinFunc(states, func(x, y string) int {
		return cmp.Compare(slices.Index(order, x), slices.Index(order, y))
	}), instant(slices.Max(clocks)), nil
}

// Close ends voting now in every box and returns the instant from which no
// ballot is counted anywhere: no cast is stamped at or after it.
func (b *Boxes) Close(ctx context.Context, s *registry.Stored, reason string) (time.Time, error) {
	at, err := b.latest(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) (reply, error) {
		return b.reply(ctx, s, box, b.close, keys.common(keys.expiring()...), reason)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("close: %w", err)
	}
	return at, nil
}

// Publish records in every box that the ledger is public, and returns when. It
// returns [ErrNotClosed] while voting is not over.
func (b *Boxes) Publish(ctx context.Context, s *registry.Stored) (time.Time, error) {
	at, err := b.latest(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) (reply, error) {
		published, err := b.reply(ctx, s, box, b.publish, keys.common())
		if err == nil && published.code() != "published" {
			err = ErrNotClosed
		}
		return published, err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("publish: %w", err)
	}
	return at, nil
}

// latest runs f for every box at once and returns the latest of the instants that
// follow the code of each reply.
func (b *Boxes) latest(ctx context.Context, c *contest.Contest, f func(ctx context.Context, box int, keys boxKeys) (reply, error)) (time.Time, error) {
	instants := make([]int64, c.Boxes)
	err := b.each(ctx, c, func(ctx context.Context, box int, keys boxKeys) error {
		answer, err := f(ctx, box, keys)
		if err == nil {
			instants[box], err = answer.integer(1)
		}
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(slices.Max(instants)).UTC(), nil
}

// each runs f for every box at once; their scripts share round trips.
func (b *Boxes) each(ctx context.Context, c *contest.Contest, f func(ctx context.Context, box int, keys boxKeys) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for box := range c.Boxes {
		group.Go(panics.Caught(func() error { return f(ctx, box, keysOf(c.ID, box)) }))
	}
	return group.Wait()
}

// reply runs a script on a box. A box that is new to the store is configured
// first: a server that stopped between storing a contest and setting up its
// boxes leaves some without. A box that a crash has torn is mended first. With
// [store.ErrUnconfirmed] comes the reply that may yet be lost.
func (b *Boxes) reply(ctx context.Context, s *registry.Stored, box int, script *store.Script, keys []string, args ...any) (reply, error) {
	var r reply
	err := b.ask(ctx, s, box, r.from(script, keys, args...))
	return r, err
}

// from is one call of a script, to be made as often as it takes; r is its last reply.
func (r *reply) from(script *store.Script, keys []string, args ...any) func(context.Context) (code string, err error) {
	return func(ctx context.Context) (string, error) {
		raw, err := script.Run(ctx, keys, args...).Slice()
		*r = raw
		return r.code(), err
	}
}

// ask is reply for any call of a script that tells the reply's code.
func (b *Boxes) ask(ctx context.Context, s *registry.Stored, box int, call func(context.Context) (code string, err error)) error {
	for range 2 { // once more where another server was in between
		code, err := b.run(ctx, s, box, call)
		if code != "unconfigured" {
			return err
		}
		if err := b.Configure(ctx, s); err != nil {
			return err
		}
	}
	code, err := b.run(ctx, s, box, call)
	if code == "unconfigured" {
		return errors.New("the ballot box stays unconfigured")
	}
	return err
}

// run makes a call on a box, which is mended first where it is torn.
func (b *Boxes) run(ctx context.Context, s *registry.Stored, box int, call func(context.Context) (code string, err error)) (string, error) {
	for range 3 { // once more where another server was in between
		code, unconfirmed := call(ctx)
		if unconfirmed != nil && !errors.Is(unconfirmed, store.ErrUnconfirmed) {
			return "", unconfirmed // names the script
		}
		if code != "torn" {
			return code, unconfirmed
		}
		// Not ended by the caller's leaving: whoever comes next would begin anew.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mendTime)
		err := b.mend(ctx, s, box)
		cancel()
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("the ballot box stays torn")
}

// reply is what a script answered: a code, then values.
type reply []any

func (r reply) code() string { return r.text(0) }

func (r reply) text(i int) string {
	if i < len(r) {
		if s, ok := r[i].(string); ok {
			return s
		}
	}
	return ""
}

// integer is the i-th value. Anything but an integer is a reply of no script of ours.
func (r reply) integer(i int) (int64, error) {
	if i < len(r) {
		if n, ok := r[i].(int64); ok {
			return n, nil
		}
	}
	return 0, fmt.Errorf("ballot box: value %d of the reply %q is no integer", i, r.code())
}

// voter is the i-th value, a voter.
func (r reply) voter(i int) (voting.Voter, error) {
	text := r.text(i)
	if len(text) != len(voting.Voter{}) {
		return voting.Voter{}, fmt.Errorf("ballot box: value %d of the reply %q is no voter", i, r.code())
	}
	return voting.Voter([]byte(text)), nil
}

// cast reads the values that answer in box.lua gives of a ballot.
func (r reply) cast(s *registry.Stored, box int) (voting.Cast, error) {
	at, err1 := r.integer(8)
	offset, err2 := r.integer(9)
	present, err3 := r.integer(12)
	if err := errors.Join(err1, err2, err3); err != nil {
		return voting.Cast{}, err
	}
	return ballotValues{standing: r.text(7), at: at, offset: offset, entry: r.text(10), reasons: r.text(11), present: present == 1}.cast(s, box)
}
