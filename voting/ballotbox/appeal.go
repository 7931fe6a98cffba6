package ballotbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/joute/joute/contest/registry"
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
	reply, err := b.reply(ctx, s, box, b.appeal, keys.common(keys.ballots(id), keys.appeals), ballotField(id, voter), sealed, maxAppeals)
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
	}
	return "", fmt.Errorf("appeal: unknown reply %q", reply.code())
}

// AppealOf is what the voter of a ballot has written, sealed; nil when nothing.
func (b *Boxes) AppealOf(ctx context.Context, s *registry.Stored, voter voting.Voter, id uuid.UUID) ([]byte, error) {
	key := keysOf(s.Contest.ID, boxOf(voter, s.Contest.Boxes)).appeals
	sealed, err := b.store.Client().HGet(ctx, key, ballotField(id, voter)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read appeal: %w", store.Classify(err))
	}
	return sealed, nil
}
