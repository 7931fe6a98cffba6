package ballotbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/internal/panics"
	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// maxAppeals bounds what a box keeps: ballots are free to who makes passes, and
// an appeal is up to 2 KB. Nobody reads ten thousand.
const maxAppeals = 10_000

// Appeal keeps what the voter of a held or void ballot writes to the organizers,
// already sealed, until the evidence expires. The first text of a ballot stays: a
// later one is dropped, and answered like the first. It changes no standing and
// is in no ledger. [ErrNothingToAppeal] is for any other ballot.
func (b *Boxes) Appeal(ctx context.Context, s *registry.Stored, voter voting.Voter, id uuid.UUID, sealed []byte) (voting.Standing, error) {
	box := boxOf(voter, s.Contest.Boxes)
	keys := keysOf(s.Contest.ID, box)
	reply, err := b.reply(ctx, s, box, b.appeal, keys.common(keys.voters(voter), keys.appeals), ballotField(id, voter), sealed, maxAppeals)
	if err != nil {
		return "", fmt.Errorf("appeal: %w", err)
	}
	switch reply.code() {
	case "kept":
		return voting.ParseStanding(reply.text(1))
	case "nothing":
		if reply.text(1) == "" {
			return "", ErrNoSuchBallot
		}
		return "", ErrNothingToAppeal
	case "full":
		return "", ErrAppealsFull
	case "forgotten":
		return "", registry.ErrForgotten
	}
	return "", fmt.Errorf("appeal: unknown reply %q", reply.code())
}

// AppealOf is what the voter of a ballot has written, sealed, and whether it is answered;
// nil when nothing.
func (b *Boxes) AppealOf(ctx context.Context, s *registry.Stored, voter voting.Voter, id uuid.UUID) (sealed []byte, done bool, err error) {
	key, field := keysOf(s.Contest.ID, boxOf(voter, s.Contest.Boxes)).appeals, ballotField(id, voter)
	values, err := b.store.Client().HMGet(ctx, key, field, answered(field)).Result()
	if err != nil {
		return nil, false, fmt.Errorf("read appeal: %w", store.Classify(err))
	}
	if text, there := values[0].(string); there {
		sealed = []byte(text)
	}
	return sealed, values[1] != nil, nil
}

// AnswerAppeals says of ballots that their appeals have been answered, or are open
// again; those without one stay so. Whoever appealed once does not do so anew.
func (b *Boxes) AnswerAppeals(ctx context.Context, s *registry.Stored, ballots []ActedBallot, done bool) error {
	if s.Forgotten() { // no appeals, no answers to them
		return nil
	}
	state := "open"
	if done {
		state = "answered"
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(changesAtOnce)
	for _, one := range ballots {
		group.Go(panics.Caught(func() error {
			box := boxOf(one.Voter, s.Contest.Boxes)
			keys, field := keysOf(s.Contest.ID, box), ballotField(one.Ballot, one.Voter)
			if _, err := b.reply(ctx, s, box, b.answer, keys.common(keys.appeals), field, answered(field), state); err != nil {
				return fmt.Errorf("answer appeal: %w", err)
			}
			return nil
		}))
	}
	return group.Wait()
}

// Appealed are the void ballots whose voters object and were not answered yet,
// newest first, at most limit. Held ones are in [Boxes.Held], with what their
// voters say.
func (b *Boxes) Appealed(ctx context.Context, s *registry.Stored, limit int) ([]HeldBallot, error) {
	if _, err := b.turnAll(ctx, s); err != nil { // finds a torn box
		return nil, fmt.Errorf("appeals: %w", err)
	}
	found := make([][]HeldBallot, s.Contest.Boxes)
	err := b.each(ctx, s.Contest, func(ctx context.Context, box int, keys boxKeys) error {
		fields, err := b.store.Client().HKeys(ctx, keys.appeals).Result()
		if err != nil {
			return store.Classify(err)
		}
		there := map[string]bool{}
		for _, field := range fields {
			there[field] = true
		}
		var open []HeldPlace
		for _, field := range fields {
			if place, ok := placeOf(field, 0); ok && !there[answered(field)] {
				open = append(open, place)
			}
		}
		for page := range slices.Chunk(open, heldPage) {
			void, err := b.standingAt(ctx, s, box, keys, page, voting.Void)
			if err != nil {
				return err
			}
			found[box] = append(found[box], void...)
		}
		return nil
	})
	if err == nil {
		var void []HeldBallot
		if void, err = b.firstOf(ctx, s, found, limit); err == nil {
			return void, nil
		}
	}
	return nil, fmt.Errorf("appeals: %w", err)
}
