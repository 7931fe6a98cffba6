package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// Find is the ballot as it stands, or [ErrNoSuchBallot]. A voter who is several
// devices finds the ballots of each, under the voter that cast it.
func (b *Boxes) Find(ctx context.Context, s *registry.Stored, voter voting.Voter, id uuid.UUID) (voting.Cast, error) {
	cast, err := b.find(ctx, s, voter, id)
	if errors.Is(err, ErrNoSuchBallot) {
		return b.findInGroup(ctx, s, voter, id)
	}
	return cast, err
}

// Confirmed is Find, and tells whether the ballot is safe: on a cluster, that a replica
// has it as it stands. One that is not may yet be lost.
func (b *Boxes) Confirmed(ctx context.Context, s *registry.Stored, voter voting.Voter, id uuid.UUID) (cast voting.Cast, confirmed bool, err error) {
	if cast, err = b.Find(ctx, s, voter, id); err != nil || !b.store.Clustered() {
		return cast, err == nil, err
	}
	box := boxOf(cast.Voter, s.Contest.Boxes)
	values, err := b.kept.Run(ctx, []string{keysOf(s.Contest.ID, box).voters(cast.Voter)}, ballotField(id, cast.Voter)).StringSlice()
	confirmed = err == nil
	if err != nil && !errors.Is(err, store.ErrUnconfirmed) {
		return voting.Cast{}, false, fmt.Errorf("find ballot: %w", err)
	}
	if len(values) == 0 { // lost with its master since
		return voting.Cast{}, false, ErrNoSuchBallot
	}
	voter = cast.Voter
	cast, err = parseBallot(values[0], s, box)
	cast.Ballot, cast.Voter = id, voter
	return cast, confirmed, err
}

// find is Find among the ballots of this very voter.
func (b *Boxes) find(ctx context.Context, s *registry.Stored, voter voting.Voter, id uuid.UUID) (voting.Cast, error) {
	box := boxOf(voter, s.Contest.Boxes)
	keys := keysOf(s.Contest.ID, box)
	value, err := b.store.Client().HGet(ctx, keys.voters(voter), ballotField(id, voter)).Result()
	if errors.Is(err, redis.Nil) {
		return voting.Cast{}, ErrNoSuchBallot
	}
	if err != nil {
		return voting.Cast{}, fmt.Errorf("find ballot: %w", store.Classify(err))
	}
	cast, err := parseBallot(value, s, box)
	if err != nil {
		return voting.Cast{}, err
	}
	cast.Ballot, cast.Voter = id, voter
	return cast, nil
}

// HasVoted tells whether the voter has cast a ballot that was accepted.
func (b *Boxes) HasVoted(ctx context.Context, s *registry.Stored, voter voting.Voter) (bool, error) {
	me, err := b.voter(ctx, s, voter)
	if err != nil || me.into == nil {
		return me.value != "", err
	}
	it, err := b.voter(ctx, s, *me.into)
	if err != nil || it.value != "" {
		return it.value != "", err
	}
	own, err := b.castsOf(ctx, s, []kept{me}) // being joined just now: its turns are not counted there yet
	return len(own) > 0, err
}

// Lookup finds who has cast ballots, by their ids alone: nobody where there is no such
// ballot, several where several voters sent the same id. It reads the whole ledger once for all
// ids, some seconds for each million records. Whoever knows the voter uses Find.
func (b *Boxes) Lookup(ctx context.Context, s *registry.Stored, ids []uuid.UUID) (map[uuid.UUID][]voting.Voter, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	voters := make(map[uuid.UUID][]voting.Voter, len(ids))
	for _, id := range ids {
		voters[id] = nil
	}
	err := b.Ledger(ctx, s, voting.Position{}, func(r voting.Record) error {
		if r.Kind != voting.KindCast {
			return nil
		}
		if found, wanted := voters[r.Ballot]; wanted {
			voters[r.Ballot] = append(found, r.Voter)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up ballots: %w", err)
	}
	return voters, nil
}

// Change says which standing a ballot comes to, by whom and why.
type Change struct {
	Voter    voting.Voter
	Ballot   uuid.UUID
	Standing voting.Standing
	Actor    voting.Actor
	Reasons  []string

	Policy, Model string // versions that decided; empty where a person did

	// From, when set, is how the ballot stood when this was decided. Where it does
	// not stand so any more nothing is changed: whoever was faster is right.
	From *Stand
}

// Stand is how a ballot stands, and why.
type Stand struct {
	Standing voting.Standing
	Reasons  []string
}

// Change brings one ballot to a standing and reports whether that was news. A
// withdrawn ballot stays withdrawn, and what an organizer has decided is nothing that
// [voting.ActorScreen] changes. A voter's own withdrawal is bound to the
// undo window: [ErrUndoExpired].
func (b *Boxes) Change(ctx context.Context, s *registry.Stored, change Change) (cast voting.Cast, changed bool, err error) {
	if _, err := voting.ParseStanding(string(change.Standing)); err != nil {
		return voting.Cast{}, false, fmt.Errorf("change standing: %w", err)
	}
	before, err := b.find(ctx, s, change.Voter, change.Ballot)
	if err != nil {
		return voting.Cast{}, false, err
	}
	entry, _ := s.Contest.Entry(before.Entry)
	box := boxOf(change.Voter, s.Contest.Boxes)
	keys := keysOf(s.Contest.ID, box)
	bound, from := "", Stand{}
	if change.From != nil {
		bound, from = mark(true), *change.From
	}
	reply, err := b.reply(ctx, s, box, b.standing, keys.common(keys.voters(change.Voter), keys.held),
		change.Voter[:], change.Ballot[:], string(change.Standing), string(change.Actor),
		strings.Join(change.Reasons, " "), entry.School, change.Policy, change.Model,
		bound, string(from.Standing), strings.Join(from.Reasons, " "))
	if err != nil {
		return voting.Cast{}, false, err
	}
	switch reply.code() {
	case "changed", "unchanged":
		cast, err := reply.cast(s, box)
		cast.Ballot, cast.Voter = change.Ballot, change.Voter
		if err == nil && cast.Standing == voting.Withdrawn {
			err = b.returnTurn(ctx, s, change.Voter)
		}
		return cast, reply.code() == "changed", err
	case string(voting.UndoExpired):
		return voting.Cast{}, false, ErrUndoExpired
	case string(voting.NoSuchBallot):
		return voting.Cast{}, false, ErrNoSuchBallot
	}
	return voting.Cast{}, false, fmt.Errorf("change standing: unknown reply %q", reply.code())
}

// changesAtOnce is how many standing changes wait for the store together: enough
// to share round trips, few enough to leave casts their place.
const changesAtOnce = 64

// ChangeAll applies changes and counts those that were news. On an error some
// may have been applied: the same call again applies the rest.
func (b *Boxes) ChangeAll(ctx context.Context, s *registry.Stored, changes []Change) (changed int, err error) {
	news := make([]bool, len(changes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(changesAtOnce)
	for i, change := range changes {
		group.Go(panics.Caught(func() (err error) {
			_, news[i], err = b.Change(ctx, s, change)
			return err
		}))
	}
	err = group.Wait()
	for _, n := range news {
		if n {
			changed++
		}
	}
	return changed, err
}
