// Package arena is a contest in memory, on a clock of its own: screening, the door to
// known farms and the detectors that look back are the very ones of a server, what is
// missing is the store and the web. Weeks of a contest are over in seconds.
package arena

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/account"
	"github.com/joute/joute/antifraud/detect"
	"github.com/joute/joute/antifraud/window"
	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/sweep"
)

// Arena is an [attack.Ground]. It takes whatever turns its callers take: rules about
// those are not its subject. It is for one goroutine.
type Arena struct {
	contest *contest.Contest
	policy  antifraud.Policy
	windows *window.Contests
	judge   *sweep.Judge
	opts    Options

	farms  map[string]antifraud.Signature // known at the door
	fates  map[string]*fate               // by act
	acts   map[sweep.Ballot]string
	now    time.Time
	offset int64
	swept  time.Time // when it was time for a look last
	looked time.Time // when there was one
	closed bool
}

// fate is a ballot in the box, or an attempt that is in none.
type fate struct {
	attack.Fate
	ballot sweep.Ballot
	entry  string
	proven bool // by an address, when it was cast
}

// Options has a zero value that works.
type Options struct {
	Finder func() sweep.Finder // the detectors; nil: detect.New
	Every  time.Duration       // between their looks, by the arena's clock; 0: a minute
	Many   int                 // so many new ballots are looked at sooner; 0: 200
	Few    int                 // fewer new ones wait for more, at most for Lull: a look costs as much for one
	Lull   time.Duration
}

// New is a contest in which nobody has voted.
func New(c *contest.Contest, opts Options) *Arena {
	if opts.Finder == nil {
		opts.Finder = func() sweep.Finder { return detect.New(detect.Options{}) }
	}
	if opts.Every == 0 {
		opts.Every = time.Minute
	}
	if opts.Many == 0 {
		opts.Many = 200
	}
	return &Arena{
		contest: c, policy: antifraud.PolicyOf(c.Antifraud.Policy), windows: window.New(), opts: opts,
		judge: sweep.NewJudge(sweep.SettingsOf(c), opts.Finder()), farms: map[string]antifraud.Signature{},
		fates: map[string]*fate{}, acts: map[sweep.Ballot]string{}, now: c.Phases.Voting.Opens, swept: c.Phases.Voting.Opens, looked: c.Phases.Voting.Opens,
	}
}

// errBack is a caller's fault: acts come in the order of their time.
var errBack = errors.New("arena: time does not go back")

// Cast plays acts. Whoever is asked for a challenge solves it.
func (a *Arena) Cast(ctx context.Context, acts []attack.Act) ([]attack.Answer, error) {
	told := make([]attack.Answer, len(acts))
	for i := range acts {
		if err := a.pass(ctx, acts[i].At); err != nil {
			return nil, err
		}
		var err error
		if told[i], err = a.cast(&acts[i]); err != nil {
			return nil, err
		}
		if _, waiting := a.judge.Waiting(); waiting >= a.opts.Many {
			if err := a.sweep(false); err != nil {
				return nil, err
			}
		}
	}
	return told, nil
}

func (a *Arena) cast(act *attack.Act) (attack.Answer, error) {
	if a.closed || !a.contest.Phases.Voting.Contains(act.At) {
		return attack.Answer{Standing: attack.Refused}, nil
	}
	voter := sha256.Sum256([]byte(act.Voter))
	ballot := sweep.Ballot{Voter: voting.Voter(voter[:16])}
	var err error
	if ballot.ID, err = uuid.Parse(act.ID); err != nil {
		return attack.Answer{}, fmt.Errorf("arena: ballot: %w", err)
	}
	verdict, sighting, evidence := a.screen(act, ballot.Voter)
	told := attack.Answer{Standing: attack.Counted}
	actor := voting.ActorVoter
	switch verdict.Action {
	case antifraud.Reject:
		return attack.Answer{Standing: attack.Rejected, Reasons: verdict.Reasons}, nil
	case antifraud.Hold:
		told.Standing, told.Reasons, actor = attack.Held, verdict.Reasons, voting.ActorScreen
	case antifraud.AskChallenge:
		told.Challenges = 1
	}
	a.windows.Saw(a.contest.ID, sighting)
	a.acts[ballot] = act.ID
	a.fates[act.ID] = &fate{attack.Fate{Standing: told.Standing, Reasons: told.Reasons, Cast: act.At, Since: act.At}, ballot, act.Entry, act.Level == string(contest.LevelEmail)}
	a.judge.Read(a.record(voting.KindCast, ballot, act.Entry, voting.Standing(told.Standing), told.Reasons, actor), act.Level, evidence)
	return told, nil
}

// screen is what a server does of an attempt. Evidence is hashed already: where it
// would hash an address, there is one to begin with.
func (a *Arena) screen(act *attack.Act, voter voting.Voter) (antifraud.Verdict, window.Sighting, antifraud.Evidence) {
	e := act.Evidence
	attempt := antifraud.Attempt{
		At: act.At, Level: act.Level, Present: e.Present, School: e.SchoolDomain, Opened: e.Opened, NetKind: e.NetKind, ASN: e.ASN, Issued: act.Issued,
		Client: antifraud.Client{
			Via: e.Via, Referrer: e.Referrer, EmbedOrigin: e.EmbedOrigin, DwellMS: e.DwellMS, ConfirmMS: e.ConfirmMS, Visible: e.Visible, Device: e.Device,
		},
	}
	if e.Profile != nil {
		attempt.Account = account.Score(e.Profile).LogOdds
	}
	attempt.KnownFarm = a.known(act, &e)
	sighting := window.Of(window.Cast{Voter: voter.String(), Entry: act.Entry, Via: e.Via}, &attempt, &e)
	counts := a.windows.Contest(a.contest.ID, act.At).Counts(sighting)
	verdict := a.policy.Screen(attempt, counts[:]...)
	e.Signals = verdict.Signals
	return verdict, sighting, e
}

// known tells whether an attempt bears the signature of a farm that is void.
func (a *Arena) known(act *attack.Act, e *antifraud.Evidence) bool {
	for _, farm := range a.farms {
		if farm.Match(act.Entry, e, act.At) {
			return true
		}
	}
	return false
}

func (a *Arena) record(kind voting.Kind, b sweep.Ballot, entry string, to voting.Standing, reasons []string, by voting.Actor) voting.Record {
	a.offset++
	e, _ := a.contest.Entry(entry)
	return voting.Record{
		Position: voting.Position{Epoch: 1, Millis: a.now.UnixMilli(), Offset: a.offset}, Kind: kind, Ballot: b.ID, Voter: b.Voter,
		Entry: entry, School: e.School, Standing: to, Reasons: reasons, Actor: by,
	}
}
