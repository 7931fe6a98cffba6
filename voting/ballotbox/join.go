package ballotbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// sameVoter is why a ballot over the limit of a voter who is several devices is void.
const sameVoter = "same-voter"

// Join makes the voter of an address and the device that has proven it one voter,
// and returns which: the one that was first. That is address itself where it
// voted before any device was known to be its, else the first device. A device is
// joined to one address only, the first it proves: what it proves after that
// is another person at the same screen, and changes nothing here.
//
// Ballots cast before stay as they are but for those over the limits of one voter,
// the later ones, which become void; what an organizer has decided stands. After an error it may be half done; it is
// finished by the next call, or by Tend.
func (b *Boxes) Join(ctx context.Context, s *registry.Stored, address voting.Voter, device *voting.Voter) (voting.Voter, error) {
	first := address // when the address is fresh
	if device != nil {
		reply, err := b.reply(ctx, s, boxOf(*device, s.Contest.Boxes), b.claim, b.votersKeys(s, *device), device[:], address[:])
		if err != nil {
			return voting.Voter{}, fmt.Errorf("join: %w", err)
		}
		if reply.code() == "claimed" {
			first = *device
		} else {
			device = nil // joined before, or another address's
		}
	}
	it, err := b.into(ctx, s, address, first, true)
	if err != nil || device == nil || it == *device {
		return it, err
	}
	if it, err = b.into(ctx, s, *device, it, false); err != nil {
		return voting.Voter{}, err
	}
	return it, b.finish(ctx, s, *device, it)
}

// into joins a voter to another, unless it is joined already, and returns to whom;
// a fresh one only where it has never voted. A voter is not joined to itself.
func (b *Boxes) into(ctx context.Context, s *registry.Stored, voter, other voting.Voter, fresh bool) (voting.Voter, error) {
	mode, to := "", other[:]
	if fresh {
		mode = "fresh"
	}
	if voter == other {
		to = nil
	}
	box := boxOf(voter, s.Contest.Boxes)
	keys := append(b.votersKeys(s, voter), keysOf(s.Contest.ID, box).joining)
	reply, err := b.reply(ctx, s, box, b.join, keys, voter[:], to, mode)
	switch {
	case err != nil:
		return voting.Voter{}, fmt.Errorf("join: %w", err)
	case reply.code() == "joined":
		return reply.voter(1)
	}
	return voter, nil
}

// finish works a joined voter in: its ballots count as turns of the other one.
func (b *Boxes) finish(ctx context.Context, s *registry.Stored, voter, other voting.Voter) error {
	box := boxOf(other, s.Contest.Boxes)
	if _, err := b.reply(ctx, s, box, b.member, b.votersKeys(s, other), other[:], voter[:]); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	if err := b.settleGroup(ctx, s, other); err != nil {
		return err
	}
	joining := keysOf(s.Contest.ID, boxOf(voter, s.Contest.Boxes)).joining
	if err := b.store.Client().HDel(ctx, joining, string(voter[:])).Err(); err != nil {
		return fmt.Errorf("join: %w", store.Classify(err))
	}
	return nil
}

// finishAll finishes the joins that a server has left half done.
func (b *Boxes) finishAll(ctx context.Context, s *registry.Stored) error {
	return b.each(ctx, s.Contest, func(ctx context.Context, _ int, keys boxKeys) error {
		left, err := b.store.Client().HGetAll(ctx, keys.joining).Result()
		if err != nil {
			return fmt.Errorf("join: %w", store.Classify(err))
		}
		for voter, other := range left {
			if len(voter) != len(voting.Voter{}) || len(other) != len(voting.Voter{}) {
				return errors.New("corrupt ballot box: expected voters that are being joined")
			}
			if err := b.finish(ctx, s, voting.Voter([]byte(voter)), voting.Voter([]byte(other))); err != nil {
				return err
			}
		}
		return nil
	})
}

// settleGroup counts the turns of a voter who is several devices over all their
// ballots, and voids those over the limits: of two, the later one.
func (b *Boxes) settleGroup(ctx context.Context, s *registry.Stored, voter voting.Voter) error {
	for {
		group, err := b.group(ctx, s, voter)
		if err != nil {
			return err
		}
		casts, err := b.castsOf(ctx, s, group)
		if err != nil || len(casts) == 0 {
			return err
		}
		used := newestTurns(s.Contest, casts)
		reply, err := b.reply(ctx, s, boxOf(voter, s.Contest.Boxes), b.turns, b.votersKeys(s, voter),
			voter[:], group[0].value, used.start, used.used, entriesText(s.Contest, used.entries))
		if err != nil {
			return fmt.Errorf("join: %w", err)
		}
		if reply.code() != "set" {
			continue // a cast came between
		}
		for _, c := range overLimit(s.Contest, casts) {
			if _, _, err := b.Change(ctx, s, Change{
				Voter: c.Voter, Ballot: c.Ballot, Standing: voting.Void, Actor: voting.ActorScreen, Reasons: []string{sameVoter},
			}); err != nil {
				return err
			}
		}
		return nil
	}
}

// settleTorn counts the turns of voters anew whose own box knew only a part of them.
func (b *Boxes) settleTorn(ctx context.Context, s *registry.Stored, torn []voting.Record) error {
	for _, r := range torn {
		if r.Voter == (voting.Voter{}) {
			continue
		}
		group, err := b.group(ctx, s, r.Voter)
		if err == nil && len(group) > 1 {
			err = b.settleGroup(ctx, s, r.Voter)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// returnTurn gives a withdrawn ballot's turn back where its voter is another one
// by now; else its own box has done so.
func (b *Boxes) returnTurn(ctx context.Context, s *registry.Stored, voter voting.Voter) error {
	v, err := b.voter(ctx, s, voter)
	if err != nil || v.into == nil {
		return err
	}
	return b.settleGroup(ctx, s, *v.into)
}

// voter reads what is kept of a voter; zero but for voter when nothing is.
func (b *Boxes) voter(ctx context.Context, s *registry.Stored, v voting.Voter) (kept, error) {
	key := keysOf(s.Contest.ID, boxOf(v, s.Contest.Boxes)).voters(v)
	values, err := b.store.Client().HMGet(ctx, key, string(v[:]), string(v[:])+"+").Result()
	if err != nil {
		return kept{}, fmt.Errorf("read voter: %w", store.Classify(err))
	}
	value, _ := values[0].(string)
	others, _ := values[1].(string)
	return parseVoter(v, value, others)
}

// group is a voter, first, and all that belong to it.
func (b *Boxes) group(ctx context.Context, s *registry.Stored, v voting.Voter) ([]kept, error) {
	me, err := b.voter(ctx, s, v)
	if err != nil {
		return nil, err
	}
	group := []kept{me}
	for _, other := range me.others {
		one, err := b.voter(ctx, s, other)
		if err != nil {
			return nil, err
		}
		// An address that the device belongs to may be somebody without ballots, or
		// in between, not joined yet.
		if one.into != nil && *one.into == v {
			group = append(group, one)
		}
	}
	return group, nil
}

// Ballots are all that a voter has cast, with every device known to be the same
// voter's, in the order of their instants.
func (b *Boxes) Ballots(ctx context.Context, s *registry.Stored, voter voting.Voter) ([]voting.Cast, error) {
	group, err := b.group(ctx, s, voter)
	if err != nil {
		return nil, err
	}
	return b.castsOf(ctx, s, group)
}

// Same tells whether two voters are known to be one.
func (b *Boxes) Same(ctx context.Context, s *registry.Stored, x, y voting.Voter) (bool, error) {
	if x == y {
		return true, nil
	}
	is := func(v voting.Voter) (voting.Voter, error) {
		k, err := b.voter(ctx, s, v)
		if k.into != nil {
			v = *k.into
		}
		return v, err
	}
	isX, err1 := is(x)
	isY, err2 := is(y)
	return isX == isY, errors.Join(err1, err2)
}

// castsOf are the ballots of all of a group, in the order of their instants.
func (b *Boxes) castsOf(ctx context.Context, s *registry.Stored, group []kept) ([]voting.Cast, error) {
	var casts []voting.Cast
	for _, k := range group {
		box := boxOf(k.voter, s.Contest.Boxes)
		fields, err := b.store.Client().HGetAll(ctx, keysOf(s.Contest.ID, box).voters(k.voter)).Result()
		if err != nil {
			return nil, fmt.Errorf("read ballots: %w", store.Classify(err))
		}
		for field, value := range fields {
			id, own := strings.CutSuffix(field, string(k.voter[:]))
			if !own || len(id) != len(uuid.UUID{}) {
				continue // another's, or a voter
			}
			cast, err := parseBallot(value, s, box)
			if err != nil {
				return nil, err
			}
			cast.Ballot, cast.Voter = uuid.UUID([]byte(id)), k.voter
			casts = append(casts, cast)
		}
	}
	slices.SortFunc(casts, func(x, y voting.Cast) int { return comparePositions(x.Position, y.Position) })
	return casts, nil
}

// findInGroup looks for a ballot that the voter cast as somebody else.
func (b *Boxes) findInGroup(ctx context.Context, s *registry.Stored, voter voting.Voter, id uuid.UUID) (voting.Cast, error) {
	me, err := b.voter(ctx, s, voter)
	if err != nil {
		return voting.Cast{}, err
	}
	others := me.others
	if me.into != nil { // cast by its pass, counted as who it is
		others = append(others, *me.into)
	}
	for _, other := range others {
		one, err := b.voter(ctx, s, other)
		if err != nil {
			return voting.Cast{}, err
		}
		if one.into != nil && *one.into == voter || me.into != nil && *me.into == other {
			if cast, err := b.find(ctx, s, other, id); !errors.Is(err, ErrNoSuchBallot) {
				return cast, err
			}
		}
	}
	return voting.Cast{}, ErrNoSuchBallot
}

// votersKeys are the keys of the scripts that change a voter.
func (b *Boxes) votersKeys(s *registry.Stored, v voting.Voter) []string {
	keys := keysOf(s.Contest.ID, boxOf(v, s.Contest.Boxes))
	return keys.common(keys.voters(v))
}
